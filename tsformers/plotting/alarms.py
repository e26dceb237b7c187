"""Charts of alarms: observed and expected values, and p-values beside the levels of their tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tsformers.errors import TsformersError
from tsformers.plotting.axes import label_time, new_figure, positions, tidy
from tsformers.plotting.chosen import chosen_positions
from tsformers.plotting.fan import BAND, HISTORY, MEDIAN

ALARM, LEVEL = "#D55E00", "#666666"
LEAST = 1e-12  # smaller p-values are drawn here
SHOWN = 4


def alarm_chart(
    decisions: pd.DataFrame,
    ids: Sequence[Any] | None = None,
    *,
    id_col: str | Sequence[str] = "unique_id",
    time_col: str = "ds",
    target_col: str = "y",
) -> Any:
    """Two rows a series: values within their interval and alarms; below, p-values and the levels of their tests.

    Args:
        decisions: the answer of ``detect``, or decisions as a frame.
        ids: series to draw; None: the four with most alarms.
        id_col: column of ids, or several, whose parts are joined with "/".
        time_col: column of times.
        target_col: column of values.

    Returns:
        A ``matplotlib.figure.Figure``, which is pyplot's current one.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: there is no row to draw, of all series or of one that is named; rows that are invalid, or without a
            time that can be read, are left out.

    Example:
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": [1, 2], "y": [0.0, 9.0], "expected": 0.0, "lower": -1.0,
        ...     "upper": 1.0, "p_value": [0.5, 1e-9], "level": 0.01, "anomaly": [False, True]})
        >>> len(alarm_chart(frame).axes)
        2
    """
    decisions = _readable(decisions, time_col)
    if not len(decisions):
        raise TsformersError("there is no decision to draw; give the detector rows first")
    owner = _ids_of(decisions, id_col)
    alarms = decisions.groupby(owner, sort=False)["anomaly"].sum()
    known = alarms.sort_values(ascending=False, kind="stable").index
    ids = known[chosen_positions(ids, known, SHOWN, "the decisions that can be drawn")].tolist()
    figure = new_figure(10, 0.4 + 3.2 * len(ids))
    grid = figure.add_gridspec(2 * len(ids), 1, height_ratios=[2.2, 1] * len(ids))
    shown: dict[str, Any] = {}
    for i, name in enumerate(ids):
        rows = decisions[owner == name]
        times = rows[time_col].to_numpy()
        rows = rows.iloc[np.argsort(times, kind="stable")]
        times = np.sort(times, kind="stable")
        above = figure.add_subplot(grid[2 * i])
        below = figure.add_subplot(grid[2 * i + 1], sharex=above)
        shown |= _values(above, times, rows, target_col)
        shown |= _levels(below, times, rows)
        tidy(above, str(name))
        tidy(below, "")
        above.tick_params(labelbottom=False)
        label_time(below, times, None, most=8)
    figure.legend([*shown.values()], [*shown], loc="outside upper center", ncols=6, frameon=False)
    return figure


def _ids_of(decisions: pd.DataFrame, id_col: str | Sequence[str]) -> pd.Series:
    """The id of each row."""
    if isinstance(id_col, str):
        return decisions[id_col]
    first, *others = (decisions[name].astype(str) for name in id_col)
    for other in others:
        first = first + "/" + other
    return first


def _readable(decisions: pd.DataFrame, time_col: str) -> pd.DataFrame:
    """Rows that can be drawn, their times as numbers or datetime64 in UTC, whatever they were given as."""
    if "status" in decisions:
        decisions = decisions[decisions["status"] != "invalid"]
    stamps = decisions[time_col]
    if stamps.dtype.kind in "iu" or (len(stamps) and all(isinstance(stamp, int | np.integer) for stamp in stamps)):
        return decisions.assign(**{time_col: stamps.astype(np.int64)})
    moments = pd.to_datetime(stamps, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    return decisions.assign(**{time_col: moments.astype("M8[ns]")})[moments.notna()]


def _values(axes: Any, times: np.ndarray, rows: pd.DataFrame, target_col: str) -> dict[str, Any]:
    x, y, alarms = positions(times), rows[target_col].to_numpy(float), rows["anomaly"].to_numpy(bool)
    light = tuple(1 - (1 - BAND) * 0.3)
    band = axes.fill_between(x, rows["lower"].to_numpy(float), rows["upper"].to_numpy(float), color=light, linewidth=0)
    (expected,) = axes.plot(x, rows["expected"].to_numpy(float), color=MEDIAN, linewidth=1.0)
    (observed,) = axes.plot(x, y, color=HISTORY, linewidth=0.9)
    _note_empty(axes, np.isfinite(y), "no value")
    shown = {"observed": observed, "expected": expected, "interval": band}
    if alarms.any():
        (shown["alarm"],) = axes.plot(x[alarms], y[alarms], "o", color=ALARM, markersize=4.5)
    return shown


def _levels(axes: Any, times: np.ndarray, rows: pd.DataFrame) -> dict[str, Any]:
    x, p, level = (positions(times), *(rows[name].to_numpy(float) for name in ("p_value", "level")))
    alarms, tested = rows["anomaly"].to_numpy(bool), np.isfinite(p)
    p = np.maximum(p, LEAST)
    (dots,) = axes.plot(x[tested & ~alarms], p[tested & ~alarms], ".", color=HISTORY, markersize=2, alpha=0.5)
    axes.plot(x[alarms], p[alarms], "o", color=ALARM, markersize=3.5)
    (line,) = axes.plot(x[tested], np.maximum(level[tested], LEAST), color=LEVEL, linewidth=1.1, drawstyle="steps-mid")
    _note_empty(axes, tested, "no value was tested")
    axes.set_yscale("log")
    axes.set_ylim(top=2)
    return {"p-value": dots, "level": line}


def _note_empty(axes: Any, there: np.ndarray, text: str) -> None:
    """Say in words what would be an empty panel."""
    if not there.any():
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=LEVEL)
