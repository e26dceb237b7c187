"""The command `forecast`: a table in, the mean and quantiles of what follows out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsformers.cli.bounds import bounded, clipped, with_remarks
from tsformers.cli.options import Frequency, InputFile, PluginFiles, ShortSeries, TableInput, TableOutput
from tsformers.cli.parsing import assignments, frequency, quantile_levels, split_list
from tsformers.cli.reading import panel_like, read_file, read_panel
from tsformers.cli.terminal import check_paths, report_written
from tsformers.errors import JobError
from tsformers.progress import waiting

if TYPE_CHECKING:
    from tsformers.data.forecast import Forecast
    from tsformers.data.panel import Panel


@dataclass(frozen=True, kw_only=True)
class ForecastOptions:
    """Which model forecasts, how far, from what, and where model and picture are kept.

    Example:
        >>> ForecastOptions(horizon=12).model
        'Auto'
    """

    horizon: Annotated[int | None, typer.Option(min=1, help="Steps to forecast.")] = None
    model: Annotated[str, typer.Option(help="Name of a forecaster, or a folder that --save wrote.")] = "Auto"
    time_limit: Annotated[float | None, typer.Option(min=0.1, help="Seconds that Auto may take; default 60.")] = None
    freq: Frequency = None
    known: Annotated[list[str], typer.Option(help="Covariates whose future --future gives; commas.")] = field(
        default_factory=list
    )
    future: Annotated[str | None, typer.Option(help="File with the future of the known covariates.")] = None
    past: Annotated[list[str], typer.Option(help="Covariates of the past; commas; default: all numbers.")] = field(
        default_factory=list
    )
    static: Annotated[str | None, typer.Option(help="File with one row a series.")] = None
    quantiles: Annotated[list[str], typer.Option(help="Levels of the quantile columns.")] = field(
        default_factory=lambda: ["0.1,0.5,0.9"]
    )
    set_: Annotated[list[str], typer.Option("--set", help="Setting of the model, key=value; repeatable.")] = field(
        default_factory=list
    )
    lower: Annotated[float | None, typer.Option(help="No draw or quantile lies below.")] = None
    upper: Annotated[float | None, typer.Option(help="No draw or quantile lies above.")] = None
    n_samples: Annotated[int, typer.Option(min=1, help="Draws behind mean and quantiles.")] = 1000
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.")] = 0
    short: ShortSeries = "error"
    plugin: PluginFiles = field(default_factory=list)
    save: Annotated[Path | None, typer.Option(help="Folder to keep the fitted model in.")] = None
    plot: Annotated[Path | None, typer.Option(help="Picture to draw, such as f.png.")] = None


def forecast(file: InputFile, options: ForecastOptions, target: TableOutput, table: TableInput) -> None:
    """Forecast what follows the last row of every series: mean and quantiles, one row a series and step."""
    from tsformers.data.blocks.answer_frames import answer_frames
    from tsformers.data.files.write import format_of, write_table
    from tsformers.plotting.axes import off_screen

    levels = quantile_levels(options.quantiles)
    check_paths(target, [file, options.future, options.static], plot=options.plot, save=options.save)
    fitted, panel, blocks = forecast_file(file, options, table, levels)
    first = next(blocks)
    if options.save is not None:
        fitted.save(options.save)
    if options.plot is not None:
        with off_screen():
            first.plot(history=panel).savefig(options.plot)
    text = (target.format or format_of(target.output) or "csv") == "csv"
    write_table(answer_frames(chain([first], blocks), levels, text=text), target.output, target.format)
    report_written(target.output, options.save, options.plot)


def forecast_file(
    file: str, options: ForecastOptions, table: TableInput, quantiles: Sequence[float]
) -> "tuple[Any, Panel, Iterator[Forecast]]":
    r"""Forecast a table from a file with a model that is fitted to it, or with one that was saved before.

    Args:
        file: path, or "-" for standard input.
        options: model, settings, covariates and draws; a saved model takes no settings but its own horizon.
        table: how ``file`` is read; the files of covariates have a dialect of their own.
        quantiles: levels of the table.

    Returns:
        The fitted forecaster, the series and the forecast in blocks of series: quantiles at these levels and those of
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
    from tsformers.jobs.build import names_class
    from tsformers.jobs.plugins import load_plugins

    settings = _given(options)
    extra, known = load_plugins(options.plugin), split_list(options.known)
    drawn: dict[str, Any] = {"n_samples": options.n_samples, "seed": options.seed}
    drawn["quantiles"] = _levels(quantiles, options.plot is not None)
    saved = "/" in options.model or (not names_class(options.model, extra) and Path(options.model).is_dir())
    if not saved:
        _refuse_half_plans(known, options.future)
    forecasting = _with_saved if saved else _with_fitted
    fitted, panel, blocks = forecasting(file, options, table, settings, extra, drawn)
    said = {key: getattr(options, key) for key in ("lower", "short", "n_samples", "seed")}
    return fitted, panel, with_remarks(blocks, fitted, panel, quantiles, saved=saved, **said)


