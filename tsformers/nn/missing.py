"""Missing values in a window: last observation carried forward."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def carry_forward(values: Float[Tensor, "B L C"], observed: Bool[Tensor, "B L C"]) -> Float[Tensor, "B L C"]:
    """Missing values replaced by the last observed one, at the beginning by the first observed one.

    Args:
        values: the series, time on the middle axis.
        observed: False where a value is missing; a channel without any observed value stays as it is.

    Returns:
        The series without gaps.

    Example:
        >>> observed = torch.tensor([False, True, False, True]).reshape(1, 4, 1)
        >>> carry_forward(torch.tensor([0.0, 3.0, 0.0, 5.0]).reshape(1, 4, 1), observed).flatten()
        tensor([3., 3., 3., 5.])

    Source: last observation carried forward; textbook.
    """
    if bool(observed.all()):
        return values
    at = torch.arange(values.shape[1], device=values.device)[None, :, None]
    last = torch.where(observed, at, -1).cummax(1).values
    first = observed.int().argmax(1, keepdim=True)
    return values.gather(1, torch.where(last < 0, first, last))
