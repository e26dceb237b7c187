"""Resample: rows of any times to one row a bin; a bin is labelled by its beginning."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.aggregation import AGGREGATES, Bins, bin_rows, every_bin, present_rows
from tsformers.calendar.aggregation import aggregate as aggregate_values
from tsformers.calendar.bins import parse_bins
from tsformers.calendar.grid import like_times
from tsformers.calendar.regularity import grows_too_much
from tsformers.data.dataframes import Frame, Schema, from_pandas, stamps
from tsformers.data.intake.asked import asked
from tsformers.data.intake.binning import said_of_empty
from tsformers.data.intake.bound import times_of
from tsformers.data.intake.columns import RowNames
from tsformers.data.intake.ids import ids_of
from tsformers.data.intake.kinds import kind_of
from tsformers.data.intake.numbers import read_numbers
from tsformers.data.intake.roles import NUMBERS, Columns, find_roles
from tsformers.data.intake.source import Source, source_of
from tsformers.errors import DataError, DataWarning, did_you_mean
from tsformers.messages import Either, Option

Names = str | Sequence[str]


def resample(
    data: Frame,
    every: str | int,
    *,
    aggregate: str | Mapping[str, str] | None = None,
    id_col: Names | None = None,
    time_col: Names | None = None,
    target_col: str | None = None,
    time_format: str | None = None,
    tz: str | None = None,
) -> Frame:
    """One row for each series and bin of time, labelled by the beginning of the bin.

    Rows may come in any order. Numeric covariates are averaged whatever happens to the target, so that a plan of the
    future may have one row a bin; of text the last value stays. Bins without a row come back with missing values.

    Args:
        data: a long frame (pandas, polars, pyarrow), a pandas Series with a time index, or a file that was read.
        every: a pandas alias such as "30s", "15min", "h", "D", "W-MON" (weeks begin on Monday), "MS", "QS", "YS"; an
            integer for plain counts. Days and longer bins follow the wall clock of the zone.
        aggregate: what becomes of the target in a bin: "mean", "sum", "last", "max", "min" or "first", missing values
            left out; or a mapping of columns to these; None = "mean". Given without ids, rows of one time are one
            series.
        id_col: column of series ids, or several; None = "unique_id" where there is one, else the rows are one series.
        time_col: column of times, or several, which are joined; None = by the rules of ``Panel.from_frame``.
        target_col: column of values; None = by the rules of ``Panel.from_frame``.
        time_format: how the times are written, see ``Panel.from_frame``.
        tz: zone of the times.

    Returns:
        A frame of the same columns in the caller's type, without columns that number the rows; times in the form and
        zone that came in.

    Raises:
        DataError: no such column, step or aggregate, times that cannot be read, text in the target.

    Example:
        >>> import tsformers as tsf
        >>> times = pd.date_range("2024-01-01", periods=4, freq="12h")
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": [1.0, 2.0, 3.0, 4.0]})
        >>> tsf.resample(frame, "D", aggregate="sum")["y"].tolist()
        [3.0, 7.0]
    """
    every = every.strip() if isinstance(every, str) else every
    chosen = asked(
        id_col=id_col, time_col=time_col, target_col=target_col, time_format=time_format, tz=tz, resample=str(every),
        aggregate=None if aggregate is None else "given",
    )  # fmt: skip
    usual = ((chosen.ids or ("unique_id",))[0], (chosen.times or ("ds",))[0], target_col or "y")
    source = source_of(data, chosen.columns, usual)
    roles = find_roles(source, chosen)
    how = _how(source, "mean" if aggregate is None else aggregate, roles.target)
    ids = ids_of(source, roles.ids, roles.target)
    names = RowNames(ids.names, ids.code)
    times = times_of(source, roles.times, names, time_format, tz)
    bins = bin_rows(ids.code, times.counts, parse_bins(every, times.tz, times.integer))
    _refuse_growth(bins, every, len(ids.code))
    if said := said_of_empty(bins, [how[roles.target]]):
        warnings.warn(DataWarning(said), stacklevel=2)
    owner, counts, spots = every_bin(bins)
    first = np.unique(ids.code, return_index=True)[1]
    columns: dict[Any, Any] = {}
    for name in _kept(source, roles):
        if name in roles.ids:
            columns[name] = source.cells(name).array.take(first[owner])
        elif name in roles.times:
            answer = Schema(tz=times.tz, unit=times.unit, form=times.form)
            columns[" ".join(roles.times)] = stamps(like_times(counts, bins.grid), answer)
        elif name in how or kind_of(source.numeric(name)) in NUMBERS:
            values = read_numbers(source.numeric(name), name, names, source.places, covariate=name != roles.target)
            columns[name] = np.full(len(owner), np.nan)
            columns[name][spots] = aggregate_values(values, bins, how.get(name, "mean"))
        else:
            columns[name] = _last_value(source.frame[name], bins, spots, len(owner))
    return from_pandas(pd.DataFrame(columns), source.backend)


def _kept(source: Source, roles: Columns) -> list[str]:
    """The columns of the answer: those of the table, of joined times the first, without numbers of rows."""
    left = {name for name, reason in roles.left_out if reason == "a row number"} | {*roles.times[1:]}
    return [name for name in source.frame.columns if name not in left]


def _last_value(column: pd.Series, bins: Bins, spots: np.ndarray, size: int) -> pd.Series:
    rows = np.full(size, -1)
    rows[spots] = present_rows(column.notna().to_numpy(dtype=bool), bins)
    return pd.Series(column.array.take(rows, allow_fill=True))


def _refuse_growth(bins: Bins, every: object, rows: int) -> None:
    size = bins.empty + len(bins.starts)
    if grows_too_much(size, rows):
        raise DataError(
            f"bins of {every!r} make {size} rows of {rows}, most of them empty; correct a wrong time, or pass a longer "
            "step, such as ",
            Either(python="every='D'", shell="--resample D"),
        )


def _how(source: Source, aggregate: str | Mapping[str, str], target: str) -> dict[str, str]:
    """The aggregates that are asked for, by column; that of the target always."""
    how = {target: aggregate} if isinstance(aggregate, str) else {target: "mean", **aggregate}
    for name, one in how.items():
        if name not in source.frame.columns:
            raise DataError(
                f"{source.places.what} has no column {name!r}; {did_you_mean(str(name), map(str, source.frame))} see ",
                Option("aggregate"),
            )
        if one not in AGGREGATES:
            raise DataError(Option("aggregate", one), f" is unknown; there are {', '.join(AGGREGATES)}")
    return how
