"""Job files, pipelines/*.toml: data, models and a backtest, checked before anything runs."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from tsformers.bundled import shipped_folder, shipped_names
from tsformers.catalog import PREPROCESSORS, find_model
from tsformers.data.files.plain_frame import read_frame
from tsformers.datasets.load import load_dataset, recipe
from tsformers.errors import JobError, did_you_mean
from tsformers.evaluation.backtest_result import BacktestResult
from tsformers.evaluation.engines import Engine
from tsformers.evaluation.rolling import QUANTILES, backtest
from tsformers.jobs.build import build
from tsformers.jobs.plugins import load_plugins
from tsformers.toml_tables import job_kind, parse_table, read_toml

REPORT = "report.html"  # beside the finished windows


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """The table [data]: a data set or a file, and the roles of its columns; None = that of the recipe, else default."""

    dataset: str | None = None
    file: str | None = None  # relative to the job file
    freq: str | int | None = None
    known: list[str] | None = None
    static: str | None = None  # a file with one row a series, relative to the job file
    id_col: str = "unique_id"
    time_col: str = "ds"
    target_col: str = "y"
    short: Literal["error", "drop"] = "error"
    series: list[str] = field(default_factory=list)  # ids; empty: all
    parts: list[str] = field(default_factory=list)  # of the data set's benchmark split; empty: all rows


@dataclass(frozen=True, kw_only=True)
class BacktestTable:
    """The table [backtest]: the settings of ``tsformers.backtest`` that decide its numbers."""

    horizon: int
    windows: int = 5
    step: int | None = None
    refit: bool | int = False
    metrics: list[str] = field(default_factory=lambda: ["crps", "mase", "coverage_80"])
    n_samples: int = 100
    seed: int = 0
    quantiles: list[float] = field(default_factory=lambda: [*QUANTILES])
    out: str | None = None  # None: runs/ and the name of the job


@dataclass(frozen=True, kw_only=True)
class JobTable:
    """A job file."""

    data: DataTable
    backtest: BacktestTable
    models: dict[str, Any]
    preprocess: list[Any] = field(default_factory=list)  # before every model without a list of its own
    title: str = ""
    kind: Literal["backtest"] = "backtest"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job file that has been read and checked, ready to run.

    Example:
        >>> read_job("quickstart").out.as_posix()
        'runs/quickstart'
    """

    path: Path
    table: JobTable
    models: Mapping[str, Any]
    out: Path

    @property
    def report(self) -> Path:
        """Where the report will be.

        Example:
            >>> read_job("quickstart").report.name
            'report.html'
        """
        return self.out / REPORT

    def run(self, *, engine: Engine = "local", n_jobs: int = 1, verbose: bool | None = None) -> BacktestResult:
        """Load the data, backtest the models and write the report.

        Args:
            engine: as for ``tsformers.backtest``.
            n_jobs: as for ``tsformers.backtest``.
            verbose: progress bar; None = when standard error is a terminal.

        Returns:
            Scores, forecasts, failures; finished windows and the report are in ``out``.

        Raises:
            JobError: the data are not available, or ``out`` holds another backtest.
            DataError: the data cannot be used.
            ValueError: a setting is out of range.
        """
        frame, roles = read_data(self.table.data, self.path)
        chosen = self.table.backtest
        result = backtest(
            self.models,
            frame,
            windows=chosen.windows,
            step=chosen.step,
            refit=chosen.refit,
            metrics=chosen.metrics,
            n_samples=chosen.n_samples,
            seed=chosen.seed,
            quantiles=chosen.quantiles,
            out=self.out,
            engine=engine,
            n_jobs=n_jobs,
            verbose=verbose,
            **roles,
        )
        result.to_html(self.report, title=self.table.title or self.path.stem)
        return result


