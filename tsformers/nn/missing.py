"""Missing values inside a window."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def carry_forward(values: Float[Tensor, "B L C"], seen: Bool[Tensor, "B L C"]) -> Float[Tensor, "B L C"]:
    """Missing values replaced by the last one seen, at the beginning by the first one seen.

    Args:
        values: the series, time on the middle axis.
        seen: where a value counts; a channel of which none is seen stays as it is.

    Returns:
        The series without gaps.

    Example:
        >>> seen = torch.tensor([False, True, False, True]).reshape(1, 4, 1)
        >>> carry_forward(torch.tensor([0.0, 3.0, 0.0, 5.0]).reshape(1, 4, 1), seen).flatten()
        tensor([3., 3., 3., 5.])

    Source: last observation carried forward; textbook.
    """
    if bool(seen.all()):
        return values
    at = torch.arange(values.shape[1], device=values.device)[None, :, None]
    last = torch.where(seen, at, -1).cummax(1).values
    first = seen.int().argmax(1, keepdim=True)
    return values.gather(1, torch.where(last < 0, first, last))
