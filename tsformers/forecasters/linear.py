"""Linear: one linear map from past to future, shared by all series; the baseline of networks."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.data.windows import Window
from tsformers.forecasters.neural.base import TorchForecaster
from tsformers.forecasters.neural.distribution_network import DistributionNetwork
from tsformers.forecasters.neural.known_response import KnownResponse, calendar_part, fit_start
from tsformers.nn import RidgeMap, SeriesDecomposition, carry_forward, make_head
from tsformers.nn.change import log_mean_change
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Quantiles
from tsformers.validation import AtLeast


class LinearNetwork(DistributionNetwork):
    """The location is linear in the past, by the same map for each channel; a head gives the distribution around it.

    The inputs of the head are three functions of the step ahead and the log mean absolute change of each channel.
    Where the caller knows covariates in advance, the map reads what the closed-form response to them and to the
    calendar leaves of the past, the response at the steps ahead is added, and the map keeps its closed form in
    training.

    Args:
        channels: C.
        context_length: T.
        horizon: H.
        moving_average: k; the moving average and the remainder have a map each. None: one map reads the values.
        normalise: the last value is subtracted before the map and added after it.
        likelihood: of the head, see ``make_head``.
        known: K, columns of ``window.future_x``.
        calendar: how many of them are calendar features; they come first. If all are, no column is read.

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
        known: int = 0,
        calendar: int = 0,
    ) -> None:
        super().__init__()
        self.normalise = normalise
        self.values = nn.Linear(context_length, horizon)
        self.trend = None if moving_average is None else nn.Linear(context_length, horizon)
        self.decompose = SeriesDecomposition(moving_average or 1)
        step = torch.arange(1, horizon + 1) / horizon
        curves = [step, step.sqrt(), (1 + step * horizon).log() / math.log(1 + horizon)]
        self.register_buffer("curves", torch.stack(curves, dim=1), persistent=False)  # (H, 3)
        self.known = KnownResponse(channels, known, calendar) if known > calendar else None
        self.head = make_head(likelihood, 3 + channels, channels)

    def forward(self, window: Window) -> Distribution | Quantiles:
        """The predictive distribution of each window, in the units of the window.

        Source: Zeng, Chen, Zhang & Xu (2023), section 4.
        """
        past = carry_forward(window.past, window.past_observed)
        log_change = log_mean_change(past).expand(-1, len(self.curves), -1)
        features = torch.cat([self.curves.expand(len(past), -1, -1), log_change], dim=-1)
        if self.known is None:
            return self.head(features, self.location(past), window.scale)
        rest, response = self.known(window)
        return self.head(features, self.location(rest) + response, window.scale)

    def fit_closed_form(self, windows: Iterable[Window], validation: Iterable[Window]) -> None:
        """Fit the response to known covariates and the first weights of the map, once, before the rest is trained.

        Source: as for ``RidgeMap`` and ``CovariateRidge``.
        """
        if self.known is None or self.known.fitted:
            return
        ridge = RidgeMap(self.values.in_features, self.values.out_features).to(self.curves.device)
        fit_start(ridge, self.known, windows, validation)
        if not ridge.fitted:
            return
        with torch.no_grad():
            weight = ridge.weight - ridge.weight.mean(1, keepdim=True)
            weight = nn.functional.pad(weight, (self.values.in_features - ridge.read, 0))
            if not self.normalise:
                weight[:, -1] += 1.0
            for part in (self.values, self.trend):
                if part is not None:
                    part.requires_grad_(False).weight.copy_(weight)
                    nn.init.zeros_(part.bias)

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
    after.

    With ``known=`` covariates, a response to them and to the calendar (splines, interactions with hour, weekday and
    season) is fitted in closed form, and so are the weights, which read what it leaves of the context; the distribution
    around both is trained. Past covariates and statics are not used, and without ``known=`` neither is the calendar.

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

    covariate_roles: ClassVar[tuple[str, ...]] = ("known",)

    def build(self, channels: int, past_x: int, known_x: int, calendar: int) -> LinearNetwork:
        """The network, untrained; the calendar alone is not used.

        Source: Zeng, Chen, Zhang & Xu (2023), section 4.
        """
        kernel = self.moving_average if self.decompose else None
        sizes = channels, self.context_length_, self.horizon
        known = known_x, calendar_part(self, known_x, calendar)
        return LinearNetwork(*sizes, kernel, self.normalise, self.likelihood, *known)
