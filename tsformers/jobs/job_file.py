"""Job files, pipelines/*.toml: data, models and a backtest, checked before anything runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tsformers.bundled import shipped_folder, shipped_names
from tsformers.catalog import PREPROCESSORS, find_model
from tsformers.datasets.load import recipe
from tsformers.errors import JobError, did_you_mean
from tsformers.evaluation.backtest_result import BacktestResult
from tsformers.evaluation.engines import Engine
from tsformers.evaluation.rolling import QUANTILES, backtest
from tsformers.jobs.build import build
from tsformers.jobs.data_table import DataTable, read_data
from tsformers.jobs.plugins import load_plugins
from tsformers.toml_tables import job_kind, parse_table, read_toml

REPORT = "report.html"  # beside the finished windows


@dataclass(frozen=True, kw_only=True)
class BacktestTable:
    """The table [backtest]: the settings of ``tsformers.backtest`` that decide its numbers."""

    horizon: int
    windows: int = 5
    step: int | None = None
    refit: bool | int | Literal["local"] = False
    metrics: list[str] = field(default_factory=lambda: ["crps", "mase", "coverage_80"])
    n_samples: int = 100
    seed: int = 0
    quantiles: list[float] = field(default_factory=lambda: [*QUANTILES])
    out: str | None = None  # None: runs/ and the name of the job
    season_length: int | None = None  # of scaled scores and of the models; None: the data set's, else by frequency
    history_rows: int | None = None  # given to models before a cutoff; None: all


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

    @property
    def inputs(self) -> list[Path]:
        """The files that its data are read from.

        Example:
            >>> read_job("quickstart").inputs
            []
        """
        data = self.table.data
        return [self.path.parent / name for name in (data.file, data.static) if name is not None]

    def run(
        self,
        *,
        engine: Engine = "local",
        n_jobs: int = 1,
        verbose: bool | None = None,
        note: Callable[[str], object] | None = None,
    ) -> BacktestResult:
        """Load the data, backtest the models and write the report.

        Args:
            engine: as for ``tsformers.backtest``.
            n_jobs: as for ``tsformers.backtest``.
            verbose: progress bar; None = when standard error is a terminal.
            note: is handed each line about what was read.

        Returns:
            Scores, forecasts, failures; finished windows and the report are in ``out``.

        Raises:
            JobError: the data are not available, or ``out`` holds another backtest.
            DataError: the data cannot be used.
            ValueError: a setting is out of range.
        """
        panel, lines = read_data(self.table.data, self.path)
        if note is not None:
            for line in lines:
                note(line)
        chosen = self.table.backtest
        result = backtest(
            self.models,
            panel,
            windows=chosen.windows,
            step=chosen.step,
            refit=chosen.refit,
            metrics=chosen.metrics,
            n_samples=chosen.n_samples,
            seed=chosen.seed,
            quantiles=chosen.quantiles,
            season_length=season_of(self.table),
            history_rows=chosen.history_rows,
            out=self.out,
            engine=engine,
            n_jobs=n_jobs,
            verbose=verbose,
            short=self.table.data.short,
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


def read_job(
    path: str | Path,
    out: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    *,
    season_length: int | None = None,
) -> Job:
    """Read and check a job file; nothing is run and no data are read.

    Args:
        path: as for ``run_job``.
        out: as for ``run_job``.
        plugins: as for ``run_job``.
        season_length: in place of that of the file; None = the file's.

    Returns:
        The job, its models constructed.

    Raises:
        JobError: an unknown key, class or setting, or a missing one; a file of another kind.

    Example:
        >>> sorted(read_job("quickstart").models)
        ['auto', 'autoformer', 'blend', 'ets', 'naive', 'theta']
    """
    found = find_job(path)
    tables = read_toml(found)
    kind = job_kind(tables)
    if kind not in ("backtest", None):
        raise JobError(f"{found}: a file of kind {kind!r} is no backtest; `tsformers reproduce {path}` runs it")
    table = parse_table(JobTable, tables, f"{found}:")
    if season_length is not None:
        table = replace(table, backtest=replace(table.backtest, season_length=season_length))
    if (table.data.dataset is None) == (table.data.file is None):
        raise JobError(f"{found}: data must name either dataset or file; write dataset = 'NAME' or file = 'PATH'")
    if table.data.parts and table.data.dataset is None:
        raise JobError(
            f"{found}: data.parts chooses from a data set's own split, but data.file names a file; remove it"
        )
    if not table.models:
        raise JobError(f"{found}: there is no model; add a table [models.NAME] with class = 'SeasonalNaive'")
    season = season_of(table)
    known = {} if season is None else {"season_length": season, "period": season}
    defaults = {"horizon": table.backtest.horizon} | known
    extra = load_plugins(plugins)
    models = {}
    for name, each in table.models.items():
        shared = table.preprocess if isinstance(each, dict) and "preprocess" not in each else None
        models[name] = table_model(each, defaults, extra, f"{found}: models.{name}", shared)
    folder = out if out is not None else table.backtest.out or Path("runs") / found.stem
    return Job(path=found, table=table, models=models, out=Path(folder))


def season_of(table: JobTable) -> int | None:
    """Steps in a season, for models and scaled scores: what the job says, else the recipe of its data set.

    Args:
        table: of the job file.

    Returns:
        A number of steps; None = by frequency.

    Example:
        >>> season_of(read_job("quickstart").table)
        4
    """
    if table.backtest.season_length is not None or table.data.dataset is None:
        return table.backtest.season_length
    return recipe(table.data.dataset).season


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


def table_model(
    settings: Any,
    defaults: Mapping[str, Any],
    extra: Mapping[str, type],
    place: str,
    shared: list[Any] | None = None,
) -> Any:
    """A table [models.NAME] as a forecaster.

    Args:
        settings: class, settings and preprocessors.
        defaults: settings for those classes that have them, where the table does not set them.
        extra: classes of plug-ins by name.
        place: file and table, for messages.
        shared: the preprocessors of the job; None: it has its own, or none.

    Returns:
        The forecaster, not fitted.

    Raises:
        JobError: an unknown class or setting, or a missing one.

    Example:
        >>> table_model({"class": "Theta"}, {"horizon": 4}, {}, "mine.toml: models.theta").horizon
        4
    """
    if not isinstance(settings, dict):
        raise JobError(f"{place} must be a table, but is {settings!r}; write [models.NAME] and class = 'SeasonalNaive'")
    if not isinstance(settings.get("class"), str):
        raise JobError(
            f"{place}.class is missing; write class = 'SeasonalNaive', or another of `tsformers models list`"
        )
    chosen = {key: value for key, value in settings.items() if key not in ("class", "preprocess")}
    model = build(settings["class"], chosen, place=place, defaults=defaults, extra=extra)
    steps: Any = settings.get("preprocess", []) if shared is None else shared
    where = f"{place}.preprocess" if shared is None else f"{place.partition(': ')[0]}: preprocess"
    if not isinstance(steps, list):
        raise JobError(f"{where} must be a list of tables, such as [{{class = 'Scale'}}], but is {steps!r}")
    built = [_preprocessor(step, defaults, extra, f"{where}[{i}]") for i, step in enumerate(steps)]
    return find_model("Pipeline")(built, model) if built else model


def _preprocessor(step: Any, defaults: Mapping[str, Any], extra: Mapping[str, type], place: str) -> Any:
    if not isinstance(step, dict) or not isinstance(step.get("class"), str):
        raise JobError(f"{place} must be a table with a class, such as {{class = 'Scale'}}, but is {step!r}")
    chosen = {key: value for key, value in step.items() if key != "class"}
    found = build(step["class"], chosen, place=place, defaults=defaults, extra=extra)
    if not all(hasattr(found, name) for name in ("transform", "inverse")):
        raise JobError(f"{place}: {step['class']} is no preprocessor; choose one of {', '.join(PREPROCESSORS)}")
    return found
