"""Rolling-origin backtests: windows forecast from the data before their cutoffs, scored, stored and resumed."""

import inspect
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from tsformers.calendar import seasons
from tsformers.data.forecast_checks import level_array
from tsformers.data.panel import Panel, Roles
from tsformers.data.unused_covariates import warn_unused_covariates
from tsformers.errors import DataError, TsformersError
from tsformers.evaluation.backtest_result import BacktestResult
from tsformers.evaluation.engines import ENGINES, Engine, run
from tsformers.evaluation.gather import gather_tables, warn_left_out
from tsformers.evaluation.origins import rolling_origins
from tsformers.evaluation.refits import Refit, fit_windows
from tsformers.evaluation.results import Settings
from tsformers.evaluation.run_folder import RunFolder
from tsformers.evaluation.run_identity import describe, describe_object, fingerprint
from tsformers.evaluation.worker import Outcome, RunContext, Task, run_task
from tsformers.keywords import refuse_unknown
from tsformers.messages import Either, Message, Option, Part
from tsformers.progress import progress
from tsformers.scoring.table import JOINT, find_metric
from tsformers.validation import lacking_parts

if TYPE_CHECKING:
    from tsformers.contracts import Forecaster  # brings torch, which a backtest of classical models does not need


RESERVED = ("model", "window", "series", "cutoff", "mean", "pit", "crps", "metric", "value")  # columns of the tables
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)

logger = logging.getLogger("tsformers.evaluation")


