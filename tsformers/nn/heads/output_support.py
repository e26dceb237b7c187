"""Where an object with GluonTS's DistributionOutput interface has its support, and what it does with a scale."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch.distributions import AffineTransform, Distribution, TransformedDistribution, constraints
from torch.nn.functional import softplus

from tsformers.errors import TsformersError
from tsformers.messages import Option
from tsformers.nn.heads.base import DistributionOutput

Support = Literal["real", "half_line", "interval", "integer"]
WIDTH = 8  # of the features of a trial


@dataclass(frozen=True)
class Behaviour:
    """What one trial of an output shows.

    Args:
        support: of its distributions, before any affine transform.
        bounds: of a support with fixed bounds, in the units of the output; None where unknown or without end.
        scales: whether ``scale`` changes its draws.
        affine: whether it scales by an affine transform of its distribution, which moves bounds and splits integers.
        redrawn: its distributions hold one draw each, so that others need another pass through its projection.
    """

    support: Support
    bounds: tuple[float | None, float | None]
    scales: bool
    affine: bool
    redrawn: bool

    @property
    def in_window(self) -> bool:
        """Its values are in units of the window: it ignores ``scale``, and no bound forbids scaling."""
        return not self.scales and self.support in ("real", "half_line")

    @property
    def bare(self) -> bool:
        """It must be given no ``scale``: its values are in the caller's units, or ``in_window``."""
        return self.in_window or (self.affine and self.support in ("interval", "integer"))


def behaviour(output: DistributionOutput, width: int = WIDTH) -> Behaviour:
    """How an output treats its support and ``scale``, from a trial that leaves the random state as it was.

    Args:
        output: the object.
        width: D, of the features.

    Returns:
        What was found.

    Raises:
        ValueError: it normalises over the whole batch.

    Example:
        >>> from torch import nn
        >>> class Exponential:
        ...     args_dim = {"rate": 1}
        ...     def get_args_proj(self, in_features):
        ...         return nn.Linear(in_features, 1)
        ...     def distribution(self, distr_args, loc=None, scale=None):
        ...         return torch.distributions.Exponential(softplus(distr_args[..., 0]) / scale)
        >>> behaviour(Exponential()).support, behaviour(Exponential()).scales
        ('half_line', True)

    Source: torch.distributions.constraints.
    """
    domain = getattr(output, "output_domain_map", None)
    if isinstance(domain, partial):
        raise TsformersError(
            f"{type(output).__name__} with ",
            Option("output_domain", "unit"),
            " normalises over all series and steps of a batch; choose None or 'positive' for it, or BetaOutput for "
            "values between 0 and 1",
        )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        project = output.get_args_proj(width)
        project.eval()

        def drawn(scale: float) -> tuple[Any, Tensor]:
            torch.manual_seed(1)
            made = output.distribution(
                project(torch.zeros(2, width)), loc=torch.zeros(2), scale=torch.full((2,), scale)
            )
            return made, draw(made, 3, 2)

        (made, first), (_, second) = drawn(1.0), drawn(2.0)
    affine = False
    while isinstance(made, TransformedDistribution) and all(isinstance(t, AffineTransform) for t in made.transforms):
        made, affine = made.base_dist, True
    support, bounds = _support(made)
    if domain is softplus:
        support = "half_line"
    return Behaviour(support, bounds, not torch.equal(first, second), affine, len(first) != 3)


def draw(distribution: Distribution, n: int, size: int) -> Tensor:
    """Draws of a distribution of ``size`` single values.

    Args:
        distribution: with ``sample``, or else ``icdf``.
        n: draws.
        size: M.

    Returns:
        (n, M); (1, M) where it holds one draw and no others.

    Example:
        >>> draw(torch.distributions.Normal(torch.zeros(2), torch.ones(2)), 5, 2).shape
        torch.Size([5, 2])

    Source: inversion, where there is nothing but ``icdf``.
    """
    try:
        drawn = distribution.sample(torch.Size((n,)))
    except NotImplementedError:
        drawn = distribution.icdf(torch.rand(n, size))
    return drawn.reshape(-1, size)


def _support(distribution: Distribution) -> tuple[Support, tuple[float | None, float | None]]:
    try:
        support: Any = distribution.support
    except NotImplementedError:  # quantile functions
        return "real", (None, None)
    while isinstance(support, constraints.independent):
        support = support.base_constraint
    ends = [getattr(support, name, None) for name in ("lower_bound", "upper_bound")]
    bounds = [float(end) if isinstance(end, int | float) else None for end in ends]
    if getattr(support, "is_discrete", False):
        return "integer", (bounds[0], bounds[1])
    n_ends = sum(end is not None for end in ends)
    kinds: tuple[Support, ...] = ("real", "half_line", "interval")
    return kinds[n_ends], (bounds[0], bounds[1])
