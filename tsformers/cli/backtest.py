"""The command `backtest`: the models of a job file on rolling windows."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from tsformers.cli.options import PluginFiles, TableOutput
from tsformers.cli.terminal import print_line, show


@dataclass(frozen=True, kw_only=True)
class BacktestOptions:
    """Where a backtest runs and is kept, and how many models run at a time."""

    out: Annotated[Path | None, typer.Option(help="Folder of the run; default: the job's, else runs/NAME.")] = None
    plugin: PluginFiles = field(default_factory=list)
    engine: Annotated[str, typer.Option(help="local, ray, dask or spark.")] = "local"
    n_jobs: Annotated[int, typer.Option(help="Models that run at a time; -1: one a processor.")] = 1
    verbose: Annotated[bool | None, typer.Option(help="Progress bar; default: on a terminal.")] = None


def backtest(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A TOML file, or the name of a job of ours: quickstart.")],
    options: BacktestOptions,
    target: TableOutput,
) -> None:
    """Backtest the models of a job file; finished windows are kept, and the same command resumes from them."""
    from tsformers.jobs.job_file import read_job

    checked = read_job(job, options.out, options.plugin)
    engine: Any = options.engine  # the backtest refuses unknown ones
    result = checked.run(engine=engine, n_jobs=options.n_jobs, verbose=options.verbose)
    title = checked.table.title or checked.path.stem
    show(result.ranking(), target, title=title, wide=("windows", "fit_seconds", "predict_seconds"))
    print_line(f"report: {checked.report}")
    if not len(result.tables["scores"]):
        first = result.tables["failures"]["error"].iloc[0]
        raise ValueError(f"no model finished a window; the first error was: {first}")
