"""What every form returns from reading: counts, offsets, and the values that do not fit; midnight as 24:00."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

FIRST_YEAR, LAST_YEAR = 1700, 2200  # the plausible span of dates that are recognised without a format
EARLIEST, LATEST = (pd.Timestamp(year, 1, 1).as_unit("ns").value for year in (FIRST_YEAR, LAST_YEAR + 1))

DAY = 86_400 * 10**9
END_OF_DAY = r"^(.*\d[T ,_] ?)24(:?00(?::?00(?:[.,]0+)?)?)(?!\d|:)"


class Parsed(NamedTuple):
    """Read times.

    Args:
        counts: (V,) int64: UTC nanoseconds where a value has an offset, wall-clock nanoseconds where it has none, or
            whole numbers; undefined where ``bad``.
        offsets: (V,) int64 nanoseconds from UTC; None = no value has an offset.
        bad: (V,) bool, True where a value does not fit the form.

    Example:
        >>> Parsed(np.array([0]), None, np.array([False])).offsets is None
        True
    """

    counts: np.ndarray
    offsets: np.ndarray | None
    bad: np.ndarray


def from_pandas_times(stamps: "pd.Series | pd.DatetimeIndex", offsets: np.ndarray | None = None) -> Parsed:
    """Datetimes of pandas, missing ones and those beyond nanoseconds as bad.

    Args:
        stamps: of any resolution, naive or in UTC.
        offsets: see ``Parsed``.

    Returns:
        Counts in nanoseconds.

    Example:
        >>> from_pandas_times(pd.to_datetime(["1970-01-02", None])).bad
        array([False,  True])
    """
    index = pd.DatetimeIndex(stamps)
    if index.tz is not None:
        index = index.tz_convert(None)
    bad = np.asarray(index.isna())
    if index.unit != "ns":
        per = {"s": 10**9, "ms": 10**6, "us": 10**3}[index.unit]
        limit = np.iinfo(np.int64).max // per
        bad = bad | (np.abs(np.where(bad, 0, index.asi8)) > limit)
        return Parsed(np.where(bad, 0, index.asi8) * per, offsets, bad)
    return Parsed(np.where(bad, 0, index.asi8), offsets, bad)


def plausible(counts: np.ndarray) -> np.ndarray:
    """Which nanoseconds lie in the years 1700 to 2200.

    Example:
        >>> plausible(np.array([0, -(2**63) + 1]))
        array([ True, False])
    """
    return (counts >= EARLIEST) & (counts < LATEST)


def through_midnight(texts: np.ndarray, read: Callable[[np.ndarray], Parsed]) -> Parsed:
    """Read texts, 24:00 among them: the end of a day is 00:00 of the next.

    Args:
        texts: (V,) strings.
        read: reads texts that have no 24:00.

    Returns:
        What ``read`` gives, and the next day for a 24:00.

    Example:
        >>> def read(texts):
        ...     return from_pandas_times(pd.to_datetime(pd.Series(texts), errors="coerce"))
        >>> through_midnight(np.array(["1970-01-01 24:00"], dtype=object), read).counts // DAY
        array([1])
    """
    parsed = read(texts)
    rest = np.flatnonzero(parsed.bad)
    if len(rest):
        rest = rest[pd.Series(texts[rest], dtype=object).str.contains("24", regex=False).to_numpy(dtype=bool)]
    if not len(rest):
        return parsed
    series = pd.Series(texts[rest], dtype=object)
    begun = series.str.replace(END_OF_DAY, r"\g<1>00\2", regex=True)
    changed = (begun != series).to_numpy(dtype=bool)
    if not changed.any():
        return parsed
    rest = rest[changed]
    again = read(begun.to_numpy(dtype=object)[changed])
    offsets = parsed.offsets
    if offsets is None and again.offsets is not None:
        offsets = np.zeros(len(texts), dtype=np.int64)
    if offsets is not None and again.offsets is not None:
        offsets = offsets.copy()
        offsets[rest] = again.offsets
    counts, bad = parsed.counts.copy(), parsed.bad.copy()
    counts[rest], bad[rest] = again.counts + np.where(again.bad, 0, DAY), again.bad
    return Parsed(counts, offsets, bad)
