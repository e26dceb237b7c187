"""Student t head."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, StudentT
from torch.nn.functional import softplus

from tsformers.nn.heads.base import MIN_SCALE, shifted, zero_initialised


class StudentTHead(nn.Module):
    """Student's t with more than two degrees of freedom, so that the variance exists; robust to outliers.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> import torch
        >>> bool((StudentTHead(8, 2)(torch.zeros(3, 5, 8)).df > 2).all())
        True

    Source: Lange, Little & Taylor (1989).
    """

    levels = None

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 3 * channels)
        zero_initialised(self.project, slice(channels, 2 * channels))  # the centre: at the location

    def forward(
        self,
        features: Float[Tensor, "B H D"],
        location: Float[Tensor, "B H C"] | None = None,
        scale: Float[Tensor, "B 1 C"] | None = None,
    ) -> Distribution:
        """The distribution at each step and channel; ``location`` is added to the centre, ``scale`` is not needed.

        Source: Lange, Little & Taylor (1989).
        """
        df, centre, spread = self.project(features).chunk(3, dim=-1)
        df = 2 + MIN_SCALE + softplus(df + 2)  # near 4 degrees of freedom before training
        return StudentT(df, shifted(centre, location), softplus(spread) + MIN_SCALE, validate_args=False)
