"""Blocks of a forecast as frames with times in one form, so that files written block by block are one table."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import pandas as pd

from tsformers.data.dataframes import stamps
from tsformers.data.forecast import Forecast

ROWS_AT_ONCE = 2**16  # of a frame, or of one series: its columns take several times what the numbers do
NUMBERS_HELD = 2**21  # 16 MiB of quantiles whose times are looked at before the first frame is made


def answer_frames(
    blocks: Iterator[Forecast], quantiles: Sequence[float | int], *, text: bool = False
) -> Iterator[pd.DataFrame]:
    """The frame of each block, as ``Forecast.to_frame`` of the whole forecast would give its rows.

    How times are shown depends on all of them: dates only where all are midnights, seconds where all are whole seconds.
    The times of the first blocks (16 MiB of quantiles) decide together, and each later block with all before it.

    Args:
        blocks: forecasts of some series after others.
        quantiles: levels of the quantile columns.
        text: times become text, as ``DataFrame.to_csv`` of the whole would write them.

    Yields:
        pandas frames of the same columns; a large block comes in several.

    Example:
        >>> times = pd.DatetimeIndex(["2024-01-01", "2024-01-01 06:00"]).to_numpy()[:, None]
        >>> both = Forecast(["a", "b"], times, np.ones((2, 1, 1)))
        >>> [frame["ds"].item() for frame in answer_frames(iter([both.select([0]), both.select([1])]), (), text=True)]
        ['2024-01-01 00:00:00', '2024-01-01 06:00:00']
    """
    held: list[Forecast] = []
    for block in blocks:
        held.append(block)
        if sum(each.values.size for each in held) > NUMBERS_HELD:
            break
    if not held:
        return
    seen = np.unique(np.concatenate([np.unique(block.times) for block in held]))
    shown = _shown(seen, held[0], text)
    held.reverse()
    for block in chain((held.pop() for _ in range(len(held))), blocks):
        new = np.setdiff1d(block.times, seen)
        if len(new):
            seen = np.union1d(seen, new)
            shown = _shown(seen, block, text)
        for part in _cut(block):
            frame = part.to_frame(quantiles)
            frame[part.schema.time_col] = shown.take(np.searchsorted(seen, part.times.ravel()))
            yield frame


def _cut(block: Forecast) -> Iterator[Forecast]:
    """A block in parts of few rows, at least one."""
    size = max(1, ROWS_AT_ONCE // max(block.horizon, 1))
    if len(block) <= size:
        yield block
        return
    for first in range(0, len(block), size):
        yield block.select(np.arange(first, min(first + size, len(block))))


def _shown(times: np.ndarray, forecast: Forecast, text: bool) -> pd.Index:
    """Different times, in the caller's form."""
    index = stamps(times, forecast.schema)
    if not text or index.dtype.kind != "M":
        return index
    lines = pd.Series(index).to_csv(header=False, index=False, lineterminator="\n")
    return pd.Index(lines.splitlines())