def backtest(
    models: "Mapping[str, Forecaster] | Forecaster",
    df: Any,
    *,
    windows: int = 5,
    step: int | None = None,
    refit: Refit = False,
    metrics: Sequence[str] = ("crps", "mase", "coverage_80"),
    out: str | Path | None = None,
    engine: Engine = "local",
    n_jobs: int = 1,
    n_samples: int = 100,
    quantiles: Sequence[float] = QUANTILES,
    seed: int | None = 0,
    season_length: int | None = None,
    history_rows: int | None = None,
    verbose: bool | None = None,
    **roles: Unpack[Roles],
) -> BacktestResult:
    """Forecast the end of each series from several cutoffs, each time from the data before it, and score the forecasts.

    Window k of W (k = 0 the earliest) ends ``(W - 1 - k) * step`` rows before a series' own last row; its forecast
    starts ``horizon`` rows earlier, at the cutoff. Series that end at different times therefore have different cutoffs
    in one window: a model reads no row of a series after that series' own cutoff, while a series that ends later may
    give a model that learns across series data of a later calendar time. A series whose history is too short for a
    window is left out of that window, with one warning for all.

    With ``short="drop"`` a model may leave out series that it cannot forecast, too short for its context for one; they
    are listed in ``left_out``, one warning names them, and the others are scored. Without it such a window fails.

    Models are cloned; the caller's objects stay unfitted. A model receives a panel that ends at the cutoffs; at
    prediction it holds the known covariates of the next ``horizon`` rows besides. An error in one model is recorded,
    logged and listed in ``failures``; the other models continue. Numbers do not depend on ``engine``, ``n_jobs``, the
    order of models or interruptions: each model and window has its own seed. (The last digits of a neural network
    depend on the number of threads of torch, and workers get fewer: with OMP_NUM_THREADS=1 in the environment all bits
    agree.)

    Args:
        models: by name; one forecaster alone gets the name of its class. All have the same ``horizon``.
        df: anything that ``Panel.from_frame`` takes.
        windows: W cutoffs.
        step: rows between cutoffs; None = the horizon, so that windows do not overlap.
        refit: False = fit once, at the first cutoff, and forecast later windows with that model; True = fit at every
            cutoff; n = at every n-th; "local" = local models, such as Theta, at every cutoff and networks once. A model
            is also fitted again at a window that brings series which were too short for the windows before.
        metrics: scores by name, the first ranks the models; see ``score``.
        out: folder in which each finished window is stored at once. The same call resumes from there and tries failed
            windows again. Models can be added; any other difference is refused. Large tables of the result (more than
            131,072 rows of forecasts) are read from it when they are asked for. None = nothing is written.
        engine: "local" processes, or "ray", "dask", "spark" through joblib; with these, ``out`` must be a folder that
            all workers can reach.
        n_jobs: models (with ``refit``, runs of windows) in parallel; 1 = this process, -1 = every processor.
        n_samples: draws of each model.
        quantiles: levels of the quantile columns of ``forecasts``.
        seed: of fits and forecasts; settings ``seed=None`` inside the models are filled from it. None = random seeds.
        season_length: steps in a season, for metrics relative to the history ("mase", "rmsse", "msis", "owa"); None =
            by frequency. Seasons of the models are settings of theirs.
        history_rows: at most so many rows before a cutoff are given to models; None = all. Metrics relative to the
            history take all of it.
        verbose: progress bar; None = when standard error is a terminal.
        **roles: the keywords of ``Panel.from_frame``; ``short`` is handed to ``fit`` too.

    Returns:
        Scores, forecasts, failures, series left out, a summary and a report.

    Raises:
        DataError: the data cannot be used, or no series is long enough for one window.
        JobError: ``out`` holds another backtest.
        ValueError: models of different horizons, or a setting out of range.
        TypeError: an entry of ``models`` is no forecaster, or a keyword that there is not.
        ImportError: the engine's package is missing.

    Example:
        >>> import pandas as pd
        >>> from tsformers import SeasonalNaive
        >>> df = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2.0, 3.0, 4.0] * 10})
        >>> models = {f"season {m}": SeasonalNaive(horizon=4, season_length=m) for m in (1, 4)}
        >>> backtest(models, df, windows=2).summary()[["model", "skill", "windows", "failures"]].round(2)
              model  skill  windows  failures
        0  season 4   0.99        2         0
        1  season 1   0.00        2         0
    """
    began = time.perf_counter()
    refuse_unknown(roles, "backtest", [*KEYWORDS, *Roles.__annotations__])
    named, short = _named(models), roles.get("short", "error")
    horizon = _common_horizon(named)
    settings = Settings(
        horizon=horizon,
        windows=windows,
        step=horizon if step is None else step,
        refit=refit,
        metrics=(metrics,) if isinstance(metrics, str) else tuple(metrics),
        n_samples=n_samples,
        quantiles=tuple(sorted({float(level) for level in level_array(quantiles)})),
        seed=seed,
        season_length=season_length,
        history_rows=history_rows,
    )
    warn_unused_covariates(list(named.values()), roles)
    given = Panel.from_frame(df, **roles)
    panel = replace(given, schema=replace(given.schema, backend="pandas"))
    if season_length == seasons.season_length(panel.grid):
        settings = replace(settings, season_length=None)  # not named in run folders, so that older ones go on
    _check(settings, engine, n_jobs, panel)
    origins = rolling_origins(panel, horizon, settings.windows, settings.step, settings.history_rows)
    context = RunContext(origins, settings, _open_folder(out, settings, short, panel, named), short)
    outcomes = _run_tasks(context, named, engine, n_jobs, verbose)
    tables = gather_tables(context, outcomes, list(named))
    warn_left_out(tables["left_out"], panel)
    return BacktestResult(
        models=tuple(named),
        reference=_reference(named),
        settings=settings,
        panel=panel,
        tables=tables,
        described={name: describe_object(model) for name, model in named.items()},
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.perf_counter() - began,
        backend=given.schema.backend,
    )


KEYWORDS = tuple(name for name, has in inspect.signature(backtest).parameters.items() if has.kind is has.KEYWORD_ONLY)


def _open_folder(
    out: str | Path | None, settings: Settings, short: str, panel: Panel, models: Mapping[str, Any]
) -> RunFolder | None:
    if out is None:
        return None
    recorded = settings.as_dict() | ({} if short == "error" else {"short": short})
    return RunFolder.open(out, recorded, fingerprint(panel), {name: describe(model) for name, model in models.items()})