def run_job(
    path: str | Path,
    out: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    *,
    engine: Engine = "local",
    n_jobs: int = 1,
    verbose: bool | None = None,
) -> BacktestResult:
    r"""Run a job file: load its data, backtest its models, keep the windows and a report in a folder.

    Args:
        path: a TOML file, or the name of a job that came with the package ("quickstart").
        out: folder of the run; None = that of the file, else ``runs/NAME``. The same call resumes from what is there.
        plugins: Python files whose ``FORECASTERS`` may be named as classes.
        engine: as for ``tsformers.backtest``.
        n_jobs: as for ``tsformers.backtest``.
        verbose: progress bar; None = when standard error is a terminal.

    Returns:
        Scores, forecasts, failures, a summary.

    Raises:
        JobError: a key is missing, unknown or out of range; the message names file, key and remedy.
        DataError: the data cannot be used.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> job = '[data]\ndataset = "nile"\n[backtest]\nhorizon = 5\n[models.naive]\nclass = "SeasonalNaive"'
        >>> with TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "mine.toml").write_text(job)
        ...     result = run_job(Path(folder) / "mine.toml", out=Path(folder) / "run")
        >>> result.summary()["model"].tolist()
        ['naive']
    """
    return read_job(path, out, plugins).run(engine=engine, n_jobs=n_jobs, verbose=verbose)


def read_job(path: str | Path, out: str | Path | None = None, plugins: Sequence[str | Path] = ()) -> Job:
    """Read and check a job file; nothing is run and no data are read.

    Args:
        path: as for ``run_job``.
        out: as for ``run_job``.
        plugins: as for ``run_job``.

    Returns:
        The job, its models constructed.

    Raises:
        JobError: an unknown key, class or setting, or a missing one; a file of another kind.

    Example:
        >>> sorted(read_job("quickstart").models)
        ['autoformer', 'ets', 'naive', 'theta']
    """
    found = find_job(path)
    tables = read_toml(found)
    kind = job_kind(tables)
    if kind not in ("backtest", None):
        raise JobError(f"{found}: a file of kind {kind!r} is no backtest; `tsformers reproduce {path}` runs it")
    table = parse_table(JobTable, tables, f"{found}:")
    if (table.data.dataset is None) == (table.data.file is None):
        raise JobError(f"{found}: data must name either dataset or file; write dataset = 'NAME' or file = 'PATH'")
    if table.data.parts and table.data.dataset is None:
        raise JobError(
            f"{found}: data.parts chooses from a data set's own split, but data.file names a file; remove it"
        )
    if not table.models:
        raise JobError(f"{found}: there is no model; add a table [models.NAME] with class = 'SeasonalNaive'")
    season = recipe(table.data.dataset).season if table.data.dataset else None
    known = {} if season is None else {"season_length": season, "period": season}
    defaults = {"horizon": table.backtest.horizon} | known
    extra = load_plugins(plugins)
    models = {}
    for name, each in table.models.items():
        shared = table.preprocess if isinstance(each, dict) and "preprocess" not in each else None
        models[name] = _model(each, defaults, extra, f"{found}: models.{name}", shared)
    folder = out if out is not None else table.backtest.out or Path("runs") / found.stem
    return Job(path=found, table=table, models=models, out=Path(folder))


def find_job(path: str | Path) -> Path:
    """The path of a job file: a file of the caller's, else one that came with the package.

    Args:
        path: a path, or a bare name such as "quickstart" or "pipelines/quickstart.toml".

    Returns:
        An existing file.

    Raises:
        JobError: there is no such file.

    Example:
        >>> find_job("pipelines/quickstart.toml").name
        'quickstart.toml'
    """
    given = Path(path)
    if given.is_file():
        return given
    names = shipped_names("pipelines")
    if given.parent in (Path(), Path("pipelines")) and given.name.removesuffix(".toml") in names:
        return shipped_folder("pipelines") / f"{given.name.removesuffix('.toml')}.toml"
    raise JobError(f"{path}: there is no such job file, nor a job of that name; {did_you_mean(given.stem, names)}")


