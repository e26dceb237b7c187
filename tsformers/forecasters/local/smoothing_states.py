"""Initial states of exponential smoothing."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tsformers.forecasters.local.seasonal_profile import profile_at
from tsformers.forecasters.local.tasks import Params

LINE_ROWS = 10  # rows whose least-squares line gives an initial level and slope

States = tuple[float, float, np.ndarray]  # level, slope and seasonal terms (m,) just before the first row


def candidate_states(params: Params, y: np.ndarray, start: int) -> list[States]:
    """Initial states of exponential smoothing: those of ``fit``, and those that the first rows of ``y`` suggest.

    With two seasons of rows the suggested seasonal terms are means by season position, else those of ``fit``, shifted
    by ``start`` steps.

    Args:
        params: "level", "slope", "seasonals" (m,) and "seasonal" ("add", "mul" or None) of ``fit``.
        y: (T,) the history to be smoothed.
        start: steps from the first row of the training history to ``y[0]``.

    Returns:
        One or two candidates.

    Example:
        >>> params = {"level": 0.0, "slope": 1.0, "seasonals": np.zeros(0), "seasonal": None}
        >>> states = candidate_states(params, np.arange(20.0, 60.0, 2.0), 0)
        >>> [(round(level), round(slope)) for level, slope, _ in states]
        [(0, 1), (18, 2)]
    """
    seasonals, multiplies = params["seasonals"], params["seasonal"] == "mul"
    shifted = np.roll(seasonals, -start % len(seasonals)) if len(seasonals) else seasonals
    learned = (params["level"], params["slope"], shifted)
    season = max(len(seasonals), 1)
    head = y[: max(2 * season, LINE_ROWS)]
    rows, terms = np.arange(len(head)), shifted
    if len(seasonals) and len(head) >= 2 * season:
        slope = float(np.mean(head[season : 2 * season] - head[:season])) / season
        line = head[: 2 * season].mean() + slope * (rows - season + 0.5)
        parts = head / line if multiplies else head - line
        terms = np.bincount(rows % season, weights=parts) / np.bincount(rows % season)
    if len(terms):
        head = head / profile_at(terms, 0, len(head)) if multiplies else head - profile_at(terms, 0, len(head))
    if not np.isfinite(head).all():
        return [learned]
    slope, level = np.polyfit(rows, head, 1) if len(head) >= LINE_ROWS else (params["slope"], head[0])
    return [learned, (float(level - slope), float(slope), terms)]


def prepend_season(params: Params, y: np.ndarray, states: States) -> tuple[np.ndarray, States]:
    """A history of a season or less, with a season put before it that the model predicts without error.

    statsmodels does not smooth less than a season. The initial states of the longer history are those that lead to
    ``states`` just before ``y``, so the forecast does not change.

    Args:
        params: "phi" (1 = undamped) and "seasonal" ("add", "mul" or None).
        y: (T,) the history to be smoothed.
        states: just before ``y[0]``.

    Returns:
        The history to smooth, and the states before it; both as they are where ``y`` is longer than a season.

    Example:
        >>> states = (10.0, 1.0, np.zeros(0))
        >>> prepend_season({"phi": 1.0, "seasonal": None}, np.array([11.0]), states)[0]
        array([ 9., 10., 11.])
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


def best_initial_states(
    run: Callable[[States], Any], candidates: Sequence[States], loss: Callable[[Any], float]
) -> Any:
    """The result of ``run`` with the least loss over the candidates; candidates on which it fails are skipped.

    Args:
        run: from initial states to a result.
        candidates: initial states.
        loss: of a result.

    Returns:
        The result.

    Raises:
        Exception: that of the last candidate, where all fail.

    Example:
        >>> best_initial_states(lambda states: states[0], [(3.0, 0.0, np.zeros(0)), (1.0, 0.0, np.zeros(0))], abs)
        1.0
    """
    results, failure = [], None
    for states in candidates:
        try:
            results.append(run(states))
        except Exception as error:  # such as a negative level in a multiplicative model
            failure = error
    if failure and not results:
        raise failure
    return min(results, key=lambda result: np.nan_to_num(loss(result), nan=np.inf))
