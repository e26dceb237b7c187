"""The calibration set of a detector: the last rows of its history, of which it learns the forecaster's errors."""

import numpy as np
from jaxtyping import Int64

from tsformers.anomaly.decisions import TESTED
from tsformers.anomaly.engine import OnlineEngine
from tsformers.anomaly.late_errors import LateErrors
from tsformers.anomaly.row_reader import Columns
from tsformers.calendar.grid import as_counts, decompose
from tsformers.data.panel import Panel
from tsformers.progress import PATIENCE, progress

LEAST_BATCH = 256  # rows between two updates of the progress bar


def calibration_lengths(panel: Panel, chosen: int | None, window: int) -> Int64[np.ndarray, " N"]:
    """How many rows at the end of each series are its calibration set.

    Args:
        panel: the history.
        chosen: the setting ``calibration``; None: a third of the median series, at most ``window``.
        window: how many errors a series keeps.

    Returns:
        Rows of each series, at most half of it.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(90), "y": 1.0}))
        >>> calibration_lengths(panel, None, 1000), calibration_lengths(panel, 80, 1000)
        (array([30]), array([45]))
    """
    wanted = min(window, int(np.median(panel.lengths)) // 3) if chosen is None else chosen
    return np.minimum(wanted, panel.lengths // 2)


def rows_after(panel: Panel, head: Panel) -> tuple[Int64[np.ndarray, " M"], Int64[np.ndarray, " M"]]:
    """Which rows of a panel its head leaves out, in order of time.

    Args:
        panel: the whole history.
        head: its first rows, of the same series.

    Returns:
        Numbers of the M rows, and the series of each.
    """
    lengths = np.diff(panel.offsets) - head.lengths
    owner = np.repeat(np.arange(panel.n_series), lengths)
    rows = np.arange(len(owner)) + np.repeat(panel.offsets[1:] - np.cumsum(lengths), lengths)
    position, phase = decompose(as_counts(panel.times[rows]), panel.grid)
    order = np.lexsort((phase, position))
    return rows[order], owner[order]


def as_stream(panel: Panel, rows: Int64[np.ndarray, " M"], owner: Int64[np.ndarray, " M"]) -> Columns:
    """Rows of a panel as rows of a stream.

    Args:
        panel: the whole history.
        rows: which, in order of arrival.
        owner: the series of each.

    Returns:
        The M rows.
    """
    position, phase = decompose(as_counts(panel.times[rows]), panel.grid)
    values = np.column_stack([panel.y[rows], panel.past[rows]])
    status = np.full(len(rows), TESTED, dtype=np.int8)
    why = np.full(len(rows), "", dtype=object)
    return Columns(panel.ids[owner], panel.times[rows], values, position, phase, status, why)


def calibrate(engine: OnlineEngine, panel: Panel, head: Panel, verbose: bool | None) -> int:
    """Process the calibration set as if it came in row by row, and learn the errors; nothing is tested.

    Args:
        engine: at the end of ``head``; it is updated.
        panel: the whole history.
        head: what the forecaster was fitted to.
        verbose: a progress bar; None: where stderr is a terminal.

    Returns:
        How many errors the median series has.
    """
    rows, owner = rows_after(panel, head)
    errors = LateErrors(engine.cache, engine.contexts, engine.setup.p_value, engine.p_arrays, engine.names)
    size = max(LEAST_BATCH, panel.n_series)
    with progress(len(owner), verbose, "errors of the forecaster", unit="row", delay=PATIENCE) as bar:
        for first in range(0, len(owner), size):
            engine.process(as_stream(panel, rows[first : first + size], owner[first : first + size]), errors)
            bar.update(min(size, len(owner) - first))
        errors.learn()
    engine.reset_counts()
    observed = np.isfinite(panel.y[rows])
    return int(np.median(np.bincount(owner[observed], minlength=panel.n_series)))
