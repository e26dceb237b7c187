"""Fitting exponential smoothing models to one series, and choosing among them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tsformers.forecasters.local.ets.kernels import ALPHA, BETA, GAMMA, N_WEIGHTS, Model, initial_states
from tsformers.forecasters.local.ets.optimiser import STEPS, evaluate, maximise
from tsformers.forecasters.local.ets.states import (
    Spec,
    contained,
    first_states,
    model_of,
    natural,
    weight_starts,
)
from tsformers.forecasters.local.tasks import Params

FEWEST_ROWS = 4  # observed, of a model without trend and season
STATE_STEPS = 3  # of the search for the states to given weights
KEPT = 3  # starts that go on, of those that differ in the weights
MOST_SPREAD = 0.5  # of relative errors: above it a Gaussian error would often change the sign
NO_COLUMNS = np.empty(0, np.int64)


class Fit(NamedTuple):
    """A model at its maximum; ``x`` and ``sigma`` are of the normalised data."""

    spec: Spec
    found: Model
    x: np.ndarray  # (d,) slots
    loglik: float  # of the data as given
    sigma: float
    n: int  # observed rows
    k: int  # parameters, the variance among them
    centre: float  # what was subtracted from the data
    scale: float  # by which they were divided then


def criterion(fit: Fit, name: str) -> float:
    """The criterion "aicc", "aic" or "bic" of a fit.

    Example:
        >>> fit = Fit(Spec("add", None, False, None), None, None, -10.0, 1.0, 20, 3, 0.0, 1.0)
        >>> criterion(fit, "aic"), round(criterion(fit, "aicc"), 3)
        (26.0, 27.5)
    """
    if name == "bic":
        return -2 * fit.loglik + fit.k * float(np.log(fit.n))
    spare = fit.n - fit.k - 1
    value = -2 * fit.loglik + 2 * fit.k
    return value if name == "aic" else value + (2 * fit.k * (fit.k + 1) / spare if spare > 0 else np.inf)


def admitted(y: np.ndarray, season: int, specs: Sequence[Spec]) -> list[Spec]:
    """The models of ``specs`` that a series allows, smaller ones first.

    What multiplies needs positive values, a season two whole ones; and AICc must exist: the model has two parameters
    less than there are observed rows, or is the smallest on four.

    Args:
        y: (T,), NaN = missing.
        season: rows of one season.
        specs: models.

    Returns:
        Some of them.

    Example:
        >>> admitted(np.arange(5.0), 4, [Spec("add", trend, False, None) for trend in (None, "add")])
        [Spec(error='add', trend=None, damped_trend=False, seasonal=None)]
    """
    rows = np.flatnonzero(np.isfinite(y))
    positive, n_places = bool(y[rows].min() > 0), len(np.unique(rows % season))
    allowed = []
    for spec in specs:
        k = 3 + 2 * (spec.trend is not None) + spec.damped_trend + n_places * (spec.seasonal is not None)
        enough = len(rows) > k + 1 or (k == 3 and len(rows) >= FEWEST_ROWS)
        if spec.seasonal and (season < 2 or len(y) < 2 * season or n_places < 2):
            continue
        if enough and (positive or "mul" not in (spec.error, spec.seasonal)):
            allowed.append(spec)
    return sorted(allowed, key=lambda s: (s.seasonal is not None, s.trend is not None, s.damped_trend, s.error))


def scale_of(y: np.ndarray, positive: bool) -> tuple[float, float]:
    """Centre and scale by which a series is normalised: 0 and the mean size, or mean and standard deviation.

    Example:
        >>> scale_of(np.array([1.0, 3.0]), True), scale_of(np.array([1.0, 3.0]), False)
        ((0.0, 2.0), (2.0, 1.0))
    """
    if positive:
        return 0.0, float(np.nanmean(np.abs(y)))
    return float(np.nanmean(y)), float(np.nanstd(y)) or float(np.nanmax(np.abs(y))) or 1.0


def fit_all(y: np.ndarray, season: int, specs: Sequence[Spec]) -> list[Fit]:
    """Each of ``specs`` at its maximum.

    Each search starts from several weights, and from the optima of the models that it contains, so that a larger model
    never ends below a smaller one.

    Args:
        y: (T,), NaN = missing.
        season: rows of one season.
        specs: admitted models, smaller ones first.

    Returns:
        The fits, in their order; those that failed are left out.

    Example:
        >>> y = np.sin(np.arange(20.0))
        >>> [round(fit.loglik, 3) for fit in fit_all(y, 1, [Spec("add", None, False, None)])]
        [-20.186]
    """
    fits: list[Fit] = []
    for spec in specs:
        fit = fit_spec(y, spec, season, fits)
        if fit is not None:
            fits.append(fit)
    return fits


def fit_spec(y: np.ndarray, spec: Spec, season: int, fits: Sequence[Fit]) -> Fit | None:
    """One model at its maximum on ``y`` (T,), started also from ``fits``; None where it has none."""
    centre, scale = scale_of(y, "mul" in (spec.error, spec.seasonal))
    z = (y - centre) / scale
    found = model_of(spec, z, season)
    free = weight_starts(found, first_states(found, z))
    smaller = [
        contained(found, fit.x, fit.found.m, (fit.centre - centre) / scale, fit.scale / scale)
        for fit in fits
        if is_contained(fit.spec, spec)
    ]
    states = found._replace(columns=found.columns[found.columns >= N_WEIGHTS])
    quick = [maximise(z, states, start, STATE_STEPS, np.inf) for start in free]
    x, least = free[0], np.inf
    for start in [
        *best_first(smaller, [maximise(z, found, s.copy(), 0, np.inf) for s in smaller])[:2],
        *best_first([*free], quick)[:KEPT],
    ]:
        value = maximise(z, found, start, STEPS, least)
        if value < least:
            x, least = start, value
    if not np.isfinite(least):
        return None
    x[BETA] *= x[ALPHA] > 0  # slots without effect have one value
    x[GAMMA] *= x[ALPHA] < 1
    n, k = int(np.isfinite(z).sum()), len(found.columns) + 1
    bare = found._replace(columns=NO_COLUMNS)
    total = evaluate(z, bare, x, np.zeros(3 + found.m), n < len(z)).total
    sigma = float(np.sqrt(total / max(n - k + 1, 1)))
    return Fit(spec, found, x, -0.5 * least - n * float(np.log(scale)), sigma, n, k, centre, scale)


def best_first(starts: Sequence[np.ndarray], values: Sequence[float]) -> list[np.ndarray]:
    """Starts in the order of their values, the least first.

    Example:
        >>> best_first([np.array([1.0]), np.array([2.0])], [5.0, 4.0])
        [array([2.]), array([1.])]
    """
    return [starts[i] for i in np.argsort(values, kind="stable")]


def is_contained(small: Spec, large: Spec) -> bool:
    """Whether ``small`` is ``large`` without its slope or season, or with absolute errors in place of relative ones.

    Example:
        >>> is_contained(Spec("add", None, False, "add"), Spec("add", "add", True, "add"))
        True
    """
    return (
        small != large
        and small.error in (large.error, "add")
        and (small.trend is None or small[1:3] == large[1:3])
        and (small.seasonal is None or small.seasonal == large.seasonal)
    )


def chosen(fits: Sequence[Fit], name: str) -> Fit:
    """The fit with the least criterion ``name``; those whose relative errors are too large for a sign are left out.

    Raises:
        ValueError: there is none.
    """
    usable = [fit for fit in fits if not (fit.found.relative and fit.sigma > MOST_SPREAD)]
    if not usable:
        raise ValueError("no model of the family could be fitted")
    return min(usable, key=lambda fit: criterion(fit, name))


def params_of(fit: Fit, name: str) -> Params:
    """What is kept of a fit, in the units of the data."""
    alpha, beta, gamma, phi = map(float, natural(fit.x))
    states, _ = initial_states(fit.found._replace(columns=NO_COLUMNS), fit.x)
    seasonals = states[2:] * (1.0 if fit.found.multiplies else fit.scale)
    values = {key: value if np.isfinite(value := criterion(fit, which)) else None
              for key, which in (("aicc", "aicc"), ("criterion", name))}  # fmt: skip
    return {
        "spec": tuple(fit.spec),
        "alpha": alpha,
        "beta": beta,
        "gamma": gamma,
        "phi": phi,
        "level": float(states[0]) * fit.scale + fit.centre,
        "slope": float(states[1]) * fit.scale,
        "seasonals": seasonals if fit.spec.seasonal else np.zeros(0),
        "sigma": fit.sigma * (1.0 if fit.found.relative else fit.scale),
        "loglik": fit.loglik,
        **values,
    }
