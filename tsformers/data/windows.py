"""Window and Packed: all rows of a panel as tensors, and batches of windows cut from them."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


class Window(NamedTuple):
    """A batch of windows: ``T`` steps of context and the ``H`` steps that follow. Zeros where missing, never NaN.

    Columns of ``past_x`` are ``P`` past covariates, then ``K`` known ones; ``future_x`` holds the same ``K``. Within
    ``K`` come calendar features first, then the caller's known covariates, then statics. ``past`` and ``future`` are in
    the window's own units: the caller's value is ``value * scale + location`` (None: 1 and 0). ``series`` are
    positions among those of ``fit``; at prediction -1 is a series that was not among them.

    Example:
        >>> packed = pack_rows(np.arange(5.0)[:, None], [0, 5])
        >>> cut(packed, torch.tensor([0]), torch.tensor([3]), 2, 1).past[0, :, 0]
        tensor([1., 2.], dtype=torch.float64)
    """

    past: Float[Tensor, "B T C"]
    past_observed: Bool[Tensor, "B T C"]
    past_x: Float[Tensor, "B T PK"]
    future: Float[Tensor, "B H C"]
    future_observed: Bool[Tensor, "B H C"]  # all False at prediction
    future_x: Float[Tensor, "B H K"]
    series: Int64[Tensor, " B"]
    location: Float[Tensor, "B 1 C"] | None = None
    scale: Float[Tensor, "B 1 C"] | None = None


class Packed(NamedTuple):
    """All series one after the other, as tensors on one device; rows of series i are ``offsets[i]:offsets[i + 1]``.

    ``y`` is float64 and zero where missing; float32 would lose steps of 1 at a level of 1e8
    before ``scale`` centres it.
    ``ends`` closes the history of each series; later rows hold known covariates only. ``static`` is repeated along
    time by ``cut``, not here.

    Example:
        >>> pack_rows(np.array([[1.0], [np.nan]]), [0, 2]).observed[:, 0]
        tensor([ True, False])
    """

    y: Float[Tensor, "R C"]
    observed: Bool[Tensor, "R C"]
    past_x: Float[Tensor, "R P"]
    known_x: Float[Tensor, "R K"]
    static: Float[Tensor, "N S"]
    offsets: Int64[Tensor, " N1"]
    ends: Int64[Tensor, " N"]

    def to(self, device: torch.device) -> "Packed":
        """The same rows on another device."""
        return Packed(*(tensor.to(device) for tensor in self))


def pack_rows(
    y: Float[np.ndarray, "R C"],
    offsets: Int64[np.ndarray, " N1"] | list[int],
    past_x: Float[np.ndarray, "R P"] | None = None,
    known_x: Float[np.ndarray, "R K"] | None = None,
    static: Float[np.ndarray, "N S"] | None = None,
    ends: Int64[np.ndarray, " N"] | None = None,
) -> Packed:
    """Arrays of rows as tensors; NaN in ``y`` becomes a zero that is not observed.

    Args:
        y: values of all series, one after the other; NaN = missing.
        offsets: rows of series i are ``offsets[i]:offsets[i + 1]``.
        past_x: past covariates; None: there are none.
        known_x: known covariates; None: there are none.
        static: one row a series; None: there are none.
        ends: where each history ends, exclusive; None: at the last row of the series.

    Returns:
        The rows, ready for ``cut``.

    Raises:
        ValueError: the offsets do not cover the rows.

    Example:
        >>> pack_rows(np.ones((4, 1)), [0, 1, 4]).ends
        tensor([1, 4])
    """
    bounds = np.asarray(offsets, dtype=np.int64)
    if bounds[0] != 0 or bounds[-1] != len(y) or (np.diff(bounds) < 0).any():
        raise ValueError(f"offsets must rise from 0 to the number of rows, {len(y)}; they are {bounds}")
    empty = np.zeros((len(y), 0), dtype=np.float32)
    observed = ~np.isnan(y)
    return Packed(
        torch.from_numpy(np.where(observed, y, 0.0)).contiguous(),
        torch.from_numpy(observed).contiguous(),
        torch.from_numpy(np.asarray(empty if past_x is None else past_x, dtype=np.float32)),
        torch.from_numpy(np.asarray(empty if known_x is None else known_x, dtype=np.float32)),
        torch.from_numpy(np.asarray(empty[: len(bounds) - 1] if static is None else static, dtype=np.float32)),
        torch.from_numpy(bounds),
        torch.from_numpy(bounds[1:].copy() if ends is None else np.asarray(ends, dtype=np.int64)),
    )


def cut(
    packed: Packed,
    series: Int64[Tensor, " B"],
    cutoffs: Int64[Tensor, " B"],
    context_length: int,
    horizon: int,
) -> Window:
    """All windows of a batch at once: ``context_length`` rows up to each cutoff and the ``horizon`` rows from it on.

    Rows outside the series count as missing, so a window may extend beyond either end.

    Args:
        packed: rows to cut from.
        series: which series each window is cut from.
        cutoffs: absolute row at which each context ends, exclusive.
        context_length: T, steps of context.
        horizon: H, steps after the cutoff.

    Returns:
        The windows, in the caller's units, on the device of ``packed``.

    Raises:
        IndexError: no such series.

    Example:
        >>> packed = pack_rows(np.arange(6.0)[:, None], [0, 6])
        >>> window = cut(packed, torch.tensor([0, 0]), torch.tensor([4, 1]), 2, 2)
        >>> window.past[..., 0]
        tensor([[2., 3.],
                [0., 0.]], dtype=torch.float64)
        >>> window.past_observed[1, :, 0]
        tensor([False,  True])
    """
    length, starts = context_length + horizon, cutoffs - context_length
    first, last = packed.offsets[series], packed.offsets[series + 1]
    if len(packed.y) >= length and bool(((starts >= first) & (starts + length <= last)).all()):
        y, observed, past_x, known_x = (_blocks(rows, starts, length) for rows in packed[:4])
    else:
        places = starts[:, None] + torch.arange(length, device=starts.device)  # (B, T + H)
        inside = ((places >= first[:, None]) & (places < last[:, None]))[..., None]
        places = places.clamp(0, len(packed.y) - 1)
        y, observed, past_x, known_x = (rows[places] * inside for rows in packed[:4])
    if packed.static.shape[1]:
        known_x = torch.cat([known_x, packed.static[series, None].expand(-1, length, -1)], dim=-1)
    return Window(
        y[:, :context_length],
        observed[:, :context_length],
        torch.cat([past_x[:, :context_length], known_x[:, :context_length]], dim=-1),
        y[:, context_length:],
        observed[:, context_length:],
        known_x[:, context_length:],
        series,
    )


def _blocks(rows: Tensor, starts: Tensor, length: int) -> Tensor:
    """``rows[start : start + length]`` for each start, (B, L, ...), as copies of whole blocks."""
    width = rows.shape[1]
    return rows.contiguous().as_strided((len(rows) - length + 1, length, width), (width, width, 1))[starts]
