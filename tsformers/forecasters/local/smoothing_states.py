"""Initial states of exponential smoothing."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tsformers.forecasters.local.base import Params
from tsformers.forecasters.local.seasonal_profile import placed

SETTLED = 10  # rows whose line tells where exponential smoothing begins


States = tuple[float, float, np.ndarray]  # level, slope and seasonal terms (m,) just before the first row


def guessed_states(params: Params, y: np.ndarray, start: int) -> list[States]:
    """First states of exponential smoothing on ``y`` (T,): those of ``fit``, and those the first rows of ``y`` suggest.

    ``params`` holds "level", "slope", "seasonals" and "seasonal" ("add", "mul" or None). With two seasons of rows the
    seasonal terms are means by place, else those of ``fit``, turned by ``start`` steps.
    """
    seasonals, multiplies = params["seasonals"], params["seasonal"] == "mul"
    turned = np.roll(seasonals, -start % len(seasonals)) if len(seasonals) else seasonals
    learned = (params["level"], params["slope"], turned)
    season = max(len(seasonals), 1)
    head = y[: max(2 * season, SETTLED)]
    rows, terms = np.arange(len(head)), turned
    if len(seasonals) and len(head) >= 2 * season:
        slope = float(np.mean(head[season : 2 * season] - head[:season])) / season
        line = head[: 2 * season].mean() + slope * (rows - season + 0.5)
        parts = head / line if multiplies else head - line
        terms = np.bincount(rows % season, weights=parts) / np.bincount(rows % season)
    if len(terms):
        head = head / placed(terms, 0, len(head)) if multiplies else head - placed(terms, 0, len(head))
    if not np.isfinite(head).all():
        return [learned]
    slope, level = np.polyfit(rows, head, 1) if len(head) >= SETTLED else (params["slope"], head[0])
    return [learned, (float(level - slope), float(slope), terms)]


def led_in(params: Params, y: np.ndarray, states: States) -> tuple[np.ndarray, States]:
    """A history of a season or less with a season put before it that the model foresees without error.

    The states before the longer history are those that lead to ``states`` where ``y`` (T,) begins, so nothing else
    changes; statsmodels does not run through less than a season. ``params`` holds "phi" (1 = undamped) and "seasonal".
    """
    level, slope, seasonals = states
    rows = max(len(seasonals), 2)
    if len(y) > rows:
        return y, states
    damping = params["phi"] ** np.arange(1, rows + 1)
    slope /= damping[-1]
    rise = np.cumsum(damping) * slope
    level -= rise[-1]
    line = level + rise
    if len(seasonals):
        line = line * seasonals if params["seasonal"] == "mul" else line + seasonals
    return np.r_[line, y], (float(level), float(slope), seasonals)


def best_start(run: Callable[[States], Any], candidates: Sequence[States], loss: Callable[[Any], float]) -> Any:
    """What ``run`` gives for the first states with the least loss; states it cannot start from are passed over."""
    results, failure = [], None
    for states in candidates:
        try:
            results.append(run(states))
        except Exception as error:  # a guess may be impossible, a negative level of a multiplicative model for one
            failure = error
    if failure and not results:
        raise failure
    return min(results, key=lambda result: np.nan_to_num(loss(result), nan=np.inf))
