"""Calendar features: the hour of a day, the day of a week, the month of a year as numbers."""

import numpy as np
import pandas as pd

from tsformers.calendar.grid import DAY, SECOND, Grid, as_counts, parse, to_local


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
