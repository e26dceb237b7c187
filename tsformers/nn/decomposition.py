"""Decomposition by a moving average: trend and seasonal part."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class SeriesDecomposition(nn.Module):
    """Splits a series into a smooth trend and the remainder, the seasonal part.

    ``trend[t] = mean(x[t - k // 2], ..., x[t + (k - 1) // 2])`` and ``seasonal = x - trend``, each channel alone.
    Beyond its ends the series is padded with its first and last value, so any ``k`` suits any length. With ``k = 1``
    the trend is the series itself, and a constant always belongs to the trend.

    Args:
        kernel_size: k, in steps; even ones reach one step further back than ahead.

    Raises:
        ValueError: ``kernel_size`` is below 1.

    Example:
        >>> seasonal, trend = SeriesDecomposition(3)(torch.tensor([0.0, 3.0, 0.0]).reshape(1, 3, 1))
        >>> trend.flatten().tolist(), seasonal.flatten().tolist()
        ([1.0, 1.0, 1.0], [-1.0, 2.0, -1.0])

    Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 1; even kernels as in Zhou et al. (2022), FEDformer.
    """

    def __init__(self, kernel_size: int = 25) -> None:
        super().__init__()
        if kernel_size < 1:
            raise ValueError(f"kernel_size is {kernel_size}; a moving average needs at least 1 step")
        self.kernel_size = kernel_size

    def forward(self, x: Float[Tensor, "B L C"]) -> tuple[Float[Tensor, "B L C"], Float[Tensor, "B L C"]]:
        """The pair (seasonal, trend); their sum is ``x``.

        Args:
            x: the series, time on the middle axis.

        Returns:
            Seasonal part and trend, each of the shape of ``x``.

        Source: Wu, Xu, Wang & Long (2021), Autoformer, eq. 1.
        """
        k = self.kernel_size
        before, after = x[:, :1].expand(-1, k // 2, -1), x[:, -1:].expand(-1, (k - 1) // 2, -1)
        padded = torch.cat([before, x, after], dim=1)  # (B, L + k - 1, C)
        trend = functional.avg_pool1d(padded.transpose(1, 2), k, stride=1).transpose(1, 2)
        return x - trend, trend

    def extra_repr(self) -> str:
        """The settings that ``print`` shows."""
        return f"kernel_size={self.kernel_size}"
