"""The commands, a few lines each over jobs/. What takes time to import is imported inside: --help must not wait."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tsformers.cli.terminal import assignments, guarded, numbers, say, show, split_list, told_written, whole, wholes

app = typer.Typer(
    name="tsformers",
    help="Probabilistic forecasts from a table: forecast it, score it, backtest models on it, take it apart.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
datasets = typer.Typer(help="Data sets that load by name.", no_args_is_help=True)
models = typer.Typer(help="Forecasters and their settings.", no_args_is_help=True)
app.add_typer(datasets, name="datasets")
app.add_typer(models, name="models")

Input = Annotated[str, typer.Argument(metavar="FILE", help="CSV, Parquet or JSON lines; - is standard input.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `list` shows it.")]
Output = Annotated[str, typer.Option("--output", "-o", help="File to write; - is standard output.")]
Format = Annotated[str | None, typer.Option(help="csv, parquet or jsonl; default: by the suffix, else csv.")]
InputFormat = Annotated[str | None, typer.Option(help="csv, parquet or jsonl; default: by suffix or first bytes.")]
Plugin = Annotated[list[Path], typer.Option(help="Python file whose FORECASTERS may be used; repeatable.")]
IdCol = Annotated[str, typer.Option(help="Column of series ids.")]
TimeCol = Annotated[str, typer.Option(help="Column of times: ISO 8601, or whole numbers.")]
TargetCol = Annotated[str, typer.Option(help="Column of values.")]


def main(args: Sequence[str] | None = None) -> int:
    """The command ``tsformers``.

    Args:
        args: words after the command's name; None = those of the process.

    Returns:
        Exit code: 0, 2 for a user's mistake, 130 after Ctrl-C, 1 for anything unexpected.

    Example:
        >>> main(["--version"])
        tsformers 0.1.0
        0
    """
    command = typer.main.get_command(app)
    words = sys.argv[1:] if args is None else list(args)
    return guarded(lambda options: command.main(words, prog_name="tsformers", standalone_mode=False, obj=options))


def version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        from tsformers import __version__

        typer.echo(f"tsformers {__version__}")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    _: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """What holds for every command; the help text is the application's."""
    context.obj["debug"] = debug
    logging.basicConfig(format="%(message)s", level=logging.DEBUG if debug else logging.WARNING, force=True)
    for loud in ("matplotlib", "fsspec", "asyncio"):
        logging.getLogger(loud).setLevel(logging.WARNING)


@app.command()
def backtest(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A TOML file, or the name of a job of ours: quickstart.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the run; default: the job's, else runs/NAME.")] = None,
    plugin: Plugin = [],  # noqa: B006
    engine: Annotated[str, typer.Option(help="local, ray, dask or spark.")] = "local",
    n_jobs: Annotated[int, typer.Option(help="Models at work at a time; -1: one a processor.")] = 1,
    verbose: Annotated[bool | None, typer.Option(help="Progress bar; default: on a terminal.")] = None,
    output: Output = "-",
    format: Format = None,
) -> None:
    """Backtest the models of a job file; finished windows are kept, and the same command goes on from them."""
    from tsformers.jobs.job_file import read_job

    checked = read_job(job, out, plugin)
    result = checked.run(engine=engine, n_jobs=n_jobs, verbose=verbose)  # type: ignore[arg-type]
    title = checked.table.title or checked.path.stem
    show(result.ranking(), output, format, title=title, wide=("windows", "fit_seconds", "predict_seconds"))
    say(f"report: {checked.report}")
    if not len(result.tables["scores"]):
        first = result.tables["failures"]["error"].iloc[0]
        raise ValueError(f"no model finished a window; the first error was: {first}")


