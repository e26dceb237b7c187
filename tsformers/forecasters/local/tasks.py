"""The work on one series: learn its model, draw from it, and fall back to the seasonal naive model."""

from typing import Any, NamedTuple

import numpy as np

from tsformers.data.blocks.forecast_blocks import summarised
from tsformers.data.forecast import Forecast
from tsformers.forecasters.local import long_seasons
from tsformers.forecasters.local.absurd import absurd_cells
from tsformers.forecasters.local.draws import stratified
from tsformers.forecasters.local.naive_walk import History, naive_errors, naive_samples
from tsformers.forecasters.local.sanity import beyond_the_data

Params = dict[str, Any]  # what fit_one learned of one series: numbers, texts and arrays, which can be serialised


class Series(NamedTuple):
    """One history to learn from; its first and last value are observed."""

    y: np.ndarray  # (T,), NaN = missing
    x: np.ndarray | None  # (T, K) known covariates


class Task(NamedTuple):
    """One history to be continued: ``y`` ends with an observed value, ``gap`` rows before the first step asked for."""

    params: Params
    y: np.ndarray  # (T,)
    x: np.ndarray | None  # (T + gap + H, K) known covariates
    gap: int
    start: int  # grid steps from the first row of the training history to y[0]
    key: int  # seed


def fit_or_fall_back(model: Any, periods: tuple[int, ...], series: Series) -> tuple[Params, str]:
    """What the model learns of a series, or the errors of the seasonal naive model and the reason for it."""
    y, x, reason = *series, ""
    if len(y) < 2 or np.nanmax(y) == np.nanmin(y):
        reason = "one value only" if len(y) < 2 else "constant"
    else:
        y = np.where(absurd_cells(y, periods), np.nan, y)
        try:
            with np.errstate(all="ignore"):
                params = _fitted(model, periods, y, x)
            if all(np.isfinite(v).all() for v in params.values() if isinstance(v, float | np.ndarray)):
                return params, ""
            reason = "the fitted parameters are not finite"
        except Exception as error:
            reason = f"{error}" or type(error).__name__
    return {"naive": naive_errors(single_series(y), periods[0])[0]}, reason


def _fitted(model: Any, periods: tuple[int, ...], y: np.ndarray, x: np.ndarray | None) -> Params:
    first, last = _observed_span(y)
    y, season = y[first:last], periods[0]
    found: Params = {}
    if model.removes_long_seasons():
        found, season = long_seasons.find(y, periods)
    regressors = {} if x is None else {"x": x[first:last]}
    params = model.fit_one(long_seasons.removed(y, found, 0), season, **regressors)
    return {**params, "first": first, "long_seasons": found}


def draw_or_fall_back(n_samples: int, model: Any, periods: tuple[int, ...], task: Task) -> tuple[np.ndarray, str]:
    """Draws (S, H) across the gap, or those of the seasonal naive model and the reason for them."""
    params, y, gap, reason = task.params, task.y, task.gap, ""
    shape = (n_samples, gap + model.horizon)
    y = np.where(absurd_cells(y, periods), np.nan, y)
    if "naive" not in params:
        try:
            with np.errstate(all="ignore"):
                values = _drawn(model, task._replace(y=y), n_samples)
            if values.shape != (n_samples, model.horizon) or not np.isfinite(values).all():
                reason = "the draws are not finite"
            else:
                reason = beyond_the_data(values, y)
            if not reason:
                return values, ""
        except Exception as error:
            reason = f"{error}" or type(error).__name__
    errors = params["naive"][None] if "naive" in params else naive_errors(single_series(y), periods[0])
    keys = np.array([task.key], np.uint64)
    values = naive_samples(single_series(y), periods[0], errors, keys, n_samples, shape[1])
    return values[0, :, gap:], reason


def _drawn(model: Any, task: Task, n_samples: int) -> np.ndarray:
    first, last = _observed_span(task.y)
    y, x = task.y[first:last], task.x
    ahead = len(task.y) - last + task.gap
    regressors = {} if x is None else {"x": x[first:]}
    n_paths = max(n_samples, model.fewest_paths) if model.stratified else n_samples
    start = task.start + first - task.params.get("first", 0)
    rng, found = np.random.default_rng(task.key), task.params.get("long_seasons", {})
    adjusted = long_seasons.removed(y, found, start)
    paths = model.simulate(task.params, adjusted, start, ahead + model.horizon, n_paths, rng, **regressors)
    paths = long_seasons.restored(np.asarray(paths), found, start + len(y), rng)
    return stratified(paths[:, ahead:], n_samples)


def quantiles_or_fall_back(
    levels: tuple[float, ...], n_samples: int, model: Any, periods: tuple[int, ...], task: Task
) -> tuple[np.ndarray, str]:
    """The mean (1, H) of the draws of one series above their quantiles (Q, H), and why they fall back."""
    values, reason = draw_or_fall_back(n_samples, model, periods, task)
    summary = summarised(Forecast([0], np.arange(model.horizon)[None], values[None]), levels)
    return np.concatenate([summary.mean, summary.values[0]]), reason


def single_series(y: np.ndarray) -> History:
    """A packed history of one series ``y`` (T,).

    Example:
        >>> single_series(np.array([1.0, 2.0])).ends
        array([2])
    """
    return History(y, np.array([0, len(y)]), np.array([len(y)]))


def _observed_span(y: np.ndarray) -> tuple[int, int]:
    """The first observed row, and one past the last."""
    rows = np.flatnonzero(np.isfinite(y))
    return int(rows[0]), int(rows[-1]) + 1
