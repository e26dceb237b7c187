"""Do the rows of a panel keep to its frequency? A stamp off the grid is refused with its place, none is moved."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.errors import DataError
from tsformers.frequency import guess_freq, within
from tsformers.grid import OFF, Grid, compose, decompose, like_times

DOUBT = 1e-3  # series whose steps would be this unlikely if only rows were missing have a frequency of their own
UNSET = 2**62  # above any phase


class Origin(NamedTuple):
    """Where packed rows stood in the caller's frame, for messages: N names, (R,) positions, the time column."""

    ids: pd.Index
    rows: np.ndarray
    column: str

    def name(self, row: int, offsets: np.ndarray) -> str:
        """The series of a packed row, as Python prints it.

        Example:
            >>> Origin(pd.Index(["a", "b"]), np.arange(2), "ds").name(1, np.array([0, 1, 2]))
            "'b'"
        """
        return repr(plain(self.ids[int(np.searchsorted(offsets, row, side="right")) - 1]))


def positions(
    code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, grid: Grid, origin: Origin, given: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Grid position of each row, and each series' phase.

    Args:
        code: (R,) index into ``unique`` of each row's stamp, increasing within each series.
        unique: sorted int64 stamps.
        offsets: (N + 1,).
        grid: the panel's.
        origin: where the rows came from.
        given: how messages call a frequency that was not inferred, "freq=".

    Returns:
        Positions (R,) and phases (N,).

    Raises:
        DataError: a stamp lies off the grid, or a series has a frequency of its own.

    Example:
        >>> stamps, origin = np.array([10, 20, 40]), Origin(pd.Index(["a"]), np.arange(3), "ds")
        >>> positions(np.arange(3), stamps, np.array([0, 3]), Grid(10, "int", 10), origin)
        (array([1, 2, 4]), array([0]))
    """
    place, phase = decompose(unique, grid)
    if (phase == phase[0]).all() and phase[0] != OFF:
        series_phase = np.full(len(offsets) - 1, phase[0])
    else:
        series_phase = _phases(phase[code], offsets, grid)
        bad = (phase[code] != np.repeat(series_phase, np.diff(offsets))) | (phase[code] == OFF)
        if bad.any() and grid.tz is not None and grid.wall_clock:
            bad[bad] = _misplaced(bad, place[code], unique[code], np.repeat(series_phase, np.diff(offsets)), grid)
        if bad.any():
            raise _off_grid(int(np.flatnonzero(bad)[0]), code, unique, offsets, grid, origin, given)
    spot = place[code]
    step, inner = np.diff(spot), within(offsets)
    longer = inner & (step != 1)
    if longer.any():
        _refuse_shared_steps(inner & (step == 0), unique[code], offsets, grid, origin)
        _refuse_own_frequency(step, unique[code], offsets, grid, origin)
    return spot, series_phase


def _phases(phase: np.ndarray, offsets: np.ndarray, grid: Grid) -> np.ndarray:
    """The phase of each series: its first row's; the least where a clock change may have moved stamps forward."""
    if grid.tz is None or not grid.wall_clock:
        return phase[offsets[:-1]]
    return np.minimum.reduceat(np.where(phase == OFF, UNSET, phase), offsets[:-1])


def _misplaced(bad: np.ndarray, place: np.ndarray, stamps: np.ndarray, phase: np.ndarray, grid: Grid) -> np.ndarray:
    """Which of the bad rows are not where a clock change moves the wall-clock time of their series."""
    usable = phase[bad] != UNSET
    return ~usable | (compose(place[bad], np.where(usable, phase[bad], 0), grid) != stamps[bad])


def _off_grid(
    row: int, code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, grid: Grid, origin: Origin, given: str
) -> DataError:
    seen = _guess(code, unique, offsets, grid) if given else grid.freq
    if seen is not None and seen != grid.freq:
        why = f"is off the grid of {given}{grid.freq!r}, the stamps look like {seen!r}"
        todo = f"pass freq={seen!r}, or leave freq= out" if given == "freq=" else "resample them, or fit anew"
    else:
        why = f"is off the grid of {given or 'the most common step, '}{grid.freq!r}"
        todo = "correct it, or pass a smaller step as freq="
        if grid.unit != "int":
            day = "to_period('M').dt.to_timestamp()" if grid.unit == "month" else "floor('D')"
            rule = repr(grid.freq) if grid.unit == "tick" else None
            how = f"round({rule})" if rule else day
            todo = f"round the stamps, for example with df[{origin.column!r}].dt.{how}, or pass freq="
    return DataError(
        f"column {origin.column!r} of series {origin.name(row, offsets)}: {show(unique[code[row]], grid)} at row "
        f"{origin.rows[row]} {why}; {todo}"
    )


def _refuse_shared_steps(same: np.ndarray, stamps: np.ndarray, offsets: np.ndarray, grid: Grid, origin: Origin) -> None:
    """Two stamps on one step: an hour of the wall clock that occurs twice when the clock goes back."""
    if same.any():
        row = int(np.flatnonzero(same)[0])
        raise DataError(
            f"column {origin.column!r} of series {origin.name(row, offsets)}: {show(stamps[row], grid)} at row "
            f"{origin.rows[row]} and {show(stamps[row + 1], grid)} at row {origin.rows[row + 1]} fall on one step of "
            f"{grid.freq!r}; keep one of them"
        )


def _refuse_own_frequency(
    step: np.ndarray, stamps: np.ndarray, offsets: np.ndarray, grid: Grid, origin: Origin
) -> None:
    """Refuse a series that walks the panel's grid in regular longer steps, such as days among hours.

    Rows missing at random give such steps too. So a series of n steps is refused where most of them equal their
    greatest common divisor k >= 2 and p^n < 0.001, p being the share of longer steps in series that also have single ones.
    """
    inner = within(offsets)
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))[1:][inner]
    step = step[inner]
    n_steps = np.bincount(owner, minlength=len(offsets) - 1)
    n_single = np.bincount(owner[step == 1], minlength=len(offsets) - 1)
    dense = n_single > 0
    share = 1 - n_single.sum() / n_steps[dense].sum() if dense.any() else 0.0
    suspects = ~dense & (n_steps >= 2) & (share**n_steps < DOUBT)
    kept = suspects[owner]
    if not kept.any():
        return
    names, starts = np.unique(owner[kept], return_index=True)
    divisor = np.gcd.reduceat(step[kept], starts)
    equal = np.add.reduceat(step[kept] == np.repeat(divisor, n_steps[names]), starts)
    own = (divisor > 1) & (equal >= np.maximum(2, 0.6 * n_steps[names]))
    if own.any():
        first, stop = offsets[names[own][0]], offsets[names[own][0] + 1]
        part = stamps[first:stop]
        seen = _guess(np.arange(len(part)), part, np.array([0, len(part)]), grid)
        raise DataError(
            f"column {origin.column!r}: series {origin.name(int(first), offsets)} steps by {seen!r} from row "
            f"{origin.rows[first]} on, which is not the panel's freq={grid.freq!r}; fit series of another frequency "
            "apart or resample them (if rows are only missing, add them with NaN)"
        )


def _guess(code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, grid: Grid) -> str | int | None:
    try:
        return guess_freq(code, unique, offsets, grid.tz, integer=grid.unit == "int")
    except DataError:
        return None


def show(count: np.integer | int, grid: Grid) -> str:
    """A stamp as the caller wrote it.

    Example:
        >>> show(0, Grid("D", "day", 1))
        '1970-01-01 00:00:00'
    """
    if grid.unit == "int":
        return str(int(count))
    stamp = pd.Timestamp(like_times(np.asarray(count, dtype=np.int64)[None], grid)[0])
    return str(stamp if grid.tz is None else stamp.tz_localize("UTC").tz_convert(grid.tz))


def plain(name: object) -> object:
    """An id as Python prints it: 3 rather than np.int64(3).

    Example:
        >>> plain(np.int64(3))
        3
    """
    return name.item() if isinstance(name, np.generic) else name
