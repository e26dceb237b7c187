"""Autoformer: the forecaster, its defaults and its published settings."""

import math
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, Self

from tsformers.errors import TsformersError
from tsformers.forecasters.autoformer import explain
from tsformers.forecasters.autoformer.layers import Architecture
from tsformers.forecasters.autoformer.network import AutoformerNetwork
from tsformers.forecasters.neural.base import Likelihood, TorchForecaster
from tsformers.forecasters.neural.known_response import calendar_part
from tsformers.messages import Either, Message, Setting
from tsformers.validation import Above, AtLeast, Between, replaced_settings

PUBLISHED: dict[str, Any] = {
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
}  # where the paper and its released code differ from the defaults


@replaced_settings(
    preset=Message(
        "the published settings are ",
        Either("Autoformer.paper(horizon, ...)", "--model Autoformer.paper", 'class = "Autoformer.paper"'),
    )
)
@dataclass(kw_only=True, repr=False, eq=False)
class Autoformer(TorchForecaster):
    """Forecasts with a transformer that separates trend and season layer by layer and attends to periods.

    Auto-correlation refines the seasonal part: it averages a series with itself shifted by its own periods. The trends
    that the layers separate are summed. Season plus trend is the location of the predictive distribution; a head gives
    its shape. Known covariates and calendar features are embedded with the past and the future, past covariates with
    the past. All series share the weights; with ``multivariate`` they are channels of one series.

    The defaults are sized for a CPU and were best on validation data (docs/results/autoformer_defaults.md): univariate,
    in units of each window; a linear map of the context, fitted in closed form by ridge regression, gives the linear
    part of the forecast, and the network is trained on the rest; the distribution is learned as quantiles. The
    published model is ``Autoformer.paper(horizon)``.

    Args:
        label_length: last steps of the context that the decoder reads; None: half of the context.
        d_model: D, width of the hidden series, a multiple of ``n_heads``.
        n_heads: heads of each auto-correlation.
        d_ff: width inside the feed-forward parts.
        encoder_layers: layers over the past.
        decoder_layers: layers over label steps and horizon.
        moving_average: k of every decomposition, in steps.
        factor: how many lags each auto-correlation keeps, in units of the logarithm of the length.
        dropout: share of hidden values set to zero in training.
        activation: "gelu" or "relu".
        trend_start: the initial trend of the horizon: the "mean" of the context, its "last" value, or the last value
            plus a "linear" map of the context, fitted in closed form before the rest is trained.

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

    label_length: Annotated[int, AtLeast(0)] | None = None
    d_model: Annotated[int, AtLeast(1)] = 64
    n_heads: Annotated[int, AtLeast(1)] = 8
    d_ff: Annotated[int, AtLeast(1)] = 256
    encoder_layers: Annotated[int, AtLeast(1)] = 2
    decoder_layers: Annotated[int, AtLeast(1)] = 1
    moving_average: Annotated[int, AtLeast(1)] = 25
    factor: Annotated[float, Above(0)] = 3.0
    dropout: Annotated[float, Between(0, 1, open="high")] = 0.05
    activation: Literal["gelu", "relu"] = "gelu"
    trend_start: Literal["last", "mean", "linear"] = "linear"
    max_steps: Annotated[int, AtLeast(1)] = 500
    batch_size: Annotated[int, AtLeast(1)] = 32
    likelihood: Likelihood = "quantile_function"

    decompose = explain.decompose
    periods = explain.periods
    plot_decomposition = explain.plot_decomposition

    @classmethod
    def paper(cls, horizon: int, **overrides: Any) -> Self:
        """The model with the published settings, which are those of training too.

        d_model 512, d_ff 2048, context 96, trend from the mean of the context, squared errors, unscaled windows, series
        as channels, at most 10 epochs, patience 3, a learning rate of 0.0001 that each epoch after the second halves.

        Args:
            horizon: H, steps to forecast.
            **overrides: settings of the class; they override the published ones.

        Returns:
            A forecaster, not fitted.

        Example:
            >>> model = Autoformer.paper(24, d_ff=256)
            >>> model.d_model, model.d_ff, model.learning_rate
            (512, 256, 0.0001)

        Source: Wu, Xu, Wang & Long (2021), Autoformer, section 4, implementation details, and the released code.
        """
        return cls(horizon=horizon, **PUBLISHED | overrides)

    def architecture(self) -> Architecture:
        """The sizes of the network, as the settings have them.

        Example:
            >>> Autoformer(horizon=4, d_model=16).architecture().d_model
            16
        """
        return Architecture(**{field.name: getattr(self, field.name) for field in fields(Architecture)})

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> AutoformerNetwork:
        """The network, untrained; calendar features are known columns like others.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, section 3.1.
        """
        return AutoformerNetwork(
            (channels, past_x, known_x),
            self.horizon,
            self.label_length,
            self.architecture(),
            self.likelihood,
            getattr(self, "context_length_", self.context_length),
            calendar_part(self, known_x, calendar),
        )

    def check(self) -> None:
        """The settings are in range and agree with each other.

        Raises:
            ValueError: names the setting, its value and what it may be.
        """
        super().check()
        if self.d_model % self.n_heads:
            raise TsformersError(
                Setting("d_model", self.d_model),
                " cannot be split into ",
                Setting("n_heads", self.n_heads),
                "; choose a multiple",
            )
        label, context = self.label_length, self.context_length
        if label is not None and context is not None and label > context:
            raise TsformersError(
                Setting("label_length", label), " must lie between 0 and ", Setting("context_length", context)
            )
