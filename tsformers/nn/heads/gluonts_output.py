"""A head around an object with GluonTS's DistributionOutput interface."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution

from tsformers.nn.heads.base import DistributionOutput
from tsformers.nn.heads.distributions import Rescaled
from tsformers.nn.heads.output_support import behaviour, draw


class OutputHead(nn.Module):
    """A head around any object with GluonTS's ``DistributionOutput`` interface.

    The object's support is kept. On the real line a distribution is shifted by ``location`` and scaled by ``scale``; on
    a half line (Gamma) it is scaled only; between two bounds (Beta) and on the integers (Poisson) values stay in the
    caller's units, and ``scale`` is passed only to objects that scale their parameters by it. An object on the real
    line or a half line that ignores ``scale`` is taken in units of the window.

    Args:
        output: the object.
        width: D, of the features.
        channels: C; each has features of its own.

    Example:
        >>> from torch.nn.functional import softplus
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
        self.behaviour = behaviour(output, width)
        self.spread = nn.Linear(width, channels * width) if channels > 1 else nn.Identity()
        self.project = output.get_args_proj(width)

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The distribution at each step and channel; ``location`` shifts it where its support is the real line.

        Raises:
            ValueError: the object's distributions are multivariate.

        Source: GluonTS 0.17, ``gluonts.torch.distributions.DistributionOutput``.
        """
        each = self.spread(features).unflatten(-1, (self.channels, -1))
        shape, flat = each.shape[:-1], each.flatten(0, -2)
        units = features.new_ones(1, 1, 1) if scale is None else scale.to(features.dtype)
        units = units.expand(shape).reshape(-1)
        found = self.behaviour
        centre = None
        if location is not None and found.support == "real":
            centre = location.expand(shape).reshape(-1)

        def made(n: int) -> Any:
            arguments = self.project(flat.repeat(n, 1) if n > 1 else flat)
            if found.bare:
                return self.output.distribution(arguments)
            shift = torch.zeros_like(units) if centre is None else centre * units
            return self.output.distribution(arguments, loc=shift.repeat(n), scale=units.repeat(n))

        predicted = made(1)
        if getattr(self.output, "event_shape", predicted.event_shape):
            raise ValueError(
                f"{type(self.output).__name__} gives distributions of vectors of shape {tuple(predicted.event_shape)}; "
                "give one of single values: channels are a dimension of the batch here"
            )
        beta = getattr(self.output, "beta", 0.0)
        answer = Placed(predicted, torch.ones_like(units) if found.in_window else units, shape)
        answer.shift = centre if found.in_window else None
        answer.beta = float(beta) if isinstance(beta, int | float) else 0.0
        answer.again = made if found.redrawn else None
        return answer


class Placed(Rescaled):
    """The distributions of all steps and channels, of shape (B, H, C), from flat ones of size B H C.

    Where a distribution has no density but a loss (``crps``, ``quantile_loss``), ``log_prob`` is minus that loss.

    Args:
        base: of B H C single values.
        scale: (B H C,), units of ``base``.
        shape: (B, H, C).

    Example:
        >>> normal = torch.distributions.Normal(torch.zeros(6), torch.ones(6))
        >>> Placed(normal, torch.ones(6), torch.Size((2, 3, 1))).log_prob(torch.zeros(2, 3, 1)).shape
        torch.Size([2, 3, 1])

    Source: change of variable.
    """

    shift: Tensor | None = None  # (B H C,), in units of the window
    beta: float = 0.0  # exponent of the variance by which GluonTS weights the loss
    again: Callable[[int], Any] | None = None  # n further flat distributions in a row, where each holds one draw

    def __init__(self, base: Any, scale: Tensor, shape: torch.Size) -> None:
        super().__init__(base, scale)
        self.shape = shape

    @property
    def mean(self) -> Tensor:
        """Mean in units of the window."""
        mean = self.base.mean.reshape(-1) / self.scale
        return (mean if self.shift is None else mean + self.shift).view(self.shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density of ``value`` under ``base``, in its units; or minus its loss."""
        shape = torch.Size(np.broadcast_shapes(value.shape, self.shape))
        size = len(self.scale)
        flat = value.expand(shape).reshape(-1) if shape.numel() == size else value.expand(shape).reshape(-1, size)
        flat = (flat if self.shift is None else flat - self.shift) * self.scale
        if hasattr(self.base, "crps"):
            found = -self.base.crps(flat) / self.scale
        elif hasattr(self.base, "quantile_loss"):
            found = -2 * self.base.quantile_loss(flat) / self.scale
        else:
            support = getattr(self.base, "support", None)
            found = self.base.log_prob(flat.round() if getattr(support, "is_discrete", False) else flat)
        if self.beta > 0:
            found = found * self.base.variance.detach() ** self.beta
        return found.reshape(shape).to(value.dtype)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws in units of the window."""
        n, size = prod(sample_shape), len(self.scale)
        with torch.no_grad():
            base = self.base if self.again is None else self.again(n)
            drawn = draw(base, n, size) if self.again is None else base.sample().reshape(n, size)
            drawn = drawn / self.scale
            drawn = drawn if self.shift is None else drawn + self.shift
        return drawn.view(*sample_shape, *self.shape)
