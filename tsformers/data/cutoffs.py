"""Where windows are cut: cutoffs for training, and those kept for validation."""

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from tsformers.data.windows import Packed


def cutoffs(
    packed: Packed, context_length: int, horizon: int, validation_rows: int = 0
) -> tuple[Int64[Tensor, " M"], Int64[Tensor, " M"]]:
    """Every (series, cutoff) whose context and targets lie inside the history; windows are not cut yet.

    Windows in which no channel has both an observed value in the context and an observed target are left out.

    Args:
        packed: rows to cut from.
        context_length: T, steps of context.
        horizon: H, steps after the cutoff.
        validation_rows: rows at the end of each series that are kept for validation: no target lies among them. Series
            shorter than ``context_length + horizon + validation_rows`` are used for training alone.

    Returns:
        Series and cutoffs, in the order of the rows.

    Example:
        >>> import numpy as np
        >>> from tsformers.data.windows import pack_rows
        >>> packed = pack_rows(np.array([[0.0], [1], [2], [3], [np.nan]]), [0, 5])
        >>> cutoffs(packed, 2, 1)
        (tensor([0, 0]), tensor([2, 3]))
        >>> cutoffs(packed, 2, 1, validation_rows=2)[1]
        tensor([2])
    """
    first, ends = packed.offsets[:-1], packed.ends
    long_enough = has_validation(packed, context_length, horizon, validation_rows)
    limits = ends - horizon - validation_rows * long_enough + 1  # cutoffs lie below
    counts = (limits - first - context_length).clamp(min=0)
    series = torch.repeat_interleave(torch.arange(len(first), device=first.device), counts)
    skipped = counts.cumsum(0) - counts
    rows = torch.arange(len(series), device=first.device) + (first + context_length - skipped)[series]
    if not bool(packed.observed.all()):
        total = torch.nn.functional.pad(packed.observed.cumsum(0, dtype=torch.int32), (0, 0, 1, 0))  # (R + 1, C)
        at_cutoff = total[rows]
        useful = (at_cutoff > total[rows - context_length]) & (total[rows + horizon] > at_cutoff)
        chosen = useful.any(dim=1)
        series, rows = series[chosen], rows[chosen]
    return series, rows


def has_validation(packed: Packed, context_length: int, horizon: int, validation_rows: int) -> Bool[Tensor, " N"]:
    """Which series are long enough for their last ``validation_rows`` rows to be kept from training.

    Args:
        packed: the series.
        context_length: T, steps of context.
        horizon: H, steps after the cutoff.
        validation_rows: rows kept for validation; 0: no series has any.

    Returns:
        True where ``context_length + horizon + validation_rows`` rows fit.

    Example:
        >>> import numpy as np
        >>> from tsformers.data.windows import pack_rows
        >>> has_validation(pack_rows(np.ones((9, 1)), [0, 3, 9]), 2, 1, 2)
        tensor([False,  True])
    """
    return (packed.ends - packed.offsets[:-1] >= context_length + horizon + validation_rows) & (validation_rows > 0)


def validation_cutoffs(
    packed: Packed, context_length: int, horizon: int, n_windows: int, stride: int | None = None
) -> tuple[Int64[Tensor, " M"], Int64[Tensor, " M"]]:
    """The cutoffs of the validation windows: the last ``n_windows`` windows of each series that is long enough.

    Args:
        packed: rows to cut from.
        context_length: T, steps of context.
        horizon: H, steps after the cutoff.
        n_windows: windows of each series, as in ``cutoffs(..., validation_rows=validation_length(...))``.
        stride: rows from one window to the next; None: the horizon, so that targets stand side by side.

    Returns:
        Series and cutoffs.

    Example:
        >>> import numpy as np
        >>> from tsformers.data.windows import pack_rows
        >>> validation_cutoffs(pack_rows(np.ones((9, 1)), [0, 3, 9]), 2, 1, 2)
        (tensor([1, 1]), tensor([7, 8]))
    """
    rows = validation_length(horizon, n_windows, stride)
    chosen = has_validation(packed, context_length, horizon, rows).nonzero()[:, 0]
    steps = torch.arange(n_windows, device=chosen.device) * (stride or horizon) - rows
    return chosen.repeat_interleave(n_windows), (packed.ends[chosen, None] + steps).flatten()


def validation_length(horizon: int, n_windows: int, stride: int | None = None) -> int:
    """How many rows the targets of the last ``n_windows`` windows of a series cover.

    Args:
        horizon: H, steps after each cutoff.
        n_windows: windows of a series; 0: none.
        stride: rows from one window to the next; None: the horizon.

    Returns:
        Rows at the end of each series that are no training targets.

    Example:
        >>> validation_length(96, 2), validation_length(96, 665, 1)
        (192, 760)
    """
    return horizon + (n_windows - 1) * (stride or horizon) if n_windows else 0
