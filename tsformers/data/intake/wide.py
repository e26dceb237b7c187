"""Wide frames, one column per series, to long frames, one row per value."""

import numpy as np
import pandas as pd
from pandas.api import types

from tsformers.data.dataframes import Frame, from_pandas, to_pandas
from tsformers.data.intake.columns import USUAL, RowNames, check_columns, read_numbers
from tsformers.data.panel import Panel
from tsformers.errors import DataError

TIME_NAMES = ("ds", "date", "time", "timestamp", "datetime")


def from_wide(df: Frame, *, freq: str | int | None = None, time_col: str | None = None) -> Frame:
    """A wide frame, one column a series, as the long frame that everything else takes.

    Time is ``time_col``, else a datetime or period index, else a column called ds, date, time, timestamp or datetime,
    else the first datetime column, else the index; but a frame whose first column (or one called year, t, ...)
    increases, with the default index 0, 1, ..., is refused. Empty cells before a series' first value are left out.

    Args:
        df: the wide frame (pandas, polars, pyarrow).
        freq: given, missing rows of its grid are added as NaN and stamps off it are refused; None = rows as they are.
        time_col: name of the time column.

    Returns:
        A frame of unique_id, ds, y in the caller's type.

    Raises:
        DataError: an empty frame, duplicate columns or times, no series, text in a series, no such time column, or a
            column that may be the time.

    Example:
        >>> wide = pd.DataFrame({"date": ["2024-01-01", "2024-01-02"], "a": [1, 2], "b": [None, 4]})
        >>> from_wide(wide)["unique_id"].tolist()
        ['a', 'a', 'b']
    """
    long, backend = melt(df, time_col)
    if freq is not None:
        long = Panel.from_frame(long, freq=freq).to_frame()
    return from_pandas(long, backend)


def melt(data: Frame, time_col: str | None = None) -> tuple[pd.DataFrame, str]:
    """The long frame of a wide one, and the backend to answer in; see ``from_wide`` for the rules.

    Args:
        data: the wide frame.
        time_col: name of the time column; None = by the rules of ``from_wide``.

    Returns:
        A frame of unique_id, ds, y, and the backend.

    Raises:
        DataError: an empty frame, duplicate columns or times, no series, text in a series, no such time column, or a
            column that may be the time.

    Example:
        >>> melt(pd.DataFrame({"a": [1.0], "b": [2.0]}))[0].to_dict("list")
        {'unique_id': ['a', 'b'], 'ds': [0, 0], 'y': [1.0, 2.0]}
    """
    if isinstance(data, pd.Series):
        raise DataError("a Series is one series, not a wide frame; pass it to fit as it is")
    frame, backend = to_pandas(data)
    check_columns(frame, {} if time_col is None else {"time_col": time_col}, what="the wide frame")
    time_col = _time_column(frame) if time_col is None else time_col
    times = frame.index.to_series() if time_col is None else frame[time_col]
    names = pd.Index([name for name in frame.columns if name != time_col])
    if not len(names):
        raise DataError("the wide frame has no column beside the time; pass one column a series")
    if isinstance(frame.index, pd.MultiIndex) and time_col is None:
        raise DataError("the wide frame has an index of several levels; call df.reset_index() and pass time_col=")
    again = times.duplicated().to_numpy()
    if again.any():
        row = int(np.flatnonzero(again)[0])
        raise DataError(
            f"the wide frame has the time {times.iloc[row]} twice, again at row {row} ({int(again.sum())} such rows); "
            "drop or aggregate them, for example with df.groupby(...).mean()"
        )
    values = np.empty((len(frame), len(names)))
    for k, name in enumerate(names):
        lookup = RowNames(names[[k]], np.zeros(len(frame), dtype=np.int64))
        values[:, k] = read_numbers(frame[name], name, lookup, "the wide frame")
    observed = ~np.isnan(values)
    started = np.logical_or.accumulate(observed, axis=0) | ~observed.any(axis=0)
    series, rows = np.nonzero(started.T)
    long = {"unique_id": names[series], "ds": times.array[rows], "y": values[rows, series]}
    return pd.DataFrame(long), backend


def _time_column(frame: pd.DataFrame) -> str | None:
    if isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex):
        return None
    named = {str(name).lower(): name for name in frame.columns}
    for name in TIME_NAMES:
        if name in named:
            return named[name]
    dated = frame.select_dtypes(["datetime", "datetimetz"]).columns
    if len(dated):
        return dated[0]
    if frame.index.equals(pd.RangeIndex(len(frame))) and frame.index.name is None:
        _refuse_likely_time(frame)
    return None


def _refuse_likely_time(frame: pd.DataFrame) -> None:
    """Refuse a column that increases, first in the frame or named like a time, instead of guessing its role."""
    for place, name in enumerate(frame.columns):
        named = str(name).lower() in (*USUAL["time_col"], "year")
        if (place == 0 or named) and min(frame.shape) > 1 and _increases(frame[name]):
            raise DataError(
                f"column {name!r} of the wide frame looks like its time; pass time_col={name!r}, or, if it is a "
                "series, say what the time is, for example df.reset_index() and time_col='index'"
            )


def _increases(column: pd.Series) -> bool:
    """Whether each value is greater than the one before: whole numbers, periods, dates, or ISO 8601 text."""
    column = column.infer_objects()
    if column.hasnans:
        return False
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        column = pd.to_datetime(column, format="ISO8601", errors="coerce")
        if column.hasnans:
            return False
    elif not (types.is_integer_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype | pd.ArrowDtype)):
        return False
    return bool(column.is_monotonic_increasing and column.is_unique)
