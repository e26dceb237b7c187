"""Grid positions of time stamps, and the time stamps that follow."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tsformers.calendar.grid import OFF, Grid, as_counts, beyond, compose, decompose, like_times
from tsformers.calendar.regularity import plain, show
from tsformers.errors import DataError


def ordinals(times: np.ndarray, grid: Grid) -> np.ndarray:
    """Position of each stamp on a grid; stamps one step apart differ by one.

    Args:
        times: (...) datetime64 (UTC where the grid has a zone) or integers.
        grid: of the frequency.

    Returns:
        (...) int64, counted from 1970 (datetimes) or 0 (integers).

    Raises:
        ValueError: a stamp is no grid point (a Sunday under "B").

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> ordinals(np.array(["2024-01-05", "2024-01-08"], "M8[ns]"), parse("B"))
        array([14094, 14095])
    """
    counts = as_counts(times)
    unique, inverse = np.unique(counts, return_inverse=True)
    position, phase = decompose(unique, grid)
    if (phase == OFF).any():
        index = int(np.flatnonzero((phase == OFF)[inverse.ravel()])[0])
        raise ValueError(f"times[{index}] = {np.asarray(times).ravel()[index]} is not on the grid of {grid.freq!r}")
    return position[inverse].reshape(counts.shape)


def future_times(
    last: np.ndarray,
    horizon: int,
    grid: Grid,
    ids: Sequence[object] | pd.Index | None = None,
) -> np.ndarray:
    """The stamps that follow: steps below a day in absolute time, longer ones by the wall clock across clock changes.

    Args:
        last: (N,) last stamp of each series, datetime64 (UTC where the grid has a zone) or integers.
        horizon: H, how many steps.
        grid: of the frequency.
        ids: N names, for messages.

    Returns:
        (N, H) datetime64[ns] or int64.

    Raises:
        ValueError: a last stamp is no grid point.
        DataError: a later stamp lies beyond the year 2262, where nanoseconds end.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> future_times(np.array(["2024-01-31"], "M8[ns]"), 2, parse("ME")).astype("M8[D]")
        array([['2024-02-29', '2024-03-31']], dtype='datetime64[D]')
    """
    unique, inverse = np.unique(as_counts(last), return_inverse=True)
    position, phase = decompose(unique, grid)
    if (phase == OFF).any():
        raise ValueError(f"{like_times(unique[phase == OFF], grid)[0]} is not on the grid of {grid.freq!r}")
    steps = np.arange(1, horizon + 1)
    out = beyond(position + horizon, phase, grid)[inverse]
    if out.any():
        i = int(np.argmax(out))
        raise DataError(
            ("" if ids is None else f"series {plain(ids[i])!r}: ")
            + f"the horizon of {horizon} x {grid.freq!r} after {show(as_counts(last)[i], grid)} ends too late; times "
            "lie between 1677 and 2262, so shorten it, or use integer time"
        )
    later = compose(position[:, None] + steps, np.broadcast_to(phase[:, None], (len(unique), horizon)), grid)
    return like_times(later, grid)[inverse]
