"""Features to a distribution: every head is called ``head(features, location, scale)`` and answers in scaled units."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, NegativeBinomial, Normal, StudentT
from torch.nn.functional import softplus

LEVELS = (0.01, 0.025, *(round(0.05 * i, 2) for i in range(1, 20)), 0.975, 0.99)
SMALLEST = 1e-4  # of a scale or mean, in units of the window: keeps logarithms finite


@runtime_checkable
class DistributionOutput(Protocol):
    """What we use of the interface of the same name in ``gluonts.torch``, which is never imported here.

    Source: GluonTS 0.17, ``gluonts.torch.distributions.DistributionOutput``.
    """

    args_dim: dict[str, int]

    def get_args_proj(self, in_features: int) -> nn.Module:
        """A module from features (..., in_features) to the tuple of parameters."""
        ...

    def distribution(self, distr_args: Any, loc: Tensor | None = None, scale: Tensor | None = None) -> Distribution:
        """The distribution of ``loc + scale * z``."""
        ...


class Rescaled(Distribution):
    """The law of ``x / scale`` where ``x`` has the law ``base``; log-density with respect to ``x``.

    Integer laws stay integer laws: values are rounded to the lattice before ``base`` sees them.

    Args:
        base: law of what was counted or measured.
        scale: (B, 1, C), positive.

    Example:
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
    """A predictive law known at some levels; between them straight lines, beyond them the end pieces go on.

    ``log_prob(y)`` is minus the mean over levels of twice the pinball loss, so that its negative approximates the CRPS:
    maximising it is quantile regression.

    Args:
        levels: rising, between 0 and 1.
        values: (B, H, C, Q), rising along Q.

    Example:
        >>> law = Quantiles((0.25, 0.5, 0.75), torch.tensor([[[[0.0, 1.0, 2.0]]]]))
        >>> round(-law.log_prob(torch.tensor([[[1.0]]])).item(), 4)
        0.3333

    Source: Koenker & Bassett (1978); as a score: Gneiting & Raftery (2007), section 6.
    """

    def __init__(self, levels: tuple[float, ...], values: Float[Tensor, "B H C Q"]) -> None:
        self.levels, self.values = levels, values

    @property
    def mean(self) -> Float[Tensor, "B H C"]:
        """Mean over the levels, each standing for the probability nearest to it."""
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


