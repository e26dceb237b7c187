"""The command `backtest`: the models of a job file on rolling windows."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from tsformers.cli.options import PluginFiles, TableOutput
from tsformers.cli.terminal import check_paths, inform, print_line, show


@dataclass(frozen=True, kw_only=True)
class BacktestOptions:
    """Where a backtest runs and is kept, and how many models run at a time."""

    out: Annotated[Path | None, typer.Option(help="Folder of the run; default: the job's, else runs/NAME.")] = None
    plugin: PluginFiles = field(default_factory=list)
    season_length: Annotated[
        int | None, typer.Option(min=1, help="Of models and scaled errors; default: the job's, else by frequency.")
    ] = None
    engine: Annotated[str, typer.Option(help="local, ray, dask or spark.")] = "local"
    n_jobs: Annotated[int, typer.Option(help="Models that run at a time; -1: one a processor.")] = 1
    verbose: Annotated[
        bool | None, typer.Option(help="Progress; default: a bar on a terminal, elsewhere a line a minute.")
    ] = None


def backtest(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A TOML file, or the name of a job of ours: quickstart.")],
    options: BacktestOptions,
    target: TableOutput,
) -> None:
    """Backtest the models of a job file; finished windows are kept, and the same command resumes from them.

    The table `data` of the file says how the data are read, with the names of the options of `forecast`: sep, decimal,
    id_col, time_col, wide, time_format, tz, resample, missing and the others.
    """
    from tsformers.jobs.job_file import read_job

    checked = read_job(job, options.out, options.plugin, season_length=options.season_length)
    check_paths(target, [checked.path, *checked.inputs])
    context.obj["tongue"] = "job"  # remedies are keys of the file
    engine: Any = options.engine  # the backtest refuses unknown ones
    result = checked.run(engine=engine, n_jobs=options.n_jobs, verbose=options.verbose, note=inform)
    title = checked.table.title or checked.path.stem
    show(result.ranking(), target, title=title, wide=("windows", "fit_seconds", "predict_seconds"))
    skills = result.skills()
    if skills["clipped"].any():
        inform(f"skill: {skills['clipped'].sum()} of {skills['series'].sum()} ratios were clipped to [0.01, 100]")
    inform(f"report: {checked.report}")
    if not len(result.tables["seconds"]):
        first = result.tables["failures"]["error"].iloc[0]
        print_line(f"tsformers: no model finished a window; the first error was: {first}")
        raise typer.Exit(1)