def _with_fitted(
    file: str,
    options: ForecastOptions,
    table: TableInput,
    settings: dict[str, Any],
    extra: dict[str, type],
    drawn: dict[str, Any],
) -> "tuple[Any, Panel, Iterator[Forecast]]":
    """A model that is fitted to the file."""
    from tsformers.data.blocks.forecast_blocks import forecast_blocks
    from tsformers.data.dataframes import check_answer_columns
    from tsformers.data.forecast import answer_columns
    from tsformers.data.unused_covariates import warn_unused_covariates
    from tsformers.evaluation.worker import fit_whole
    from tsformers.jobs.build import build

    if "horizon" not in settings:
        raise JobError("--horizon is missing; give the number of steps to forecast, for example --horizon 12")
    fitted = build(options.model, settings, place="--model and --set", defaults={"seed": options.seed}, extra=extra)
    panel = read_panel(
        file,
        table,
        short=options.short,
        freq=frequency(options.freq),
        known=split_list(options.known) or None,
        past=split_list(options.past) or None,
        static=None if options.static is None else read_file(options.static, table, beside=True),
    )
    warn_unused_covariates(fitted, {key: getattr(options, key) for key in ("known", "past", "static")})
    check_answer_columns(panel.schema, answer_columns(drawn["quantiles"] or (0, 1)), "the forecast")
    fitted = bounded(fitted, options.lower, options.upper)
    future = None if options.future is None else read_file(options.future, table, beside=True)
    panel.with_future(future, fitted.horizon)  # a plan that lacks rows is refused before training
    short: Any = options.short  # refused there where it is neither "error" nor "drop"
    with waiting(f"fitting {options.model}"):
        fit_whole(fitted, panel, short=short)
    return fitted, panel, forecast_blocks(fitted, future=future, **drawn)


def _levels(quantiles: Sequence[float], picture: bool) -> list[float] | None:
    """Levels at which draws are summarised; None: they are kept, since the least and the greatest are asked for."""
    from tsformers.data.forecast import COVERAGES

    if any(level in (0, 1) for level in quantiles):
        return None
    drawn = [end for width in COVERAGES for end in ((1 - width) / 2, 1 - (1 - width) / 2)] if picture else []
    return [*quantiles, *drawn, 0.5]


def _with_saved(
    file: str,
    options: ForecastOptions,
    table: TableInput,
    settings: dict[str, Any],
    extra: dict[str, type],
    drawn: dict[str, Any],
) -> "tuple[Any, Panel, Iterator[Forecast]]":
    """A model that was saved before: what its fit understood of its table binds this one."""
    from tsformers import storage
    from tsformers.jobs.plugins import saved_classes

    fitted: Any = storage.load(options.model, saved_classes(extra))
    _refuse_settings(fitted, options, settings)
    static = None if options.static is None else read_file(options.static, table, beside=True)
    bound = hasattr(fitted, "panel_")
    panel = panel_like(fitted, options.model, file, table, static) if bound else read_panel(file, table, static=static)
    future = None if options.future is None else read_file(options.future, table, beside=True)
    return fitted, panel, clipped(fitted, panel, {"future": future, **drawn}, options.lower, options.upper)


def _refuse_half_plans(known: list[str], future: str | None) -> None:
    """Known covariates and the file of their future come together."""
    if known and future is None:
        raise JobError(
            f"--known {','.join(known)} needs the future of these covariates; give a file of id, time and "
            f"{', '.join(known)} as --future FILE, or name them --past to use what is known of them so far"
        )
    if future is not None and not known:
        raise JobError(
            f"--future {future} does nothing without --known; name its covariates, for example --known price, or leave "
            "it out"
        )


def _given(options: ForecastOptions) -> dict[str, Any]:
    """The settings of the model that options and ``--set`` give."""
    given: dict[str, Any] = {} if options.horizon is None else {"horizon": options.horizon}
    if options.time_limit is not None:
        if options.model != "Auto":
            raise JobError(f"--time-limit is of Auto, and {options.model} takes the time it takes; leave it out")
        given["time_limit"] = options.time_limit
    return given | assignments(options.set_)


def _refuse_settings(fitted: Any, options: ForecastOptions, settings: dict[str, Any]) -> None:
    """A fitted model takes no settings but its own horizon, and no roles."""
    given = {"freq": options.freq, "known": options.known, "past": options.past}
    unused = {f"--{key}" for key, value in given.items() if value} | {"--set" for key in settings if key != "horizon"}
    unused |= set() if options.short == "error" else {"--short"}
    if options.save is not None and (options.lower, options.upper) != (None, None):
        raise JobError(
            f"{options.model} is fitted, and --save would not keep --lower and --upper; leave one of them out"
        )
    if settings.get("horizon", fitted.horizon) != fitted.horizon:
        unused.add("--horizon")
    if unused:
        raise JobError(
            f"{options.model} is fitted, for {fitted.horizon} steps, and takes no {', '.join(sorted(unused))}; "
            "leave it out, or fit a new model"
        )