class NormalHead(nn.Module):
    """Normal law: ``mean = linear + location``, ``deviation = softplus(linear)``.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> NormalHead(8, 2)(torch.zeros(3, 5, 8)).mean.shape
        torch.Size([3, 5, 2])

    Source: textbook.
    """

    levels = None

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 2 * channels)
        _begin_at_zero(self.project, slice(channels))  # the mean: at the location

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The law at each step and channel; ``location`` is added to the mean, ``scale`` is not needed.

        Source: textbook.
        """
        mean, deviation = self.project(features).chunk(2, dim=-1)
        return Normal(_shifted(mean, location), softplus(deviation) + SMALLEST, validate_args=False)


class SquaredError(Normal):
    """A normal law whose centre is fitted by squared errors alone, while its deviation learns from what they leave.

    ``log_prob(y)`` is minus the squared error. Its gradient in the centre is that of the squared error, in the
    deviation that of the normal log-density around the centre as it stands. Draws come in antithetic pairs, so that
    the mean of an even number of them is the centre.

    Example:
        >>> law = SquaredError(torch.zeros(1), torch.ones(1))
        >>> law.log_prob(torch.tensor([3.0])), law.sample((4,)).mean().abs() < 1e-6
        (tensor([-9.]), tensor(True))

    Source: Gauss, least squares; antithetic draws: Hammersley & Morton (1956).
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Minus the squared error."""
        error = (value - self.loc).square()
        density = -0.5 * error.detach() / self.scale.square() - self.scale.log()  # for its gradient alone
        return density - density.detach() - error

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws: ``sample_shape``, then the shape of the law."""
        n, *others = sample_shape or (1,)
        with torch.no_grad():
            noise = torch.randn(n - n // 2, *others, *self.loc.shape, dtype=self.loc.dtype, device=self.loc.device)
            draws = self.loc + self.scale * torch.cat([noise, -noise[: n // 2]])
        return draws if sample_shape else draws[0]


class SquaredErrorHead(nn.Module):
    """Squared errors for the centre: ``location`` itself, linear in the features only where there is none.

    The deviation is ``softplus(linear)`` of the features, which it reads without teaching them: what it learns never
    changes the centre, unless ``gradient_clip`` binds both.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> location = torch.randn(3, 5, 2)
        >>> torch.equal(SquaredErrorHead(8, 2)(torch.zeros(3, 5, 8), location).mean, location)
        True

    Source: Gauss, least squares.
    """

    levels = None

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.centre, self.deviation = nn.Linear(width, channels), nn.Linear(width, channels)

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The law at each step and channel; ``location`` is the mean, ``scale`` is not needed.

        Source: Gauss, least squares.
        """
        deviation = softplus(self.deviation(features.detach())) + SMALLEST
        return SquaredError(self.centre(features) if location is None else location, deviation, validate_args=False)


class StudentTHead(nn.Module):
    """Student's t with more than two degrees of freedom, so that the variance exists; robust to outliers.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> bool((StudentTHead(8, 2)(torch.zeros(3, 5, 8)).df > 2).all())
        True

    Source: Lange, Little & Taylor (1989).
    """

    levels = None

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 3 * channels)
        _begin_at_zero(self.project, slice(channels, 2 * channels))  # the centre: at the location

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The law at each step and channel; ``location`` is added to the centre, ``scale`` is not needed.

        Source: Lange, Little & Taylor (1989).
        """
        df, centre, spread = self.project(features).chunk(3, dim=-1)
        df = 2 + SMALLEST + softplus(df + 2)  # begins near 4 degrees of freedom
        return StudentT(df, _shifted(centre, location), softplus(spread) + SMALLEST, validate_args=False)


class NegativeBinomialHead(nn.Module):
    """Counts: mean ``m = scale * softplus(linear + location)``, variance ``m + m**2 / r`` with ``r`` learned.

    The law lives on 0, 1, 2, ... in the caller's units; the answer speaks of counts divided by ``scale``.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> law = NegativeBinomialHead(8, 1)(torch.zeros(1, 1, 8), scale=torch.full((1, 1, 1), 4.0))
        >>> counts = law.sample((100,)) * 4
        >>> bool((counts == counts.round()).all() and (counts >= 0).all())
        True

    Source: Salinas et al. (2020), DeepAR, section 3.1.
    """

    levels = None

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 2 * channels)

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The law at each step and channel; ``scale`` (``window.scale``) is needed.

        Raises:
            ValueError: ``scale`` is missing.

        Source: Salinas et al. (2020), DeepAR, section 3.1.
        """
        if scale is None:
            raise ValueError("counts need the window's scale; call head(features, location, window.scale)")
        mean, dispersion = self.project(features).chunk(2, dim=-1)
        scale = scale.to(mean.dtype)
        mean = (softplus(_shifted(mean, location)) + SMALLEST) * scale
        total = 1 / (softplus(dispersion) + SMALLEST)
        base = NegativeBinomial(total, logits=mean.log() - total.log(), validate_args=False)
        return Rescaled(base, scale)


class QuantileHead(nn.Module):
    """Quantiles that cannot cross: the middle one is linear, each further one is a softplus step away.

    Begins as the standard normal law around its middle level.

    Args:
        width: D, of the features.
        channels: C.
        levels: rising, between 0 and 1.

    Raises:
        ValueError: the levels do not rise, or leave (0, 1).

    Example:
        >>> law = QuantileHead(8, 2)(torch.randn(3, 5, 8))
        >>> bool((law.values.diff(dim=-1) > 0).all())
        True

    Source: Koenker & Bassett (1978); non-crossing by increments: Gasthaus et al. (2019), section 3.
    """

    levels: tuple[float, ...] | None  # the network answers with quantiles at these; None: with draws
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
        centre, steps = _shifted(raw[..., 0], location)[..., None], softplus(raw[..., 1:])
        below, above = steps[..., : self.middle], steps[..., self.middle :]
        falling = below.flip(-1).cumsum(-1).flip(-1)
        return Quantiles(self.knots, torch.cat([centre - falling, centre, centre + above.cumsum(-1)], dim=-1))


class QuantileFunctionHead(QuantileHead):
    """As ``QuantileHead``, but the network answers with draws: by inversion of straight lines between the quantiles.

    No family of laws is assumed, and extreme errors in training pull less than under a density.

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


class OutputHead(nn.Module):
    """A head around any object with GluonTS's ``DistributionOutput`` interface.

    Args:
        output: the object; its ``distribution`` is asked for laws in the caller's units.
        width: D, of the features.
        channels: C; each gets features of its own.

    Example:
        >>> class Gumbel:
        ...     args_dim = {"loc": 1, "scale": 1}
        ...     def get_args_proj(self, in_features):
        ...         return nn.Linear(in_features, 2)
        ...     def distribution(self, distr_args, loc=None, scale=None):
        ...         centre, spread = distr_args.unbind(-1)
        ...         return torch.distributions.Gumbel(centre * scale + loc, softplus(spread) * scale)
        >>> OutputHead(Gumbel(), 8, 2)(torch.zeros(3, 5, 8), torch.zeros(3, 5, 2)).sample((7,)).shape
        torch.Size([7, 3, 5, 2])

    Source: GluonTS 0.17, ``gluonts.torch.distributions.DistributionOutput``.
    """

    levels = None

    def __init__(self, output: DistributionOutput, width: int, channels: int) -> None:
        super().__init__()
        self.output, self.channels = output, channels
        self.spread = nn.Linear(width, channels * width) if channels > 1 else nn.Identity()
        self.project = output.get_args_proj(width)

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The law at each step and channel; ``location`` shifts it where the object knows ``loc``.

        Raises:
            ValueError: the object's laws are of vectors.

        Source: GluonTS 0.17, ``gluonts.torch.distributions.DistributionOutput``.
        """
        arguments = self.project(self.spread(features).unflatten(-1, (self.channels, -1)))
        scale = features.new_ones(1, 1, 1) if scale is None else scale.to(features.dtype)
        shift = None if location is None else location * scale
        law = self.output.distribution(arguments, loc=shift, scale=scale)
        if law.event_shape:
            raise ValueError(
                f"{type(self.output).__name__} speaks of vectors of shape {tuple(law.event_shape)}; give one that "
                "speaks of single values: channels are a dimension of the batch here"
            )
        return Rescaled(law, scale)


HEADS: dict[str, type[NormalHead | SquaredErrorHead | StudentTHead | NegativeBinomialHead | QuantileHead]] = {
    "normal": NormalHead,
    "squared_error": SquaredErrorHead,
    "student_t": StudentTHead,
    "negative_binomial": NegativeBinomialHead,
    "quantile": QuantileHead,
    "quantile_function": QuantileFunctionHead,
}


def make_head(likelihood: str | DistributionOutput, width: int, channels: int) -> nn.Module:
    """The head for a ``likelihood=`` setting.

    Args:
        likelihood: "normal", "squared_error", "student_t", "negative_binomial", "quantile", "quantile_function", or an
            object with GluonTS's ``DistributionOutput`` interface.
        width: D, of the features.
        channels: C.

    Returns:
        A module to be called as ``head(features, location, window.scale)``.

    Raises:
        ValueError: an unknown name, or an object without that interface.

    Example:
        >>> type(make_head("student_t", 8, 1)).__name__
        'StudentTHead'

    Source: the table ``HEADS``.
    """
    if isinstance(likelihood, str) and likelihood in HEADS:
        return HEADS[likelihood](width, channels)
    if not isinstance(likelihood, str) and isinstance(likelihood, DistributionOutput):
        return OutputHead(likelihood, width, channels)
    raise ValueError(
        f"likelihood={likelihood!r} is unknown; choose one of {', '.join(HEADS)} "
        "or give an object with GluonTS's DistributionOutput interface"
    )


def _begin_at_zero(project: nn.Linear, rows: slice) -> None:
    nn.init.zeros_(project.weight.data[rows])
    nn.init.zeros_(project.bias.data[rows])


def _shifted(centre: Tensor, location: Tensor | None) -> Tensor:
    return centre if location is None else centre + location