def _run_tasks(
    context: RunContext, models: Mapping[str, Any], engine: Engine, n_jobs: int, verbose: bool | None
) -> dict[tuple[str, int], Outcome]:
    """Outcomes of all windows that were not finished; one log line for each model that failed."""
    tasks = [task for name, model in models.items() for task in _tasks(context, name, model)]
    here = engine == "local" and n_jobs == 1
    total = len(models) * context.settings.windows
    kept = total - sum(len(task.windows) for task in tasks)
    outcomes: list[Outcome] = []
    with progress(total, verbose, "backtest", unit=" windows", done=kept, leave=True) as bar:
        calls = [(context, task, bar.update) if here else (context, task) for task in tasks]
        for finished in run(run_task, calls, engine, n_jobs):
            outcomes += finished
            bar.update(0 if here else len(finished))
    for name in models:
        errors = [outcome.error for outcome in outcomes if outcome.model == name and outcome.error]
        if errors:
            logger.warning("model %r failed in %d of its windows, the first time with %s", name, len(errors), errors[0])
    return {(outcome.model, outcome.window): outcome for outcome in outcomes}


def _tasks(context: RunContext, name: str, model: Any) -> list[Task]:
    """The unfinished windows of one model, a task for each cutoff at which it is fitted."""
    origins, folder, tasks = context.origins, context.folder, []
    for start, stop in pairwise([*fit_windows(origins, model, context.settings.refit), context.settings.windows]):
        block = [k for k in origins.windows if start <= k < stop]
        unfinished = tuple(k for k in block if folder is None or not folder.is_finished(name, k))
        if unfinished:
            tasks.append(Task(name, model, start, unfinished, reused=len(block) > 1))
    return tasks


def _check(settings: Settings, engine: str, n_jobs: int, panel: Panel) -> None:
    """Refuse before any fit what would fail after it."""
    if not settings.metrics:
        raise TsformersError("metrics is empty; name at least one, for example ", Option("metrics", ["crps"]))
    for metric in settings.metrics:
        find_metric(metric)
        if metric in JOINT:
            raise ValueError(f"metric {metric!r} is one number for all series, a backtest scores each; leave it out")
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    if n_jobs == 0 or isinstance(n_jobs, bool) or not isinstance(n_jobs, int):
        raise ValueError(f"n_jobs must be a whole number, 1 = this process, -1 = every processor; got {n_jobs!r}")
    schema = panel.schema
    for column in (*(schema.id_cols or (schema.id_col,)), schema.time_col, schema.target_col):
        if column in RESERVED or column in settings.quantile_columns:
            raise DataError(
                f"column {column!r} of the data is also a column of the result; rename it, e.g. to '{column}_'"
            )


def _named(models: "Mapping[str, Forecaster] | Forecaster") -> dict[str, Any]:
    """The models by name, each a forecaster."""
    named = dict(models) if isinstance(models, Mapping) else {type(models).__name__: models}
    if not named:
        raise TsformersError(
            "models is empty; give at least one, for example ",
            Either("{'naive': SeasonalNaive(horizon=24)}", "[models.naive] with class = 'SeasonalNaive'"),
        )
    for name, model in named.items():
        lacks = lacking_parts(model)
        if lacks or isinstance(model, type) or not isinstance(name, str):
            given: Part = Either("; give an object, for example Theta(horizon=8)", "")
            raise TypeError(
                Message(
                    f"models must map names to forecasters; {name!r} is {model!r}",
                    f", which lacks {', '.join(lacks)}" if lacks else given,
                )
            )
    return named


def _common_horizon(models: Mapping[str, Any]) -> int:
    horizons = {name: int(model.horizon) for name, model in models.items()}
    if len(set(horizons.values())) > 1:
        listed = ", ".join(f"{name!r} {horizon}" for name, horizon in horizons.items())
        raise ValueError(f"models must have one horizon to be compared; theirs differ: {listed}")
    return next(iter(horizons.values()))


def _reference(models: Mapping[str, Any]) -> str:
    """The model that skill is measured against."""
    by_class = (name for name, model in models.items() if type(model).__name__ == "SeasonalNaive")
    by_name = (name for name in models if "naive" in name.lower())
    return next(chain(by_class, by_name, models))
