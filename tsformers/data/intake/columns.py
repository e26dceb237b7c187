"""Read the columns of a data frame; errors name column, series, row (its position in that frame) and remedy."""

import warnings
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Resolution
from tsformers.errors import DataError
from tsformers.messages import Either, Message, Option, Part, joined
from tsformers.places import Places

BESIDE = ("the future frame", "the static frame", "actual", "history")  # frames that take the names of fit
USUAL = {  # common names of the three columns
    "id_col": ("unique_id", "id", "item_id", "series_id", "series", "uid", "ts_id", "key", "name", "group"),
    "time_col": ("ds", "date", "time", "timestamp", "datetime", "day", "month", "period", "t", "index"),
    "target_col": ("y", "value", "target", "values", "sales", "demand", "count"),
}
PERIODS = {
    "M": "MS",
    "D": "D",
    "B": "B",
    "h": "h",
    "min": "min",
    "s": "s",
    "Q-DEC": "QS-JAN",
    "Y-DEC": "YS-JAN",
}  # pandas period to the frequency of its starts
OFFSET = r"[T ].*(?:[zZ]|[+-]\d\d(?::?\d\d)?)$"  # at the end of an ISO 8601 time
LARGEST = 2**61  # beyond which differences of integer times overflow
PLACES = Places()
GREATEST = 1e100  # beyond which squares and sums of values overflow, in a batch for all its series


class RowNames:
    """The series id of each row, for messages.

    Example:
        >>> RowNames(pd.Index(["a", "b"]), np.array([1, 0]))[0]
        'b'
    """

    def __init__(self, ids: pd.Index, code: np.ndarray) -> None:
        self.ids, self.code = ids, code

    def __getitem__(self, row: int) -> object:
        return plain(self.ids[self.code[row]])


class Times(NamedTuple):
    """The time column: int64 counts (UTC nanoseconds, or integers), zone, resolution, frequency of a period dtype.

    Example:
        >>> Times(np.array([3]), None, "ns", True, None).integer
        True
    """

    counts: np.ndarray
    tz: str | None
    unit: Resolution
    integer: bool
    freq: str | None


def check_columns(
    frame: pd.DataFrame, wanted: Mapping[str, str], others: Sequence[str] = (), what: str = "the frame"
) -> None:
    """Refuse an empty frame, duplicate column names, and missing columns (with a similar name where there is one).

    Args:
        frame: the caller's.
        wanted: keyword ("id_col", ...) -> column name.
        others: further columns that must be there.
        what: name of the frame in messages.

    Raises:
        DataError: the frame is refused.

    Example:
        >>> check_columns(pd.DataFrame({"date": [1]}), {"time_col": "ds"})
        Traceback (most recent call last):
        tsformers.errors.DataError: the frame has no column 'ds' (it has 'date'); pass time_col='date', or rename that
    """
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError(f"{what} has column names of several levels; flatten them to one")
    if not len(frame):
        raise DataError(f"{what} is empty: it has no rows; pass at least one row a series")
    if len(set(wanted.values())) < len(wanted):
        roles = joined([Option(key.partition("[")[0], name) for key, name in wanted.items()], ", ")
        raise DataError(roles, ": name three different columns")
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise DataError(f"{what} has two columns named {doubled[0]!r}; rename one of them")
    for keyword, column in wanted.items():
        if column not in frame.columns:
            have = ", ".join(repr(name) for name in frame.columns[:12])
            remedy = _remedy(frame, keyword.partition("[")[0], column, wanted, beside=what in BESIDE)
            raise DataError(f"{what} has no column {column!r} (it has {have}); ", remedy)
    missing = [name for name in others if name not in frame.columns]
    if missing:
        raise DataError(f"{what} has no column {missing[0]!r}; add it, or leave it out of ", Option("known"))


def _remedy(frame: pd.DataFrame, keyword: str, column: str, wanted: Mapping[str, str], beside: bool) -> Part:
    free = [name for name in frame.columns if isinstance(name, str) and name not in wanted.values()]
    lower = {name.lower(): name for name in free}
    close = [lower[name] for name in (column.lower(), *USUAL[keyword]) if name in lower]
    close = close or get_close_matches(column, free, n=1)
    if close and beside:
        return f"rename {close[0]!r}"
    if close:
        return Message("pass ", Option(keyword, close[0]), ", or rename that")
    return Message("pass ", Option(keyword), " with its name, or rename the column")


