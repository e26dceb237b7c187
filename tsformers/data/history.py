"""History and actual values to plot beside a forecast."""

from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.grid import Grid
from tsformers.data.dataframes import Schema
from tsformers.data.panel import Panel


def read_history(history: Any, ids: pd.Index, times: np.ndarray, grid: Grid | None, schema: Schema) -> Panel:
    """The history of the series to plot, read with the columns and the frequency of their forecast.

    Args:
        history: frame, Series or Panel.
        ids: the series to plot; rows of others are not read.
        times: (N, H) stamps of the forecast.
        grid: of the forecast; None = its frequency is unknown.
        schema: columns of the forecast's caller.

    Returns:
        A panel.

    Raises:
        DataError: the rows cannot be used.
        ValueError: none of the series is there, or the time is of another kind (integers, zone) than the forecast's.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> frame = pd.DataFrame({"unique_id": ["a", "b"], "ds": [1, 1], "y": [1.0, 2.0]})
        >>> read_history(frame, pd.Index(["b"]), np.array([[2, 3]]), parse(1), Schema()).y
        array([2.])
    """
    panel = history
    if not isinstance(history, Panel):
        panel = Panel.history(history, schema, grid, ids, times.dtype.kind != "M")
    if panel.times.dtype.kind != times.dtype.kind or (panel.schema.tz is None) != (schema.tz is None):
        raise ValueError(
            f"history and forecast count time differently ({panel.times.dtype}, zone {panel.schema.tz}; "
            f"{times.dtype}, zone {schema.tz}); pass the history the model was fitted on"
        )
    return panel


def around(panel: Panel | None, name: Any, times: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The history before one forecast and the actual values at its time stamps.

    Args:
        panel: the history; None = there is none.
        name: id of the series.
        times: (H,) stamps of the forecast.
        rows: at most so many rows of history.

    Returns:
        Stamps (T,) and values (T,) of the history, and actual values (H,), NaN where unknown.

    Example:
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": [1, 2, 3], "y": [1.0, 2.0, 3.0]}))
        >>> around(panel, "a", np.array([3, 4]), 1)
        (array([2]), array([2.]), array([ 3., nan]))
    """
    actual = np.full(len(times), np.nan)
    if panel is None or name not in panel.ids:
        return times[:0], np.empty(0), actual
    i = int(panel.ids.get_loc(name))  # type: ignore[arg-type]
    span = slice(panel.offsets[i], panel.offsets[i + 1])
    stamps, y = panel.times[span], panel.y[span]
    end = int(np.searchsorted(stamps, times[0]))
    start = max(end - rows, 0)
    place = np.searchsorted(stamps, times).clip(max=len(stamps) - 1)
    actual = np.where(stamps[place] == times, y[place], np.nan)
    return stamps[start:end], y[start:end], actual
