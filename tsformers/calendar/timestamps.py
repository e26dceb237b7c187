"""Read a time column: any form that files and frames bring, as counts; a value that does not fit is refused by row."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, NoReturn, Protocol

import numpy as np
import pandas as pd
from pandas.api import types

from tsformers.calendar.grid import DAY, to_utc
from tsformers.calendar.times.evidence import example_of, form_of
from tsformers.calendar.times.form import TimeForm, as_texts, unique_values
from tsformers.calendar.times.named import form_named
from tsformers.calendar.times.offsets import has_offset
from tsformers.calendar.times.parsed import Parsed, from_pandas_times
from tsformers.calendar.times.zones import by_order, is_zone, localize, zones_that_fit
from tsformers.errors import DataError
from tsformers.messages import Message, Option, joined
from tsformers.places import Places

__all__ = ["SeriesOfRows", "TimeForm", "Times", "looks_like_times", "read_times"]

Resolution = Literal["D", "s", "ms", "us", "ns"]
PERIODS = {  # pandas period to the frequency of its starts
    **{"M": "MS", "D": "D", "B": "B", "h": "h", "min": "min", "s": "s", "Q-DEC": "QS-JAN", "Y-DEC": "YS-JAN"},
}
LOOKED_AT = 200  # values that are tried before a whole column is


class SeriesOfRows(Protocol):
    """The series of each row: its number in ``code``, its id by index."""

    code: np.ndarray

    def __getitem__(self, row: int) -> object: ...


class Times(NamedTuple):
    """The time column.

    Args:
        counts: (R,) int64: UTC nanoseconds with a zone, wall-clock nanoseconds without, or whole numbers.
        tz: the zone.
        unit: resolution of the caller's stamps.
        integer: True for plain counts.
        freq: frequency of a period dtype.
        form: how the column is written.

    Example:
        >>> Times(np.array([3]), None, "ns", True, None).integer
        True
    """

    counts: np.ndarray
    tz: str | None
    unit: Resolution
    integer: bool
    freq: str | None
    form: TimeForm = TimeForm()


class _Column(NamedTuple):
    """A time column on its way: where it stands, distinct values and the position of each row's among them."""

    name: str
    places: Places
    series: Sequence[object] | SeriesOfRows | None
    code: np.ndarray
    unique: np.ndarray

    @property
    def place(self) -> str:
        return f"column {self.name!r} of {self.places.what}"

    def row_of(self, position: int) -> int:
        return int(np.argmax(self.code == position))

    def refuse(self, position: int, why: str, *remedy: "str | Option") -> NoReturn:
        row = self.row_of(position)
        value = self.unique[position]
        shown = value.item() if isinstance(value, np.generic) else value
        raise DataError(
            f"{self.place}{_series_at(self.series, row)}: {shown!r} at {self.places.at(row)} {why}",
            *(remedy or ("; pass ", Option("time_format"), " with strptime codes such as %d.%m.%Y, or correct it")),
        )


def read_times(
    values: pd.Series,
    column: str,
    places: Places,
    *,
    series: Sequence[object] | SeriesOfRows | None = None,
    time_format: str | None = None,
    tz: str | None = None,
    text_file: bool = False,
    fitted: TimeForm | None = None,
) -> Times:
    """The time column as integers.

    Args:
        values: the time column: datetimes of any resolution, dates, periods (their start), text or numbers.
        column: its name.
        places: the table and its rows, for messages.
        series: the series of each row, for messages and for hours that occur twice; None = one series.
        time_format: strptime codes, or "epoch-s", "epoch-ms", "epoch-us", "epoch-ns", "decimal-year", "quarter",
            "iso-week", "count"; None = by the evidence of all values.
        tz: zone of naive times; times with an offset are brought into it. Of an hour that occurs twice, the first rows
            of a series are of the first pass.
        text_file: True where the column stands in a file of text, in which four digits may be years.
        fitted: the form of an earlier column, in place of ``time_format`` and evidence.

    Returns:
        Counts, zone, resolution, frequency of a period dtype, and the form.

    Raises:
        DataError: null or unreadable times, several readings, several offsets without ``tz``.

    Example:
        >>> read_times(pd.Series(["01.02.1970", "13.02.1970"]), "ds", Places()).counts // (86400 * 10**9)
        array([31, 43])
    """
    null = np.asarray(values.isna())
    if null.any():
        row = int(np.flatnonzero(null)[0])
        raise DataError(
            f"column {column!r} of {places.what}{_series_at(series, row)}: no time at {places.at(row)}; fill it in, or "
            "leave the row out"
        )
    if tz is not None and not is_zone(tz):
        raise DataError(Option("tz", tz), " is no time zone; pass a name such as ", Option("tz", "Europe/Berlin"))
    values, dates = _plain(values, column, places)
    if _is_typed(values):
        about = _Column(column, places, series, np.empty(0, dtype=np.int64), np.empty(0))
        return _typed(values, about, time_format, tz, fitted or TimeForm("date" if dates else "datetime"))
    code, unique = unique_values(values)
    about = _Column(column, places, series, code, unique)
    if fitted is None and time_format is None:
        form, parsed = form_of(unique, about.place, about.refuse, text_file)
    else:
        form = fitted or form_named(str(time_format), unique)
        parsed = form.read(unique)
    if parsed.bad.any():
        at = int(np.argmax(parsed.bad))
        if time_format is not None:
            about.refuse(
                at, f"does not fit {example_of(form)}", "; correct it, or pass another ", Option("time_format")
            )
        about.refuse(at, f"does not fit {example_of(form)}, the form of fit", "; write it in that form")
    if form.integer:
        if tz is not None:
            raise DataError(f"{about.place} holds plain counts, which have no zone; leave ", Option("tz"), " out")
        return Times(parsed.counts[code], None, "ns", True, None, form)
    if form.kind == "epoch":
        return Times(parsed.counts[code], tz, "ns", False, None, form)
    counts, zone = _zoned(parsed, about, tz)
    return Times(counts, zone, "ns", False, None, form)


