"""LRU: linear recurrent units, trained over whole contexts in parallel, updated one step at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from torch import nn

from tsformers.errors import TsformersError
from tsformers.forecasters.lru.layers import Sizes
from tsformers.forecasters.lru.network import LRUNetwork
from tsformers.forecasters.lru.stream import stream
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.neural.known_response import calendar_part
from tsformers.messages import Setting
from tsformers.nn.heads.base import DistributionOutput
from tsformers.validation import Above, AtLeast, Between


@dataclass(kw_only=True, repr=False, eq=False)
class LRU(TorchForecaster):
    """Forecasts with a stack of linear recurrences, whose states remember thousands of steps at constant cost a step.

    A state is a complex number that decays and rotates, ``x[k] = lambda x[k - 1] + B u[k]``; between the recurrences
    are norms and gates that act on one step alone. Training processes whole contexts in parallel, long ones too;
    afterwards ``stream`` takes one observation after the other at constant cost. Known covariates, past covariates,
    statics and calendar features are further inputs; missing values are masked. Series share their weights; with
    ``multivariate`` they are channels of one series.

    By default the distribution of all steps ahead is decoded from the last state, and the distribution of the next
    value, which a stream needs, is trained jointly. Both start from a linear map of the past, fitted in closed form by
    ridge regression, and the network learns the remainder. With ``decoding="autoregressive"`` only the distribution of
    the next value is learned: futures are drawn from it step by step, so that the draws of a series are paths, and
    predictions cost more.

    Args:
        cell: "lru"; for comparison "s4d", a diagonal state space for each feature, or "gru", ``torch.nn.GRU``.
        d_model: width of the blocks.
        d_state: complex states of a layer; of "s4d" real numbers in the state of a feature, of "gru" its width.
        n_layers: recurrent blocks.
        dropout: share of features set to zero during training.
        r_min: smallest initial modulus of a state, of "lru"; None: 0.5, of contexts above 200 steps 0.9.
        r_max: largest initial modulus; None: 0.99, of contexts above 200 steps 0.999.
        max_phase: largest initial rotation of a state a step, of "lru", in radians; for dependencies over thousands of
            steps take a small one, as the paper does: the phase of a memory is its age times the rotation.
        periods: seasons in steps, of "lru": in each layer some states are initialised at up to four harmonics of each
            season; None: no state is.
        start: location of a distribution before training: the "last" value, or that and a "linear" map of the past.
        decoding: "direct" or "autoregressive", see above; "quantile" is direct only: it cannot be drawn from.
        recurrent_rate: learning rate of the recurrent parameters, in units of ``learning_rate``; they have no weight
            decay.

    Note:
        ``horizon``, ``context_length``, ``likelihood`` and all settings of training: see ``TorchForecaster``.

    Raises:
        ValueError: at ``fit``, a setting is out of range.

    Example:
        >>> import numpy as np, pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = LRU(horizon=4, context_length=16, d_model=8, d_state=8, max_steps=2, seed=0, verbose=False)
        >>> model.fit(frame).predict(n_samples=50).samples.shape
        (1, 50, 4)
        >>> stream = model.stream()
        >>> stream.update(-0.3).quantile([0.1, 0.9]).shape
        (1, 2)

    Source: Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu & De (2023), Resurrecting Recurrent Neural Networks for Long
        Sequences, ICML; as a forecaster it is ours.
    """

    cell: Literal["lru", "s4d", "gru"] = "lru"
    d_model: Annotated[int, AtLeast(1)] = 64
    d_state: Annotated[int, AtLeast(1)] = 64
    n_layers: Annotated[int, AtLeast(1)] = 2
    dropout: Annotated[float, Between(0, 1, open="high")] = 0.1
    r_min: Annotated[float, Between(0, 1)] | None = None
    r_max: Annotated[float, Between(0, 1, open="low")] | None = None
    max_phase: Annotated[float, Above(0)] = 2 * math.pi
    periods: Sequence[Annotated[float, Above(1)]] | None = None
    start: Literal["linear", "last"] = "linear"
    decoding: Literal["direct", "autoregressive"] = "direct"
    recurrent_rate: Annotated[float, Above(0)] = 0.5
    batch_size: Annotated[int, AtLeast(1)] = 32
    learning_rate: Annotated[float, Above(0)] = 2e-3
    weight_decay: Annotated[float, AtLeast(0)] = 0.05
    likelihood: str | DistributionOutput = "quantile_function"

    stream = stream

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> LRUNetwork:
        """The network, untrained; calendar features are known columns like others.

        Source: Orvieto et al. (2023), LRU, figure 1.
        """
        context = getattr(self, "context_length_", self.context_length)
        assert context is not None, "fit chooses a context length before it builds"
        columns, others = (channels, past_x, known_x), calendar_part(self, known_x, calendar)
        return LRUNetwork(columns, context, self.horizon, self.sizes(), self.likelihood, self.decoding, others)

    def sizes(self) -> Sizes:
        """The sizes of the recurrent part of the network.

        Example:
            >>> LRU(horizon=4, periods=[24]).sizes().periods
            (24,)

        Source: Orvieto et al. (2023), LRU, section 3.
        """
        return Sizes(
            cell=self.cell,
            d_model=self.d_model,
            d_state=self.d_state,
            n_layers=self.n_layers,
            dropout=self.dropout,
            r_min=self.r_min,
            r_max=self.r_max,
            max_phase=self.max_phase,
            periods=() if self.periods is None else tuple(self.periods),
            start=self.start,
        )

    def groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """Recurrent parameters have a smaller learning rate and no weight decay.

        Source: Orvieto et al. (2023), LRU, appendix A.
        """
        assert isinstance(network, LRUNetwork)
        states = [weight for block in network.trunk.blocks for weight in block.recurrent_parameters()]  # type: ignore[operator]
        known = {id(weight) for weight in states}
        others = [weight for weight in network.parameters() if id(weight) not in known]
        slow = {"params": states, "lr": self.recurrent_rate * self.learning_rate, "weight_decay": 0.0}
        return [{"params": others}, slow] if states else [{"params": others}]

    def check(self) -> None:
        """The settings are in range.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        super().check()
        low, high = (0.0 if self.r_min is None else self.r_min), (1.0 if self.r_max is None else self.r_max)
        if low > high:
            raise TsformersError(
                Setting("r_min", self.r_min),
                " and ",
                Setting("r_max", self.r_max),
                " must be moduli with r_min <= r_max",
            )
        if self.decoding == "autoregressive" and self.likelihood == "quantile":
            raise TsformersError(
                Setting("likelihood", "quantile"),
                " forecasts quantiles, from which no path can be drawn; choose ",
                Setting("likelihood", "quantile_function"),
                ", which learns the same and is drawn from, or ",
                Setting("decoding", "direct"),
            )
        if self.cell == "s4d" and self.d_state % 2:
            raise TsformersError(
                Setting("d_state", self.d_state),
                " must be even with ",
                Setting("cell", "s4d"),
                ", whose states come in pairs",
            )
        if self.periods is None:
            return
        if self.cell != "lru":
            raise TsformersError(
                "periods initialise the states of ",
                Setting("cell", "lru"),
                "; leave them out with ",
                Setting("cell", self.cell),
            )
        if 2 * len(self.periods) > self.d_state:
            raise ValueError(f"{len(self.periods)} periods need d_state of {2 * len(self.periods)} or more")
