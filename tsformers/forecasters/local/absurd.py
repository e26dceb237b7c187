"""Isolated values far from all others, typos and lost signals: no model shall follow one."""

import warnings

import numpy as np

from tsformers.calendar.grid import as_counts
from tsformers.calendar.regularity import plain, show
from tsformers.data.blocks.panel_blocks import row_blocks
from tsformers.data.panel import Panel
from tsformers.errors import DataWarning

FAR = 6.0  # largest deviations of the others from their neighbours, beyond which an isolated cell is absurd
FAR_AT_END = 8.0  # the same of the last row, which no later one contradicts
FAR_IN_LOGARITHMS = 1.5  # the same of the logarithms of positive values, of which growth and heavy tails have less
ROUNDING = 1e-9  # of logarithms
MOST_CELLS, ROWS_A_CELL = 3, 7
FEWEST_ROWS = 12  # observed
STEPS = 6.0  # typical steps, which one of the series exceeds where it has such a cell
MOST_STEPS = 1.5  # largest steps between the others, below which no cell deviates
NEAR = 100  # of a season's rows, one by which yearly events may move
LISTED_CELLS = 5  # in the warning


def absurd_cells(y: np.ndarray, periods: tuple[int, ...] = ()) -> np.ndarray:
    """Isolated values that lie many times further from their neighbours than all others: typos and lost signals.

    Six times as far as the largest deviation of all others (the last row: eight times), from the middle two of the four
    nearest values; or with a deviation that is so far from those at the same place of other seasons, of which there are
    two more. The former at least 1.5 times the largest step between others, so that a curve begins where it does. Of
    positive values also 1.5 times as far in logarithms. At most three, one in seven values; series of less than 12
    values, or of which half the steps are 0 (intermittent counts), have none. The last two rows together are a change
    of level and stay, and so do cells that come back with a season.

    Args:
        y: (T,), NaN = missing.
        periods: rows of the seasons that the series may have.

    Returns:
        (T,) bool.

    Example:
        >>> y = np.r_[np.arange(30.0), 4000.0, np.arange(10.0)]
        >>> np.flatnonzero(absurd_cells(y)).tolist()
        [30]
    """
    absurd = np.zeros(len(y), dtype=bool)
    rows = np.flatnonzero(np.isfinite(y))
    values = y[rows]
    if not may_be_absurd(values, np.zeros(len(values), dtype=int), 1)[0]:
        return absurd
    logarithms = np.log(values) if values.min() > 0 else None
    least = STEPS * float(np.median(np.abs(np.diff(values))))
    for period in (1, *periods):
        away = _deviations(values, rows, period)
        cells = _standing_out(away, least)
        if period == 1 and len(cells) and away[cells].min() < MOST_STEPS * _largest_step(values, cells):
            continue
        if any(_comes_back(rows[cells], other, len(y)) for other in periods):
            break
        if len(cells) and logarithms is not None:
            away = _deviations(logarithms, rows, period)
            cells = cells[away[cells] > max(FAR_IN_LOGARITHMS * np.delete(away, cells).max(), ROUNDING)]
        if len(cells):
            absurd[rows[cells]] = True
            break
    return absurd


def may_be_absurd(values: np.ndarray, owner: np.ndarray, n: int) -> np.ndarray:
    """Series with a step that is far larger than the typical one; others have no absurd cell.

    Args:
        values: (R,) observed values of all series, one series after the other.
        owner: (R,) the series of each.
        n: number of series, N.

    Returns:
        (N,) bool.

    Example:
        >>> may_be_absurd(np.r_[np.arange(20.0), np.arange(19.0), 900.0], np.repeat([0, 1], 20), 2)
        array([False,  True])
    """
    same = owner[1:] == owner[:-1]
    with np.errstate(over="ignore"):
        steps, whose = np.abs(np.diff(values))[same], owner[1:][same]
    count, largest = np.bincount(whose, minlength=n), np.zeros(n)
    np.maximum.at(largest, whose, steps)
    typical = (np.bincount(whose, np.sqrt(steps), minlength=n) / np.maximum(count, 1)) ** 2
    changing = np.bincount(whose, steps > 0, minlength=n)
    return (count + 1 >= FEWEST_ROWS) & (2 * changing > count) & (largest > STEPS * typical)


def absurd_rows(panel: Panel, periods: tuple[int, ...]) -> np.ndarray:
    """The rows of all absurd cells of a panel.

    Args:
        panel: N series in R rows.
        periods: rows of the seasons that the series may have.

    Returns:
        Rows, the least first.

    Example:
        >>> import pandas as pd
        >>> y = np.r_[np.arange(30.0), 4000.0, np.arange(10.0)]
        >>> absurd_rows(Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(41), "y": y}), freq=1), (1,))
        array([30])
    """
    found = [np.empty(0, dtype=int)]
    for first, part in row_blocks(panel):
        observed = np.isfinite(part.y) & part.in_history
        for i in np.flatnonzero(may_be_absurd(part.y[observed], part.owner[observed], part.n_series)):
            start = part.offsets[i]
            cells = np.flatnonzero(absurd_cells(part.y[start : part.ends[i]], periods))
            found.append(cells + start + panel.offsets[first])
    return np.concatenate(found)


