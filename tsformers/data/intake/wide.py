"""Wide frames, one column or one row a series, to long frames, one row a value."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api import types

from tsformers.calendar.regularity import plain
from tsformers.calendar.timestamps import looks_like_times
from tsformers.data.dataframes import Frame, from_pandas
from tsformers.data.intake.columns import RowNames, check_columns
from tsformers.data.intake.kinds import counts_rows, is_time_name, kind_of
from tsformers.data.intake.numbers import read_numbers
from tsformers.data.intake.offers import repeats_of, time_labels, times_in_header
from tsformers.data.intake.source import Source, source_of, text_of
from tsformers.data.panel import Panel
from tsformers.errors import DataError
from tsformers.messages import Either, Option

Series = Literal["columns", "rows"]
FIRST_NAMES = ("ds", "date", "time", "timestamp", "datetime")  # of the time, before columns that read as one
COLUMNS = Either("tsf.from_wide(df)", "--wide", "wide = true")


def from_wide(
    df: Frame, *, freq: str | int | None = None, time_col: str | None = None, series: Series = "columns"
) -> Frame:
    """A wide frame, one column or one row a series, as the long frame that everything else takes.

    With one column a series, time is ``time_col``, else a datetime or period index, else the only column that is named
    like a time or reads as one, else the index; but a frame whose first column increases, with the default index 0, 1,
    ..., is refused. With one row a series, the times are the names of the columns, and the columns before them name the
    series. Empty cells before a series' first value are left out. The other orientation is refused by the labels.

    Args:
        df: the wide frame (pandas, polars, pyarrow), or a file that was read.
        freq: given, missing rows of its grid are added as NaN and stamps off it are refused; None = rows as they are.
        time_col: name of the time column, where a series is a column.
        series: what a series is: "columns" or "rows".

    Returns:
        A frame of unique_id, ds, y in the caller's type.

    Raises:
        DataError: an empty frame, duplicate columns or times, no series, text in a series, no such time column, the
            other orientation, or a column that may be the time.

    Example:
        >>> wide = pd.DataFrame({"date": ["2024-01-01", "2024-01-02"], "a": [1, 2], "b": [None, 4]})
        >>> from_wide(wide)["unique_id"].tolist()
        ['a', 'a', 'b']
        >>> from_wide(pd.DataFrame({"land": ["a"], "2023": [1], "2024": [2]}), series="rows")["ds"].tolist()
        ['2023', '2024']
    """
    long, backend = melt(df, time_col, series)
    if freq is not None:
        long = Panel.from_frame(long, freq=freq).to_frame()
    return from_pandas(long, backend)


def melt(data: Frame, time_col: str | None = None, series: Series = "columns") -> tuple[pd.DataFrame, str]:
    """The long frame of a wide one, and the backend to answer in; see ``from_wide`` for the rules.

    Args:
        data: the wide frame.
        time_col: name of the time column; None = by the rules of ``from_wide``.
        series: what a series is: "columns" or "rows".

    Returns:
        A frame of unique_id, ds, y, and the backend.

    Raises:
        DataError: an empty frame, duplicate columns or times, no series, text in a series, no such time column, the
            other orientation, or a column that may be the time.

    Example:
        >>> melt(pd.DataFrame({"a": [1.0], "b": [2.0]}))[0].to_dict("list")
        {'unique_id': ['a', 'b'], 'ds': [0, 0], 'y': [1.0, 2.0]}
    """
    if isinstance(data, pd.Series):
        raise DataError("a Series is one series, not a wide frame; pass it to fit as it is")
    if series not in ("columns", "rows"):
        raise DataError(Option("series", series), " is neither 'columns' nor 'rows'; pass one of them")
    source = _source(data, series)
    if series == "rows":
        if time_col is not None:
            raise DataError(Option("time_col", time_col), " names no column where each row is a series; leave it out")
        return _rows(source), source.backend
    return _columns(source, time_col), source.backend


def _source(data: Frame, series: Series) -> Source:
    """The frame as it stands, with the index of a file or frame left where it is."""
    if isinstance(data, pd.DataFrame):
        return Source(data, places=source_of(data).places).renamed("the wide frame")
    source = source_of(data)
    return source if source.table is not None else source.renamed("the wide frame")


def _columns(source: Source, time_col: str | None) -> pd.DataFrame:
    frame, what = source.frame, source.places.what
    check_columns(frame, {} if time_col is None else {"time_col": time_col}, what=what)
    if time_col is None:
        time_col = _time_column(source)
    times = frame.index.to_series() if time_col is None else source.cells(time_col)
    empty = [name for name in frame.columns if name != time_col and _no_series(source, name)]
    names = pd.Index([name for name in frame.columns if name != time_col and name not in empty])
    if not len(names):
        raise DataError(f"{what} has no column beside the time; pass one column a series")
    if isinstance(frame.index, pd.MultiIndex) and time_col is None:
        raise DataError(f"{what} has an index of several levels; make columns of them and pass ", Option("time_col"))
    again = times.duplicated().to_numpy()
    if again.any() and not (time_col is not None and repeats_of(source, (time_col,)).zones):  # clock changes stay
        row = int(np.flatnonzero(again)[0])
        raise DataError(
            f"{what} has the time {times.iloc[row]} twice, again at {source.places.at(row)} ({int(again.sum())} such "
            "rows); if they are to be averaged, pass ",
            Either("tsf.from_wide(df.groupby(level=0).mean())", "--resample with the length of a bin")
            if time_col is None
            else Either(f"tsf.from_wide(df.groupby({time_col!r}, as_index=False).mean())", "one row a time"),
        )  # fmt: skip
    values = np.empty((len(frame), len(names)))
    for k, name in enumerate(names):
        lookup = RowNames(names[[k]], np.zeros(len(frame), dtype=np.int64))
        values[:, k] = read_numbers(source.numeric(name), name, lookup, source.places)
    return _long(names, times.array, values)


def _no_series(source: Source, name: str) -> bool:
    """Whether a column of a file is no series: it has no value, or numbers the rows."""
    if source.table is None or source.unclear(name):
        return False
    return kind_of(source.frame[name]) == "empty" or counts_rows(name, source.frame[name])


def _long(names: pd.Index, times: object, values: np.ndarray) -> pd.DataFrame:
    """Values (R, N) as rows, empty ones before the first of a series left out."""
    observed = ~np.isnan(values)
    started = np.logical_or.accumulate(observed, axis=0) | ~observed.any(axis=0)
    series, rows = np.nonzero(started.T)
    return pd.DataFrame({"unique_id": names[series], "ds": times[rows], "y": values[rows, series]})  # type: ignore[index]


def _rows(source: Source) -> pd.DataFrame:
    """One row a series: names of columns are times, the columns before them name the series."""
    frame, what = source.frame, source.places.what
    check_columns(frame, {}, what=what)
    labels: list[Any] = time_labels(frame.columns)
    if len(labels) < 2:
        raise DataError(
            f"the names of the columns of {what} are no times ({', '.join(map(repr, frame.columns[:5]))}); if each "
            "column is a series, pass ", COLUMNS,
        )  # fmt: skip
    ids = _ids_of_rows(source)
    again = ids.duplicated()
    if again.any():
        row = int(np.argmax(again))
        raise DataError(
            f"{what} has series {plain(ids[row])!r} twice, again at {source.places.at(row)}; keep one row a series"
        )
    lookup = RowNames(ids, np.arange(len(frame)))
    values = np.stack([read_numbers(source.numeric(name), name, lookup, source.places) for name in labels])
    return _long(ids, pd.Index(labels).array, values)


def row_names(source: Source) -> list[str]:
    """The columns whose cells name the rows: one of text where one tells them apart, else all of text, or all.

    Args:
        source: a table of one row a series.

    Returns:
        Names of columns before the times; empty = the index.

    Example:
        >>> row_names(Source(pd.DataFrame([["a", 1, 2]], columns=["land", "2023", "2024"])))
        ['land']
    """
    frame = source.frame
    labels = time_labels(frame.columns)
    keys = [name for name in frame.columns if name not in labels and not counts_rows(name, frame[name])]
    texts = [name for name in keys if kind_of(frame[name]) == "text"] or keys
    if "unique_id" in texts:
        return ["unique_id"]
    return [name for name in texts if not frame[name].duplicated().any()][:1] or texts


def _ids_of_rows(source: Source) -> pd.Index:
    names = row_names(source)
    if not names:
        return source.frame.index
    if len(names) == 1:
        return pd.Index(source.cells(names[0]).map(text_of) if source.text else source.cells(names[0]))
    return pd.Index(source.joined(names, "/"))


def _time_column(source: Source) -> str | None:
    """The column of times; None = the index."""
    frame, what = source.frame, source.places.what
    if isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex):
        return None
    named = {str(name).lower(): name for name in frame.columns}
    for name in FIRST_NAMES:
        if name in named:
            return named[name]
    dated = [name for name in frame.columns if kind_of(frame[name]) == "time"]
    dated = dated or [name for name in frame.columns if _reads_as_time(source, name)]
    if dated:
        return dated[0]
    turned = times_in_header(source)
    if turned is not None:
        raise turned
    if source.table is not None:
        named_like = [name for name in frame.columns if is_time_name(name)]
        if len(named_like) == 1:
            return named_like[0]
        raise DataError(f"{what} has no column of times; say which it is with ", Option("time_col"))
    if frame.index.equals(pd.RangeIndex(len(frame))) and frame.index.name is None:
        _refuse_likely_time(frame, what)
    return None


def _reads_as_time(source: Source, name: str) -> bool:
    column = source.cells(name)
    text = kind_of(column) == "text"
    return (text or (source.text and is_time_name(name))) and looks_like_times(column, source.text)


def _refuse_likely_time(frame: pd.DataFrame, what: str) -> None:
    """Refuse a column that increases, first in the frame or named like a time, instead of guessing its role."""
    for place, name in enumerate(frame.columns):
        if (place == 0 or is_time_name(name)) and min(frame.shape) > 1 and _increases(frame[name]):
            raise DataError(
                f"column {name!r} of {what} looks like its time; pass ", Option("time_col", name), ", or, if it is a "
                "series, name the column of times with ", Option("time_col"),
            )  # fmt: skip


def _increases(column: pd.Series) -> bool:
    """Whether each value is greater than the one before: whole numbers, periods or dates."""
    column = column.infer_objects()
    if column.hasnans:
        return False
    if not (types.is_integer_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype | pd.ArrowDtype)):
        return False
    return bool(column.is_monotonic_increasing and column.is_unique)
