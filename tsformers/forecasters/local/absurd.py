"""Isolated values far from all others, typos and lost signals: no model shall follow one."""

import warnings
from dataclasses import replace

import numpy as np

from tsformers.calendar.grid import as_counts
from tsformers.calendar.regularity import plain, show
from tsformers.data.blocks.panel_blocks import row_blocks
from tsformers.data.panel import Panel
from tsformers.errors import DataWarning

FAR = 6.0  # largest deviations of the others from their neighbours, beyond which an isolated cell is absurd
FAR_AT_END = 8.0  # the same of the last row, which no later one contradicts
FAR_IN_LOGARITHMS = 1.5  # the same of the logarithms of positive values, of which growth and heavy tails have less
MOST_CELLS, ROWS_A_CELL = 3, 15
FEWEST_ROWS = 12  # observed
STEPS = 6.0  # typical steps, which one of the series exceeds where it has such a cell
NEAR = 100  # of a season's rows, one by which yearly events may move
LISTED_CELLS = 5  # in the warning


def absurd_cells(y: np.ndarray, periods: tuple[int, ...] = ()) -> np.ndarray:
    """Isolated values that lie many times further from their neighbours than all others: typos and lost signals.

    Six times as far as the largest deviation of all others (the last row: eight times), from the middle two of the four
    nearest values; of positive values also 1.5 times as far in logarithms. At most three, one in 15 values; series of
    less than 12 values, or of which half the steps are 0 (intermittent counts), have none. The last two rows together
    are a change of level and stay, and so do cells that come back with a season.

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
    away, last = _deviations(values), len(values) - 1
    order = np.argsort(-away, kind="stable")
    for n in range(min(MOST_CELLS, max(1, len(values) // ROWS_A_CELL)), 0, -1):
        if away[order[n - 1]] > FAR * away[order[n]]:
            break
    else:
        return absurd
    cells, largest = np.sort(order[:n]), away[order[n]]
    if cells[-1] == last and (away[last] <= FAR_AT_END * largest or last - 1 in cells):
        cells = cells[cells < last - (last - 1 in cells)]
    if len(cells) and values.min() > 0:
        away = _deviations(np.log(values))
        cells = cells[away[cells] > FAR_IN_LOGARITHMS * np.delete(away, order[:n]).max()]
    if not any(_comes_back(rows[cells], period, len(y)) for period in periods):
        absurd[rows[cells]] = True
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


def without_cells(panel: Panel, rows: np.ndarray) -> Panel:
    """The panel with missing values in some rows; itself where there are none.

    Example:
        >>> import pandas as pd
        >>> without_cells(Panel.from_frame(pd.Series([1.0, 2.0], name="a")), np.array([1])).y
        array([ 1., nan])
    """
    if not len(rows):
        return panel
    y = panel.y.copy()
    y[rows] = np.nan
    return replace(panel, y=y)


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


def _deviations(values: np.ndarray) -> np.ndarray:
    """(n,) how far each value lies outside the middle two of its four nearest ones."""
    place = np.arange(len(values))
    window = np.clip(place - 2, 0, len(values) - 5)[:, None] + np.arange(5)
    others = np.sort(np.where(window == place[:, None], np.inf, values[window]), axis=1)
    return np.maximum(np.maximum(values - others[:, 2], others[:, 1] - values), 0.0)


def _comes_back(cells: np.ndarray, period: int, rows: int) -> bool:
    """Whether cells stand a whole number of periods apart, in half of the cycles or more."""
    if period < 2 or len(cells) < max(2, rows // period / 2):
        return False
    away = np.diff(cells) % period
    return bool((np.minimum(away, period - away) <= period // NEAR).all())