def read_ids(values: pd.Series, column: str, places: Places = PLACES) -> tuple[np.ndarray, pd.Index]:
    """Series number of each row, and the ids in sorted order (by type first where types are mixed).

    Args:
        values: the id column.
        column: its name.
        places: name of the table and of its rows in messages.

    Returns:
        (R,) positions in the second, an Index of N ids.

    Raises:
        DataError: a null id, or one that cannot be hashed.

    Example:
        >>> code, ids = read_ids(pd.Series(["b", "a", "b"]), "unique_id")
        >>> code.tolist(), ids.tolist()
        ([1, 0, 1], ['a', 'b'])
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        labels = np.asarray(values.cat.codes)
        used, code = (
            np.unique(labels, return_inverse=True) if not _small(values) else _used(labels, len(values.cat.categories))
        )
        names = values.cat.categories.take(used[used >= 0])
        code = np.where(labels < 0, -1, code - int((used < 0).any()))
    else:
        try:
            code, names = pd.factorize(values)
        except TypeError:
            raise DataError(
                f"column {column!r} of {places.what} holds values that cannot be hashed; turn the ids into strings"
            ) from None
    if (code < 0).any():
        row = int(np.flatnonzero(code < 0)[0])
        raise DataError(
            f"column {column!r} of {places.what} is null at {places.at(row)}; give the row an id, or drop it"
        )
    names = pd.Index(names)
    try:
        order = np.asarray(names.argsort())
    except TypeError:  # ids of several types
        order = np.argsort(np.array([f"{type(name).__name__} {name}" for name in names]), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[code], names.take(order).rename(None)


def _small(values: pd.Series) -> bool:
    return len(values.cat.categories) <= max(1024, 4 * len(values))


def _used(labels: np.ndarray, n_categories: int) -> tuple[np.ndarray, np.ndarray]:
    used = np.bincount(labels + np.int64(1), minlength=n_categories + 1) > 0
    return np.flatnonzero(used) - 1, (np.cumsum(used) - 1)[labels + np.int64(1)]


def read_times(values: pd.Series, column: str, names: Sequence[object] | RowNames, what: str = "the frame") -> Times:
    """The time column as integers.

    Datetimes of any resolution, dates, periods (their start), ISO 8601 strings and whole numbers are accepted.

    Args:
        values: the time column.
        column: its name.
        names: the id of each row, for messages.
        what: name of the frame in messages.

    Returns:
        Counts, zone, resolution, and the frequency of a period dtype.

    Raises:
        DataError: null or unreadable stamps, mixed time zones, numbers that are not whole, times outside 1677 to 2262.

    Example:
        >>> read_times(pd.Series(["1970-01-01 00:00:01"]), "ds", ["a"]).counts
        array([1000000000])
    """
    place = f"column {column!r} of {what}"
    null = np.asarray(values.isna())
    if null.any():
        row = int(np.flatnonzero(null)[0])
        raise DataError(f"{place}, series {names[row]!r}: no time at row {row}; fill it in, or drop the row")
    dtype = values.dtype
    if isinstance(dtype, pd.PeriodDtype):
        starts = values.dt.to_timestamp().to_numpy(dtype="M8[ns]").view(np.int64)
        return Times(starts, None, "ns", False, PERIODS.get(str(dtype)[7:-1]))
    if types.is_bool_dtype(dtype) or types.is_complex_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        raise DataError(f"{place} holds {dtype} values, not times; pass datetimes or integers")
    if types.is_integer_dtype(dtype) or types.is_float_dtype(dtype):
        return Times(_whole(values, place, names), None, "ns", True, None)
    dates = isinstance(dtype, pd.ArrowDtype) and str(dtype).startswith("date")
    if dates:
        values = values.astype("M8[s]")
    elif not types.is_datetime64_any_dtype(dtype):
        dates = types.infer_dtype(values, skipna=False) == "date"
        values = _parse(values, place, names)
        if types.is_integer_dtype(values.dtype):
            return Times(_whole(values, place, names), None, "ns", True, None)
    index = pd.DatetimeIndex(values)
    unit: Resolution = "D" if dates else index.unit
    try:
        counts = index.as_unit("ns").asi8
    except pd.errors.OutOfBoundsDatetime as error:
        raise DataError(f"{place}: {error}; times lie between 1677 and 2262, or use integer time") from None
    return Times(counts, None if index.tz is None else _zone(index.tz, place), unit, False, None)


def _whole(values: pd.Series, place: str, names: Sequence[object] | RowNames) -> np.ndarray:
    numbers = values.to_numpy()
    bad = ~(numbers < LARGEST) | ~(numbers > -LARGEST) | (numbers != np.round(numbers))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"{place}, series {names[row]!r}: {numbers[row]} at row {row} is no whole number below 2**61; pass "
            "integers or datetimes"
        )
    return numbers.astype(np.int64)


def _parse(values: pd.Series, place: str, names: Sequence[object] | RowNames) -> pd.Series:
    """Objects and strings as datetimes, or integers where all are Python integers."""
    kind = types.infer_dtype(values, skipna=False)
    if kind == "integer":
        return values.astype(np.int64)
    mixed = f"{place} mixes time zones, or stamps with and without one; convert it with pd.to_datetime(..., utc=True)"
    if kind == "string":  # pandas reads a stamp without offset as if it had that of its neighbours
        zoned = values.str.contains(OFFSET, regex=True)
        if zoned.any() and not zoned.all():
            raise DataError(mixed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            return pd.Series(pd.to_datetime(values, format="ISO8601", errors="raise"))
    except FutureWarning:
        raise DataError(mixed) from None
    except (ValueError, TypeError) as error:
        if "time zone" in str(error) or "timezone" in str(error) or "tz-aware" in str(error).lower():
            raise DataError(mixed) from None
    for row, value in enumerate(values):
        try:
            pd.to_datetime(value, format="ISO8601") if isinstance(value, str) else pd.Timestamp(value)
        except (ValueError, TypeError):
            raise DataError(
                f"{place}, series {names[row]!r}: {value!r} at row {row} is no ISO 8601 time such as 2024-01-31 or "
                "2024-01-31 13:00; convert the column with pd.to_datetime(..., format=...)"
            ) from None
    raise DataError(mixed)


def _zone(tz: object, place: str) -> str:
    name = getattr(tz, "key", None) or getattr(tz, "zone", None) or str(tz)
    try:
        pd.Timestamp(0, tz="UTC").tz_convert(name)
    except Exception:
        raise DataError(
            f"{place} is in time zone {name!r}, which has no name; use .dt.tz_convert('Europe/Berlin') or the like"
        ) from None
    return str(name)