def warn_of_absurd_rows(name: str, panel: Panel, rows: np.ndarray, stacklevel: int) -> None:
    """One warning that names values which count as missing.

    Args:
        name: of the forecaster.
        panel: N series.
        rows: by ``absurd_rows``; without one there is no warning.
        stacklevel: as of ``warnings.warn``, from the caller.
    """
    if not len(rows):
        return
    listed, counts = rows[:LISTED_CELLS], as_counts(panel.times)
    series = np.searchsorted(panel.offsets, listed, side="right") - 1
    named = [
        f"{panel.y[row]:.6g} of series {plain(panel.ids[i])!r} at {show(counts[row], panel.grid)}"
        for row, i in zip(listed, series, strict=True)
    ]
    more = f" and {len(rows) - LISTED_CELLS} more" if len(rows) > LISTED_CELLS else ""
    one = len(rows) == 1
    warnings.warn(
        DataWarning(
            f"{name}: {len(rows)} isolated {'value lies' if one else 'values lie'} many times further from "
            f"{'its' if one else 'their'} neighbours than all others of the series and "
            f"{'counts' if one else 'count'} as missing: {', '.join(named)}{more}; correct it where it is a mistake"
        ),
        stacklevel=stacklevel + 1,
    )


def _standing_out(away: np.ndarray, least: float) -> np.ndarray:
    """Places of the few deviations (n,) that are many times all others, and above ``least``."""
    order, last = np.argsort(-away, kind="stable"), len(away) - 1
    for n in range(min(MOST_CELLS, max(1, len(away) // ROWS_A_CELL)), 0, -1):
        largest = away[order[n]]
        if away[order[n - 1]] > max(FAR * largest, least):
            cells = np.sort(order[:n])
            pair = last - 1 in cells
            if cells[-1] == last and (pair or away[last] <= FAR_AT_END * largest):
                return cells[cells < last - pair]
            return cells
    return order[:0]


def _largest_step(values: np.ndarray, cells: np.ndarray) -> float:
    """Between values that follow each other, without some cells and without the end, where a change of level may be."""
    return float(np.abs(np.diff(np.delete(values, cells)[:-2])).max())


def _deviations(values: np.ndarray, rows: np.ndarray, period: int) -> np.ndarray:
    """(n,) how far each value lies outside the middle two of its four nearest ones.

    With a period: how far that deviation lies outside those at the same place of other seasons; 0 where there are none.
    """
    n, away = len(values), np.zeros(len(values))
    windows = np.lib.stride_tricks.sliding_window_view(values, 5)
    for k in range(5):  # the value's place in the window: the middle, but at both ends
        others = np.sort(np.delete(windows, k, axis=1), axis=1)
        own = windows[:, k]
        signed = own - np.clip(own, others[:, 1], others[:, 2])
        mine = slice(None) if k == 2 else slice(0, 1) if k < 2 else slice(len(windows) - 1, None)
        found = np.abs(signed) if period == 1 else _outside_the_others(signed, rows[k : n - 4 + k], period)
        away[k : n - 4 + k][mine] = found[mine]
    return away


def _outside_the_others(signed: np.ndarray, rows: np.ndarray, period: int) -> np.ndarray:
    """(n,) distance of each deviation to the range of those at its place of two other seasons or more, else 0."""
    if period < 2 or len(rows) < 2 * period:
        return np.zeros(len(rows))
    table = np.full((int(rows[-1]) // period + 1, period), np.nan)
    table[rows // period, rows % period] = signed
    if len(table) < 3:
        return np.zeros(len(rows))
    least, most = np.sort(table, axis=0)[:2], -np.sort(-table, axis=0)[:2]  # NaN last
    low, high = (np.where(table == one[0], one[1], one[0]) for one in (least, most))
    outside = np.maximum(np.maximum(table - high, low - table), 0.0)
    outside[:, np.isfinite(table).sum(axis=0) < 3] = 0.0
    return outside[rows // period, rows % period]


def _comes_back(cells: np.ndarray, period: int, rows: int) -> bool:
    """Whether cells stand a whole number of periods apart, in half of the cycles or more."""
    if period < 2 or len(cells) < max(2, rows // period / 2):
        return False
    apart = np.diff(cells)
    cycles = np.round(apart / period)
    return bool(((cycles > 0) & (np.abs(apart - cycles * period) <= period // NEAR)).all())
