"""Rolling-origin backtests: every window forecast from its past alone, kept when finished, taken up after a crash."""

import logging
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from tsformers.data.dataframes import from_pandas, stamps
from tsformers.data.panel import Panel, Roles
from tsformers.errors import DataError
from tsformers.evaluation.engines import ENGINES, Engine, run
from tsformers.evaluation.origins import rolling_origins
from tsformers.evaluation.report import write_report
from tsformers.evaluation.results import Findings, Settings
from tsformers.evaluation.run_folder import ADDRESS, Ledger, describe, fingerprint
from tsformers.evaluation.worker import Job, Outcome, Unit, work
from tsformers.progress import progress
from tsformers.scoring.table import JOINT, find_metric

if TYPE_CHECKING:
    from tsformers.contracts import Forecaster  # brings torch, which a backtest of classical models does not need


RESERVED = ("model", "window", "series", "cutoff", "mean", "pit", "crps", "metric", "value")  # columns of our frames
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
NAMED = 5  # series that a warning lists by name

logger = logging.getLogger("tsformers.jobs")


@dataclass(frozen=True, eq=False, repr=False)
class BacktestResult(Findings):
    """The answer of ``backtest``: frames in the caller's own type and column names, a ranking, a report.

    Example:
        >>> import pandas as pd
        >>> from tsformers import SeasonalNaive, backtest
        >>> df = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": [1.0, 2.0, 3.0, 4.0] * 10})
        >>> result = backtest(SeasonalNaive(horizon=4, season_length=4), df, windows=2, metrics=["mae"])
        >>> result.scores
                   model unique_id  cutoff metric  value
        0  SeasonalNaive         a      31    mae    0.0
        1  SeasonalNaive         a      35    mae    0.0
    """

    @property
    def scores(self) -> Any:
        """Frame: model, unique_id, cutoff, metric, value; one row a model, series, window and metric."""
        return self._shown("scores")

    @property
    def forecasts(self) -> Any:
        """Frame: model, unique_id, ds, cutoff, y, mean, q..., pit, crps; one row a step forecast."""
        return self._shown("forecasts")

    @property
    def failures(self) -> Any:
        """Frame: model, cutoff, error; one row a model and window that failed."""
        return self._shown("failures")

    @property
    def left_out(self) -> Any:
        """Frame: model, unique_id, cutoff; one row a series that a model left out of a window (``short="drop"``)."""
        return self._shown("left_out")

    def summary(self) -> Any:
        """One row a model, best first by the first metric, with its skill against ``reference``.

        Skill is one minus the geometric mean, over series, of score / reference score: 0.1 = ten per cent better.
        ``ranking`` says how zeros, failed windows and series left out count.

        Returns:
            Frame: model, one column a metric, skill, windows, failures, fit_seconds, predict_seconds.
        """
        return from_pandas(self.ranking(), self.backend)

    def to_html(self, path: str | Path, title: str | None = None) -> Path:
        """Write a report: one HTML file that needs nothing else.

        Args:
            path: of the file; its folder is made when missing.
            title: heading; None = "Backtest".

        Returns:
            The path.
        """
        return write_report(self, path, title)

    def __repr__(self) -> str:
        return (
            f"BacktestResult({len(self.models)} models, {self.panel.n_series} series, {self.settings.windows} windows "
            f"of {self.settings.horizon} steps, {len(self.tables['failures'])} failures)"
        )

    def _shown(self, name: str) -> Any:
        hidden = ["window", "series"]
        return from_pandas(self.tables[name].drop(columns=hidden, errors="ignore"), self.backend)


