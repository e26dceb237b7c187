"""What one worker of a backtest does: fit a model at a cutoff, forecast windows, score them, keep them."""

import copy
import hashlib
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tsformers.data.dataframes import stamps
from tsformers.data.forecast import Forecast
from tsformers.errors import TrainingInterrupted
from tsformers.evaluation.origins import Origins
from tsformers.evaluation.results import Settings
from tsformers.evaluation.run_folder import Ledger
from tsformers.scoring.crps import crps_quantile_function, crps_samples
from tsformers.scoring.table import score_table


@dataclass(frozen=True, eq=False)
class Job:
    """What all workers share: windows, settings, the folder (None = keep nothing), and what to do with short series."""

    origins: Origins
    settings: Settings
    ledger: Ledger | None
    short: str

    def seed(self, *words: object) -> int | None:
        """A seed that belongs to these words alone, whoever draws first; None where the backtest has none."""
        if self.settings.seed is None:
            return None
        text = "\0".join(map(str, (self.settings.seed, *words)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little") >> 1


@dataclass(frozen=True, eq=False)
class Unit:
    """What one worker does at a time: a model, fitted at one cutoff, and the windows that it forecasts.

    Args:
        model: name.
        forecaster: the caller's object, which is copied.
        start: the window at whose cutoff it is fitted.
        windows: those not finished yet.
        lasting: the fitted model serves more than one window, and so is worth keeping.
    """

    model: str
    forecaster: Any
    start: int
    windows: tuple[int, ...]
    lasting: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """A window of one model: its tables (None where they are on disk), or its error."""

    model: str
    window: int
    forecasts: pd.DataFrame | None = None
    scores: pd.DataFrame | None = None
    fit: float = 0.0
    predict: float = 0.0
    error: str | None = None


def work(job: Job, unit: Unit, tick: Callable[[], object] | None = None) -> list[Outcome]:
    """Fit a model, forecast and score its windows; an error becomes the outcome of the windows that it hits.

    Args:
        job: what all workers share.
        unit: what this one does.
        tick: called after every window.

    Returns:
        One outcome a window.
    """
    outcomes: list[Outcome] = []
    fitted, seconds, broken = None, 0.0, None
    for window in unit.windows:
        try:
            if fitted is None and broken is None:
                fitted, seconds, broken = _try_fit(job, unit)
            if broken is not None:
                raise broken
            outcomes.append(_evaluate(job, unit, window, fitted, seconds))
            seconds = 0.0  # counted once, with the first window
        except (Exception, SystemExit) as error:  # a model may not end the others; Ctrl-C may
            words = f"{type(error).__name__}: {error}"
            if job.ledger is not None:
                job.ledger.fail(unit.model, window, words, "".join(traceback.format_exception(error)))
            outcomes.append(Outcome(unit.model, window, error=words))
        if tick is not None:
            tick()
    return outcomes


def _try_fit(job: Job, unit: Unit) -> tuple[Any, float, BaseException | None]:
    """The fitted model and the seconds it took, or the error of fitting."""
    try:
        if job.ledger is not None and unit.lasting:
            found = job.ledger.find_model(unit.model, unit.start, type(unit.forecaster))
            if found is not None:
                return found, 0.0, None
        began = time.perf_counter()
        fresh = _fresh(job, unit)
        roles = {} if job.short == "error" else {"short": job.short}
        fitted = fit_whole(fresh, job.origins.seen(unit.start), **roles)
        seconds = time.perf_counter() - began
        if job.ledger is not None and unit.lasting:
            job.ledger.keep_model(unit.model, unit.start, fitted)
        return fitted, seconds, None
    except (Exception, SystemExit) as error:
        return None, 0.0, error


def fit_whole(model: Any, data: Any, **roles: Any) -> Any:
    """``model.fit(data, **roles)`` to its end: Ctrl-C, after which a model alone would keep what it has, stops the job.

    Raises:
        KeyboardInterrupt: Ctrl-C during the fit; nothing half trained is left to be mistaken for the whole.

    Example:
        >>> from tsformers import SeasonalNaive
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(3), "y": 1.0})
        >>> fit_whole(SeasonalNaive(horizon=1), frame).predict().median
        array([[1.]])
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingInterrupted)
        try:
            return model.fit(data, **roles)
        except TrainingInterrupted as stopped:
            raise KeyboardInterrupt from stopped


def _fresh(job: Job, unit: Unit) -> Any:
    """An unfitted copy, with seeds left open filled in and progress bars left open switched off."""
    if not hasattr(unit.forecaster, "get_params"):
        return copy.deepcopy(unit.forecaster)
    from sklearn.base import clone

    fresh = clone(unit.forecaster)
    filled: dict[str, object] = {}
    for name, value in fresh.get_params(deep=True).items():
        setting = name.rpartition("__")[2]
        if setting == "seed" and value is None and job.settings.seed is not None:
            filled[name] = job.seed(unit.model, "fit", name, unit.start)
        elif setting == "verbose" and value is None:
            filled[name] = False
    return fresh.set_params(**filled)


def _evaluate(job: Job, unit: Unit, window: int, fitted: Any, fit_seconds: float) -> Outcome:
    """Forecast a window, score it and keep it; with ``short="drop"`` a model may leave out what it cannot forecast."""
    began = time.perf_counter()
    seen = job.origins.seen(window, job.settings.horizon)
    seed = job.seed(unit.model, "predict", window)
    forecast = fitted.predict(seen, n_samples=job.settings.n_samples, seed=seed)
    seconds = time.perf_counter() - began
    places = np.arange(seen.n_series)
    if job.short == "drop" and forecast.ids.isin(seen.ids).any():
        places = np.flatnonzero(seen.ids.isin(forecast.ids))
    forecast = _checked(forecast, seen.ids[places], job.origins.truth(window)[1][places])
    forecast = replace(forecast, schema=seen.schema, grid=seen.grid)
    forecasts, scores = _tables(job, unit.model, window, forecast, places)
    if job.ledger is None:
        return Outcome(unit.model, window, forecasts, scores, fit_seconds, seconds)
    job.ledger.write(unit.model, window, forecasts, scores, {"fit": fit_seconds, "predict": seconds})
    return Outcome(unit.model, window)


def _checked(forecast: Forecast, ids: pd.Index, times: np.ndarray) -> Forecast:
    """The forecast in the panel's order of series, if it is one of these series at these stamps."""
    if forecast.horizon != times.shape[1]:
        raise ValueError(f"the forecast has {forecast.horizon} steps where the model's horizon is {times.shape[1]}")
    if not forecast.ids.equals(ids):
        places = forecast.ids.get_indexer(ids)
        if (places < 0).any():
            raise ValueError(f"the forecast lacks series {ids[int(np.argmin(places))]!r}")
        forecast = forecast.select(places)
    wrong = (forecast.times != times).any(axis=1)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(
            f"the forecast of series {ids[i]!r} begins at {forecast.times[i, 0]}; after the data that the model was "
            f"given comes {times[i, 0]}"
        )
    return forecast


def _tables(
    job: Job, model: str, window: int, forecast: Forecast, places: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The forecasts of a window, step by step beside what happened, and its scores; of the series at ``places``."""
    schema, levels = job.origins.panel.schema, job.settings.quantiles
    y, times, cutoffs = (part[places] for part in job.origins.truth(window))
    series = job.origins.series(window)[places]
    names, ends = np.asarray(forecast.ids.map(str), dtype=object), stamps(cutoffs, schema)
    if forecast.levels is None:
        crps = crps_samples(y, forecast.values, axis=1)
    else:
        crps = crps_quantile_function(y, forecast.values, forecast.levels, axis=1)
    quantiles = forecast.quantile(levels) if levels else np.empty((len(series), 0, 0))
    forecasts = pd.DataFrame(
        {
            "model": model,
            "window": window,
            "series": series.repeat(y.shape[1]),
            schema.id_col: names.repeat(y.shape[1]),
            schema.time_col: stamps(times, schema),
            "cutoff": ends.repeat(y.shape[1]),
            schema.target_col: y.ravel(),
            "mean": forecast.mean.ravel(),
            **{f"q{level:g}": quantiles[:, i].ravel() for i, level in enumerate(levels)},
            "pit": forecast.cdf(y).ravel(),
            "crps": crps.ravel(),
        }
    )
    metrics = job.settings.metrics
    history = job.origins.seen(window).select(places)
    values = score_table(forecast, y, history, metrics, by="unique_id")["value"]  # series by series
    scores = pd.DataFrame(
        {
            "model": model,
            "window": window,
            "series": series.repeat(len(metrics)),
            schema.id_col: names.repeat(len(metrics)),
            "cutoff": ends.repeat(len(metrics)),
            "metric": list(metrics) * len(series),
            "value": values.to_numpy(),
        }
    )
    return forecasts, scores
