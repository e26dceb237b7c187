"""Resample: rows of any times to one row a bin; a bin is labelled by its beginning."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from tsformers.calendar.aggregation import AGGREGATES, Bins, bin_rows, every_bin, present_rows
from tsformers.calendar.aggregation import aggregate as aggregate_values
from tsformers.calendar.bins import parse_bins
from tsformers.calendar.timestamps import Times, looks_like_times, read_times
from tsformers.data.dataframes import Frame, from_pandas, to_pandas
from tsformers.data.intake.columns import RowNames, read_ids
from tsformers.data.intake.numbers import read_numbers
from tsformers.errors import DataError, DataWarning, did_you_mean
from tsformers.messages import Either, Option
from tsformers.places import Places

MOST_GROWTH, MANY_ROWS = 20, 1_000_000  # empty bins beyond both mean a wrong stamp or a step that is too short


def resample(
    data: Frame,
    every: str | int,
    *,
    aggregate: str | Mapping[str, str] = "mean",
    id_col: str | None = None,
    time_col: str | None = None,
    target_col: str | None = None,
    time_format: str | None = None,
    tz: str | None = None,
) -> Frame:
    """One row for each series and bin of time, labelled by the beginning of the bin.

    Rows may come in any order. Numeric covariates are averaged whatever happens to the target, so that a plan of the
    future may have one row a bin; of text the last value stays. Bins without a row come back with missing values.

    Args:
        data: a long frame (pandas, polars, pyarrow) or a pandas Series with a time index.
        every: a pandas alias such as "30s", "15min", "h", "D", "W-MON" (weeks begin on Monday), "MS", "QS", "YS"; an
            integer for plain counts. Days and longer bins follow the wall clock of the zone.
        aggregate: what becomes of the target in a bin: "mean", "sum", "last", "max", "min" or "first", missing values
            left out; or a mapping of columns to these.
        id_col: column of series ids; None = "unique_id" where there is one, else the rows are one series.
        time_col: column of times; None = "ds", else the only column that reads as times.
        target_col: column of values; None = "y", else "value", else the only numeric column.
        time_format: how the times are written, see ``Panel.from_frame``.
        tz: zone of the times.

    Returns:
        A frame of the same columns in the caller's type, times in the form and zone that came in.

    Raises:
        DataError: no such column, step or aggregate, times that cannot be read, text in the target.

    Example:
        >>> import tsformers as tsf
        >>> times = pd.date_range("2024-01-01", periods=4, freq="12h")
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": [1.0, 2.0, 3.0, 4.0]})
        >>> tsf.resample(frame, "D", aggregate="sum")["y"].tolist()
        [3.0, 7.0]
    """
    frame, backend = to_pandas(data, id_col or "unique_id", time_col or "ds", target_col or "y")
    if not len(frame):
        raise DataError("the frame is empty: it has no rows; pass at least one row a series")
    ids_in = _named(frame, id_col, "id_col") if id_col else "unique_id" if "unique_id" in frame else None
    times_in = _named(frame, time_col, "time_col") if time_col else _time_column(frame)
    target = _named(frame, target_col, "target_col") if target_col else _target_column(frame, ids_in, times_in)
    how = _how(frame, aggregate, target)
    code, ids = (np.zeros(len(frame), dtype=np.int64), None) if ids_in is None else read_ids(frame[ids_in], ids_in)
    names = RowNames(pd.Index([target]) if ids is None else ids, code)
    places = Places(labels=None if isinstance(frame.index, pd.RangeIndex) else frame.index)
    times = read_times(frame[times_in], times_in, places, series=names, time_format=time_format, tz=tz)
    bins = bin_rows(code, times.counts, parse_bins(every, times.tz, times.integer))
    _refuse_growth(bins, every, len(frame))
    if bins.empty and how[target] == "sum":
        warnings.warn(
            DataWarning(f"{bins.empty} bins of {bins.grid.freq!r} have no row: their sum is missing, not 0"),
            stacklevel=2,
        )
    owner, counts, spots = every_bin(bins)
    columns: dict[Any, Any] = {}
    for name in frame.columns:
        if name == ids_in:
            assert ids is not None
            columns[name] = ids.take(owner)
        elif name == times_in:
            columns[name] = written(times, counts)
        elif name in how or _is_numeric(frame[name]):
            values = read_numbers(frame[name], name, names, covariate=name != target)
            columns[name] = np.full(len(owner), np.nan)
            columns[name][spots] = aggregate_values(values, bins, how.get(name, "mean"))
        else:
            columns[name] = _last_text(frame[name], bins, spots, len(owner))
    return from_pandas(pd.DataFrame(columns), backend)


def written(times: Times, counts: np.ndarray) -> pd.Index:
    """Counts in the form, zone and resolution in which times came in.

    Args:
        times: as they came in.
        counts: others of the same kind.

    Returns:
        Datetimes, text or numbers.

    Example:
        >>> written(read_times(pd.Series(["01.02.1970", "13.02.1970"]), "ds", Places()), np.array([0])).tolist()
        ['01.01.1970']
    """
    index = times.form.write(counts, times.tz)
    if isinstance(index, pd.DatetimeIndex) and times.unit != "D":
        coarse = index.as_unit(times.unit)
        return coarse if bool((coarse == index).all()) else index
    return index


def _last_text(column: pd.Series, bins: Bins, spots: np.ndarray, size: int) -> pd.Series:
    rows = np.full(size, -1)
    rows[spots] = present_rows(column.notna().to_numpy(dtype=bool), bins)
    return pd.Series(column.array.take(rows, allow_fill=True))


def _refuse_growth(bins: Bins, every: object, rows: int) -> None:
    size = bins.empty + len(bins.starts)
    if size > MANY_ROWS and size > MOST_GROWTH * rows:
        raise DataError(
            f"bins of {every!r} make {size} rows of {rows}, most of them empty; correct a wrong time, or pass a longer "
            "step, such as ",
            Either(python="every='D'", shell="--resample D"),
        )


def _named(frame: pd.DataFrame, name: str, keyword: str) -> str:
    if name not in frame.columns:
        raise DataError(
            f"the frame has no column {name!r}; {did_you_mean(str(name), map(str, frame.columns))} pass ",
            Option(keyword),
        )
    return name


def _time_column(frame: pd.DataFrame) -> str:
    if "ds" in frame.columns:
        return "ds"
    found = [name for name in frame.columns if looks_like_times(frame[name], text_file=False)]
    if len(found) != 1:
        which = f"the columns {', '.join(map(repr, found))} all read as times" if found else "no column reads as times"
        raise DataError(f"{which}; name the one to use with ", Option("time_col", *found[:1]))
    return str(found[0])


def _target_column(frame: pd.DataFrame, *others: str | None) -> str:
    for name in ("y", "value"):
        if name in frame.columns:
            return name
    found = [name for name in frame.columns if name not in others and _is_numeric(frame[name])]
    if len(found) != 1:
        which = f"the columns {', '.join(map(repr, found))} are all numeric" if found else "no column is numeric"
        raise DataError(f"{which}; name the one to aggregate with ", Option("target_col", *found[:1]))
    return str(found[0])


def _is_numeric(column: pd.Series) -> bool:
    return types.is_numeric_dtype(column.dtype) or types.infer_dtype(column, skipna=True) == "decimal"


def _how(frame: pd.DataFrame, aggregate: str | Mapping[str, str], target: str) -> dict[str, str]:
    """The aggregates that are asked for, by column; that of the target always."""
    how = {target: aggregate} if isinstance(aggregate, str) else {target: "mean", **aggregate}
    for name, one in how.items():
        _named(frame, name, "aggregate")
        if one not in AGGREGATES:
            raise DataError(Option("aggregate", one), f" is unknown; there are {', '.join(AGGREGATES)}")
    return how
