"""Autoformer: a transformer that decomposes as it goes and attends to periods."""

import functools
import math
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar

import numpy as np

import tsformers.forecasters.autoformer.explain as parts
from tsformers.forecasters.autoformer.layers import Architecture
from tsformers.forecasters.autoformer.network import AutoformerNetwork
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.nn.heads.base import DistributionOutput

PAPER: dict[str, Any] = {
    "context_length": 96,
    "d_model": 512,
    "d_ff": 2048,
    "trend_start": "mean",
    "likelihood": "squared_error",
    "scaler": None,
    "multivariate": True,
    "learning_rate": 1e-4,
    "batch_size": 32,
    "schedule": "halving",
    "max_epochs": 10,
    "max_steps": 1_000_000,
    "early_stopping_patience": 3,
    "gradient_clip": math.inf,
}
PRESETS = {"paper": PAPER}
Model = TypeVar("Model")


def _takes_presets(model: type[Model]) -> type[Model]:
    """Lets ``preset=`` say what the caller does not."""
    made: Any = model.__init__

    @functools.wraps(made)
    def init(self: Any, **given: Any) -> None:
        made(self, **PRESETS.get(given.get("preset") or "", {}) | given)

    model.__init__ = init  # type: ignore[method-assign]
    return model


@_takes_presets
@dataclass(kw_only=True, repr=False, eq=False)
class Autoformer(TorchForecaster):
    """Forecasts with a transformer that splits trend from season layer by layer and attends to periods.

    The seasonal part is refined by auto-correlation, which mixes a series with itself shifted by its own periods; the
    trends split off on the way are added up. Their sum is the location of the predictive law, and a head shapes the
    rest. Known covariates and calendar features are embedded beside the past and the future, past covariates beside
    the past. Series share their weights; with ``multivariate`` they are channels of one series.

    Defaults are sized for a CPU and are what did best on held-back data (docs/results/autoformer.md): each series is
    a channel of its own, in units of its window; a linear map of the context, solved by ridge regression, says what a
    linear model can say, and the network learns the rest; the law is learned quantile by quantile. The published model
    is ``preset="paper"``.

    Args:
        label_length: last steps of the context from which the decoder starts; None: half of the context.
        d_model: D, width of the hidden series, a multiple of ``n_heads``.
        n_heads: heads of each auto-correlation.
        d_ff: width inside the feed-forward parts.
        encoder_layers: layers that read the past.
        decoder_layers: layers that refine the future.
        moving_average: k of every decomposition, in steps.
        factor: how many periods each auto-correlation keeps, in units of the logarithm of the length.
        dropout: share of hidden numbers set to zero while training.
        activation: "gelu" or "relu".
        trend_start: from what the trend of the horizon starts: the "mean" of the context, its "last" value, or that and
            a "linear" map of the context, solved before the rest is trained.
        preset: "paper" changes the defaults, also those of training, to the published settings: d_model 512, d_ff 2048,
            squared errors, unscaled windows, series as channels, and so on, see ``PAPER``. What is given besides wins.

    Note:
        ``horizon``, ``context_length``, ``likelihood`` and all settings of training: see ``TorchForecaster``.

    Raises:
        ValueError: at ``fit``, a setting is out of range.

    Example:
        >>> import numpy as np, pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = Autoformer(horizon=4, context_length=16, d_model=8, d_ff=16, max_steps=2, seed=0, verbose=False)
        >>> model.fit(frame).predict(n_samples=50).samples.shape
        (1, 50, 4)

    Source: Wu, Xu, Wang & Long (2021), Autoformer: Decomposition Transformers with Auto-Correlation, NeurIPS.
    """

    label_length: int | None = None
    d_model: int = 64
    n_heads: int = 8
    d_ff: int = 256
    encoder_layers: int = 2
    decoder_layers: int = 1
    moving_average: int = 25
    factor: float = 3.0
    dropout: float = 0.05
    activation: Literal["gelu", "relu"] = "gelu"
    trend_start: Literal["last", "mean", "linear"] = "linear"
    max_steps: int = 500
    batch_size: int = 32
    likelihood: str | DistributionOutput = "quantile_function"
    preset: Literal["paper"] | None = None

    decompose = parts.decompose
    periods = parts.periods
    plot_decomposition = parts.plot_decomposition

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network, untrained; calendar features are known columns like others.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
        """
        sizes = Architecture(**{field.name: getattr(self, field.name) for field in fields(Architecture)})
        return AutoformerNetwork(
            (channels, past_x, known_x),
            self.horizon,
            self.label_length,
            sizes,
            self.likelihood,
            getattr(self, "context_length_", self.context_length),
        )

    def check(self) -> None:
        """The settings are in range.

        Raises:
            ValueError: names the setting, its value and what it may be.

        Source: the ranges in which the formulas of the paper are defined.
        """
        super().check()
        for name in ("d_model", "n_heads", "d_ff", "encoder_layers", "decoder_layers", "moving_average"):
            if not isinstance(value := getattr(self, name), int | np.integer) or value < 1:
                raise ValueError(f"{name} must be a whole number of 1 or more, not {value!r}")
        choices: dict[str, tuple[str | None, ...]] = {
            "activation": ("gelu", "relu"),
            "trend_start": ("last", "mean", "linear"),
            "preset": (*PRESETS, None),
        }
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, known))}")
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model={self.d_model} cannot be split into n_heads={self.n_heads}; choose a multiple")
        if not self.factor > 0 or not 0 <= self.dropout < 1:
            raise ValueError(f"factor={self.factor} must be above 0, and dropout={self.dropout} in [0, 1)")
        label, context = self.label_length, self.context_length
        if label is not None and (label < 0 or (context is not None and label > context)):
            raise ValueError(f"label_length={label} must lie between 0 and context_length={context}")
