"""Blocks of the series of a panel: views, so that work in blocks needs no second copy of the rows."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tsformers.data.panel import Panel

ROWS_AT_ONCE = 2**20


def panel_block(panel: Panel, start: int, stop: int) -> Panel:
    """The series ``start:stop`` of a panel; its arrays are views.

    Args:
        panel: N series.
        start: the first position.
        stop: one past the last; N at most counts.

    Returns:
        A panel of these series. ``dropped`` is that of the whole: the others are not left out, they come in a block of
        their own.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": ["a", "b"], "ds": [0, 0], "y": [1.0, 2.0]}), freq=1)
        >>> panel_block(panel, 1, 2).y
        array([2.])
    """
    offsets = panel.offsets[start : stop + 1]
    rows = slice(int(offsets[0]), int(offsets[-1]))
    return replace(
        panel,
        ids=panel.ids[start:stop],
        offsets=offsets - offsets[0],
        ends=panel.ends[start:stop] - offsets[0],
        times=panel.times[rows],
        y=panel.y[rows],
        past=panel.past[rows],
        known=panel.known[rows],
        static=panel.static.iloc[start:stop],
    )


def series_at(panel: Panel, positions: np.ndarray) -> Panel:
    """The series at these positions: a view where they follow each other, else a copy.

    Args:
        panel: N series.
        positions: (n,) integers.

    Returns:
        A panel of n series, in the order asked.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": ["a", "b"], "ds": [0, 0], "y": [1.0, 2.0]}), freq=1)
        >>> series_at(panel, np.array([1, 0])).ids.tolist()
        ['b', 'a']
    """
    if len(positions) and (np.diff(positions) == 1).all():
        return panel_block(panel, int(positions[0]), int(positions[-1]) + 1)
    return panel.select(positions)


def row_blocks(panel: Panel, rows: int = ROWS_AT_ONCE) -> Iterator[tuple[int, Panel]]:
    """A panel in blocks of at most so many rows, or of one series.

    Args:
        panel: N series.
        rows: of a block.

    Yields:
        The position of the first series of a block, and the block.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": ["a", "b"], "ds": [0, 0], "y": [1.0, 2.0]}), freq=1)
        >>> [start for start, _ in row_blocks(panel, rows=1)]
        [0, 1]
    """
    start = 0
    while start < panel.n_series:
        within = int(np.searchsorted(panel.offsets, panel.offsets[start] + rows, side="right")) - 1
        stop = min(max(within, start + 1), panel.n_series)
        yield start, panel_block(panel, start, stop)
        start = stop
