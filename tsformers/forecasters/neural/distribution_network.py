"""A network whose forward pass gives a distribution: its loss and its samples follow."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tsformers.data.windows import Window
from tsformers.nn.heads.quantile import QuantileHead


class DistributionNetwork(nn.Module):
    """A network whose ``forward(window)`` gives a distribution over (B, H, C) in the units of the window.

    Loss: ``-log_prob(future)``, the mean over the observed targets of a window; for a quantile head the pinball loss.
    Draws: independent across steps and channels.

    Example:
        >>> from tsformers.nn import NormalHead
        >>> class Mean(DistributionNetwork):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.head = NormalHead(1, 1)
        ...     def forward(self, window):
        ...         return self.head(window.past.mean(1, keepdim=True), None, window.scale)
        >>> window = Window(torch.ones(2, 8, 1), torch.ones(2, 8, 1, dtype=bool), torch.zeros(2, 8, 0),
        ...     torch.ones(2, 1, 1), torch.ones(2, 1, 1, dtype=bool), torch.zeros(2, 1, 0), torch.arange(2))
        >>> Mean().loss(window).shape, Mean().sample(window, 5).shape
        (torch.Size([2]), torch.Size([2, 5, 1, 1]))

    Source: Salinas et al. (2020), DeepAR, section 3, for likelihoods on scaled windows.
    """

    @property
    def levels(self) -> tuple[float, ...] | None:
        """The levels of the network's quantile head, None where it has none."""
        return next((part.levels for part in self.modules() if isinstance(part, QuantileHead)), None)

    def loss(self, window: Window) -> Float[Tensor, " B"]:
        """Mean of ``-log_prob`` over the observed targets; 0 for a window without any."""
        distribution = self(window)
        future, observed = window.future, window.future_observed
        if not bool(observed.all()):  # a draw lies in the support of any distribution; it is masked below
            future = torch.where(observed, future, distribution.sample().to(future.dtype))
        loss = torch.where(observed, -distribution.log_prob(future), 0.0)
        return loss.sum(dim=(1, 2)) / observed.sum(dim=(1, 2)).clamp(min=1)

    def sample(self, window: Window, n_samples: int) -> Float[Tensor, "B S H C"]:
        """Draws, or the quantiles at ``levels``."""
        distribution = self(window)
        if self.levels:
            return distribution.values.movedim(-1, 1)
        return distribution.sample((n_samples,)).movedim(0, 1)
