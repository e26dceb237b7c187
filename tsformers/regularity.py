"""Do the rows of a panel keep to its frequency? A stamp off the grid is refused with its place, none is moved."""

import numpy as np
import pandas as pd

from tsformers.errors import DataError
from tsformers.frequency import guess_freq, within
from tsformers.grid import OFF, Grid, compose, decompose, like_times

DOUBT = 1e-3  # series whose steps would be this unlikely if only rows were missing have a frequency of their own


def positions(
    code: np.ndarray,
    unique: np.ndarray,
    offsets: np.ndarray,
    grid: Grid,
    tz: str | None,
    ids: pd.Index,
    rows: np.ndarray,
    column: str = "ds",
    given: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Grid position of each row, and each series' phase.

    Args:
        code: (R,) index into ``unique`` of each row's stamp, increasing within each series.
        unique: sorted int64 stamps.
        offsets: (N + 1,).
        grid: the panel's.
        tz: zone of the wall clock.
        ids: N names.
        rows: (R,) positions in the caller's frame.
        column: the caller's time column.
        given: True where the caller named the frequency.

    Returns:
        Positions (R,) and phases (N,).

    Raises:
        DataError: a stamp lies off the grid, or a series has a frequency of its own.

    Example:
        >>> stamps, ids = np.array([10, 20, 40]), pd.Index(["a"])
        >>> positions(np.arange(3), stamps, np.array([0, 3]), Grid(10, "int", 10), None, ids, np.arange(3))
        (array([1, 2, 4]), array([0]))
    """
    place, phase = decompose(unique, grid, tz)
    lengths = np.diff(offsets)
    row_phase = phase[code]
    first = (
        row_phase[offsets[:-1]]
        if tz is None
        else np.minimum.reduceat(np.where(row_phase < 0, 2**62, row_phase), offsets[:-1])
    )
    bad = (row_phase != np.repeat(first, lengths)) | (row_phase == OFF)
    if bad.any() and tz is not None:
        bad[bad] = _shifted(bad, place[code], row_phase, np.repeat(first, lengths), unique[code], grid, tz)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        stamp = show(unique[code[row]], grid, tz)
        name = ids[np.searchsorted(offsets, row, side="right") - 1]
        if given:
            seen = _guess(code, unique, offsets, tz, grid)
            why = f"is off the grid of freq={grid.freq!r}" + (f", the stamps look like {seen!r}" if seen else "")
            todo = (
                f"pass freq={seen!r} or leave freq out" if seen and seen != grid.freq else "correct or round the stamp"
            )
        else:
            why = f"is off the grid: most steps are {grid.freq!r}"
            todo = f"round the stamps to the grid (for example df[{column!r}].dt.round), or pass freq="
            todo = todo if grid.unit != "int" else "correct it, or pass a smaller step as freq="
        raise DataError(f"column {column!r} of series {plain(name)!r}: {stamp} at row {rows[row]} {why}; {todo}")
    spot = place[code]
    steps = np.diff(spot)
    if (steps == 1).all():
        return spot, first
    inner = within(offsets)
    again = np.flatnonzero(inner & (steps == 0))
    if len(again):
        row = int(again[0]) + 1
        name = ids[np.searchsorted(offsets, row, side="right") - 1]
        raise DataError(
            f"column {column!r} of series {plain(name)!r}: rows {rows[row - 1]} and {rows[row]} fall on the same step of "
            f"freq={grid.freq!r} ({show(unique[code[row]], grid, tz)}); keep one of them"
        )
    _refuse_own_frequency(spot, unique[code], offsets, grid, tz, ids, rows, column)
    return spot, first


def _shifted(
    bad: np.ndarray, place: np.ndarray, phase: np.ndarray, first: np.ndarray, stamps: np.ndarray, grid: Grid, tz: str
) -> np.ndarray:
    """Which of the bad rows remain bad when a clock change may have moved them forward."""
    usable = (phase[bad] != OFF) & (first[bad] < 2**62)
    expected = compose(place[bad], np.where(usable, first[bad], 0), grid, tz)
    return ~usable | (expected != stamps[bad])


def _refuse_own_frequency(
    spot: np.ndarray,
    stamps: np.ndarray,
    offsets: np.ndarray,
    grid: Grid,
    tz: str | None,
    ids: pd.Index,
    rows: np.ndarray,
    column: str,
) -> None:
    """Refuse a series that walks the panel's grid in regular longer steps, such as days among hours.

    Its steps would all be multiples of some k >= 2 by chance too, where rows are missing at random. So a series of n steps is refused where
    they are mostly equal and p^n < 0.001, p being the share of longer steps among the series that have steps of one.
    """
    series = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    inner = within(offsets)
    step, owner = np.diff(spot)[inner], series[1:][inner]
    n_steps = np.bincount(owner, minlength=len(ids))
    n_single = np.bincount(owner[step == 1], minlength=len(ids))
    dense = n_single > 0
    share = 1 - n_single.sum() / n_steps[dense].sum() if dense.any() else 0.0
    suspects = (n_single == 0) & (n_steps >= 2) & (share**n_steps < DOUBT)
    kept = suspects[owner]
    if not kept.any():
        return
    names, starts = np.unique(owner[kept], return_index=True)
    divisor = np.gcd.reduceat(step[kept], starts)
    equal = np.add.reduceat(step[kept] == np.repeat(divisor, n_steps[names]), starts)
    own = (divisor > 1) & (equal >= np.maximum(2, 0.6 * n_steps[names]))
    if not own.any():
        return
    i = int(names[own][0])
    part = stamps[offsets[i] : offsets[i + 1]]
    seen = _guess(np.arange(len(part)), part, np.array([0, len(part)]), tz, grid)
    raise DataError(
        f"column {column!r}: series {plain(ids[i])!r} steps by {seen!r} from row {rows[offsets[i]]} on, but the panel by "
        f"{grid.freq!r}; a panel has one frequency: fit such series apart or resample them (if only rows are missing, add them with y = NaN)"
    )


def _guess(code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, tz: str | None, grid: Grid) -> str | int | None:
    try:
        return guess_freq(code, unique, offsets, tz, integer=grid.unit == "int")
    except DataError:
        return None


def show(count: np.integer | int, grid: Grid, tz: str | None) -> str:
    """A stamp as the caller wrote it.

    Example:
        >>> show(0, Grid("D", "day", 1), None)
        '1970-01-01 00:00:00'
    """
    if grid.unit == "int":
        return str(int(count))
    stamp = pd.Timestamp(like_times(np.asarray(count, dtype=np.int64)[None], grid)[0])
    return str(stamp if tz is None else stamp.tz_localize("UTC").tz_convert(tz))


def plain(name: object) -> object:
    """An id as Python prints it: 3 rather than np.int64(3).

    Example:
        >>> plain(np.int64(3))
        3
    """
    return name.item() if isinstance(name, np.generic) else name