def backtest(
    models: "Mapping[str, Forecaster] | Forecaster",
    df: Any,
    *,
    windows: int = 5,
    step: int | None = None,
    refit: bool | int = False,
    metrics: Sequence[str] = ("crps", "mase", "coverage_80"),
    out: str | Path | None = None,
    engine: Engine = "local",
    n_jobs: int = 1,
    n_samples: int = 100,
    quantiles: Sequence[float] = QUANTILES,
    seed: int | None = 0,
    verbose: bool | None = None,
    **roles: Unpack[Roles],
) -> BacktestResult:
    """Forecast the end of a panel's history several times over, each time from what was known before, and score it.

    Window k of W (k = 0 the earliest) ends ``(W - 1 - k) * step`` rows before a series' own last row; its forecast
    starts ``horizon`` rows earlier, at the cutoff. Series that end at different times therefore have different cutoffs
    in one window: nothing after a series' own cutoff is seen of that series, while a longer-lived series may show later
    calendar time to a model that learns across series. A series whose history is too short for a window is left out of
    that window, and one warning says so.

    With ``short="drop"`` a model may leave out series that it cannot forecast, too short for its context for one; they
    are listed in ``left_out``, one warning names them, and the rest is scored. Without it such a window is a failure.

    Models are cloned, never fitted themselves. A model sees a panel cut at the cutoffs: what lies beyond is not in it,
    but for the known covariates of the next ``horizon`` rows at prediction. An error in one model is recorded, logged
    and shown in ``failures``; the others go on. Numbers do not depend on ``engine``, ``n_jobs``, the order of models
    or on interruptions: each model and window has its own seed. (The last digits of a neural network follow the number
    of threads that torch uses, and workers get fewer: with OMP_NUM_THREADS=1 in the environment all bits agree.)

    Args:
        models: by name; one forecaster alone is called after its class. All have the same ``horizon``.
        df: anything that ``Panel.from_frame`` takes.
        windows: W cutoffs.
        step: rows between cutoffs; None = the horizon, so that windows do not overlap.
        refit: False = fit once, at the first cutoff, and forecast later windows with that model; True = fit at every
            cutoff; n = at every n-th. A model is also fitted anew at a window that brings series which were too short
            for the windows before.
        metrics: scores by name, the first ranks the models; see ``score``.
        out: folder in which each finished window is kept at once. The same call goes on from what is there, and tries
            failed windows again. Models can be added; anything else that differs is refused. None = nothing is written.
        engine: where the work is done: "local" processes, or "ray", "dask", "spark" through joblib; with these, ``out``
            must be a folder that all workers see.
        n_jobs: models (with ``refit``, runs of windows) at work at a time; 1 = this process, -1 = every processor.
        n_samples: draws asked of each model.
        quantiles: levels of the quantile columns of ``forecasts``.
        seed: of fits and forecasts; settings ``seed=None`` inside the models are filled from it. None = fresh ones.
        verbose: progress bar; None = when standard error is a terminal.
        **roles: the keywords of ``Panel.from_frame``; ``short`` is handed to ``fit`` too.

    Returns:
        Scores, forecasts, failures, what was left out, a summary and a report.

    Raises:
        DataError: the data cannot be used, or no series is long enough for one window.
        JobError: ``out`` holds another backtest.
        ValueError: models of different horizons, or a setting out of range.
        TypeError: something among the models cannot forecast.
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
    named = _named(models)
    settings = Settings(
        horizon=_common_horizon(named),
        windows=_count("windows", windows),
        step=_count("step", _common_horizon(named) if step is None else step),
        refit=refit if isinstance(refit, bool) else _count("refit", refit),
        metrics=(metrics,) if isinstance(metrics, str) else tuple(metrics),
        n_samples=_count("n_samples", n_samples),
        quantiles=tuple(sorted({float(level) for level in quantiles})),
        seed=seed,
    )
    asked = Panel.from_frame(df, **roles)
    panel = replace(asked, schema=replace(asked.schema, backend="pandas"))
    _check(settings, engine, n_jobs, panel)
    origins = rolling_origins(panel, settings.horizon, settings.windows, settings.step)
    ledger, short = None, roles.get("short", "error")
    if out is not None:
        described = {name: describe(model) for name, model in named.items()}
        asked_for = settings.as_dict() | ({} if short == "error" else {"short": short})
        ledger = Ledger.open(out, asked_for, fingerprint(panel), described)
    job = Job(origins, settings, ledger, short)
    outcomes = _work_through(job, named, engine, n_jobs, sys.stderr.isatty() if verbose is None else verbose)
    tables = _gather(job, outcomes, list(named))
    _warn_left_out(tables["left_out"], panel)
    return BacktestResult(
        models=tuple(named),
        reference=_reference(named),
        settings=settings,
        panel=panel,
        tables=tables,
        described={name: ADDRESS.sub("", repr(model)) for name, model in named.items()},
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.perf_counter() - began,
        backend=asked.schema.backend,
    )


def _work_through(
    job: Job, models: Mapping[str, Any], engine: Engine, n_jobs: int, verbose: bool
) -> dict[tuple[str, int], Outcome]:
    """All windows that are not finished, and how they ended; one log line for each model that failed."""
    units = [unit for name, model in models.items() for unit in _units(job, name, model)]
    here = engine == "local" and n_jobs == 1
    total = len(models) * job.settings.windows
    kept = total - sum(len(unit.windows) for unit in units)
    outcomes: list[Outcome] = []
    with progress(total, verbose, "backtest", unit=" windows", done=kept, leave=True) as bar:
        tasks = [(job, unit, bar.update) if here else (job, unit) for unit in units]
        for finished in run(work, tasks, engine, n_jobs):
            outcomes += finished
            bar.update(0 if here else len(finished))
    for name in models:
        errors = [outcome.error for outcome in outcomes if outcome.model == name and outcome.error]
        if errors:
            logger.warning("model %r failed in %d of its windows, the first time with %s", name, len(errors), errors[0])
    return {(outcome.model, outcome.window): outcome for outcome in outcomes}


def _units(job: Job, name: str, model: Any) -> list[Unit]:
    """The work on one model that is left, cut where it is fitted anew."""
    units = []
    for start, stop in pairwise([*job.origins.fits(job.settings.refit), job.settings.windows]):
        block = [k for k in job.origins.windows if start <= k < stop]
        left = tuple(k for k in block if job.ledger is None or not job.ledger.done(name, k))
        if left:
            units.append(Unit(name, model, start, left, lasting=len(block) > 1))
    return units


def _gather(job: Job, outcomes: Mapping[tuple[str, int], Outcome], models: Sequence[str]) -> dict[str, pd.DataFrame]:
    """All windows of all models as frames, in the order of models and windows whatever order they were done in."""
    forecasts, scores, seconds, failures, absent = [], [], [], [], []
    for model, window in product(models, job.origins.windows):
        outcome = outcomes.get((model, window))
        if outcome is not None and outcome.error is not None:
            failures.append((model, job.origins.cutoff(window), outcome.error, window))
            continue
        if job.ledger is not None:
            frames = job.ledger.read(model, window)
        else:
            assert outcome is not None and outcome.forecasts is not None and outcome.scores is not None
            frames = outcome.forecasts, outcome.scores, {"fit": outcome.fit, "predict": outcome.predict}
        forecasts.append(frames[0])
        scores.append(frames[1])
        seconds.append({"model": model, "window": window} | frames[2])
        asked = job.origins.series(window)
        lost = ~np.isin(asked, frames[1]["series"])
        ends = stamps(job.origins.truth(window)[2][lost], job.origins.panel.schema)
        absent += [(model, series, end, window) for series, end in zip(asked[lost], ends, strict=True)]
    ids, schema = job.origins.panel.ids, job.origins.panel.schema
    front, quantiles = ["model", "window", "series", schema.id_col], job.settings.quantile_columns
    steps = [*front, schema.time_col, "cutoff", schema.target_col, "mean", *quantiles, "pit", "crps"]
    tables = {
        "forecasts": _joined(forecasts, steps),
        "scores": _joined(scores, [*front, "cutoff", "metric", "value"]),
        "seconds": pd.DataFrame(seconds, columns=["model", "window", "fit", "predict"]),
        "failures": pd.DataFrame(failures, columns=["model", "cutoff", "error", "window"]),
        "left_out": pd.DataFrame(absent, columns=["model", "series", "cutoff", "window"]),
    }
    tables["left_out"].insert(1, schema.id_col, None)
    for name in ("forecasts", "scores", "left_out"):  # on disk ids are text; here they are what the caller gave
        tables[name][schema.id_col] = ids.take(tables[name]["series"].to_numpy(dtype=np.int64))
    return tables


def _warn_left_out(table: pd.DataFrame, panel: Panel) -> None:
    """One warning for all series that models left out of windows."""
    if not table.empty:
        names = ", ".join(repr(name) for name in panel.ids[table["series"].unique()[:NAMED]])
        more = ", ..." if table["series"].nunique() > NAMED else ""
        models = ", ".join(repr(name) for name in table["model"].unique())
        warnings.warn(
            f"{models} left out series ({names}{more}) that could not be forecast, {len(table)} times in all; they are "
            "listed in left_out, scores are means over the rest, and skill compares what both models forecast",
            UserWarning,
            stacklevel=3,
        )


def _joined(parts: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


def _check(settings: Settings, engine: str, n_jobs: int, panel: Panel) -> None:
    """Refuse at once what would otherwise fail after hours."""
    if not settings.metrics:
        raise ValueError("metrics is empty; name at least one, for example metrics=['crps']")
    for metric in settings.metrics:
        find_metric(metric)
        if metric in JOINT:
            raise ValueError(f"metric {metric!r} is one number for all series, a backtest scores each; leave it out")
    outside = [level for level in settings.quantiles if not 0 < level < 1]
    if outside:
        raise ValueError(f"quantiles must lie inside (0, 1); got {outside[0]!r}")
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    if n_jobs == 0 or isinstance(n_jobs, bool) or not isinstance(n_jobs, int):
        raise ValueError(f"n_jobs must be a whole number, 1 = this process, -1 = every processor; got {n_jobs!r}")
    schema = panel.schema
    for column in (schema.id_col, schema.time_col, schema.target_col):
        if column in RESERVED or column in settings.quantile_columns:
            raise DataError(
                f"column {column!r} of the data is also one of the answer's; rename it, e.g. to '{column}_'"
            )


def _named(models: "Mapping[str, Forecaster] | Forecaster") -> dict[str, Any]:
    """The models by name, each one able to forecast."""
    named = dict(models) if isinstance(models, Mapping) else {type(models).__name__: models}
    if not named:
        raise ValueError("models is empty; give at least one, for example {'naive': SeasonalNaive(horizon=24)}")
    for name, model in named.items():
        lacks = [part for part in ("horizon", "fit", "predict") if not hasattr(model, part)]
        if lacks or isinstance(model, type) or not isinstance(name, str):
            raise TypeError(
                f"models must map names to forecasters; {name!r} is {model!r}"
                + (f", which lacks {', '.join(lacks)}" if lacks else "; give an object, for example Theta(horizon=8)")
            )
    return named


def _common_horizon(models: Mapping[str, Any]) -> int:
    horizons = {name: int(model.horizon) for name, model in models.items()}
    if len(set(horizons.values())) > 1:
        words = ", ".join(f"{name!r} {horizon}" for name, horizon in horizons.items())
        raise ValueError(f"models must forecast equally far to be compared, but their horizons differ: {words}")
    return next(iter(horizons.values()))


def _reference(models: Mapping[str, Any]) -> str:
    """The model that skill is measured against."""
    by_class = (name for name, model in models.items() if type(model).__name__ == "SeasonalNaive")
    by_name = (name for name in models if "naive" in name.lower())
    return next(chain(by_class, by_name, models))


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1; got {value!r}")
    return int(value)
