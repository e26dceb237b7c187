"""The interface of an output head, and what heads share."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.distributions import Distribution

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


def zero_initialised(project: nn.Linear, rows: slice) -> None:
    """Set rows of a linear layer to zero, so that training starts at a location of 0."""
    nn.init.zeros_(project.weight.data[rows])
    nn.init.zeros_(project.bias.data[rows])


def shifted(centre: Tensor, location: Tensor | None) -> Tensor:
    """A location plus that of the window, where there is one."""
    return centre if location is None else centre + location