@app.command()
def forecast(
    file: Input,
    horizon: Annotated[int | None, typer.Option(min=1, help="Steps to forecast.")] = None,
    model: Annotated[str, typer.Option(help="Name of a forecaster, or a folder that --save wrote.")] = "AutoETS",
    freq: Annotated[str | None, typer.Option(help="Pandas alias or whole step; default: inferred.")] = None,
    known: Annotated[list[str], typer.Option(help="Covariates whose future --future gives; commas.")] = [],  # noqa: B006
    future: Annotated[str | None, typer.Option(help="File with the future of the known covariates.")] = None,
    static: Annotated[str | None, typer.Option(help="File with one row of numbers a series.")] = None,
    quantiles: Annotated[list[str], typer.Option(help="Levels of the quantile columns.")] = ["0.1,0.5,0.9"],  # noqa: B006
    set_: Annotated[list[str], typer.Option("--set", help="Setting of the model, key=value; repeatable.")] = [],  # noqa: B006
    n_samples: Annotated[int, typer.Option(min=1, help="Draws behind mean and quantiles.")] = 1000,
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.")] = 0,
    short: Annotated[str, typer.Option(help="Series too short: error, or drop them.")] = "error",
    plugin: Plugin = [],  # noqa: B006
    save: Annotated[Path | None, typer.Option(help="Folder to keep the fitted model in.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture to draw, such as f.png.")] = None,
    output: Output = "-",
    format: Format = None,
    input_format: InputFormat = None,
    id_col: IdCol = "unique_id",
    time_col: TimeCol = "ds",
    target_col: TargetCol = "y",
) -> None:
    """Forecast what follows the last row of every series: mean and quantiles, one row a series and step."""
    from tsformers.cli.forecast import forecast_file
    from tsformers.data.files.table_files import write_table

    levels = numbers("--quantiles", quantiles)
    fitted, frame, answer = forecast_file(
        file,
        model,
        settings={"horizon": horizon} | assignments(set_) if horizon is not None else assignments(set_),
        roles={"freq": whole(freq), "known": split_list(known) or None, "short": short},
        columns={"id_col": id_col, "time_col": time_col, "target_col": target_col},
        beside={"future": future, "static": static},
        plugins=plugin,
        n_samples=n_samples,
        seed=seed,
        format=input_format,
    )
    if save is not None:
        fitted.save(save)
    if plot is not None:
        answer.plot(history=frame).savefig(plot)
    write_table(answer.to_frame(quantiles=levels), output, format)
    told_written(output, save, plot)


@app.command()
def score(
    forecast: Annotated[str, typer.Argument(metavar="FORECAST", help="What `forecast` wrote; - is standard input.")],
    actual: Annotated[str, typer.Argument(metavar="ACTUAL", help="What happened: id, time, value.")],
    history: Annotated[str | None, typer.Option(help="What was known before; scaled errors need it.")] = None,
    metrics: Annotated[list[str], typer.Option(help="Names of scores; commas.")] = ["crps,mae,smape"],  # noqa: B006
    by: Annotated[str | None, typer.Option(help="unique_id or horizon; default: one number a metric.")] = None,
    season_length: Annotated[int | None, typer.Option(min=1, help="Of scaled errors; default: by frequency.")] = None,
    output: Output = "-",
    format: Format = None,
    input_format: InputFormat = None,
    id_col: IdCol = "unique_id",
    time_col: TimeCol = "ds",
    target_col: TargetCol = "y",
) -> None:
    """Score a forecast that was written to a file against what happened."""
    from tsformers.cli.score import score_files

    frame = score_files(
        forecast,
        actual,
        history,
        metrics=split_list(metrics),
        by=by,  # type: ignore[arg-type]
        season_length=season_length,
        format=input_format,
        columns={"id_col": id_col, "time_col": time_col, "target_col": target_col},
    )
    show(frame, output, format, title="scores")


