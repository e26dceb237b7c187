"""The command `forecast`: a table in, the mean and quantiles of what follows out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
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
    from tsformers.data.blocks.answer_frames import answer_frames
    from tsformers.data.files.block_writing import write_frames
    from tsformers.data.files.table_files import format_of_target
    from tsformers.plotting.axes import off_screen

    levels = numbers("--quantiles", options.quantiles)
    fitted, frame, blocks = forecast_file(file, options, table, levels)
    first = next(blocks)
    if options.save is not None:
        fitted.save(options.save)
    if options.plot is not None:
        with off_screen():
            first.plot(history=frame).savefig(options.plot)
    blocks = chain([first], blocks)
    text = format_of_target(target.output, target.format) == "csv"
    write_frames(answer_frames(blocks, levels, text=text), target.output, target.format)
    report_written(target.output, options.save, options.plot)


def forecast_file(
    file: str, options: ForecastOptions, table: TableInput, quantiles: Sequence[float]
) -> "tuple[Any, pd.DataFrame, Iterator[Forecast]]":
    r"""Forecast a table from a file with a model that is fitted to it, or with one that was saved before.

    Args:
        file: path, or "-" for standard input.
        options: model, settings, covariates and draws; a saved model takes no settings but its own horizon.
        table: how ``file`` is read.
        quantiles: levels of the table.

    Returns:
        The fitted forecaster, the table and the forecast in blocks of series: quantiles at these levels and those of
        the picture.

    Raises:
        JobError: an unknown model or setting, or one that a saved model cannot take.
        DataError: the tables cannot be used.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("unique_id,ds,y\na,1,5\na,2,5\na,3,5\n")
        ...     chosen = ForecastOptions(model="SeasonalNaive", horizon=2)
        ...     _, _, blocks = forecast_file(str(path), chosen, TableInput(), [0.5])
        ...     answer = next(blocks)
        >>> answer.median
        array([[5., 5.]])
    """
    from tsformers import storage
    from tsformers.data.blocks.forecast_blocks import forecast_blocks
    from tsformers.evaluation.worker import fit_whole
    from tsformers.jobs.build import build
    from tsformers.jobs.plugins import load_plugins, saved_classes

    model, seed = options.model, options.seed
    settings = ({} if options.horizon is None else {"horizon": options.horizon}) | assignments(options.set_)
    roles = _roles(options, table)
    extra = load_plugins(options.plugin)
    future = None if options.future is None else read_series(options.future, table, format=False)
    static = None if options.static is None else read_series(options.static, table, format=False)
    drawn: dict[str, Any] = {
        "n_samples": options.n_samples,
        "seed": seed,
        "quantiles": _levels(quantiles, options.plot is not None),
    }
    if Path(model).is_dir() or "/" in model:
        fitted = storage.load(model, saved_classes(extra))
        _refuse_settings(fitted, model, settings, roles)
        frame = read_series(file, table)
        return fitted, frame, forecast_blocks(fitted, frame, future=future, static=static, **drawn)
    if "horizon" not in settings:
        raise JobError("--horizon is missing; give the number of steps to forecast, for example --horizon 12")
    fitted = build(model, settings, place="--model and --set", defaults={"seed": seed}, extra=extra)
    frame = read_series(file, table)
    if static is not None:
        roles["static"] = static
    fit_whole(fitted, frame, **roles)
    return fitted, frame, forecast_blocks(fitted, future=future, **drawn)


def _levels(quantiles: Sequence[float], picture: bool) -> list[float] | None:
    """Levels at which draws are summarised; None: they are kept, since the least and the greatest are asked for."""
    from tsformers.data.forecast import COVERAGES

    if any(level in (0, 1) for level in quantiles):
        return None
    drawn = [end for width in COVERAGES for end in ((1 - width) / 2, 1 - (1 - width) / 2)] if picture else []
    return [*quantiles, *drawn, 0.5]


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
