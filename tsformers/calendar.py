"""Calendar arithmetic: which frequency, which grid position, what comes next, how long a season is, which features.

Frequencies are named as in pandas ("h", "15min", "D", "B", "W-FRI", "ME", "MS", "QS-JAN", "YE-DEC", ...); integer time
has an integer step. How one is inferred is told in ``tsformers.intake.frequency``.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tsformers.errors import DataError
from tsformers.intake.frequency import guess_freq
from tsformers.intake.grid import (
    DAY,
    OFF,
    SECOND,
    Grid,
    as_counts,
    beyond,
    compose,
    decompose,
    like_times,
    parse,
    to_local,
)
from tsformers.intake.regularity import Origin, plain, positions, show


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


def season_length(freq: str | int) -> int:
    """Steps in the usual season of a frequency.

    | frequency | season | | frequency | season |
    | --- | --- | --- | --- | --- |
    | s (steps of 1 to 59 s) | 3600 s: an hour | | B | 5: a week |
    | min, 5min, 15min, ... | 1440, 288, 96: a day | | W | 52: a year |
    | h, 2h, ... | 24, 12: a day | | MS, ME, ... | 12: a year |
    | 24h, D | 7: a week | | SMS, SME, WOM | 24, 24, 12: a year |
    | 7D | 52: a year | | QS, QE; YS, YE; integers | 4; 1; 1 |

    A multiple of a frequency divides its season; where that leaves a rest, and below a second, the answer is 1.

    Args:
        freq: a pandas alias or an integer step.

    Returns:
        At least 1.

    Example:
        >>> season_length("15min"), season_length("ME"), season_length("5h"), season_length(1)
        (96, 12, 1, 1)
    """
    grid = parse(freq)
    if grid.unit == "listed":
        return _whole(24 if str(freq).lstrip("0123456789").startswith("SM") else 12, grid.step)
    if grid.unit in ("tick", "day"):
        return _clock_season(grid.step if grid.unit == "tick" else grid.step * DAY)
    period = {"int": 1, "bday": 5, "week": 52, "month": 12}[grid.unit]
    return _whole(period, grid.step)


def cycles(freq: str | int) -> tuple[int, ...]:
    """Steps in the season of a frequency and, where that is a day, in a week.

    Args:
        freq: a pandas alias or an integer step.

    Returns:
        One or two lengths, the season first.

    Example:
        >>> cycles("h"), cycles("D"), cycles("5h")
        ((24, 168), (7,), (1,))
    """
    season, grid = season_length(freq), parse(freq)
    intraday = grid.unit == "tick" and 60 * SECOND <= grid.step < DAY and season > 1
    return (season, 7 * season) if intraday else (season,)


def _clock_season(step: int) -> int:
    if step % (7 * DAY) == 0:
        return _whole(52, step // (7 * DAY))
    if step < SECOND:
        return 1
    period = 3600 * SECOND if step < 60 * SECOND else DAY if step < DAY else 7 * DAY
    return _whole(period, step)


def _whole(period: int, step: int) -> int:
    return period // step if period % step == 0 else 1


def _feature_names(grid: Grid) -> tuple[str, ...]:
    days = ("day_of_week", "day_of_month", "day_of_year")
    if grid.unit in ("int", "month"):
        return () if grid.unit == "int" or grid.every == 12 or grid.step % 12 == 0 else ("month_of_year",)
    if grid.unit in ("week", "listed"):
        return ("day_of_month", "week_of_year")
    if grid.unit in ("day", "bday") or grid.step % DAY == 0:
        return days
    if grid.step % (3600 * SECOND) == 0:
        return ("hour_of_day", *days)
    if grid.step % (60 * SECOND) == 0:
        return ("minute_of_hour", "hour_of_day", *days)
    return ("second_of_minute", "minute_of_hour", "hour_of_day", *days)


def n_time_features(freq: str | int) -> int:
    """How many columns ``time_features`` has: 0 for integer time and years.

    Example:
        >>> n_time_features("h"), n_time_features("ME"), n_time_features(1)
        (4, 1, 0)
    """
    return len(_feature_names(parse(freq)))


def time_features(times: np.ndarray, freq: str | int, tz: str | None = None) -> np.ndarray:
    """Calendar features in [-0.5, 0.5], such as ``hour / 23 - 0.5``, of the local wall-clock time.

    Columns in order, by frequency: seconds (and any step that is no whole minute): second, minute, hour, day of week,
    day of month, day of year; minutes: the same from minute on; hours: from hour on; days and business days: from day
    of week on; weeks, half months: day of month, ISO week; months and quarters: month; years and integer time: none.

    Args:
        times: (...) datetime64 (UTC where ``tz`` is set) or integers.
        freq: a pandas alias or an integer step.
        tz: zone of the wall clock.

    Returns:
        (..., M) float64.

    Example:
        >>> time_features(np.array(["2024-01-01"], "M8[ns]"), "D")
        array([[-0.5, -0.5, -0.5]])

    Source: Wu et al. (2021), Autoformer: official data loader; formulas as in ``gluonts.time_feature``.
    """
    names = _feature_names(parse(freq))
    counts = as_counts(times)
    if not names:
        return np.zeros((*counts.shape, 0))
    from gluonts import time_feature

    unique, inverse = np.unique(counts, return_inverse=True)
    index = pd.DatetimeIndex(to_local(unique, tz).view("M8[ns]"))
    columns = [np.asarray(getattr(time_feature, name)(index), dtype=np.float64) for name in names]
    return np.stack(columns, axis=-1)[inverse.reshape(counts.shape)]