def read_data(data: DataTable, job: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The frame of a job, and the keywords with which to read it.

    Args:
        data: the table [data].
        job: the job file, for relative paths and messages.

    Returns:
        A long frame and its roles.

    Raises:
        JobError: there is no such data set, series or part.
        DataError: a file cannot be read.

    Example:
        >>> read_data(DataTable(dataset="nile"), Path("mine.toml"))[1]
        {'freq': 'YS'}
    """
    columns = {"id_col": data.id_col, "time_col": data.time_col}
    roles: dict[str, Any] = {}
    if data.dataset is not None:
        roles = recipe(data.dataset).roles
        frame = load_dataset(data.dataset, extra=["split"] if data.parts else [])
        frame = _rows_of(frame, "split", data.parts, f"{job}: data.parts").drop(columns="split", errors="ignore")
    else:
        frame = read_frame(job.parent / str(data.file), **columns)
    if data.series:
        _require_column(frame, data.id_col, f"{job}: data.id_col")
        frame = _rows_of(frame, data.id_col, data.series, f"{job}: data.series")
    if data.static is not None:
        roles["static"] = read_frame(job.parent / data.static, **columns)
    given = {"freq": data.freq, "known": data.known}
    roles |= {key: value for key, value in given.items() if value is not None}
    defaults = DataTable()
    for key in ("id_col", "time_col", "target_col", "short"):
        if getattr(data, key) != getattr(defaults, key):
            roles[key] = getattr(data, key)
    return frame, roles


def _model(
    settings: Any, defaults: Mapping[str, int], extra: Mapping[str, type], place: str, shared: list[Any] | None
) -> Any:
    """A table [models.NAME] as a forecaster; ``shared`` are the preprocessors of the job; None: it has its own."""
    if not isinstance(settings, dict):
        raise JobError(f"{place} must be a table, but is {settings!r}; write [models.NAME] and class = 'SeasonalNaive'")
    if not isinstance(settings.get("class"), str):
        raise JobError(
            f"{place}.class is missing; write class = 'SeasonalNaive', or another of `tsformers models list`"
        )
    chosen = {key: value for key, value in settings.items() if key not in ("class", "preprocess")}
    model = build(settings["class"], chosen, place=place, defaults=defaults, extra=extra)
    steps: Any = settings["preprocess"] if shared is None else shared
    where = f"{place}.preprocess" if shared is None else f"{place.partition(': ')[0]}: preprocess"
    if not isinstance(steps, list):
        raise JobError(f"{where} must be a list of tables, such as [{{class = 'Scale'}}], but is {steps!r}")
    built = [_preprocessor(step, defaults, extra, f"{where}[{i}]") for i, step in enumerate(steps)]
    return find_model("Pipeline")(built, model) if built else model


def _preprocessor(step: Any, defaults: Mapping[str, int], extra: Mapping[str, type], place: str) -> Any:
    if not isinstance(step, dict) or not isinstance(step.get("class"), str):
        raise JobError(f"{place} must be a table with a class, such as {{class = 'Scale'}}, but is {step!r}")
    chosen = {key: value for key, value in step.items() if key != "class"}
    found = build(step["class"], chosen, place=place, defaults=defaults, extra=extra)
    if not all(hasattr(found, name) for name in ("transform", "inverse")):
        raise JobError(f"{place}: {step['class']} is no preprocessor; choose one of {', '.join(PREPROCESSORS)}")
    return found


def _rows_of(frame: pd.DataFrame, column: str, wanted: Sequence[str], place: str) -> pd.DataFrame:
    """The rows whose entry of ``column`` is wanted; an empty list wants all."""
    if not wanted:
        return frame
    offered = [str(entry) for entry in frame[column].unique()]
    for entry in wanted:
        if entry not in offered:
            near = difflib.get_close_matches(entry, offered) or offered[:5]
            raise JobError(f"{place}: {entry!r} is not in the data; they have {', '.join(near)}, ...")
    return frame[frame[column].astype(str).isin(wanted)].reset_index(drop=True)


def _require_column(frame: pd.DataFrame, column: str, place: str) -> None:
    if column not in frame.columns:
        raise JobError(f"{place}: the data have no column {column!r}; {did_you_mean(column, map(str, frame.columns))}")
