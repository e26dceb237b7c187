"""Input features of LRU: values, changes and masks of each channel, without gaps."""

from typing import NamedTuple

import torch
from torch import Tensor

from tsformers.nn import carry_forward

CHANNEL_FEATURES = 4  # of each channel: value, change, log size of the change, whether it is observed
MIN_STEP_CHANGE = 0.01  # added to the change of one step before its logarithm, in units of the window
OUTLIER = 10.0  # units of the window: input values are compressed to stay below it


class PastInputs(NamedTuple):
    """Past values without gaps, and the input features made of them."""

    filled: Tensor  # (B, L, C), missing values replaced by the last observed one, at the beginning by the first
    last: Tensor  # (B, L, C), the last observed value up to each step; 0 before there is one
    features: Tensor  # (B, L, 4 C)
    start: Tensor | None  # (B,), the first step with a value; None: 0 in all


def read_past(values: Tensor, observed: Tensor) -> PastInputs:
    """Inputs made of values (B, L, C) with gaps; no step depends on later ones.

    Example:
        >>> y = torch.tensor([0.0, 5.0, 0.0]).view(1, 3, 1)
        >>> read_past(y, torch.tensor([False, True, False]).view(1, 3, 1)).last.flatten()
        tensor([0., 5., 5.])

    Source: last observation carried forward; textbook.
    """
    filled = carry_forward(values, observed)
    if bool(observed.all()):
        last, start = filled, None
    else:
        last = torch.where(observed_so_far(observed), filled, 0.0)
        start = observed.any(-1).int().argmax(1)
        start = start if bool(start.any()) else None
    change = filled.diff(dim=1, prepend=filled[:, :1])
    return PastInputs(filled, last, channel_features(last, change, observed.to(values.dtype)), start)


def channel_features(value: Tensor, change: Tensor, observed: Tensor) -> Tensor:
    """Features (..., 4 C), channel by channel: value, change, log size of the change, and whether it is observed.

    Example:
        >>> channel_features(torch.zeros(1), torch.zeros(1), torch.ones(1)).shape
        torch.Size([4])

    Source: ours; a linear recurrence cannot compute the size of a change, which measures volatility.
    """
    size = 0.5 * (change.abs() + MIN_STEP_CHANGE).log()
    return torch.stack([_compressed(value), _compressed(change), size, observed], dim=-1).flatten(-2)


def _compressed(x: Tensor) -> Tensor:
    """Nearly ``x`` below a few units, never beyond ``OUTLIER``."""
    return x * torch.rsqrt(1 + (x / OUTLIER).square())


def observed_so_far(observed: Tensor) -> Tensor:
    """Where a channel has an observed value at this step or before.

    Example:
        >>> observed_so_far(torch.tensor([False, True, False]).view(1, 3, 1)).flatten().tolist()
        [False, True, True]
    """
    return observed.int().cummax(1).values.bool()
