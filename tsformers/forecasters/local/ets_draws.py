"""Continuing a history with a fitted exponential smoothing model."""

import numpy as np

from tsformers.forecasters.local.draws import normals
from tsformers.forecasters.local.ets_kernels import LEAST, LEVEL, N_WEIGHTS, PHI, SEASON, SLOPE, Model, initial_states
from tsformers.forecasters.local.ets_optimiser import Evaluation, evaluate, maximise
from tsformers.forecasters.local.ets_simulation import paths
from tsformers.forecasters.local.ets_states import HEAD, Spec, first_states, model_of, natural
from tsformers.forecasters.local.tasks import Params

STEPS = 20  # of the search for the initial states of another history
NO_COLUMNS = np.empty(0, np.int64)
UNCERTAIN = True


def drawn(params: Params, y: np.ndarray, start: int, horizon: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of what follows a history.

    The history is filtered from the initial states of ``fit``; one that begins elsewhere (``start`` is not 0) from them
    or from states that are fitted to its own first rows, whichever have the higher likelihood.

    Args:
        params: from ``params_of``.
        y: (T,) the history, NaN = missing.
        start: steps from the first row of the training history to ``y[0]``.
        horizon: H.
        n: draws.
        rng: generator.

    Returns:
        (n, H) in the units of ``y``.

    Raises:
        ValueError: the model cannot have made such a history.
    """
    z = (y - params["centre"]) / params["scale"]
    found, x = problem_of(params, z, start)
    if start:
        x = better_states(found, x, z)
    found = found._replace(columns=found.columns if UNCERTAIN else NO_COLUMNS)
    value, _, hessian, _, states, slopes, variances = evaluated(found, x, z)
    if not np.isfinite(value):
        raise ValueError("the model cannot have made such values")
    m, p = found.m, len(found.columns)
    sigma = params["sigma"] / (1.0 if found.relative else params["scale"])
    z = normals(rng, n, horizon + 2 + m + p)
    moved, weights = moved_states(found, x, states, slopes, hessian, z[:, horizon + 2 + m :])
    moved += state_errors(found, states, variances, sigma, z[:, horizon : horizon + 2 + m])
    values = paths(moved, len(y), m, found.relative, found.multiplies, weights, sigma, z[:, :horizon])
    return values * params["scale"] + params["centre"]


def problem_of(params: Params, z: np.ndarray, start: int) -> tuple[Model, np.ndarray]:
    """The fitted model as a problem for normalised data ``z`` (T,) that begin ``start`` rows later, and its slots."""
    spec, seasonals = Spec(*params["spec"]), params["seasonals"]
    m = len(seasonals) or 1
    places = np.sort((params["places"] - start) % m)
    found = model_of(spec, z, m, places)
    x = np.zeros(len(found.low))
    x[:N_WEIGHTS] = (
        params["alpha"],
        params["beta"] / params["alpha"] if params["alpha"] else 0.0,
        params["gamma"] / (1.0 - params["alpha"]) if params["alpha"] < 1 else 0.0,
        params["phi"],
    )
    x[LEVEL], x[SLOPE] = (params["level"] - params["centre"]) / params["scale"], params["slope"] / params["scale"]
    if m > 1:
        x[SEASON:] = seasonals[(places[:-1] + start) % m] / (1.0 if found.multiplies else params["scale"])
    return found, x


def evaluated(found: Model, x: np.ndarray, z: np.ndarray) -> Evaluation:
    """The likelihood of ``z`` (T,) and the states after it."""
    return evaluate(z, found, x, np.zeros(3 + found.m), bool(np.isnan(z).any()))


def better_states(found: Model, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """``x``, or the same weights with states fitted to ``z`` (T,) where their likelihood is higher.

    The level is fitted always, the slope on ten rows or more, the season on two seasons in which each place occurs.
    """
    rows = np.flatnonzero(np.isfinite(z))
    fresh, free = x.copy(), np.zeros(len(x), bool)
    free[LEVEL], free[SLOPE] = True, len(rows) >= HEAD and found.high[SLOPE] > 0
    if found.m > 1 and len(z) >= 2 * found.m and len(np.unique(rows % found.m)) == found.m:
        free[SEASON:] = True
        fresh[SEASON:] = first_states(found, z)[SEASON:]
    low, high = np.where(free, found.low, x), np.where(free, found.high, x)
    low[LEVEL], high[LEVEL] = LEAST if found.relative else -np.inf, np.inf
    states, _ = initial_states(found._replace(columns=NO_COLUMNS), fresh)
    season = states[2 + rows[0] % found.m]
    fresh[LEVEL] = (z[rows[0]] / season if found.multiplies else z[rows[0]] - season) - x[PHI] * x[SLOPE]
    columns = np.flatnonzero(free)
    value = maximise(z, found._replace(columns=columns, low=low, high=high), fresh, STEPS)
    return fresh if value < evaluated(found._replace(columns=NO_COLUMNS), x, z).value else x


def moved_states(
    found: Model, x: np.ndarray, states: np.ndarray, slopes: np.ndarray, hessian: np.ndarray, normal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """States (S, 2 + m) and natural weights (S, 4) of each path, for parameters drawn around their estimates."""
    n = len(normal)
    weights, moved = np.tile(natural(x), (n, 1)), np.tile(states, (n, 1))
    inside = np.array([found.low[c] < x[c] < found.high[c] for c in found.columns], bool)
    if not inside.any():
        return moved, weights
    cov = 2 * np.linalg.pinv(hessian[np.ix_(inside, inside)], rcond=1e-10, hermitian=True)
    values, vectors = np.linalg.eigh(cov)
    delta = normal[:, inside] @ (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T  # whatever the vectors' signs
    columns = found.columns[inside]
    drawn_x = np.tile(x, (n, 1))
    drawn_x[:, columns] += delta
    drawn_x[:, :N_WEIGHTS] = np.clip(drawn_x[:, :N_WEIGHTS], found.low[:N_WEIGHTS], found.high[:N_WEIGHTS])
    moved += (drawn_x - x)[:, columns] @ slopes[:, inside].T
    weights = natural(drawn_x.T).T
    return moved, weights


def state_errors(
    found: Model, states: np.ndarray, variances: np.ndarray, sigma: float, normal: np.ndarray
) -> np.ndarray:
    """Errors (S, 2 + m) of the states that missing rows leave."""
    errors = np.zeros((len(normal), 2 + found.m))
    if not variances.any():
        return errors
    first, cov, second = variances[:3]
    errors[:, 0] = np.sqrt(first) * normal[:, 0]
    if first > 0:
        errors[:, 1] = cov / np.sqrt(first) * normal[:, 0]
        errors[:, 1] += np.sqrt(max(second - cov**2 / first, 0.0)) * normal[:, 1]
    errors[:, 2:] = np.sqrt(variances[3:]) * normal[:, 2:]
    if found.relative:
        errors *= abs(states[0])
    if found.multiplies:
        errors[:, 2:] *= states[2:] / abs(states[0])
    return errors * sigma
