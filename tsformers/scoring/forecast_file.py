"""Tables of forecasts and of what happened, from files: long rows whose times and ids compare across files."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.calendar.timestamps import Times
from tsformers.data.dataframes import Frame, Schema
from tsformers.data.forecast import Forecast
from tsformers.data.intake.asked import Asked, asked
from tsformers.data.intake.bound import times_of
from tsformers.data.intake.columns import RowNames
from tsformers.data.intake.ids import Ids, id_columns, ids_of, text_matches
from tsformers.data.intake.numbers import read_numbers
from tsformers.data.intake.roles import find_roles
from tsformers.data.intake.source import Source, source_of
from tsformers.distributions.quantile_columns import level_of_column
from tsformers.errors import DataError

USUAL = ("unique_id", "ds", "y")


class Rows(NamedTuple):
    """Long rows: their series, times and values, and the table that they come from."""

    source: Source
    schema: Schema
    ids: Ids
    times: Times
    values: np.ndarray  # (R, L), one column a column of values

    @property
    def stamps(self) -> Any:
        """The times as whole numbers, stamps, or stamps in UTC."""
        if self.times.integer:
            return self.times.counts
        stamps = pd.DatetimeIndex(self.times.counts.view("M8[ns]"))
        return stamps if self.times.tz is None else stamps.tz_localize("UTC")


def read_forecast(table: Frame, *, freq: str | int | None = None, target_col: str = "y", **roles: Any) -> Forecast:
    """A forecast from the table that ``Forecast.to_frame`` made: its quantiles, or its mean alone where it has none.

    With quantiles the column ``mean`` is not used: mean, median and intervals are those of the quantiles.

    Args:
        table: a file or frame of columns id, time, and ``q0.1``, ``q0.5``, ... or ``mean``; equally many rows a series.
        freq: pandas alias or whole step; None = unknown.
        target_col: what the column of actual values is called.
        **roles: ``id_col``, ``time_col``, ``time_format``, ``tz`` and ``missing`` of ``Panel.from_frame``.

    Returns:
        A forecast with quantiles; stamps with a zone are in UTC.

    Raises:
        DataError: a column is missing, or the series differ in length.

    Example:
        >>> table = pd.DataFrame({"unique_id": "a", "ds": [1, 2], "mean": [5.0, 6.0], "q0.5": [4.0, 5.0]})
        >>> read_forecast(table).median
        array([[4., 5.]])
    """
    source = source_of(table, (), USUAL)
    found = {name: level for name in map(str, source.frame) if (level := level_of_column(name)) is not None}
    levels = dict(sorted(found.items(), key=lambda pair: pair[1])) or {"mean": 0.5}
    if next(iter(levels)) not in source.frame:
        raise DataError(f"{source.places.what} is no forecast: it has neither q0.1, q0.5, ... nor mean")
    rows = read_rows(source, asked(**roles, target_col=next(iter(levels)), past=()), [*levels])
    order = np.lexsort((rows.times.counts, rows.ids.code))
    counts = np.bincount(rows.ids.code)
    if (counts != counts[0]).any():
        usual = int(np.bincount(counts).argmax())
        odd = int(np.flatnonzero(counts != usual)[0])
        raise DataError(
            f"series {plain(rows.ids.names[odd])!r} of the forecast has {counts[odd]} rows, others {usual}; score them "
            "separately"
        )
    n, horizon = len(counts), int(counts[0])
    schema = replace(rows.schema, target_col=target_col)
    values = rows.values[order].reshape(n, horizon, len(levels)).transpose(0, 2, 1)
    times = rows.times.counts[order] if rows.times.integer else rows.times.counts[order].view("M8[ns]")
    stamps = times.reshape(n, horizon)
    return Forecast(rows.ids.names, stamps, values, levels=tuple(levels.values()), freq=freq, schema=schema)


def read_actual(table: Frame, forecast: Forecast, **roles: Any) -> Frame:
    """What happened, as a table in the columns, ids and kind of time of a forecast.

    Args:
        table: a file or frame of id, time and value; without ids, of the one series of the forecast.
        forecast: of ``read_forecast``.
        **roles: keywords of ``Panel.from_frame``.

    Returns:
        The table: a file keeps its lines for messages.

    Raises:
        DataError: the table cannot be read.

    Example:
        >>> forecast = read_forecast(pd.DataFrame({"unique_id": "a", "ds": [1, 2], "mean": [5.0, 6.0]}))
        >>> read_actual(pd.DataFrame({"day": [1, 2], "sales": [4.0, 5.0]}), forecast, time_col="day").columns.tolist()
        ['unique_id', 'ds', 'y']
    """
    source = source_of(table, (), USUAL)
    chosen = asked(**{"past": (), **roles})
    schema = forecast.schema
    rows = read_rows(source, chosen, None, schema.id_sep if schema.id_cols else None)
    names, fitted = rows.ids.names, forecast.ids
    if rows.schema.single and len(fitted) == 1:
        names = fitted
    elif not names.isin(fitted).any():
        same = text_matches(names, fitted)
        names = pd.Index([same.get(name, name) for name in names]) if same else names
    columns = {
        **id_columns(names.take(rows.ids.code), replace(schema, id_kinds=rows.ids.kinds)),
        schema.time_col: rows.stamps,
        schema.target_col: rows.values[:, 0],
    }
    frame = pd.DataFrame(columns)
    return frame if source.table is None else replace(source.table, frame=frame, text=False, unclear={}, reread=None)


def read_rows(source: Source, chosen: Asked, columns: list[str] | None, sep: str | None = None) -> Rows:
    """The rows of a long table, in their order.

    Args:
        source: the table.
        chosen: what the caller chose of its roles.
        columns: of values; None = the target.
        sep: between the parts of joined ids; None = one that no part holds.

    Returns:
        Series, times and values.

    Raises:
        DataError: the table cannot be read.

    Example:
        >>> frame = pd.DataFrame({"unique_id": ["a", "a"], "ds": [1, 2], "y": [5.0, 6.0]})
        >>> read_rows(source_of(frame), Asked(), None).values.tolist()
        [[5.0], [6.0]]
    """
    roles = find_roles(source, chosen)
    ids = ids_of(source, roles.ids, roles.target, sep)
    lookup = RowNames(ids.names, ids.code)
    times = times_of(source, roles.times, lookup, chosen.time_format, chosen.tz)
    names = [roles.target] if columns is None else columns
    values = [read_numbers(source.numeric(name), name, lookup, source.places, missing=chosen.missing) for name in names]
    schema = Schema(
        "/".join(roles.ids) or "unique_id",
        " ".join(roles.times),
        roles.target,
        tz=None if times.tz is None else "UTC",
        id_cols=roles.ids if len(roles.ids) > 1 else (),
        id_sep=ids.sep,
        id_kinds=ids.kinds,
        single=not roles.ids,
    )
    return Rows(source, schema, ids, times, np.column_stack(values))