@app.command()
def detect(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Rows to watch; - is standard input.")] = "-",
    model: Annotated[str, typer.Option(help="Folder of a detector; with --fit: a forecaster, or its folder.")] = "",
    alpha: Annotated[float | None, typer.Option(help="Share of false alarms among alarms aimed at.")] = None,
    control: Annotated[str | None, typer.Option(help="LORD, SAFFRON (the default), ADDIS, LOND, ...")] = None,
    decay: Annotated[float | None, typer.Option(help="Memory of an endless stream: 0.99 is about 100 rows.")] = None,
    fit: Annotated[str | None, typer.Option(help="History to make a detector from, kept by --save.")] = None,
    save: Annotated[Path | None, typer.Option(help="Folder to keep the detector of --fit in.")] = None,
    horizon: Annotated[int | None, typer.Option(min=1, help="With --fit: steps that a forecast reaches.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="With --fit: forecaster's setting, key=value.")] = [],  # noqa: B006
    detector: Annotated[list[str], typer.Option(help="With --fit: detector's setting, as refresh=24.")] = [],  # noqa: B006
    freq: Annotated[str | None, typer.Option(help="With --fit: pandas alias or step; default: inferred.")] = None,
    seed: Annotated[int, typer.Option(help="With --fit: same seed, same numbers.")] = 0,
    plugin: Plugin = [],  # noqa: B006
    state: Annotated[Path | None, typer.Option(help="File to go on from, and to keep what was learned in.")] = None,
    fresh_input: Annotated[
        bool, typer.Option("--fresh-input", help="All rows are new: a pipe, a rotated log.")
    ] = False,
    every: Annotated[int, typer.Option(min=1, help="Rows from one state to the next, a minute at most.")] = 10_000,
    follow: Annotated[bool, typer.Option("--follow", help="At the end of the file wait for more.")] = False,
    idle: Annotated[float | None, typer.Option(help="End after so many seconds without a row.")] = None,
    alarms: Annotated[bool, typer.Option("--alarms", help="Write alarms alone.")] = False,
    source: Annotated[str | None, typer.Option(help="redis://host:port/STREAM[?group=G] in place of FILE.")] = None,
    sink: Annotated[str | None, typer.Option(help="redis://host:port/STREAM in place of --output.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the latest rows, such as out.png.")] = None,
    output: Output = "-",
    format: Annotated[str | None, typer.Option(help="csv, parquet or jsonl; default: by suffix, else jsonl.")] = None,
    input_format: InputFormat = None,
    id_col: IdCol = "unique_id",
    time_col: TimeCol = "ds",
    target_col: TargetCol = "y",
) -> None:
    r"""Watch rows as they come and say of each whether it is an anomaly; few alarms are false.

    First, once, from a table of history (id, time, value):

        tsformers detect --fit history.csv --save d/ \
          --model SeasonalNaive --set season_length=1 --horizon 1 \
          --control LORD --alpha 0.1 --decay 0.99

    then, for as long as rows come (JSON lines, CSV or Parquet):

        tsformers detect --model d/ --state d.state \
          < rows.jsonl >> decisions.jsonl

    Killed at any moment and started again in the same way, it goes on behind
    the last state: what it writes twice bears the same row number, and with
    --output nothing is written twice. The state holds a place in the input too:
    a pipe that does not repeat its rows, or another file, needs --fresh-input. A
    decision holds row, id, time, value, expected, lower, upper, p_value, level,
    anomaly, status ("tested", or what else) and why. docs/anomalies.md tells
    what each odd row gets.
    """
    import tsformers.streaming.detectors as job
    from tsformers.cli.terminal import refuse_idle, told_watched

    refuse_idle(context, fitting=fit is not None)
    if fit is not None:
        settings = assignments(set_) | ({"horizon": horizon} if horizon is not None else {})
        columns = {"id_col": id_col, "time_col": time_col, "target_col": target_col}
        made = job.make(
            fit, model or "SeasonalNaive", save, settings=settings, watching=assignments(detector),
            control=(control, alpha, decay), roles={"freq": whole(freq), **columns}, plugins=plugin, seed=seed,
            format=input_format,
        )  # fmt: skip
        say(made)
        say(f"wrote {save}")
        return
    job.run(
        model, source or file, sink or output, control=(control, alpha, decay), plot=plot, plugins=plugin, state=state,
        fresh_input=fresh_input, every=every, follow=follow, idle=idle, alarms_only=alarms, format=format,
        input_format=input_format, tell=told_watched,
    )  # fmt: skip


@app.command()
def decompose(
    file: Input,
    method: Annotated[str, typer.Option(help="moving_average, stl, or mstl for several seasons.")] = "stl",
    period: Annotated[list[str], typer.Option(help="Rows of a season; commas; default: by frequency.")] = [],  # noqa: B006
    freq: Annotated[str | None, typer.Option(help="Pandas alias or whole step; default: inferred.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture to draw, such as parts.png.")] = None,
    ids: Annotated[list[str], typer.Option(help="Series in the picture; commas; default: the first three.")] = [],  # noqa: B006
    output: Output = "-",
    format: Format = None,
    input_format: InputFormat = None,
    id_col: IdCol = "unique_id",
    time_col: TimeCol = "ds",
    target_col: TargetCol = "y",
) -> None:
    """Take every series apart: trend, seasonal parts and remainder, which add up to the value."""
    from tsformers.cli.decompose import decompose_file
    from tsformers.data.files.table_files import write_table

    periods = wholes("--period", period)
    parts = decompose_file(
        file,
        settings={"method": method, "period": periods if len(periods) > 1 else periods[0] if periods else None},
        roles={"freq": whole(freq), "id_col": id_col, "time_col": time_col, "target_col": target_col},
        plot=plot,
        ids=split_list(ids),
        format=input_format,
    )
    write_table(parts, output, format)
    told_written(output, plot)


@app.command()
def cluster(
    file: Input,
    clusters: Annotated[list[str], typer.Option(help="How many; several, by commas, are tried; default: 1 to 8.")] = [],  # noqa: B006
    method: Annotated[str, typer.Option(help="transformer or ar (MixSeq), kmeans or gmm (on features).")] = "ar",
    shares: Annotated[bool, typer.Option("--shares", help="Probabilities of all clusters too (MixSeq).")] = False,
    set_: Annotated[list[str], typer.Option("--set", help="Setting of the clusterer, key=value.")] = [],  # noqa: B006
    seed: Annotated[int, typer.Option(help="Same seed, same clusters.")] = 0,
    save: Annotated[Path | None, typer.Option(help="Folder to keep the fitted clusterer in.")] = None,
    freq: Annotated[str | None, typer.Option(help="Pandas alias or whole step; default: inferred.")] = None,
    output: Output = "-",
    format: Format = None,
    input_format: InputFormat = None,
    id_col: IdCol = "unique_id",
    time_col: TimeCol = "ds",
    target_col: TargetCol = "y",
) -> None:
    """Sort series into clusters by how they move: one row a series."""
    from tsformers.cli.cluster import cluster_file
    from tsformers.data.files.table_files import write_table

    answer = cluster_file(
        file,
        n_clusters=wholes("--clusters", clusters),
        method=method,
        settings=assignments(set_),
        roles={"freq": whole(freq), "id_col": id_col, "time_col": time_col, "target_col": target_col},
        shares=shares,
        save=save,
        seed=seed,
        format=input_format,
    )
    write_table(answer, output, format)
    told_written(output, save)
    say(
        f"clusters: {', '.join(f'{n} series in {k}' for k, n in answer['cluster'].value_counts().sort_index().items())}"
    )


@app.command()
def segment(
    file: Input,
    regimes: Annotated[int | None, typer.Option(min=1, help="How many regimes.")] = None,
    model: Annotated[str | None, typer.Option(help="Folder of a saved REDSDS; default: one is fitted.")] = None,
    max_duration: Annotated[int | None, typer.Option(min=1, help="Longest run that the duration law counts.")] = None,
    method: Annotated[str, typer.Option(help="posterior (likeliest regime of each row) or viterbi.")] = "posterior",
    set_: Annotated[list[str], typer.Option("--set", help="Setting of REDSDS, key=value; repeatable.")] = [],  # noqa: B006
    seed: Annotated[int, typer.Option(help="Same seed, same regimes.")] = 0,
    save: Annotated[Path | None, typer.Option(help="Folder to keep the fitted model in.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture; default: beside the output, or FILE_regimes.png.")] = None,
    ids: Annotated[list[str], typer.Option(help="Series in the picture; commas; default: the first three.")] = [],  # noqa: B006
    freq: Annotated[str | None, typer.Option(help="Pandas alias or whole step; default: inferred.")] = None,
    output: Output = "-",
    format: Format = None,
    input_format: InputFormat = None,
    id_col: IdCol = "unique_id",
    time_col: TimeCol = "ds",
    target_col: TargetCol = "y",
) -> None:
    """Find regimes that last: for every row its regime, how sure, how much longer; and a picture coloured by regime."""
    from tsformers.cli.segment import segment_file
    from tsformers.data.files.table_files import write_table

    given = {"n_regimes": regimes, "max_duration": max_duration}
    chosen = {key: value for key, value in given.items() if value is not None} | assignments(set_)
    if plot is None:
        stem = "data" if file == "-" else Path(file).stem
        plot = Path(f"{stem}_regimes.png") if output == "-" else Path(output).with_suffix(".png")
    answer, fitted = segment_file(
        file,
        model=model,
        settings=chosen if model is not None else {"seed": seed, **chosen},
        roles={"freq": whole(freq), "id_col": id_col, "time_col": time_col, "target_col": target_col},
        method=method,
        plot=plot,
        ids=split_list(ids),
        format=input_format,
    )
    if save is not None:
        fitted.save(save)
    write_table(answer, output, format)
    told_written(output, save, plot)


@app.command()
def reproduce(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a published table of ours, or a TOML file.")],
    dataset: Annotated[str | None, typer.Option(help="This data set alone; default: the whole table.")] = None,
    horizon: Annotated[int | None, typer.Option(help="This horizon alone; default: the whole table.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many; default: as many as the file says.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; default: runs/reproduce/ and the file's name.")
    ] = None,
    plugin: Plugin = [],  # noqa: B006
    output: Output = "-",
    format: Format = None,
) -> None:
    """Measure a published table again, its numbers beside ours; finished cells are kept, and the rest goes on.

    mse and mae are over all test windows, mse_32 and mae_32 over the first whole batches of 32, as older tables are.
    """
    from tsformers.reproduction.dispatch import read_published

    asked = read_published(model, dataset=dataset, horizon=horizon, seeds=seeds, out=out, plugins=plugin)
    say(asked.about)
    show(asked.run(say), output, format, title=asked.table.title, wide=asked.wide)
    say(f"published: {asked.table.source}; results: {asked.out}")


@datasets.command("list")
def datasets_list(output: Output = "-", format: Format = None) -> None:
    """All data sets that load by name, and which of them are on this machine."""
    from tsformers.datasets.load import catalogue

    show(catalogue(), output, format, wide=("horizons", "licence"))


@datasets.command("show")
def datasets_show(name: Name, output: Output = "-", format: Format = None) -> None:
    """Where a data set comes from, its licence, columns, frequency and benchmark."""
    import pandas as pd

    from tsformers.datasets.load import recipe

    facts = recipe(name).facts()
    show(pd.DataFrame({"key": [*facts], "value": [*facts.values()]}), output, format)


@datasets.command("export")
def datasets_export(
    name: Name,
    extra: Annotated[list[str], typer.Option(help="Further columns, as `show` lists them; commas.")] = [],  # noqa: B006
    output: Output = "-",
    format: Format = None,
) -> None:
    """Write a data set as a long table: unique_id, ds, y and its covariates."""
    from tsformers.data.files.table_files import write_table
    from tsformers.datasets.load import load_dataset

    write_table(load_dataset(name, extra=split_list(extra)), output, format)


@models.command("list")
def models_list(plugin: Plugin = [], output: Output = "-", format: Format = None) -> None:  # noqa: B006
    """All forecasters by name, with one line about each."""
    import pandas as pd

    from tsformers.jobs.build import catalogue, load_plugins

    named = catalogue(load_plugins(plugin))
    show(pd.DataFrame({"model": [*named], "about": [*named.values()]}), output, format)


@models.command("show")
def models_show(name: Name, plugin: Plugin = [], output: Output = "-", format: Format = None) -> None:  # noqa: B006
    """The settings of a forecaster, their defaults and what they mean."""
    import pandas as pd

    from tsformers.jobs.build import about, find_forecaster, load_plugins, settings_of

    kind = find_forecaster(name, load_plugins(plugin))
    show(pd.DataFrame(settings_of(kind)), output, format, title=f"{name}: {about(kind)}")
