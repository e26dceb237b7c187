"""The log mean absolute change of a window, an input of heads: how much its values move."""

from jaxtyping import Float
from torch import Tensor

SMALLEST_CHANGE = 1e-3  # added before logarithms, for constant windows; in units of the window


def log_mean_change(past: Float[Tensor, "B T C"]) -> Float[Tensor, "B 1 C"]:
    """The logarithm of the mean absolute change from step to step, of each channel.

    Args:
        past: the series, complete, time on the middle axis.

    Returns:
        One number a window and channel.

    Example:
        >>> import torch
        >>> log_mean_change(torch.zeros(1, 4, 1)).exp().item() < 0.0011
        True

    Source: ours; it measures the volatility of the window.
    """
    change = past.diff(dim=1).abs().sum(1, keepdim=True) / past.shape[1]
    return (change + SMALLEST_CHANGE).log()
