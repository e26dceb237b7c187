"""Jitter: stamps within a hundredth of the step of a grid are moved onto it, and it is said how many."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.bins import STEPS
from tsformers.calendar.frequency import SHORTEST_DAY, most_common, steps_within, within
from tsformers.calendar.grid import DAY, SECOND, Grid, to_local, to_utc

SHARE = 1 / 100  # of the step: what lies further off is no jitter
ROUND = (DAY, 12 * 3600 * SECOND, *sorted(STEPS.values(), reverse=True))  # places of a step, the roundest first


class Snapped(NamedTuple):
    """Stamps on a grid.

    Args:
        code: (R,) index into ``unique`` of each row.
        unique: sorted int64 stamps.
        note: what was moved, a sentence without a full stop; empty = nothing.
    """

    code: np.ndarray
    unique: np.ndarray
    note: str


def snap(
    code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, tz: str | None, grid: Grid | None = None
) -> Snapped:
    """Move stamps that lie within a hundredth of the step beside the grid of their series.

    Steps of seven days at most are considered. A stamp that lies further off stays, and is refused as it is; nothing is
    moved where most do, or where two of a series would become one.

    Args:
        code: (R,) index into ``unique`` of each row's stamp, increasing within each series.
        unique: sorted int64 nanoseconds, UTC where there is a zone.
        offsets: (N + 1,).
        tz: zone of the wall clock.
        grid: of a frequency that is given; None = by the most common step.

    Returns:
        The stamps, themselves where nothing is moved.

    Example:
        >>> stamps = np.array([0, 60, 120, 180]) * SECOND + np.array([0, 0, SECOND // 5, 0])
        >>> snapped = snap(np.arange(4), stamps, np.array([0, 4]), None)
        >>> (snapped.unique // SECOND).tolist(), snapped.note
        ([0, 60, 120, 180], '1 stamp lay up to 0.2 s beside the grid and was moved onto it')
    """
    same = Snapped(code, unique, "")
    size = _size(code, unique, offsets, tz) if grid is None else _size_of(grid)
    if size is None or (unique % size == unique[0] % size).all():
        return same
    by_clock = tz is not None and size % DAY == 0 and (grid is None or grid.wall_clock)
    local = to_local(unique, tz)[code] if by_clock else unique[code]
    length = np.diff(offsets)
    phase = np.repeat(local[offsets[:-1]] % size, length)
    beside = (local - phase + size // 2) % size - size // 2
    beside -= np.repeat(_centre(beside, local[offsets[:-1]] % size, offsets, size), length)
    beside = (beside + size // 2) % size - size // 2
    near = np.abs(beside) < SHARE * size
    beside = np.where(near, beside, 0)
    if not beside.any() or 2 * near.sum() <= len(near):
        return same
    onto = to_utc(local - beside, tz) if by_clock else local - beside
    again, distinct = pd.factorize(onto, sort=True)
    if (within(offsets) & (np.diff(again) <= 0)).any():
        return same
    moved = int((beside != 0).sum())
    many = f"{moved:,} stamps" if moved > 1 else "1 stamp"
    note = (
        f"{many} lay up to {_length(int(np.abs(beside).max()))} beside the grid and {'were' if moved > 1 else 'was'} "
    )
    return Snapped(again, np.asarray(distinct), f"{note}moved onto it")


def _size_of(grid: Grid) -> int | None:
    size = grid.step if grid.unit == "tick" else grid.step * DAY if grid.unit == "day" else None
    return size if size is not None and size <= 7 * DAY else None


def _size(code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, tz: str | None) -> int | None:
    """The step: the most common one, or the round step within a hundredth of the median; None where neither is."""
    steps = steps_within(unique, code, offsets)
    common = most_common(steps)
    if common is None:
        return None
    if tz is not None and common >= SHORTEST_DAY:
        steps = steps_within(to_local(unique, tz), code, offsets)
        common = most_common(steps) or common
    if (steps == common).mean() >= 0.5 and common > 0:
        return common if common <= 7 * DAY else None
    median = float(np.median(steps))
    near = min((*STEPS.values(), *(n * DAY for n in range(1, 8))), key=lambda size: abs(size - median))
    return near if abs(median - near) < SHARE * near else None


def _centre(beside: np.ndarray, phase: np.ndarray, offsets: np.ndarray, size: int) -> np.ndarray:
    """(N,) where each series' grid lies, from its first stamp: where half of its stamps lie, else a round beginning."""
    series = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    rising = beside[np.lexsort((beside, series))]
    middle = rising[(offsets[:-1] + offsets[1:] - 1) // 2]
    hits = np.add.reduceat((beside == np.repeat(middle, np.diff(offsets))).astype(np.int64), offsets[:-1])
    at = phase + middle
    rounded = at.copy()
    for unit in (unit for unit in reversed(ROUND) if unit <= size):
        nearest = (at + unit // 2) // unit * unit
        rounded = np.where(np.abs(nearest - at) < SHARE * size, nearest, rounded)
    return np.where(2 * hits >= np.diff(offsets), middle, rounded - phase)


def _length(nanoseconds: int) -> str:
    return f"{nanoseconds / SECOND:.3g} s" if nanoseconds < 60 * SECOND else f"{nanoseconds / (60 * SECOND):.3g} min"
