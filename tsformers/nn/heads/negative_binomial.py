"""Negative binomial head, for counts."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, NegativeBinomial
from torch.nn.functional import softplus

from tsformers.nn.heads.base import MIN_SCALE, shifted
from tsformers.nn.heads.distributions import Rescaled


class NegativeBinomialHead(nn.Module):
    """Counts: mean ``m = scale * softplus(linear + location)``, variance ``m + m**2 / r`` with ``r`` learned.

    Its support is 0, 1, 2, ... in the caller's units; the answer is the distribution of counts divided by ``scale``.

    Args:
        width: D, of the features.
        channels: C.

    Example:
        >>> import torch
        >>> predicted = NegativeBinomialHead(8, 1)(torch.zeros(1, 1, 8), scale=torch.full((1, 1, 1), 4.0))
        >>> counts = predicted.sample((100,)) * 4
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
        """The distribution at each step and channel; ``scale`` (``window.scale``) is needed.

        Raises:
            ValueError: ``scale`` is missing.

        Source: Salinas et al. (2020), DeepAR, section 3.1.
        """
        if scale is None:
            raise ValueError("counts need the window's scale; call head(features, location, window.scale)")
        mean, dispersion = self.project(features).chunk(2, dim=-1)
        scale = scale.to(mean.dtype)
        mean = (softplus(shifted(mean, location)) + MIN_SCALE) * scale
        total = 1 / (softplus(dispersion) + MIN_SCALE)
        base = NegativeBinomial(total, logits=mean.log() - total.log(), validate_args=False)
        return Rescaled(base, scale)
