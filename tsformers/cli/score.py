"""The command `score`: a forecast file against a file of actual values."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from tsformers.data.dataframes import Schema
from tsformers.data.files.table_files import read_table
from tsformers.data.forecast import Forecast
from tsformers.errors import DataError
from tsformers.scoring.table import score

QUANTILE_COLUMN = re.compile(r"q(0?\.\d+)")


def score_files(
    forecast: str,
    actual: str,
    history: str | None = None,
    *,
    metrics: Sequence[str],
    by: Literal["unique_id", "horizon"] | None,
    columns: Mapping[str, str],
    freq: str | int | None = None,
    season_length: int | None = None,
    format: str | None = None,
) -> pd.DataFrame:
    """Score a forecast that was written to a file.

    Args:
        forecast: what the command ``forecast`` wrote; "-" is standard input.
        actual: a table with id, time and value.
        history: a table of what was known before; None where no metric needs it.
        metrics: as for ``tsformers.score``.
        by: as for ``tsformers.score``.
        columns: ``id_col``, ``time_col`` and ``target_col``.
        freq: pandas alias or whole step; None = that of the history.
        season_length: steps in a season, for scaled errors; None = by frequency.
        format: of the tables; None = by suffix or first bytes.

    Returns:
        What ``tsformers.score`` returns.

    Raises:
        DataError: a table cannot be used.
        ValueError: an unknown metric.
    """
    if forecast == "-" and "-" in (actual, history):
        raise DataError("only one table can come from standard input; give the other as a file")
    named = {key: columns[key] for key in ("id_col", "time_col")}
    answer = read_forecast(read_table(forecast, format, **named), freq=freq, **columns)
    known = None if history is None else read_table(history, format, **named)
    happened = read_table(actual, format, **named)
    return score(answer, happened, history=known, metrics=list(metrics), by=by, season_length=season_length)


def read_forecast(
    frame: pd.DataFrame,
    *,
    freq: str | int | None = None,
    id_col: str = "unique_id",
    time_col: str = "ds",
    target_col: str = "y",
) -> Forecast:
    """The forecast that ``to_frame`` made a table of: its quantiles, or its mean alone where there are none.

    With quantiles the column ``mean`` is not used: mean, median and intervals are those of the quantiles.

    Args:
        frame: columns id, time, and ``q0.1``, ``q0.5``, ... or ``mean``; equally many rows a series.
        freq: pandas alias or whole step; None = unknown.
        id_col: column of ids.
        time_col: column of times.
        target_col: what the column of actual values is called.

    Returns:
        A forecast with quantiles.

    Raises:
        DataError: a column is missing, or the series differ in length.

    Example:
        >>> table = pd.DataFrame({"unique_id": "a", "ds": [1, 2], "mean": [5.0, 6.0], "q0.5": [4.0, 5.0]})
        >>> read_forecast(table).median
        array([[4., 5.]])
    """
    levels = {name: float(match[1]) for name in map(str, frame.columns) if (match := QUANTILE_COLUMN.fullmatch(name))}
    levels = dict(sorted(levels.items(), key=lambda pair: pair[1])) or {"mean": 0.5}
    for name in (id_col, time_col, *levels):
        if name not in frame.columns:
            raise DataError(
                f"the forecast has no column {name!r}; it needs {id_col}, {time_col} and q0.1, q0.5, ... or mean"
            )
    frame = frame.sort_values([id_col, time_col], kind="stable")
    rows = frame.groupby(id_col, sort=False).size()
    if rows.nunique() != 1:
        odd = rows.index[(rows != rows.mode().iloc[0]).to_numpy()][0]
        raise DataError(
            f"series {odd!r} of the forecast has {rows[odd]} rows, others {rows.mode().iloc[0]}; score them apart"
        )
    n, horizon = len(rows), int(rows.iloc[0])
    zone = getattr(frame[time_col].dtype, "tz", None)
    times = frame[time_col].dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else frame[time_col]
    schema = Schema(id_col, time_col, target_col, tz=None if zone is None else str(zone))
    values = frame[[*levels]].to_numpy(np.float64).reshape(n, horizon, len(levels)).transpose(0, 2, 1)
    stamps = times.to_numpy().reshape(n, horizon)
    return Forecast(rows.index, stamps, values, levels=tuple(levels.values()), freq=freq, schema=schema)
