"""The command `backtest`: the models of a job file on rolling windows."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from tsformers.cli.options import PluginFiles, TableOutput
from tsformers.cli.terminal import check_paths, inform, print_line, show
from tsformers.errors import JobError


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


@dataclass(frozen=True, kw_only=True)
class BoardOptions:
    """Which part of a leaderboard is measured, and where its page is written."""

    only: Annotated[
        list[str], typer.Option(help="Of a leaderboard: PANEL/MODEL/SEED, or the first parts; * fits all; repeatable.")
    ] = field(default_factory=list)
    page: Annotated[
        Path | None, typer.Option(help="Of a leaderboard: the page; default: docs/results/, else beside the results.")
    ] = None
    page_only: Annotated[bool, typer.Option(help="Of a leaderboard: write the page of what is there.")] = False


def backtest(
    context: typer.Context,
    job: Annotated[
        str, typer.Argument(metavar="JOB", help="A TOML file, or the name of a job of ours: quickstart, leaderboard.")
    ],
    options: BacktestOptions,
    part: BoardOptions,
    target: TableOutput,
) -> None:
    """Backtest the models of a job file; finished windows are kept, and the same command resumes from them.

    The table `data` of the file says how the data are read, with the names of the options of `forecast`: sep, decimal,
    id_col, time_col, wide, time_format, tz, resample, missing and the others. `leaderboard` measures every forecaster
    on many panels and writes a page.
    """
    from tsformers.reproduction.leaderboard.tables import find_board

    if find_board(job) is not None:
        _measure_leaderboard(job, options, part, target)
        return
    if part != BoardOptions():
        raise JobError(f"{job} is no leaderboard, and --only, --page and --page-only choose a part of one; remove them")
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


def _measure_leaderboard(job: str, options: BacktestOptions, part: BoardOptions, target: TableOutput) -> None:
    """Measure what is missing of a leaderboard, and write its page."""
    from tsformers.reproduction.leaderboard.board import read_leaderboard
    from tsformers.reproduction.leaderboard.page import summary, write_page

    if options.season_length is not None or options.engine != "local" or options.n_jobs != 1:
        raise JobError(
            f"{job} is a leaderboard: one process measures it, with the seasons of its files; remove "
            "--season-length, --engine and --n-jobs"
        )
    check_paths(target, [], page=part.page)
    board = read_leaderboard(job, options.out, options.plugin)
    if not part.page_only:
        board.run(part.only, inform)
    wide = ("coverage_80", "coverage_95", "seconds")
    show(summary(board), target, title=f"{board.table.title}: relative to {board.table.reference}", wide=wide)
    inform(f"page: {write_page(board, part.page)}")
