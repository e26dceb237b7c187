"""Rows of a stream as columns of numbers; a row that cannot be read gets a status and a reason, not an exception."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tsformers.anomaly.decisions import INVALID, OFF_GRID, TESTED
from tsformers.anomaly.row_keys import PLAIN, RowKeys
from tsformers.calendar.grid import DAY, OFF, Grid, decompose
from tsformers.data.dataframes import Schema
from tsformers.data.intake.columns import GREATEST
from tsformers.data.intake.source import Source, text_of
from tsformers.errors import DataError

LONGEST = {"int": 1, "tick": 1, "day": DAY, "bday": 3 * DAY, "week": 7 * DAY, "month": 31 * DAY, "listed": 31 * DAY}
SHOWN = 40  # characters of an invalid value
NO_IDS = pd.Index([])
UNREADABLE = np.iinfo(np.int64).min


class Columns(NamedTuple):
    """M rows in order of arrival.

    Args:
        ids: (M,) as the rows have them.
        stamps: (M,) as the rows have them.
        values: (M, 1 + P) target and past covariates, NaN = missing.
        position: (M,) on the grid of the frequency.
        phase: (M,) within the step.
        status: (M,) codes of "tested" where the row can be read, else of "invalid" or "off_grid".
        why: (M,) of invalid rows the reason, else empty.
    """

    ids: Any
    stamps: Any
    values: np.ndarray
    position: np.ndarray
    phase: np.ndarray
    status: np.ndarray
    why: np.ndarray

    def take(self, rows: slice | np.ndarray) -> "Columns":
        """Some of the rows, of columns that are arrays."""
        return Columns(*(column[rows] for column in self))


class Reader:
    """Reads rows under the column names, the frequency and the time zone of a panel.

    Args:
        schema: of the panel.
        grid: of the panel.
        horizon: H; a time so late that H steps after it overflow is invalid.
        ids: of the panel.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> Reader(Schema(), parse("D"), 1).rows([{"unique_id": "a", "ds": "1970-01-03", "y": 1.5}]).position
        array([2])
    """

    def __init__(self, schema: Schema, grid: Grid, horizon: int, ids: pd.Index = NO_IDS) -> None:
        self.schema, self.grid, self.keys = schema, grid, RowKeys(schema, ids)
        self.names = (schema.target_col, *schema.past)
        self.last = np.iinfo(np.int64).max - (horizon + 2) * self.grid.step * LONGEST[self.grid.unit] - 2 * DAY
        self.memo: tuple[Any, int] = (None, UNREADABLE)  # rows of one step have one stamp

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> Columns:
        """Dictionaries as columns; anything else is an invalid row.

        Args:
            rows: M rows.

        Returns:
            The columns, in the same order.
        """
        mappings = [row if isinstance(row, Mapping) else {} for row in rows]
        ids, stamps = self.keys.ids(mappings), self.keys.stamps(mappings)
        columns = [self._values([row.get(name) for row in mappings], name) for name in self.names]
        values = np.concatenate(columns, axis=1)
        named = np.array([is_name(name) for name in ids], dtype=bool)
        return self._columns(ids, stamps, values, self._moments(stamps), named, mappings.__getitem__)

    def frame(self, frame: pd.DataFrame) -> Columns:
        """A frame as columns.

        Raises:
            DataError: a column is missing.
        """
        ids_in = () if self.schema.single else self.keys.id_columns
        wanted = (*ids_in, *self.keys.time_columns, *self.names)
        lacking = [name for name in wanted if name not in frame]
        if lacking:
            raise DataError(
                f"the rows have no column {lacking[0]!r}; give them the columns that fit had: "
                f"{', '.join(map(str, wanted))}"
            )
        ids, times = self.keys.column(frame), self.keys.time_columns
        stamps = frame[times[0]] if len(times) == 1 else Source(frame).joined(times)
        values = np.concatenate([self._column(frame[name], name) for name in self.names], axis=1)
        named = ids.notna().to_numpy()
        if ids.dtype == object:
            named = np.array([is_name(name) for name in ids], dtype=bool)
        index, counts = pd.Index(ids, tupleize_cols=False), self._counts(stamps)
        return self._columns(index, stamps.array, values, counts, named, lambda i: frame.iloc[i].to_dict())

    def times(self, stamps: Sequence[Any]) -> np.ndarray:
        """(M,) stamps as integers, or as datetime64 in UTC, not-a-time where one cannot be read."""
        counts = self._moments(stamps)
        return counts if self.grid.unit == "int" else counts.view("M8[ns]")

    def _values(self, cells: Sequence[Any], name: str) -> np.ndarray:
        """Cells of a column as numbers, (M, 1) or one-hot encoded; infinite where one is none."""
        marks, target = self.schema.missing, name == self.schema.target_col
        kept = [None if marks and is_mark(cell, marks) else cell for cell in cells]
        levels = self.schema.levels.get(name)
        if levels is None:
            return np.array([number(cell, target) for cell in kept], dtype=np.float64)[:, None]
        table = np.array([self._level(cell, levels) for cell in kept], dtype=np.int64)
        rows = np.concatenate([np.eye(len(levels)), np.full((2, len(levels)), np.inf)])
        rows[-1] = np.nan
        return rows[table]

    def _level(self, cell: Any, levels: Sequence[str]) -> int:
        """Number of a level; -1 where it is missing, -2 where ``fit`` did not have it."""
        if missing(cell) or cell != cell:
            return -1
        return levels.index(text_of(cell)) if text_of(cell) in levels else -2

    def _column(self, column: pd.Series, name: str) -> np.ndarray:
        if self.schema.missing or name in self.schema.levels:
            return self._values(column.tolist(), name)
        return _numbers(column, name == self.schema.target_col)[:, None]

    def _columns(
        self, ids: Any, stamps: Any, values: np.ndarray, counts: np.ndarray, named: np.ndarray,
        row: Callable[[int], Mapping[Any, Any]],
    ) -> Columns:  # fmt: skip
        readable = (counts != UNREADABLE) & (counts <= self.last)
        position, phase = decompose(np.where(readable, counts, 0), self.grid)
        status = np.where(phase == OFF, OFF_GRID, TESTED).astype(np.int8)
        too_large = np.abs(values) > GREATEST
        status[~(readable & named & ~too_large.any(axis=1))] = INVALID
        values[too_large] = np.nan
        why = np.full(len(status), "", dtype=object)
        for i in np.flatnonzero(status == INVALID).tolist():
            why[i] = self._why(row(i), bool(named[i]), int(counts[i]))
        return Columns(ids, stamps, values, position, phase, status, why)

    def _why(self, row: Mapping[Any, Any], named: bool, count: int) -> str:
        """The first reason why a row is invalid."""
        if not row:
            return "no row that could be read"
        name, stamp = self.keys.ids([row])[0], self.keys.stamps([row])[0]
        if not named:
            return f"no id in {self.schema.id_col!r}" if missing(name) else f"{_short(name)} cannot be an id"
        if missing(stamp):
            return f"no time in {self.schema.time_col!r}"
        if count != UNREADABLE:
            unfit = next((n for n in self.names if (abs(self._values([row.get(n)], n)) > GREATEST).any()), None)
            return (
                f"time {_short(stamp)} is out of reach"
                if unfit is None
                else f"{unfit!r} is {_described(row.get(unfit))}"
                + (", which was not among its levels in fit" if unfit in self.schema.levels else "")
            )
        if self.grid.unit == "int" and not self.schema.form.format:
            return f"time {_short(stamp)} is no whole number, or out of reach"
        wanted = "without a time zone" if self.schema.tz is None else "with a time zone"
        plain = self.schema.form.kind in PLAIN and self.grid.unit != "int"
        form = "ISO 8601" if plain else f"the form of fit ({self.schema.form.describe()})"
        return f"time {_short(stamp)} is none in {form} {wanted}, or out of reach"

    def _counts(self, stamps: pd.Series) -> np.ndarray:
        """A column of times as int64: nanoseconds in UTC, or integers."""
        integer, dtype = self.grid.unit == "int", stamps.dtype
        zoned = isinstance(dtype, pd.DatetimeTZDtype)
        if not integer and (zoned or getattr(dtype, "kind", "") == "M") and zoned == (self.schema.tz is not None):
            moments = stamps.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else stamps
            counts = moments.to_numpy("M8[ns]").view(np.int64)  # not-a-time is the least integer
            return counts
        if integer and isinstance(dtype, np.dtype) and dtype.kind in "iu":
            return stamps.to_numpy(np.int64)
        return self._moments(stamps.tolist())

    def _moments(self, stamps: Sequence[Any]) -> np.ndarray:
        found = self.keys.moments(stamps, UNREADABLE)
        if found is not None:
            return found
        read = self._integer if self.grid.unit == "int" else self._moment
        return np.array([read(stamp) for stamp in stamps], dtype=np.int64)

    def _integer(self, stamp: Any) -> int:
        try:
            whole = int(stamp)
        except (TypeError, ValueError, OverflowError):
            return UNREADABLE
        unfit = isinstance(stamp, bool | datetime | np.datetime64) or (not isinstance(stamp, str) and whole != stamp)
        return UNREADABLE if unfit or abs(whole) > self.last else whole

    def _moment(self, stamp: Any) -> int:
        kept, count = self.memo
        if isinstance(stamp, str) and stamp == kept:
            return count
        try:
            moment = _parsed(stamp)
            if moment is not None and moment.tzinfo is None and self.schema.zone_given:
                moment = moment.tz_localize(self.schema.tz, ambiguous=True, nonexistent="NaT")
            if moment is None or (moment.tzinfo is None) != (self.schema.tz is None):
                return UNREADABLE
            count = int(moment.value)
        except (TypeError, ValueError, OverflowError, AttributeError):
            return UNREADABLE
        if isinstance(stamp, str):
            self.memo = (stamp, count)
        return count


def number(value: Any, target: bool = True) -> float:
    """A value as a float: NaN where it is missing, infinite where it is not a number; text is not.

    Args:
        value: of any type.
        target: it is the target, not a covariate: then a boolean is not a number either.

    Example:
        >>> number(1.5), number(None), number("1.5"), number(True), number(True, target=False)
        (1.5, nan, inf, inf, 1.0)
    """
    if type(value) is float:
        return value
    if missing(value):
        return float("nan")
    if isinstance(value, str | bytes) or (target and isinstance(value, bool | np.bool_)):
        return float("inf")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("inf")


def is_mark(value: Any, marks: Sequence[Any]) -> bool:
    """Whether a value is one of the marks of a missing value.

    Example:
        >>> is_mark(-9999.0, ("-9999",)), is_mark("n.a.", ("n.a.",)), is_mark(1, (-1,))
        (True, True, False)
    """
    return isinstance(value, Hashable) and any(value == mark or text_of(value) == text_of(mark) for mark in marks)


def missing(value: Any) -> bool:
    """Whether a value is missing: None, empty text, and pandas' own markers; NaN is a number.

    Example:
        >>> missing(""), missing(0)
        (True, False)
    """
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, str) and not value)


def is_name(value: Any) -> bool:
    """Whether a value can be the id of a series: hashable, and not missing.

    Example:
        >>> is_name("a"), is_name(None), is_name([1])
        (True, False, False)
    """
    if isinstance(value, str | int):
        return True
    if not isinstance(value, Hashable):
        return False
    try:
        hash(value)
    except TypeError:
        return False
    return not (value is None or value is pd.NA or value is pd.NaT or value != value)


def _parsed(stamp: Any) -> Any:
    """A stamp as a pandas time stamp; None where it is none, or a number, whose unit nobody knows."""
    if isinstance(stamp, str):
        if len(stamp) > 26 or "." in stamp:  # more digits than a datetime keeps
            return pd.to_datetime(stamp, format="ISO8601")
        try:
            return pd.Timestamp(datetime.fromisoformat(stamp))
        except ValueError:
            return pd.to_datetime(stamp, format="ISO8601")
    if isinstance(stamp, pd.Period):
        return stamp.start_time
    if isinstance(stamp, datetime | date | np.datetime64):
        return pd.Timestamp(stamp)  # of not-a-time it is not-a-time, which has no value
    return None


def _numbers(column: pd.Series, target: bool) -> np.ndarray:
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in ("iuf" if target else "iufb"):
        return column.to_numpy(np.float64, copy=True)
    return np.array([number(value, target) for value in column], dtype=np.float64)


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float | list | dict) else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _described(value: Any) -> str:
    """The kind of a value that is not a usable number, and the value."""
    kinds = {str: "text", bytes: "text", bool: "a boolean", np.bool_: "a boolean"}
    kind = kinds.get(type(value))
    if kind is None:
        kind = (
            "infinite, or beyond 1e100" if isinstance(value, int | float | np.number) else f"a {type(value).__name__}"
        )
    return f"{kind}: {_short(value)}"
