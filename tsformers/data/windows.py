"""Window, cut, cutoffs: the one crossing from packed arrays to tensors."""

from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

Scaler = Literal["mean_abs", "standard", "robust"]
SCALERS: tuple[str, ...] = ("mean_abs", "standard", "robust")
IQR_OF_NORMAL = 1.3489795003921634  # interquartile range of the standard normal distribution


class Window(NamedTuple):
    """A batch of windows: ``T`` steps of context and the ``H`` steps that follow. Zeros where unseen, never NaN.

    Columns of ``past_x`` are ``P`` past covariates, then ``K`` known ones; ``future_x`` holds the same ``K``. Within
    ``K`` come calendar features first, then the caller's known covariates, then statics. ``past`` and ``future`` are in
    the window's own units: the caller's value is ``value * scale + location`` (None: 1 and 0). ``series`` counts those
    of ``fit``; at prediction -1 is a series that was not among them.

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

    ``y`` is float64 and zero where unseen: levels of 1e8 with steps of 1 survive until ``scale`` has centred them.
    ``ends`` closes the history of each series; later rows hold known covariates only. ``static`` is repeated along
    time by ``cut``, not here.

    Example:
        >>> pack_rows(np.array([[1.0], [np.nan]]), [0, 2]).seen[:, 0]
        tensor([ True, False])
    """

    y: Float[Tensor, "R C"]
    seen: Bool[Tensor, "R C"]
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
    """Arrays of rows as tensors; NaN in ``y`` becomes an unseen zero.

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
    seen = ~np.isnan(y)
    return Packed(
        torch.from_numpy(np.where(seen, y, 0.0)).contiguous(),
        torch.from_numpy(seen).contiguous(),
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

    Rows outside the series count as unseen, so a window may reach over either end.

    Args:
        packed: where to cut.
        series: which series each window is cut from.
        cutoffs: absolute row at which each context ends, exclusive.
        context_length: T, steps of context.
        horizon: H, steps after the cutoff.

    Returns:
        The windows, in the caller's units, on the device of ``packed``.

    Raises:
        IndexError: a series that is not there.

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
        y, seen, past_x, known_x = (_blocks(rows, starts, length) for rows in packed[:4])
    else:
        places = starts[:, None] + torch.arange(length, device=starts.device)  # (B, T + H)
        inside = ((places >= first[:, None]) & (places < last[:, None]))[..., None]
        places = places.clamp(0, len(packed.y) - 1)
        y, seen, past_x, known_x = (rows[places] * inside for rows in packed[:4])
    if packed.static.shape[1]:
        known_x = torch.cat([known_x, packed.static[series, None].expand(-1, length, -1)], dim=-1)
    return Window(
        y[:, :context_length],
        seen[:, :context_length],
        torch.cat([past_x[:, :context_length], known_x[:, :context_length]], dim=-1),
        y[:, context_length:],
        seen[:, context_length:],
        known_x[:, context_length:],
        series,
    )


def _blocks(rows: Tensor, starts: Tensor, length: int) -> Tensor:
    """``rows[start : start + length]`` for each start, (B, L, ...), as copies of whole blocks."""
    width = rows.shape[1]
    return rows.contiguous().as_strided((len(rows) - length + 1, length, width), (width, width, 1))[starts]


def cutoffs(
    packed: Packed, context_length: int, horizon: int, hold_back: int = 0
) -> tuple[Int64[Tensor, " M"], Int64[Tensor, " M"]]:
    """Every (series, cutoff) whose context and targets lie inside the history; windows are not cut yet.

    Left out are windows in which no channel has both a seen value in the context and a seen target.

    Args:
        packed: where windows would be cut.
        context_length: T, steps of context.
        horizon: H, steps after the cutoff.
        hold_back: rows at the end of each series that no target may touch. Series shorter than
            ``context_length + horizon + hold_back`` have no place for both and hold nothing back.

    Returns:
        Series and cutoffs, in the order of the rows.

    Example:
        >>> packed = pack_rows(np.array([[0.0], [1], [2], [3], [np.nan]]), [0, 5])
        >>> cutoffs(packed, 2, 1)
        (tensor([0, 0]), tensor([2, 3]))
        >>> cutoffs(packed, 2, 1, hold_back=2)[1]
        tensor([2])
    """
    first, ends = packed.offsets[:-1], packed.ends
    long_enough = holds_back(packed, context_length, horizon, hold_back)
    limits = ends - horizon - hold_back * long_enough + 1  # cutoffs lie below
    counts = (limits - first - context_length).clamp(min=0)
    series = torch.repeat_interleave(torch.arange(len(first), device=first.device), counts)
    skipped = counts.cumsum(0) - counts
    rows = torch.arange(len(series), device=first.device) + (first + context_length - skipped)[series]
    if not bool(packed.seen.all()):
        total = torch.nn.functional.pad(packed.seen.cumsum(0, dtype=torch.int32), (0, 0, 1, 0))  # (R + 1, C)
        at_cutoff = total[rows]
        useful = (at_cutoff > total[rows - context_length]) & (total[rows + horizon] > at_cutoff)
        chosen = useful.any(dim=1)
        series, rows = series[chosen], rows[chosen]
    return series, rows


def holds_back(packed: Packed, context_length: int, horizon: int, hold_back: int) -> Bool[Tensor, " N"]:
    """Which series are long enough to keep their last ``hold_back`` rows from training.

    Args:
        packed: the series.
        context_length: T, steps of context.
        horizon: H, steps after the cutoff.
        hold_back: rows to be kept; 0: no series holds anything back.

    Returns:
        True where ``context_length + horizon + hold_back`` rows fit.

    Example:
        >>> holds_back(pack_rows(np.ones((9, 1)), [0, 3, 9]), 2, 1, 2)
        tensor([False,  True])
    """
    return (packed.ends - packed.offsets[:-1] >= context_length + horizon + hold_back) & (hold_back > 0)


def held_back(
    packed: Packed, context_length: int, horizon: int, n_windows: int, stride: int | None = None
) -> tuple[Int64[Tensor, " M"], Int64[Tensor, " M"]]:
    """The last ``n_windows`` windows of each series that is long enough.

    Args:
        packed: where windows would be cut.
        context_length: T, steps of context.
        horizon: H, steps after the cutoff.
        n_windows: windows of each series, as in ``cutoffs(..., hold_back=rows_held_back(...))``.
        stride: rows from one window to the next; None: the horizon, so that targets stand side by side.

    Returns:
        Series and cutoffs.

    Example:
        >>> held_back(pack_rows(np.ones((9, 1)), [0, 3, 9]), 2, 1, 2)
        (tensor([1, 1]), tensor([7, 8]))
    """
    hold_back = rows_held_back(horizon, n_windows, stride)
    chosen = holds_back(packed, context_length, horizon, hold_back).nonzero()[:, 0]
    steps = torch.arange(n_windows, device=chosen.device) * (stride or horizon) - hold_back
    rows = (packed.ends[chosen, None] + steps).flatten()
    return chosen.repeat_interleave(n_windows), rows


def rows_held_back(horizon: int, n_windows: int, stride: int | None = None) -> int:
    """How many rows the targets of the last ``n_windows`` windows of a series take up.

    Args:
        horizon: H, steps after each cutoff.
        n_windows: windows of a series; 0: none.
        stride: rows from one window to the next; None: the horizon.

    Returns:
        Rows at the end of each series that no training target may touch.

    Example:
        >>> rows_held_back(96, 2), rows_held_back(96, 665, 1)
        (192, 760)
    """
    return horizon + (n_windows - 1) * (stride or horizon) if n_windows else 0


def scale(window: Window, method: str | None, dtype: torch.dtype = torch.float32) -> Window:
    """The window in units of its own context: ``(value - location) / scale``, channel by channel.

    ``"mean_abs"`` divides by the mean absolute value; ``"standard"`` centres on the mean and divides by the standard
    deviation (ddof 0); ``"robust"`` centres on the median and divides by the interquartile range / 1.349, or the
    standard deviation where that is zero. Only seen values of the context count. Where the context is constant the
    scale is its mean absolute value, or 1 if that is zero too. A channel without a value in the context has nothing to
    be measured by: its targets count as unseen.

    Args:
        window: in the caller's units.
        method: None leaves location 0 and scale 1.
        dtype: of the answer; the arithmetic is done in that of ``window``.

    Returns:
        The window with ``location`` and ``scale`` filled in, values cast to ``dtype``.

    Raises:
        ValueError: an unknown method.

    Example:
        >>> packed = pack_rows(np.array([[1.0], [3.0], [6.0]]), [0, 3])
        >>> window = scale(cut(packed, torch.tensor([0]), torch.tensor([2]), 2, 1), "standard")
        >>> window.past[0, :, 0], window.future[0, :, 0], window.location.item(), window.scale.item()
        (tensor([-1.,  1.]), tensor([4.]), 2.0, 1.0)
    """
    location, spread = _location_and_scale(window.past, window.past_observed, method)
    measured = window.past_observed.any(dim=1, keepdim=True)
    future_observed = window.future_observed & measured if method else window.future_observed
    return window._replace(
        past=((window.past - location) / spread * window.past_observed).to(dtype),
        past_x=window.past_x.to(dtype),
        future=((window.future - location) / spread * future_observed).to(dtype),
        future_observed=future_observed,
        future_x=window.future_x.to(dtype),
        location=location,
        scale=spread,
    )


def unscale(values: Float[Tensor, "B S H C"], window: Window) -> Float[Tensor, "B S H C"]:
    """Draws or quantiles back in the caller's units, in the precision of the window's location and scale.

    Args:
        values: what a network said about the scaled ``window``.
        window: the scaled window.

    Returns:
        ``values * scale + location``.

    Example:
        >>> packed = pack_rows(np.array([[1.0], [3.0]]), [0, 2])
        >>> window = scale(cut(packed, torch.tensor([0]), torch.tensor([2]), 2, 1), "mean_abs")
        >>> unscale(torch.ones(1, 1, 1, 1), window).item()
        2.0
    """
    if window.location is None or window.scale is None:
        return values
    return values * window.scale[:, None] + window.location[:, None]


def _location_and_scale(y: Tensor, seen: Tensor, method: str | None) -> tuple[Tensor, Tensor]:
    """Location and scale (B, 1, C) of the seen values; see ``scale``."""
    zero, one = y.new_zeros(len(y), 1, y.shape[2]), y.new_ones(len(y), 1, y.shape[2])
    if method is None:
        return zero, one
    if method not in SCALERS:
        raise ValueError(f"scaler={method!r} is unknown; choose one of {', '.join(SCALERS)} or None")
    n = seen.sum(dim=1, keepdim=True).clamp(min=1)
    mean_abs = y.abs().sum(dim=1, keepdim=True) / n  # unseen values are zeros
    fallback = torch.where(mean_abs > torch.finfo(torch.float32).tiny, mean_abs, one)
    if method == "mean_abs":
        return zero, fallback
    location = y.sum(dim=1, keepdim=True) / n
    spread = (((y - location) * seen).square().sum(dim=1, keepdim=True) / n).sqrt()
    least = 16 * torch.finfo(y.dtype).eps * mean_abs + torch.finfo(torch.float32).tiny  # below: nothing but rounding
    if method == "robust":
        lower, location, upper = _quartiles(y, seen, n)
        spread = torch.where(upper - lower > least, (upper - lower) / IQR_OF_NORMAL, spread)
    return location, torch.where(spread > least, spread, fallback)


def _quartiles(y: Tensor, seen: Tensor, n: Tensor) -> list[Tensor]:
    """Lower quartile, median and upper quartile (B, 1, C) of the seen values, interpolated linearly."""
    ordered = y.masked_fill(~seen, torch.inf).sort(dim=1).values
    ordered = ordered.masked_fill(ordered.isinf(), 0.0)
    quartiles = []
    for level in (0.25, 0.5, 0.75):
        place = (n - 1) * level
        below = place.floor().long()
        low, high = ordered.gather(1, below), ordered.gather(1, torch.minimum(below + 1, n - 1))
        quartiles.append(low + (place - below).to(y.dtype) * (high - low))
    return quartiles
