"""The command `forecast`: a table in, the mean and quantiles of what follows out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.options import Frequency, InputFile, PluginFiles, TableInput, TableOutput
from tsformers.cli.parsing import assignments, numbers, split_list
from tsformers.cli.reading import read_series, roles_of
from tsformers.cli.terminal import report_written
from tsformers.errors import JobError

if TYPE_CHECKING:
    import pandas as pd  # half a second, which --help need not pay

    from tsformers.data.forecast import Forecast
    from tsformers.data.panel import Roles


@dataclass(frozen=True, kw_only=True)
class ForecastOptions:
    """Which model forecasts, how far, from what, and where model and picture are kept.

    Example:
        >>> ForecastOptions(horizon=12).model
        'AutoETS'
    """

    horizon: Annotated[int | None, typer.Option(min=1, help="Steps to forecast.")] = None
    model: Annotated[str, typer.Option(help="Name of a forecaster, or a folder that --save wrote.")] = "AutoETS"
    freq: Frequency = None
    known: Annotated[list[str], typer.Option(help="Covariates whose future --future gives; commas.")] = field(
        default_factory=list
    )
    future: Annotated[str | None, typer.Option(help="File with the future of the known covariates.")] = None
    static: Annotated[str | None, typer.Option(help="File with one row of numbers a series.")] = None
    quantiles: Annotated[list[str], typer.Option(help="Levels of the quantile columns.")] = field(
        default_factory=lambda: ["0.1,0.5,0.9"]
    )
    set_: Annotated[list[str], typer.Option("--set", help="Setting of the model, key=value; repeatable.")] = field(
        default_factory=list
    )
    n_samples: Annotated[int, typer.Option(min=1, help="Draws behind mean and quantiles.")] = 1000
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.")] = 0
    short: Annotated[str, typer.Option(help="Series too short: error, or drop them.")] = "error"
    plugin: PluginFiles = field(default_factory=list)
    save: Annotated[Path | None, typer.Option(help="Folder to keep the fitted model in.")] = None
    plot: Annotated[Path | None, typer.Option(help="Picture to draw, such as f.png.")] = None


def forecast(file: InputFile, options: ForecastOptions, target: TableOutput, table: TableInput) -> None:
    """Forecast what follows the last row of every series: mean and quantiles, one row a series and step."""
    from tsformers.data.files.write import write_table

    levels = numbers("--quantiles", options.quantiles)
    fitted, frame, answer = forecast_file(file, options, table)
    if options.save is not None:
        fitted.save(options.save)
    if options.plot is not None:
        answer.plot(history=frame).savefig(options.plot)
    write_table(answer.to_frame(quantiles=levels), target.output, target.format)
    report_written(target.output, options.save, options.plot)


def forecast_file(file: str, options: ForecastOptions, table: TableInput) -> "tuple[Any, pd.DataFrame, Forecast]":
    r"""Forecast a table from a file with a model that is fitted to it, or with one that was saved before.

    Args:
        file: path, or "-" for standard input.
        options: model, settings, covariates and draws; a saved model takes no settings but its own horizon.
        table: how ``file`` is read.

    Returns:
        The fitted forecaster, the table and the forecast.

    Raises:
        JobError: an unknown model or setting, or one that a saved model cannot take.
        DataError: the tables cannot be used.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id,ds,y\na,1,5\na,2,5\na,3,5\n")
        ...     chosen = ForecastOptions(model="SeasonalNaive", horizon=2)
        ...     _, _, answer = forecast_file(str(path), chosen, TableInput())
        >>> answer.median
        array([[5., 5.]])
    """
    from tsformers import storage
    from tsformers.evaluation.worker import fit_whole
    from tsformers.jobs.build import build
    from tsformers.jobs.plugins import load_plugins, saved_classes

    model, seed = options.model, options.seed
    settings = ({} if options.horizon is None else {"horizon": options.horizon}) | assignments(options.set_)
    roles = _roles(options, table)
    extra = load_plugins(options.plugin)
    future = None if options.future is None else read_series(options.future, table, format=False)
    static = None if options.static is None else read_series(options.static, table, format=False)
    drawn = {"n_samples": options.n_samples, "seed": seed}
    if Path(model).is_dir() or "/" in model:
        fitted = storage.load(model, saved_classes(extra))
        _refuse_settings(fitted, model, settings, roles)
        frame = read_series(file, table)
        side = {key: value for key, value in (("future", future), ("static", static)) if value is not None}
        return fitted, frame, fitted.predict(frame, **side, **drawn)
    if "horizon" not in settings:
        raise JobError("--horizon is missing; give the number of steps to forecast, for example --horizon 12")
    fitted = build(model, settings, place="--model and --set", defaults={"seed": seed}, extra=extra)
    frame = read_series(file, table)
    if static is not None:
        roles["static"] = static
    fit_whole(fitted, frame, **roles)
    return fitted, frame, fitted.predict(future=future, **drawn)


def _roles(options: ForecastOptions, table: TableInput) -> "Roles":
    roles = roles_of(table, options.freq)
    known, short = split_list(options.known), options.short
    if known:
        roles["known"] = known
    roles["short"] = short  # type: ignore[typeddict-item]  # refused there where it is neither "error" nor "drop"
    return roles


def _refuse_settings(fitted: Any, folder: str, settings: dict[str, Any], roles: "Roles") -> None:
    """A fitted model takes no settings but its own horizon, and no roles beside the names of columns."""
    unused = {f"--{key}" for key in ("freq", "known") if key in roles}
    unused |= {"--set" for key in settings if key != "horizon"}
    if settings.get("horizon", fitted.horizon) != fitted.horizon:
        unused.add("--horizon")
    if unused:
        raise JobError(
            f"{folder} is fitted, for {fitted.horizon} steps, and takes no {', '.join(sorted(unused))}; "
            "leave it out, or fit a new model"
        )
