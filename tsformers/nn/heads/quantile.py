"""Quantile heads: fixed levels, and a monotone quantile function."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from tsformers.nn.heads.base import shifted
from tsformers.nn.heads.distributions import Quantiles

LEVELS = (0.01, 0.025, *(round(0.05 * i, 2) for i in range(1, 20)), 0.975, 0.99)


class QuantileHead(nn.Module):
    """Quantiles that cannot cross: the middle one is linear, each further one is a softplus step away.

    Before training: the quantiles of the standard normal distribution.

    Args:
        width: D, of the features.
        channels: C.
        levels: increasing, between 0 and 1.

    Raises:
        ValueError: the levels do not increase, or are outside (0, 1).

    Example:
        >>> predicted = QuantileHead(8, 2)(torch.randn(3, 5, 8))
        >>> bool((predicted.values.diff(dim=-1) > 0).all())
        True

    Source: Koenker & Bassett (1978); non-crossing by increments: Gasthaus et al. (2019), section 3.
    """

    levels: tuple[float, ...] | None  # of the quantiles that the network gives; None: it gives draws
    knots: tuple[float, ...]

    def __init__(self, width: int, channels: int, levels: Sequence[float] = LEVELS) -> None:
        super().__init__()
        rising = torch.tensor([0.0, *levels, 1.0], dtype=torch.float64)
        if len(levels) == 0 or not bool((rising.diff() > 0).all()):
            raise ValueError(f"levels must rise strictly between 0 and 1, for example (0.1, 0.5, 0.9); not {levels}")
        self.knots = self.levels = tuple(float(level) for level in levels)
        self.middle = len(levels) // 2
        self.project = nn.Linear(width, channels * len(levels))
        steps = torch.special.ndtri(rising[1:-1]).diff()
        bias = self.project.bias.data.view(channels, -1)
        bias[:, 0] = 0.0
        bias[:, 1:] = steps.expm1().log()  # softplus gives the steps back
        nn.init.zeros_(self.project.weight.data.view(channels, len(levels), -1)[:, 0])  # the middle: at the location

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Quantiles:
        """Quantiles at each step and channel; ``location`` is added to all of them, ``scale`` is not needed.

        Source: Gasthaus et al. (2019), section 3.
        """
        raw = self.project(features).unflatten(-1, (-1, len(self.knots)))  # (B, H, C, Q)
        centre, steps = shifted(raw[..., 0], location)[..., None], softplus(raw[..., 1:])
        below, above = steps[..., : self.middle], steps[..., self.middle :]
        falling = below.flip(-1).cumsum(-1).flip(-1)
        return Quantiles(self.knots, torch.cat([centre - falling, centre, centre + above.cumsum(-1)], dim=-1))


class QuantileFunctionHead(QuantileHead):
    """As ``QuantileHead``, but the network gives draws: by inversion of the quantile function, linear between levels.

    No family of distributions is assumed, and extreme errors have less influence in training than under a density.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> head = QuantileFunctionHead(8, 2)
        >>> head(torch.zeros(3, 5, 8)).sample((7,)).shape, head.levels
        (torch.Size([7, 3, 5, 2]), None)

    Source: Gasthaus et al. (2019), Probabilistic Forecasting with Spline Quantile Function RNNs, section 3; pinball
        losses at fixed levels in place of their integral.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__(width, channels)
        self.levels = None
