"""What every form returns from reading: counts, offsets, and the values that do not fit."""

from typing import NamedTuple

import numpy as np
import pandas as pd

FIRST_YEAR, LAST_YEAR = 1700, 2200  # the plausible span of dates that are recognised without a format
EARLIEST, LATEST = (pd.Timestamp(year, 1, 1).as_unit("ns").value for year in (FIRST_YEAR, LAST_YEAR + 1))


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
