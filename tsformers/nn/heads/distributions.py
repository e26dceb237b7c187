"""Distributions that torch lacks: rescaled, quantile, squared error."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Normal


class Rescaled(Distribution):
    """The distribution of ``x / scale`` where ``x`` has the distribution ``base``; log-density with respect to ``x``.

    Of distributions of integers, values are rounded to integers before ``base`` scores them.

    Args:
        base: distribution of ``x``.
        scale: (B, 1, C), positive.

    Example:
        >>> from torch.distributions import NegativeBinomial
        >>> counts = Rescaled(NegativeBinomial(torch.tensor(3.0), torch.tensor(0.5)), torch.tensor(2.0))
        >>> counts.log_prob(torch.tensor(1.5)) == NegativeBinomial(3.0, 0.5).log_prob(torch.tensor(3.0))
        tensor(True)

    Source: change of variable; the constant ``log(scale)`` is left out.
    """

    arg_constraints = {}  # noqa: RUF012 (torch declares it so)

    def __init__(self, base: Distribution, scale: Tensor) -> None:
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)
        self.base, self.scale = base, scale

    @property
    def mean(self) -> Tensor:
        """Mean of ``x / scale``."""
        return self.base.mean / self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density (or probability) of ``value * scale`` under ``base``."""
        value = value * self.scale
        support = self.base.support
        return self.base.log_prob(value.round() if support is not None and support.is_discrete else value)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws of ``x / scale``."""
        return self.base.sample(torch.Size(sample_shape)) / self.scale


class Quantiles:
    """A predictive distribution by its quantiles at some levels: linear between them, extrapolated beyond them.

    ``log_prob(y)`` is minus the mean over levels of twice the pinball loss, so that its negative approximates the CRPS:
    maximising it is quantile regression.

    Args:
        levels: increasing, between 0 and 1.
        values: (B, H, C, Q), increasing along Q.

    Example:
        >>> predicted = Quantiles((0.25, 0.5, 0.75), torch.tensor([[[[0.0, 1.0, 2.0]]]]))
        >>> round(-predicted.log_prob(torch.tensor([[[1.0]]])).item(), 4)
        0.3333

    Source: Koenker & Bassett (1978); as a score: Gneiting & Raftery (2007), section 6.
    """

    def __init__(self, levels: tuple[float, ...], values: Float[Tensor, "B H C Q"]) -> None:
        self.levels, self.values = levels, values

    @property
    def mean(self) -> Float[Tensor, "B H C"]:
        """Mean of the quantiles, each weighted by the probability nearest to its level."""
        levels = self.values.new_tensor(self.levels)
        middle = (levels[1:] + levels[:-1]) / 2
        weights = torch.diff(middle, prepend=levels.new_zeros(1), append=levels.new_ones(1))
        return self.values @ weights

    def log_prob(self, value: Float[Tensor, "B H C"]) -> Float[Tensor, "B H C"]:
        """Minus twice the pinball loss, averaged over levels."""
        above = value[..., None] - self.values
        levels = self.values.new_tensor(self.levels)
        return -2 * torch.maximum(levels * above, (levels - 1) * above).mean(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws by inversion: ``sample_shape``, then (B, H, C)."""
        levels = self.values.new_tensor(self.levels)
        u = torch.rand(*sample_shape, *self.values.shape[:-1], dtype=levels.dtype, device=levels.device)
        upper = torch.searchsorted(levels, u).clamp(1, len(levels) - 1)
        values = self.values.expand(*u.shape, -1)
        low, high = (values.gather(-1, i[..., None])[..., 0] for i in (upper - 1, upper))
        return low + (u - levels[upper - 1]) / (levels[upper] - levels[upper - 1]) * (high - low)


class SquaredError(Normal):
    """A normal distribution whose centre is fitted by squared errors alone, its deviation by the residuals.

    ``log_prob(y)`` is minus the squared error. Its gradient in the centre is that of the squared error, in the
    deviation that of the normal log-density around the current centre. Draws come in antithetic pairs, so that
    the mean of an even number of them is the centre.

    Example:
        >>> predicted = SquaredError(torch.zeros(1), torch.ones(1))
        >>> predicted.log_prob(torch.tensor([3.0])), predicted.sample((4,)).mean().abs() < 1e-6
        (tensor([-9.]), tensor(True))

    Source: Gauss, least squares; antithetic draws: Hammersley & Morton (1956).
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Minus the squared error."""
        error = (value - self.loc).square()
        density = -0.5 * error.detach() / self.scale.square() - self.scale.log()  # for its gradient alone
        return density - density.detach() - error

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws: ``sample_shape``, then the shape of the distribution."""
        n, *others = sample_shape or (1,)
        with torch.no_grad():
            noise = torch.randn(n - n // 2, *others, *self.loc.shape, dtype=self.loc.dtype, device=self.loc.device)
            draws = self.loc + self.scale * torch.cat([noise, -noise[: n // 2]])
        return draws if sample_shape else draws[0]
