"""Linear: one linear map from past to future, shared by all series; the baseline of networks."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.data.windows import Window
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.neural.distribution_network import DistributionNetwork
from tsformers.nn import SeriesDecomposition, carry_forward, make_head
from tsformers.nn.change import log_mean_change
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Quantiles
from tsformers.validation import AtLeast


class LinearNetwork(DistributionNetwork):
    """The location is linear in the past, by the same map for each channel; a head gives the distribution around it.

    The inputs of the head are three functions of the step ahead and the log mean absolute change of each channel.

    Args:
        channels: C.
        context_length: T.
        horizon: H.
        moving_average: k; the moving average and the remainder have a map each. None: one map reads the values.
        normalise: the last value is subtracted before the map and added after it.
        likelihood: of the head, see ``make_head``.

    Example:
        >>> from tsformers.testing import make_window
        >>> LinearNetwork(2, 16, 4, 25, True, "student_t")(make_window(5, 16, 4, channels=2)).mean.shape
        torch.Size([5, 4, 2])

    Source: Zeng, Chen, Zhang & Xu (2023), Are Transformers Effective for Time Series Forecasting?, section 4; the head
        is ours.
    """

    curves: Tensor

    def __init__(
        self,
        channels: int,
        context_length: int,
        horizon: int,
        moving_average: int | None,
        normalise: bool,
        likelihood: str | DistributionOutput,
    ) -> None:
        super().__init__()
        self.normalise = normalise
        self.values = nn.Linear(context_length, horizon)
        self.trend = None if moving_average is None else nn.Linear(context_length, horizon)
        self.decompose = SeriesDecomposition(moving_average or 1)
        step = torch.arange(1, horizon + 1) / horizon
        curves = [step, step.sqrt(), (1 + step * horizon).log() / math.log(1 + horizon)]
        self.register_buffer("curves", torch.stack(curves, dim=1), persistent=False)  # (H, 3)
        self.head = make_head(likelihood, 3 + channels, channels)

    def forward(self, window: Window) -> Distribution | Quantiles:
        """The predictive distribution of each window, in the units of the window.

        Source: Zeng, Chen, Zhang & Xu (2023), section 4.
        """
        past = carry_forward(window.past, window.past_observed)
        log_change = log_mean_change(past).expand(-1, len(self.curves), -1)
        features = torch.cat([self.curves.expand(len(past), -1, -1), log_change], dim=-1)
        return self.head(features, self.location(past), window.scale)

    def location(self, past: Tensor) -> Tensor:
        """The location (B, H, C) of what follows ``past`` (B, T, C), which has no missing values.

        Source: Zeng, Chen, Zhang & Xu (2023), section 4.
        """
        last = past[:, -1:]
        x = past - last if self.normalise else past
        if self.trend is None:
            ahead = self.values(x.mT)
        else:
            remainder, trend = self.decompose(x)
            ahead = self.values(remainder.mT) + self.trend(trend.mT)
        return ahead.mT + last if self.normalise else ahead.mT


@dataclass(kw_only=True, repr=False, eq=False)
class Linear(TorchForecaster):
    """Forecasts each step as a weighted sum of the context; the weights are shared by all series.

    As published, DLinear is ``decompose=True, normalise=False``: the moving average of the context and the remainder
    have weights each. NLinear is ``decompose=False, normalise=True``: the last value is subtracted before and added
    after. Covariates are not used.

    Args:
        decompose: whether trend and remainder have maps of their own.
        normalise: whether the last value of a window is subtracted before the map and added after it.
        moving_average: k of the decomposition, in steps.

    Note:
        ``horizon``, ``context_length``, ``likelihood`` and all settings of training: see ``TorchForecaster``.

    Raises:
        ValueError: at ``fit``, a setting is out of range.

    Example:
        >>> import numpy as np, pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": np.sin(np.arange(60.0))})
        >>> model = Linear(horizon=4, context_length=16, max_steps=2, seed=0, verbose=False)
        >>> model.fit(frame).predict(n_samples=50).samples.shape
        (1, 50, 4)

    Source: Zeng, Chen, Zhang & Xu (2023), Are Transformers Effective for Time Series Forecasting?, AAAI.
    """

    decompose: bool = False
    normalise: bool = True
    moving_average: Annotated[int, AtLeast(1)] = 25

    uses_covariates: ClassVar[bool] = False

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> LinearNetwork:
        """The network, untrained; covariates are not used.

        Source: Zeng, Chen, Zhang & Xu (2023), section 4.
        """
        kernel = self.moving_average if self.decompose else None
        return LinearNetwork(channels, self.context_length_, self.horizon, kernel, self.normalise, self.likelihood)