def _series_at(series: "Sequence[object] | SeriesOfRows | None", row: int) -> str:
    if series is None:
        return ""
    name = series[row]
    return f", series {name.item() if isinstance(name, np.generic) else name!r}"


def _is_typed(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.PeriodDtype) or types.is_datetime64_any_dtype(values.dtype)


def _plain(values: pd.Series, column: str, places: Places) -> tuple[pd.Series, bool]:
    """The column as datetimes, periods, numbers or objects, and whether it holds dates without a time of day."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    dtype = values.dtype
    if types.is_bool_dtype(dtype) or types.is_complex_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        raise DataError(
            f"column {column!r} of {places.what} holds {dtype} values, not times; pass datetimes, text or whole numbers"
        )
    if isinstance(dtype, pd.ArrowDtype) and str(dtype).startswith("date"):
        return pd.Series(values.astype("M8[s]")), True
    if _is_typed(values):
        return values, False
    if types.is_unsigned_integer_dtype(dtype):
        return pd.Series(values.to_numpy(dtype=np.uint64)), False
    if types.is_integer_dtype(dtype):
        return pd.Series(values.to_numpy(dtype=np.int64)), False
    if types.is_float_dtype(dtype):
        return pd.Series(values.to_numpy(dtype=np.float64)), False
    return _plain_objects(values)


def _plain_objects(values: pd.Series) -> tuple[pd.Series, bool]:
    kind = types.infer_dtype(values, skipna=False)
    if kind == "integer":
        return pd.Series(values.to_numpy(dtype=object)).astype(np.int64), False
    if kind in ("floating", "mixed-integer-float"):
        return pd.Series(values.to_numpy(dtype=np.float64)), False
    if kind == "date":
        return pd.Series(pd.to_datetime(values, errors="coerce")).where(values.notna()), True
    if kind.startswith("datetime"):
        zones = {getattr(value, "tzinfo", None) for value in values}
        if len(zones) == 1:
            return pd.Series(pd.DatetimeIndex(values)), False
        return values.map(lambda value: pd.Timestamp(value).isoformat()).astype(object), False
    return values, False


def _typed(values: pd.Series, about: _Column, time_format: str | None, tz: str | None, form: TimeForm) -> Times:
    """Datetimes and periods."""
    if time_format is not None:
        raise DataError(f"{about.place} holds {values.dtype}, which needs no ", Option("time_format"), "; leave it out")
    if form.integer:
        raise DataError(f"{about.place} holds {values.dtype}, that of fit whole numbers; pass whole numbers")
    freq = None
    if isinstance(values.dtype, pd.PeriodDtype):
        freq = PERIODS.get(str(values.dtype)[7:-1])
        values = values.dt.to_timestamp()
    index = pd.DatetimeIndex(values)
    unit: Resolution = "D" if form.kind == "date" else index.unit
    parsed = from_pandas_times(index)
    if parsed.bad.any():
        row = int(np.argmax(parsed.bad))
        raise DataError(
            f"{about.place}{_series_at(about.series, row)}: {index[row]} at {about.places.at(row)} is beyond the times "
            "that nanoseconds hold; times lie between 1677 and 2262, or use whole numbers"
        )
    if index.tz is not None:
        return Times(parsed.counts, tz or _zone(index.tz, about.place), unit, False, freq, form)
    if tz is None:
        return Times(parsed.counts, None, unit, False, freq, form)
    code, distinct = pd.factorize(parsed.counts)
    shown = pd.DatetimeIndex(np.asarray(distinct).view("M8[ns]")).astype(str).to_numpy(dtype=object)
    counts, zone = _zoned(
        Parsed(np.asarray(distinct), None, np.zeros(len(distinct), dtype=bool)),
        about._replace(code=code, unique=shown),
        tz,
    )
    return Times(counts, zone, unit, False, freq, form)


def _zoned(parsed: Parsed, about: _Column, tz: str | None) -> tuple[np.ndarray, str | None]:
    """Counts of each row, and the zone, from distinct times with offsets, or without."""
    if parsed.offsets is not None:
        aware = has_offset(as_texts(about.unique))
        if not aware.all():
            one, other = (about.row_of(int(np.argmax(kind))) for kind in (aware, ~aware))
            raise DataError(
                f"{about.place}: {about.unique[about.code[one]]!r} at {about.places.at(one)} has an offset from UTC, "
                f"{about.unique[about.code[other]]!r} at {about.places.at(other)} has none; write all of them alike"
            )
        return parsed.counts[about.code], tz or _zone_of_offsets(parsed, about)
    if tz is None:
        return parsed.counts[about.code], None
    if not (parsed.counts % DAY).any():  # days: one whose midnight the clock skips begins later
        return to_utc(parsed.counts, tz)[about.code], tz
    first, second, skipped = localize(parsed.counts, tz)
    if skipped.any():
        at = int(np.argmax(skipped))
        about.refuse(at, f"never was: the clock of {tz} skips it", "; correct it, or pass another ", Option("tz"))
    return by_order(first, second, about.code, series_codes(about.series, len(about.code))), tz


def _zone_of_offsets(parsed: Parsed, about: _Column) -> str:
    assert parsed.offsets is not None
    different = pd.unique(parsed.offsets)
    if len(different) == 1:
        minutes = abs(int(different[0])) // (60 * 10**9)
        sign = "-" if different[0] < 0 else "+"
        return f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}" if minutes else "UTC"
    zones = zones_that_fit(parsed.counts, parsed.offsets) or ["UTC"]
    at = int(np.argmax(parsed.offsets != parsed.offsets[0]))
    one, other = about.row_of(0), about.row_of(at)
    raise DataError(
        f"{about.place}: the offsets from UTC change, {about.unique[0]!r} at {about.places.at(one)}, "
        f"{about.unique[at]!r} at {about.places.at(other)}; pass ",
        joined([Option("tz", zone) for zone in zones]),
    )


def series_codes(series: "Sequence[object] | SeriesOfRows | None", rows: int) -> np.ndarray:
    """The series of each row as numbers from 0.

    Example:
        >>> series_codes(["a", "b", "a"], 3), series_codes(None, 2)
        (array([0, 1, 0]), array([0, 0]))
    """
    if series is None:
        return np.zeros(rows, dtype=np.int64)
    if hasattr(series, "code"):
        return np.asarray(series.code)
    return pd.factorize(np.asarray(series, dtype=object))[0].astype(np.int64)


def _zone(tz: object, place: str) -> str:
    name = str(getattr(tz, "key", None) or getattr(tz, "zone", None) or tz)
    if not is_zone(name):
        raise DataError(f"{place} is in time zone {name!r}, which has no name; pass ", Option("tz", "Europe/Berlin"))
    return name


def looks_like_times(values: pd.Series, text_file: bool) -> bool:
    """Whether all values of a column read as times; plain numbers are times only where they are dates or epochs.

    Args:
        values: a column.
        text_file: True where it stands in a file of text.

    Returns:
        True also where a time format would have to be chosen between two readings.

    Example:
        >>> looks_like_times(pd.Series(["2024-01-31"]), False), looks_like_times(pd.Series([1, 2]), False)
        (True, False)
    """
    known = values.dropna()
    if not len(known):
        return False
    if _is_typed(known):
        return True
    return all(_reads(part, text_file) for part in (known.iloc[:LOOKED_AT], known))


def _reads(values: pd.Series, text_file: bool) -> bool:
    try:
        return not read_times(values, "", Places(), text_file=text_file).integer
    except DataError as error:
        return any(isinstance(part, Option | Message) for part in error.message.parts[1:2])  # one may choose
