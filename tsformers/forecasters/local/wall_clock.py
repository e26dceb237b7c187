"""Rows by the wall clock: a daily season keeps its hours when clocks change."""

from dataclasses import replace

import numpy as np

from tsformers.calendar.grid import SECOND, as_counts, to_local
from tsformers.data.panel import Panel

HOUR = 3600 * SECOND


def on_wall_clock(panel: Panel) -> Panel | None:
    """The panel with a row for each step of the wall clock: a skipped hour is missing, a repeated one averaged.

    Steps below a day count absolute time, so that all later hours of a day stand at another place of the season after a
    change of clocks. On the wall clock they do not.

    Args:
        panel: N series.

    Returns:
        A panel of the same series on local times without a zone; None where the panel has no zone, its step does not
        divide an hour, or a change of clocks is no whole number of steps.

    Example:
        >>> import pandas as pd
        >>> times = pd.date_range("2024-03-31", periods=4, freq="h", tz="Europe/Berlin")
        >>> panel = Panel.from_frame(pd.DataFrame({"ds": times, "y": [0.0, 1.0, 3.0, 4.0]}))
        >>> on_wall_clock(panel).y
        array([ 0.,  1., nan,  3.,  4.])
    """
    grid = panel.grid
    if grid.tz is None or grid.unit != "tick" or HOUR % grid.step or not len(panel.times):
        return None
    position, phase = np.divmod(to_local(as_counts(panel.times), grid.tz), grid.step)
    owner, n = panel.owner, panel.n_series
    if (phase != phase[panel.offsets[:-1]][owner]).any():
        return None
    first, last, end = np.full(n, position.max()), np.full(n, position.min() - 1), np.full(n, position.min() - 1)
    np.minimum.at(first, owner, position)
    np.maximum.at(last, owner, position)
    np.maximum.at(end, owner[panel.in_history], position[panel.in_history])
    offsets = np.concatenate([[0], np.cumsum(last - first + 1)])
    place = offsets[owner] + position - first[owner]
    step = np.repeat(first - offsets[:-1], np.diff(offsets)) + np.arange(offsets[-1])
    times = step * grid.step + np.repeat(phase[panel.offsets[:-1]], np.diff(offsets))
    return replace(
        panel,
        offsets=offsets,
        ends=offsets[:-1] + end - first + 1,
        times=times.view("M8[ns]"),
        y=_means(panel.y[:, None], place, offsets[-1])[:, 0],
        past=_means(panel.past, place, offsets[-1]),
        known=_carried(_means(panel.known, place, offsets[-1])),
        grid=replace(grid, tz=None),
    )


def wall_steps(panel: Panel, wall: Panel, horizon: int) -> np.ndarray:
    """Which step of the wall clock each step of absolute time is.

    Args:
        panel: N series.
        wall: ``on_wall_clock(panel)``.
        horizon: H.

    Returns:
        (N, H) steps after the end of each history of ``wall``, from 0. An hour that the history had already and that
        comes a second time is forecast as the next.

    Example:
        >>> import pandas as pd
        >>> times = pd.date_range("2024-03-31", periods=2, freq="h", tz="Europe/Berlin")
        >>> panel = Panel.from_frame(pd.DataFrame({"ds": times, "y": [0.0, 1.0]}))
        >>> wall_steps(panel, on_wall_clock(panel), 2)
        array([[1, 2]])
    """
    later = to_local(as_counts(panel.future_times(horizon)), panel.grid.tz)
    steps = (later - as_counts(wall.times)[wall.ends - 1][:, None]) // panel.grid.step - 1
    return np.maximum(steps, 0)


def _means(columns: np.ndarray, place: np.ndarray, rows: int) -> np.ndarray:
    """(rows, K) means of the observed values at each place, NaN where there are none."""
    if len(place) == rows:  # no change of clocks
        return columns
    found = np.full((rows, columns.shape[1]), np.nan)
    for k, values in enumerate(columns.T):
        observed = np.isfinite(values)
        count = np.bincount(place[observed], minlength=rows)
        total = np.bincount(place[observed], values[observed], minlength=rows)
        found[count > 0, k] = total[count > 0] / count[count > 0]
    return found


def _carried(known: np.ndarray) -> np.ndarray:
    """Known covariates with those of the row before where an hour was skipped."""
    for k in range(known.shape[1]):
        given = np.where(np.isfinite(known[:, k]), np.arange(len(known)), 0)
        known[:, k] = known[np.maximum.accumulate(given), k]
    return known
