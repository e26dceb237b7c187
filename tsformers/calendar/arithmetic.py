"""Calendar arithmetic: which frequency, which grid position, what comes next, how long a season is, which features.

Frequencies are named as in pandas ("h", "15min", "D", "B", "W-FRI", "ME", "MS", "QS-JAN", "YE-DEC", ...); integer time
has an integer step. How one is inferred is told in ``tsformers.calendar.frequency``.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tsformers.calendar.frequency import guess_freq
from tsformers.calendar.grid import (
    OFF,
    as_counts,
    beyond,
    compose,
    decompose,
    like_times,
    parse,
)
from tsformers.calendar.regularity import Origin, plain, positions, show
from tsformers.errors import DataError


def infer_freq(
    times: np.ndarray,
    offsets: np.ndarray,
    ids: Sequence[object] | pd.Index,
    tz: str | None = None,
    rows: np.ndarray | None = None,
) -> str | int:
    """The one frequency of a panel.

    Args:
        times: (R,) datetime64 (UTC where ``tz`` is set) or integers, increasing within each series.
        offsets: (N + 1,) rows of series i are ``offsets[i]:offsets[i + 1]``.
        ids: N names, for messages.
        tz: zone of the wall clock.
        rows: (R,) positions in the caller's frame, for messages; None = ``times`` is that frame.

    Returns:
        A pandas alias, or the integer step of integer time.

    Raises:
        DataError: no series has two rows, stamps lie off the grid, or some series have a frequency of their own.

    Example:
        >>> infer_freq(np.array(["2024-01-31", "2024-02-29", "2024-04-30"], "M8[ns]"), np.array([0, 3]), ["a"])
        'ME'
    """
    counts = as_counts(times)
    code, unique = pd.factorize(counts, sort=True)
    offsets = np.asarray(offsets, dtype=np.int64)
    freq = guess_freq(code, unique, offsets, tz, integer=np.asarray(times).dtype.kind != "M")
    rows = np.arange(len(counts)) if rows is None else rows
    positions(code, unique, offsets, parse(freq, tz), Origin(pd.Index(ids), rows, "ds"))
    return freq


def ordinals(times: np.ndarray, freq: str | int, tz: str | None = None) -> np.ndarray:
    """Position of each stamp on the grid of a frequency; stamps one step apart differ by one.

    Args:
        times: (...) datetime64 (UTC where ``tz`` is set) or integers.
        freq: a pandas alias or an integer step.
        tz: zone whose wall clock days and longer steps follow.

    Returns:
        (...) int64, counted from 1970 (datetimes) or 0 (integers).

    Raises:
        ValueError: a stamp is no point of the grid (a Sunday under "B").

    Example:
        >>> ordinals(np.array(["2024-01-05", "2024-01-08"], "M8[ns]"), "B")
        array([14094, 14095])
    """
    counts = as_counts(times)
    unique, inverse = np.unique(counts, return_inverse=True)
    position, phase = decompose(unique, parse(freq, tz))
    if (phase == OFF).any():
        index = int(np.flatnonzero((phase == OFF)[inverse.ravel()])[0])
        raise ValueError(f"times[{index}] = {np.asarray(times).ravel()[index]} is not on the grid of freq={freq!r}")
    return position[inverse].reshape(counts.shape)


def future_times(
    last: np.ndarray,
    horizon: int,
    freq: str | int,
    tz: str | None = None,
    ids: Sequence[object] | pd.Index | None = None,
) -> np.ndarray:
    """The stamps that follow; below a day in absolute time, from a day on keeping the wall clock across clock changes.

    Args:
        last: (N,) last stamp of each series, datetime64 (UTC where ``tz`` is set) or integers.
        horizon: H, how many steps.
        freq: a pandas alias or an integer step.
        tz: zone of the wall clock.
        ids: N names, for messages.

    Returns:
        (N, H) datetime64[ns] or int64.

    Raises:
        ValueError: a last stamp is no point of the grid.
        DataError: a stamp that follows lies beyond the year 2262, where nanoseconds end.

    Example:
        >>> future_times(np.array(["2024-01-31"], "M8[ns]"), 2, "ME").astype("M8[D]")
        array([['2024-02-29', '2024-03-31']], dtype='datetime64[D]')
    """
    grid = parse(freq, tz)
    unique, inverse = np.unique(as_counts(last), return_inverse=True)
    position, phase = decompose(unique, grid)
    if (phase == OFF).any():
        raise ValueError(f"{like_times(unique[phase == OFF], grid)[0]} is not on the grid of freq={freq!r}")
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
