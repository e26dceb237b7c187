"""The interface of output heads, and functions that heads share."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.distributions import Distribution

MIN_SCALE = 1e-4  # of a scale or mean, in units of the window: keeps logarithms finite


@runtime_checkable
class DistributionOutput(Protocol):
    """The part that is used of the interface of the same name in ``gluonts.torch``, which is never imported here.

    Source: GluonTS 0.17, ``gluonts.torch.distributions.DistributionOutput``.
    """

    args_dim: dict[str, int]

    def get_args_proj(self, in_features: int) -> nn.Module:
        """A module from features (..., in_features) to the tuple of parameters."""
        ...

    def distribution(self, distr_args: Any, loc: Tensor | None = None, scale: Tensor | None = None) -> Distribution:
        """The distribution of ``loc + scale * z``."""
        ...


def zero_initialised(project: nn.Linear, rows: slice) -> None:
    """Set rows of a linear layer to zero, so that training starts at a location of 0.

    Example:
        >>> linear = nn.Linear(2, 2)
        >>> zero_initialised(linear, slice(1))
        >>> bool(linear.weight[0].any())
        False
    """
    nn.init.zeros_(project.weight.data[rows])
    nn.init.zeros_(project.bias.data[rows])


def shifted(centre: Tensor, location: Tensor | None) -> Tensor:
    """A location plus that of the window, where there is one.

    Example:
        >>> import torch
        >>> shifted(torch.ones(1), None), shifted(torch.ones(1), torch.ones(1))
        (tensor([1.]), tensor([2.]))
    """
    return centre if location is None else centre + location
