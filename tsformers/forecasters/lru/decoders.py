"""From features to distributions: of the next value at every step, and of the whole horizon at once."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.data.windows import Window
from tsformers.forecasters.lru.inputs import PastInputs
from tsformers.forecasters.lru.layers import Sizes
from tsformers.forecasters.neural.known_response import KnownResponse, fit_start
from tsformers.nn import RidgeMap, make_head
from tsformers.nn.change import SMALLEST_CHANGE, log_mean_change
from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Quantiles

RANK = 16  # numbers that the features of the last step give to each step ahead
MAX_LAGS = 512  # of the linear map to the next value

Output = Distribution | Quantiles


class NextStepDecoder(nn.Module):
    """The distribution of the next value after each step.

    Its location is the last value, plus a linear map of the last values, plus a linear map of the features. The map of
    values is fitted in closed form before training. Its weights sum to zero: shifted values are forecast shifted.

    Args:
        channels: C.
        context_length: T; the map reads half of it, so that it has all its lags in half of a window.
        sizes: of the blocks.
        likelihood: of the head.

    Example:
        >>> from tsformers import LRU
        >>> sizes = LRU(horizon=4, d_model=8).sizes()
        >>> decoder = NextStepDecoder(2, 16, sizes, "normal")
        >>> decoder(torch.zeros(3, 5, 8), torch.zeros(3, 5, 2), None).mean.shape
        torch.Size([3, 5, 2])

    Source: DeepAR (Salinas et al., 2020), section 3, for a distribution at every step; the linear map is ours.
    """

    def __init__(self, channels: int, context_length: int, sizes: Sizes, likelihood: str | DistributionOutput) -> None:
        super().__init__()
        self.lags = min(max(context_length // 2, 1), MAX_LAGS)
        self.ridge = RidgeMap(self.lags, 1) if sizes.start == "linear" else None
        self.centre = zero_linear(sizes.d_model, channels)
        self.head = make_head(likelihood, sizes.d_model, channels)

    def forward(self, features: Tensor, ahead: Tensor, scale: Tensor | None) -> Output:
        """The distribution after each step (B, L, C), from features (B, L, D) and the location before them (B, L, C).

        Source: Salinas et al. (2020), DeepAR, section 3.
        """
        return self.head(features, ahead + self.centre(features), scale)

    def kernel(self) -> Tensor | None:
        """Weights (p,) of the last p values, the latest last; None where there is no map.

        Source: as for ``RidgeMap``.
        """
        if self.ridge is None:
            return None
        weight = self.ridge.weight[0]
        return weight - weight.mean()

    def ahead(self, past: PastInputs) -> Tensor:
        """The last value plus the map of the last values, at each step (B, L, C).

        Source: as for ``RidgeMap``.
        """
        kernel = self.kernel()
        if kernel is None:
            return past.last
        rows = past.filled.mT  # (B, C, L)
        before = rows[..., :1].expand(-1, -1, self.lags - 1)
        lanes = torch.cat([before, rows], dim=-1).flatten(0, 1)[:, None]
        added = nn.functional.conv1d(lanes, kernel.to(lanes.dtype)[None, None])
        return past.last + added.view_as(rows).mT


class HorizonDecoder(nn.Module):
    """The distribution of all steps ahead at once.

    Its location is the last value, plus a linear map of the context fitted in closed form, plus a network of the
    features of the last step, the known covariates of each step ahead, the log mean absolute change of the window and
    the log errors of the map at each step ahead. Before training that network adds nothing. Where the caller knows
    covariates in advance, map and last value are those of what the closed-form response to them leaves of the context,
    and the response at the steps ahead is added.

    Args:
        columns: C channels, K known columns, and how many of these are calendar features.
        context_length: T.
        horizon: H.
        sizes: of the blocks.
        likelihood: of the head.

    Source: Orvieto et al. (2023), LRU, for the features; the decoder is ours.
    """

    def __init__(
        self,
        columns: tuple[int, int, int],
        context_length: int,
        horizon: int,
        sizes: Sizes,
        likelihood: str | DistributionOutput,
    ) -> None:
        super().__init__()
        channels, known, calendar = columns
        self.ridge = RidgeMap(context_length, horizon) if sizes.start == "linear" else None
        self.known = KnownResponse(channels, known, calendar) if self.ridge is not None and known > calendar else None
        self.spread = nn.Linear(sizes.d_model, horizon * RANK)
        self.mix = nn.Linear(RANK, sizes.d_model)
        self.inputs = nn.Linear(channels + (self.ridge is not None) + known, sizes.d_model)
        self.centre = zero_linear(sizes.d_model, channels)
        self.head = make_head(likelihood, sizes.d_model, channels)

    def forward(self, features: Tensor, filled: Tensor, window: Window) -> Output:
        """The distribution (B, H, C) from the last features (B, D) and the past without gaps.

        Source: Orvieto et al. (2023), LRU, for the features; the decoder is ours.
        """
        rest, ahead = (filled, 0.0) if self.known is None else self.known(window)
        steps = self.spread(features).unflatten(-1, (-1, RANK))  # (B, H, R)
        inputs = [log_mean_change(filled).expand(-1, steps.shape[1], -1), window.future_x.to(steps.dtype)]
        location = rest[:, -1:] + ahead
        if self.ridge is not None:
            location = location + self.ridge(rest)
            inputs.append(
                (self.ridge.errors.to(steps.dtype) + SMALLEST_CHANGE).log()[:, None].expand(len(steps), -1, -1)
            )
        hidden = nn.functional.gelu(self.mix(steps) + self.inputs(torch.cat(inputs, dim=-1)))
        return self.head(hidden, location + self.centre(hidden), window.scale)

    def fit_closed_form(self, windows: Iterable[Window], validation: Iterable[Window]) -> None:
        """Fit the linear map, and the response to known covariates.

        Source: as for ``RidgeMap`` and ``CovariateRidge``.
        """
        if self.ridge is not None:
            fit_start(self.ridge, self.known, windows, validation)


def zero_linear(width: int, channels: int) -> nn.Linear:
    """A linear map with zero weights.

    Example:
        >>> zero_linear(4, 2)(torch.ones(4)).tolist()
        [0.0, 0.0]
    """
    linear = nn.Linear(width, channels)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
