"""Read the columns of a data frame; errors name column, series, row (its position in that frame) and remedy."""

import warnings
from collections.abc import Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Resolution
from tsformers.errors import DataError

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
    frame: pd.DataFrame, wanted: dict[str, str], others: Sequence[str] = (), what: str = "the frame"
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
        raise DataError(f"{', '.join(f'{key}={name!r}' for key, name in wanted.items())}: name three different columns")
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise DataError(f"{what} has two columns named {doubled[0]!r}; rename or drop one of them")
    for keyword, column in wanted.items():
        if column not in frame.columns:
            have = ", ".join(repr(name) for name in frame.columns[:12])
            remedy = _remedy(frame, keyword, column, wanted, beside=what != "the frame")
            raise DataError(f"{what} has no column {column!r} (it has {have}); {remedy}")
    missing = [name for name in others if name not in frame.columns]
    if missing:
        raise DataError(f"{what} has no column {missing[0]!r}; add it, or leave it out of known=")


def _remedy(frame: pd.DataFrame, keyword: str, column: str, wanted: dict[str, str], beside: bool) -> str:
    if column in frame.index.names or (
        keyword == "time_col" and isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex)
    ):
        return "it stands in the index: call df.reset_index() first" + (
            "" if column in frame.index.names else ", then rename it"
        )
    free = [name for name in frame.columns if isinstance(name, str) and name not in wanted.values()]
    lower = {name.lower(): name for name in free}
    close = [lower[name] for name in (column.lower(), *USUAL[keyword]) if name in lower]
    close = close or get_close_matches(column, free, n=1)
    if close and beside:
        return f"rename {close[0]!r}"
    if close:
        return f"pass {keyword}={close[0]!r}, or rename that"
    if keyword == "id_col":
        return f"for a single series add df[{column!r}] = 'a'; one column a series: use tsf.from_wide(df)"
    return f"pass {keyword}= with its name, or rename the column"


def read_ids(values: pd.Series, column: str, what: str = "the frame") -> tuple[np.ndarray, pd.Index]:
    """Series number of each row, and the ids in sorted order (by type first where types are mixed).

    Args:
        values: the id column.
        column: its name.
        what: name of the frame in messages.

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
                f"column {column!r} of {what} holds values that cannot be hashed; turn the ids into strings"
            ) from None
    if (code < 0).any():
        row = int(np.flatnonzero(code < 0)[0])
        raise DataError(f"column {column!r} of {what} is null at row {row}; give the row an id, or drop it")
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


def read_numbers(
    values: pd.Series, column: str, names: Sequence[object] | RowNames, what: str = "the frame", covariate: bool = False
) -> np.ndarray:
    """A column as float64, null as NaN. Booleans are 0 and 1; Decimals and nullable types are accepted.

    Args:
        values: the column.
        column: its name.
        names: the id of each row, for messages.
        what: name of the frame in messages.
        covariate: False for the target; changes the remedy in messages.

    Returns:
        (R,) float64.

    Raises:
        DataError: text or other objects, or values that are infinite or beyond 1e100 in size.

    Example:
        >>> read_numbers(pd.Series([1, None], dtype="Int64"), "y", ["a", "a"])
        array([ 1., nan])
    """
    remedy = f"convert it with pd.to_numeric(df[{column!r}], errors='coerce')"
    if covariate:
        remedy = f"encode it as numbers, for example with df[{column!r}].astype('category').cat.codes, or drop it"
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iufb":
        numbers = values.to_numpy(dtype=np.float64)
    elif types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    elif isinstance(dtype, pd.StringDtype) or types.is_object_dtype(dtype) or "decimal" in str(dtype):
        numbers = _from_objects(values.astype(object), column, names, what, remedy)
    else:
        texts = types.is_string_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype)
        row = _row_to_name(values, np.asarray(values.notna())) if texts else int(np.argmax(np.asarray(values.notna())))
        raise DataError(
            f"column {column!r} of {what} holds {dtype} values, "
            f"series {names[row]!r}: {plain(values.iloc[row])!r} at row {row}; {remedy}"
        )
    wild = np.abs(numbers) > GREATEST
    if wild.any():
        row = int(np.flatnonzero(wild)[0])
        todo = "replace it by a number, or by NaN where the value is unknown"
        if np.isfinite(numbers[row]):
            todo = (
                f"sums of such values overflow, so rescale the column (to at most {GREATEST:g}), or replace it by NaN"
            )
        raise DataError(f"column {column!r} of {what}, series {names[row]!r}: {numbers[row]} at row {row}; {todo}")
    return numbers


def _from_objects(
    values: pd.Series, column: str, names: Sequence[object] | RowNames, what: str, remedy: str
) -> np.ndarray:
    null = np.asarray(values.isna())
    right = np.fromiter(
        (isinstance(v, int | float | np.number | np.bool_ | Decimal) for v in values), dtype=bool, count=len(values)
    )
    bad = ~(right | null)
    if bad.any():
        row = _row_to_name(values, bad)
        value = values.iloc[row]
        kind = "text" if isinstance(value, str) else f"a {type(value).__name__}"
        raise DataError(f"column {column!r} of {what}, series {names[row]!r}: {kind} {value!r} at row {row}; {remedy}")
    numbers = np.full(len(values), np.nan)
    numbers[~null] = values.to_numpy()[~null].astype(np.float64)
    return numbers


def _row_to_name(values: pd.Series, bad: np.ndarray) -> int:
    """The first bad row whose text is no number either, else the first bad row: '1.5' could be converted."""
    rows = np.flatnonzero(bad)
    texts = values.iloc[rows].map(lambda value: value if isinstance(value, str) else "no text").astype(object)
    guilty = np.asarray(pd.to_numeric(texts, errors="coerce").isna())
    return int(rows[np.argmax(guilty)])
