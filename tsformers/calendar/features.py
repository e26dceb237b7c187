"""Calendar features: hour of day, day of week, month of year and the like, as numbers."""

import numpy as np
import pandas as pd

from tsformers.calendar.grid import DAY, SECOND, Grid, as_counts, to_local

FIELDS = {  # the pandas field behind a feature, its first and its last value
    "second_of_minute": ("second", 0, 59),
    "minute_of_hour": ("minute", 0, 59),
    "hour_of_day": ("hour", 0, 23),
    "day_of_week": ("day_of_week", 0, 6),
    "day_of_month": ("day", 1, 31),
    "day_of_year": ("day_of_year", 1, 366),
    "week_of_year": ("week", 1, 53),
    "month_of_year": ("month", 1, 12),
}


def feature_names(grid: Grid) -> tuple[str, ...]:
    """The columns of ``time_features``, in order: keys of ``FIELDS``.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> feature_names(parse("W"))
        ('day_of_month', 'week_of_year')
    """
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


def n_time_features(grid: Grid) -> int:
    """The number of columns of ``time_features``: 0 for integer time and years.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> n_time_features(parse("h")), n_time_features(parse("ME")), n_time_features(parse(1))
        (4, 1, 0)
    """
    return len(feature_names(grid))


def time_features(times: np.ndarray, grid: Grid) -> np.ndarray:
    """Calendar features in [-0.5, 0.5], such as ``hour / 23 - 0.5``, of the local wall-clock time.

    Columns in order, by frequency: seconds (and any step that is no whole minute): second, minute, hour, day of week,
    day of month, day of year; minutes: the same from minute on; hours: from hour on; days and business days: from day
    of week on; weeks, half months: day of month, ISO week; months and quarters: month; years and integer time: none.

    Args:
        times: (...) datetime64 (UTC where the grid has a zone) or integers.
        grid: of the frequency.

    Returns:
        (..., M) float64.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> time_features(np.array(["2024-01-01"], "M8[ns]"), parse("D"))
        array([[-0.5, -0.5, -0.5]])

    Source: Wu et al. (2021), Autoformer: official data loader; the same bits as ``gluonts.time_feature``.
    """
    names = feature_names(grid)
    counts = as_counts(times)
    if not names:
        return np.zeros((*counts.shape, 0))
    unique, inverse = np.unique(counts, return_inverse=True)
    index = pd.DatetimeIndex(to_local(unique, grid.tz).view("M8[ns]"))
    columns = [_scaled(index, name) for name in names]
    return np.stack(columns, axis=-1)[inverse.reshape(counts.shape)]


def _scaled(index: pd.DatetimeIndex, name: str) -> np.ndarray:
    """One calendar field of the stamps, from -0.5 (its first value) to 0.5 (its last)."""
    field, first, last = FIELDS[name]
    numbers = index.isocalendar()["week"] if field == "week" else getattr(index, field)
    return (np.asarray(numbers, dtype=np.float64) - first) / (last - first) - 0.5
