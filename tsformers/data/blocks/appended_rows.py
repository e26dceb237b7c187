"""Rows appended to the histories of a panel."""

from dataclasses import replace

import numpy as np

from tsformers.calendar.arithmetic import future_times, ordinals
from tsformers.calendar.grid import as_counts
from tsformers.calendar.regularity import plain, show
from tsformers.data.panel import Panel
from tsformers.errors import DataError


def appended(panel: Panel, rows: Panel) -> Panel:
    """The panel with later rows of its series; steps in between that nobody gave are missing values.

    Args:
        panel: N series.
        rows: later rows of some of them, under the same roles and frequency.

    Returns:
        A panel of the same series; those without new rows are unchanged.

    Raises:
        DataError: a series that is not in ``panel``, or a row that is not after the end of its series.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": [1.0, 2.0, 3.0, 4.0]})
        >>> panel = Panel.from_frame(frame[:2], freq=1)
        >>> appended(panel, panel.like(frame[3:])).y
        array([ 1.,  2., nan,  4.])
    """
    at = panel.ids.get_indexer(rows.ids)
    if (at < 0).any():
        name = plain(rows.ids[int(np.argmin(at))])
        raise DataError(f"series {name!r} was not in the data of fit; fit again with it")
    last = ordinals(panel.times[panel.ends - 1], panel.grid)
    first = ordinals(rows.times[rows.offsets[:-1]], rows.grid)
    if (first <= last[at]).any():
        i = int(np.argmax(first <= last[at]))
        early = as_counts(rows.times)[rows.offsets[i]]
        end = as_counts(panel.times)[panel.ends[at[i]] - 1]
        raise DataError(
            f"series {plain(rows.ids[i])!r}: the row at {show(early, panel.grid)} is not after the end of its "
            f"history, {show(end, panel.grid)}; give only rows that follow"
        )
    gaps, more = np.zeros(panel.n_series, dtype=np.int64), np.zeros(panel.n_series, dtype=np.int64)
    gaps[at], more[at] = first - last[at] - 1, rows.lengths
    lengths = panel.lengths + gaps + more
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    old = _places(offsets[:-1], panel.lengths)
    new = _places(offsets[at + 1] - rows.lengths, rows.lengths)

    def joined(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        out = np.zeros((offsets[-1], *mine.shape[1:]), dtype=mine.dtype)
        if mine.dtype.kind == "f":
            out[:] = np.nan
        out[old], out[new] = mine[panel.in_history], theirs[rows.in_history]
        return out

    times = joined(panel.times, rows.times)
    late = np.flatnonzero(gaps)
    if len(late):
        longest = int(gaps.max())
        after = future_times(panel.times[panel.ends[late] - 1], longest, panel.grid, panel.ids[late])
        between = _places(offsets[late] + panel.lengths[late], gaps[late])
        times[between] = after[np.arange(longest) < gaps[late, None]]
    return replace(
        panel,
        offsets=offsets,
        ends=offsets[1:].copy(),
        times=times,
        y=joined(panel.y, rows.y),
        past=joined(panel.past, rows.past),
        known=joined(panel.known, rows.known),
    )


def _places(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Rows ``starts[i] .. starts[i] + lengths[i] - 1``, one series after another."""
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
