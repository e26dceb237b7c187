"""Normal heads: likelihood and squared error."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, Normal
from torch.nn.functional import softplus

from tsformers.nn.heads.base import MIN_SCALE, shifted, zero_initialised
from tsformers.nn.heads.distributions import SquaredError


class NormalHead(nn.Module):
    """Normal distribution: ``mean = linear + location``, ``deviation = softplus(linear)``.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> import torch
        >>> NormalHead(8, 2)(torch.zeros(3, 5, 8)).mean.shape
        torch.Size([3, 5, 2])

    Source: textbook.
    """

    levels = None

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 2 * channels)
        zero_initialised(self.project, slice(channels))  # the mean: at the location

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The distribution at each step and channel; ``location`` is added to the mean, ``scale`` is not needed.

        Source: textbook.
        """
        mean, deviation = self.project(features).chunk(2, dim=-1)
        return Normal(shifted(mean, location), softplus(deviation) + MIN_SCALE, validate_args=False)


class SquaredErrorHead(nn.Module):
    """Squared errors for the centre: ``location`` itself, linear in the features only where there is none.

    The deviation is ``softplus(linear)`` of the features and sends no gradient to them: it never changes the centre,
    unless ``gradient_clip`` scales the gradients of both.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> import torch
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
        """The distribution at each step and channel; ``location`` is the mean, ``scale`` is not needed.

        Source: Gauss, least squares.
        """
        deviation = softplus(self.deviation(features.detach())) + MIN_SCALE
        return SquaredError(self.centre(features) if location is None else location, deviation, validate_args=False)
