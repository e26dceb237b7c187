"""The command `score`: a forecast file against a file of actual values."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.options import TableInput, TableOutput
from tsformers.cli.parsing import split_list
from tsformers.cli.reading import held_warnings, read_file, read_panel, roles_of
from tsformers.cli.terminal import check_paths, inform, show
from tsformers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

    from tsformers.data.forecast import Forecast
    from tsformers.data.panel import Panel

BOTH = ("id_col", "time_col", "time_format", "tz")  # roles that forecast and actual values share


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
    check_paths(target, [forecast, actual, options.history])
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
    from tsformers.data.files.long_table import file_line
    from tsformers.scoring.forecast_file import read_actual, read_forecast
    from tsformers.scoring.table import find_metric, score

    inputs = (forecast, actual, options.history)
    if inputs.count("-") > 1:
        raise DataError("only one table can come from standard input; give the others as files")
    metrics = split_list(options.metrics)
    for metric in metrics:
        find_metric(metric)
    roles = roles_of(table)
    target = {"target_col": roles.pop("target_col", None)}
    with held_warnings():
        written = read_file(forecast, table, beside=True)
        answer = read_forecast(written, **{key: value for key, value in roles.items() if key in BOTH})
        happened = read_file(actual, table)
        values = read_actual(happened, answer, **{key: value for key, value in (roles | target).items() if value})
        for source in (written, happened):
            inform(file_line(source))
    history = None if options.history is None else _history(options.history, table, answer)
    by: Any = options.by  # refused there where it is unknown
    return score(answer, values, history=history, metrics=metrics, by=by, season_length=options.season_length)


def _history(file: str, table: TableInput, answer: "Forecast") -> "Panel":
    """What was known before; a table without ids is that of the one series of the forecast."""
    panel = read_panel(file, table)
    if panel.schema.single and len(answer.ids) == 1:
        panel = replace(panel, ids=answer.ids)
    return panel
