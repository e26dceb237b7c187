"""LRU: linear recurrent units, trained over whole contexts at once, served one step at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from torch import nn

from tsformers.forecasters.lru.layers import Sizes
from tsformers.forecasters.lru.network import LRUNetwork
from tsformers.forecasters.lru.stream import stream
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.nn.heads.base import DistributionOutput


@dataclass(kw_only=True, repr=False, eq=False)
class LRU(TorchForecaster):
    """Forecasts with a stack of linear recurrences, whose states remember thousands of steps and cost the same forever.

    A state is a complex number that turns and fades, ``x[k] = lambda x[k - 1] + B u[k]``; between the recurrences lie
    norms and gates that look at one step alone. Training reads whole contexts in parallel, long ones too; afterwards
    ``stream`` goes on from observation to observation at constant cost. Known covariates, past covariates, statics and
    calendar features enter beside the values; missing values are told as missing. Series share their weights; with
    ``multivariate`` they are channels of one series.

    By default the law of all steps ahead is read off the last state, and the law of the next value, which a stream
    needs, is trained beside it. Both begin as a linear map of the past, solved by ridge regression, and the network
    learns the rest. With ``decoding="autoregressive"`` the law of the next value is all there is: futures are drawn
    from it step by step, so that the draws of a series are paths, and predictions cost more.

    Args:
        cell: "lru"; for comparison "s4d", a diagonal state space for each feature, or "gru", a gated recurrent unit.
        d_model: width of the hidden series.
        d_state: complex states of a layer; of "s4d" real numbers in the state of a feature, of "gru" its width.
        n_layers: recurrent blocks.
        dropout: share of hidden numbers set to zero while training.
        r_min: smallest modulus of a state at the start, of "lru"; None: 0.5, of contexts above 200 steps 0.9.
        r_max: largest; None: 0.99, of contexts above 200 steps 0.999.
        max_phase: largest turn a step at the start, of "lru", in radians; for what lies thousands of steps back take a
            small one, as the paper does: a memory's phase is its age times its turn.
        periods: seasons in steps: of "lru", in each layer some states start as their memories, at up to four harmonics
            of each season; None: no state does.
        start: what the location of a law begins with: the "last" value, or that and a "linear" map of the past.
        decoding: "direct" or "autoregressive", see above; "quantile" laws cannot be drawn from and are direct only.
        recurrent_rate: learning rate of what makes the states, in units of ``learning_rate``; they know no decay.

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
    d_model: int = 64
    d_state: int = 64
    n_layers: int = 2
    dropout: float = 0.1
    r_min: float | None = None
    r_max: float | None = None
    max_phase: float = 2 * math.pi
    periods: Sequence[float] | None = None
    start: Literal["linear", "last"] = "linear"
    decoding: Literal["direct", "autoregressive"] = "direct"
    recurrent_rate: float = 0.5
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    likelihood: str | DistributionOutput = "quantile_function"

    stream = stream

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> LRUNetwork:
        """The network, untrained; calendar features are known columns like others.

        Source: Orvieto et al. (2023), LRU, figure 1.
        """
        sizes = Sizes(
            cell=self.cell,
            d_model=self.d_model,
            d_state=self.d_state,
            n_layers=self.n_layers,
            dropout=self.dropout,
            r_min=self.r_min,
            r_max=self.r_max,
            max_phase=self.max_phase,
            periods=tuple(self.periods or ()),
            start=self.start,
        )
        context = getattr(self, "context_length_", self.context_length)
        assert context is not None, "fit chooses a context length before it builds"
        columns = channels, past_x, known_x
        return LRUNetwork(columns, context, self.horizon, sizes, self.likelihood, self.decoding)

    def groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """What makes the states has a smaller learning rate and no weight decay.

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

        Source: the ranges in which the formulas of the paper are defined.
        """
        super().check()
        for name in ("d_model", "d_state", "n_layers"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a whole number of 1 or more, not {value!r}")
        choices = {
            "cell": ("lru", "s4d", "gru"),
            "start": ("linear", "last"),
            "decoding": ("direct", "autoregressive"),
        }
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, known))}")
        if not 0 <= self.dropout < 1 or not self.recurrent_rate > 0:
            raise ValueError(
                f"dropout={self.dropout} must be in [0, 1), and recurrent_rate={self.recurrent_rate} above 0"
            )
        if self.decoding == "autoregressive" and self.likelihood == "quantile":
            raise ValueError(
                "likelihood='quantile' forecasts quantiles, from which no path can be drawn; choose "
                "likelihood='quantile_function', which learns the same and is drawn from, or decoding='direct'"
            )
        self._check_states()

    def _check_states(self) -> None:
        low, high = (0.0 if self.r_min is None else self.r_min), (1.0 if self.r_max is None else self.r_max)
        if not (0 <= low <= high <= 1 and high > 0):
            raise ValueError(
                f"r_min={self.r_min} and r_max={self.r_max} must be moduli with 0 <= r_min <= r_max <= 1 and r_max > 0"
            )
        if not self.max_phase > 0:
            raise ValueError(f"max_phase={self.max_phase} must be above 0 radians")
        if self.cell == "s4d" and self.d_state % 2:
            raise ValueError(f"d_state={self.d_state} must be even with cell='s4d', whose states come in pairs")
        if self.periods is None:
            return
        if isinstance(self.periods, str) or not isinstance(self.periods, Sequence | np.ndarray):
            raise ValueError(f"periods must be a list of seasons in steps, such as [24, 168], not {self.periods!r}")
        if self.cell != "lru":
            raise ValueError(f"periods seed the states of cell='lru'; leave them out with cell={self.cell!r}")
        if any(not period > 1 for period in self.periods):
            raise ValueError(f"periods={list(self.periods)} must be above 1 step each")
        if 2 * len(self.periods) > self.d_state:
            raise ValueError(f"{len(self.periods)} periods need d_state of {2 * len(self.periods)} or more")
