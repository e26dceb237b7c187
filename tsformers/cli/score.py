"""The command `score`: a forecast file against a file of actual values."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.options import TableInput, TableOutput
from tsformers.cli.parsing import split_list
from tsformers.cli.reading import read_series
from tsformers.cli.terminal import show
from tsformers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

    from tsformers.data.forecast import Forecast

QUANTILE_COLUMN = re.compile(r"q(0?\.\d+)")


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """Which scores are taken, and over what they are averaged.

    Example:
        >>> ScoreOptions().metrics
        ['crps,mae,smape']
    """

    history: Annotated[str | None, typer.Option(help="What was known before; scaled errors need it.")] = None
    metrics: Annotated[list[str], typer.Option(help="Names of scores; commas.")] = field(
        default_factory=lambda: ["crps,mae,smape"]
    )
    by: Annotated[str | None, typer.Option(help="unique_id or horizon; default: one number a metric.")] = None
    season_length: Annotated[int | None, typer.Option(min=1, help="Of scaled errors; default: by frequency.")] = None


def score(
    forecast: Annotated[str, typer.Argument(metavar="FORECAST", help="What `forecast` wrote; - is standard input.")],
    actual: Annotated[str, typer.Argument(metavar="ACTUAL", help="What happened: id, time, value.")],
    options: ScoreOptions,
    target: TableOutput,
    table: TableInput,
) -> None:
    """Score a forecast that was written to a file against what happened."""
    show(score_files(forecast, actual, options, table), target, title="scores")


def score_files(forecast: str, actual: str, options: ScoreOptions, table: TableInput) -> "pd.DataFrame":
    r"""Score a forecast that was written to a file.

    Args:
        forecast: what the command ``forecast`` wrote; "-" is standard input.
        actual: a table with id, time and value.
        options: metrics as for ``tsformers.score``, and the table of what was known before, where one needs it.
        table: how the files are read.

    Returns:
        What ``tsformers.score`` returns.

    Raises:
        DataError: a table cannot be used.
        ValueError: an unknown metric.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (forecast := Path(folder) / "f.csv").write_text("unique_id,ds,mean\na,1,5\na,2,6\n")
        ...     _ = (actual := Path(folder) / "y.csv").write_text("unique_id,ds,y\na,1,4\na,2,9\n")
        ...     score_files(str(forecast), str(actual), ScoreOptions(metrics=["mae"]), TableInput())
          metric  value
        0    mae    2.0
    """
    from tsformers.scoring.table import score

    if forecast == "-" and "-" in (actual, options.history):
        raise DataError("only one table can come from standard input; give the other as a file")
    names = {"id_col": table.id_col, "time_col": table.time_col, "target_col": table.target_col}
    answer = read_forecast(read_series(forecast, table), **names)
    history = None if options.history is None else read_series(options.history, table)
    by: Any = options.by  # refused there where it is unknown
    return score(
        answer,
        read_series(actual, table),
        history=history,
        metrics=split_list(options.metrics),
        by=by,
        season_length=options.season_length,
    )


def read_forecast(
    frame: "pd.DataFrame",
    *,
    freq: str | int | None = None,
    id_col: str = "unique_id",
    time_col: str = "ds",
    target_col: str = "y",
) -> "Forecast":
    """A forecast from the table that ``Forecast.to_frame`` made: its quantiles, or its mean alone where it has none.

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
        >>> import pandas as pd
        >>> table = pd.DataFrame({"unique_id": "a", "ds": [1, 2], "mean": [5.0, 6.0], "q0.5": [4.0, 5.0]})
        >>> read_forecast(table).median
        array([[4., 5.]])
    """
    import numpy as np

    from tsformers.data.dataframes import Schema
    from tsformers.data.forecast import Forecast

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
            f"series {odd!r} of the forecast has {rows[odd]} rows, others {rows.mode().iloc[0]}; score them separately"
        )
    n, horizon = len(rows), int(rows.iloc[0])
    zone = getattr(frame[time_col].dtype, "tz", None)
    times = frame[time_col].dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else frame[time_col]
    schema = Schema(id_col, time_col, target_col, tz=None if zone is None else str(zone))
    values = frame[[*levels]].to_numpy(np.float64).reshape(n, horizon, len(levels)).transpose(0, 2, 1)
    stamps = times.to_numpy().reshape(n, horizon)
    return Forecast(rows.index, stamps, values, levels=tuple(levels.values()), freq=freq, schema=schema)
