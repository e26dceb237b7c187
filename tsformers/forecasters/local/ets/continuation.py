"""Continuing a history with the particles of exponential smoothing models."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

from tsformers.forecasters.local.draws import normals
from tsformers.forecasters.local.ets.averaging import Member
from tsformers.forecasters.local.ets.kernels import (
    LEAST,
    LEVEL,
    N_WEIGHTS,
    PHI,
    SEASON,
    SLOPE,
    Model,
    initial_states,
)
from tsformers.forecasters.local.ets.optimiser import Evaluation, evaluate, maximise
from tsformers.forecasters.local.ets.simulation import paths
from tsformers.forecasters.local.ets.states import HEAD, Spec, first_states, natural
from tsformers.forecasters.local.tasks import Params

STEPS = 20  # of the search for the initial states of another history
NO_COLUMNS = np.empty(0, np.int64)
GOLDEN, SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1  # their multiples modulo 1 spread evenly


class Particle(NamedTuple):
    """A model with its states at the end of a history."""

    model: Model
    centre: float
    scale: float
    x: np.ndarray  # (d,) slots
    sigma: float
    freedom: float  # degrees of freedom of sigma
    end: Evaluation


def drawn(params: Params, y: np.ndarray, start: int, horizon: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of what follows a history.

    Each antithetic pair has a particle (model and weights), a variance from its posterior and states from theirs; pairs
    are shared out systematically, so that two seeds have the same particles. A particle filters the history from its
    initial states of ``fit``, whose uncertainty the draws include; one that begins elsewhere (``start`` is not 0) from
    them or from states that are fitted to its own first rows, whichever have the higher likelihood.

    Args:
        params: "members", as from ``members``, "places" and "season".
        y: (T,) the history, NaN = missing.
        start: steps from the first row of the training history to ``y[0]``.
        horizon: H.
        n: draws.
        rng: generator.

    Returns:
        (n, H) in the units of ``y``.

    Raises:
        ValueError: no particle can have made such a history.
    """
    found, counts = [], []
    for member in params["members"]:
        these = particles(Member(Spec(*member[0]), *member[1:]), params, y, start)
        found += [particle for particle, _ in these]
        counts += [count for _, count in these]
    if not found:
        raise ValueError("no model of the family can have made such values")
    half = n // 2
    pairs = half + n % 2
    pair = np.r_[np.arange(half), np.arange(half), np.arange(2 * half, n) - half]
    owner = np.searchsorted(np.cumsum(counts), (spread(pairs, GOLDEN) + 0.5) * sum(counts) / pairs, side="right")[pair]
    level = (spread(pairs, SILVER)[pair] + 0.5) / pairs
    width = 2 + max(particle.model.m for particle in found)
    normal = normals(rng, n, horizon + 2 * width)
    values = np.empty((n, horizon))
    for i, particle in enumerate(found):
        rows = np.flatnonzero(owner == i)
        if len(rows):
            half_freedom = particle.freedom / 2
            sigma = particle.sigma * np.sqrt(half_freedom / gammaincinv(half_freedom, level[rows]))
            values[rows] = continued(particle, sigma, len(y), normal[rows, :horizon], normal[rows, horizon:])
    return values


def spread(n: int, step: float) -> np.ndarray:
    """0 to n - 1, each neighbour far from the last.

    Example:
        >>> spread(5, GOLDEN)
        array([0, 3, 1, 4, 2])
    """
    return np.argsort(np.argsort(np.arange(n) * step % 1.0))


def continued(particle: Particle, sigma: np.ndarray, first: int, normal: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Paths (S, H) of a particle with standard deviations ``sigma`` (S,), from normal numbers (S, H) and (S, 2 w)."""
    model, end, width = particle.model, particle.end, 2 + particle.model.m
    ranges = model.high[model.columns] - model.low[model.columns]
    precision = end.hessian / 2 * max(particle.freedom, 1.0) / (particle.freedom + len(model.columns))
    factor = np.linalg.cholesky(precision + np.diag(1.0 / ranges**2))
    shift = np.linalg.solve(factor.T, more[:, : len(ranges)].T).T @ end.d_states.T
    shift *= (sigma / particle.sigma)[:, None] if particle.sigma else 0.0
    states = end.states + shift + state_errors(model, end, more[:, more.shape[1] // 2 :][:, :width]) * sigma[:, None]
    weights = np.tile(natural(particle.x), (len(normal), 1))
    values = paths(states, first, model.m, model.relative, model.multiplies, weights, 1.0, normal * sigma[:, None])
    return values * particle.scale + particle.centre


def particles(member: Member, params: Params, y: np.ndarray, start: int) -> list[tuple[Particle, int]]:
    """The particles of a model at the end of ``y`` (T,), and how many each stands for."""
    z = (y - member.centre) / member.scale
    model = model_at(member, params, start)
    states = model._replace(columns=NO_COLUMNS if start else model.columns[model.columns >= N_WEIGHTS])
    found = []
    for count, x, sigma in zip(member.counts, member.slots, member.sigmas, strict=True):
        x = x if not start else better_states(model, rolled(model, x, params["places"], start), z)
        before = unseen_variances(model, x, sigma)
        end = evaluate(z, states, x, before, bool(np.isnan(z).any() or before.any()))
        if np.isfinite(end.value):
            found.append((Particle(states, member.centre, member.scale, x, sigma, member.freedom, end), int(count)))
    return found


def model_at(member: Member, params: Params, start: int) -> Model:
    """The model of a member for a history that begins ``start`` rows later than that of ``fit``."""
    seasonal = member.spec.seasonal
    m = params["season"] if seasonal else 1
    places = np.sort((params["places"] - start) % m) if seasonal else np.zeros(1, np.int64)
    columns = np.flatnonzero(member.low < member.high)
    return Model(m, member.spec.error == "mul", seasonal == "mul", places, columns, member.low, member.high)


def rolled(model: Model, x: np.ndarray, places: np.ndarray, start: int) -> np.ndarray:
    """Slots whose seasonal terms begin ``start`` rows later; ``places`` (q,) are those of the training history."""
    if model.m == 1:
        return x
    terms = np.append(x[SEASON:], len(places) * float(model.multiplies) - x[SEASON:].sum())
    order = np.argsort((places - start) % model.m)
    return np.append(x[:SEASON], terms[order][:-1])


def unseen_variances(model: Model, x: np.ndarray, sigma: float) -> np.ndarray:
    """Variances (3 + m,) of the states before a history: those of places that never occurred, which the others have."""
    before = np.zeros(3 + model.m)
    if len(model.places) < model.m and sigma > 0:
        states, _ = initial_states(model._replace(columns=NO_COLUMNS), x)
        unseen = np.ones(model.m, bool)
        unseen[model.places] = False
        before[3:][unseen] = states[2 + model.places].var() / sigma**2
    return before


def better_states(model: Model, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """``x``, or the same weights with states fitted to ``z`` (T,) where their likelihood is higher.

    The level is fitted always, the slope on ten rows or more, the season on two seasons in which each place occurs.
    """
    rows = np.flatnonzero(np.isfinite(z))
    fresh, free = x.copy(), np.zeros(len(x), bool)
    free[LEVEL], free[SLOPE] = True, len(rows) >= HEAD and model.high[SLOPE] > 0
    if model.m > 1 and len(z) >= 2 * model.m and len(np.unique(rows % model.m)) == model.m:
        free[SEASON:] = True
        fresh[SEASON:] = first_states(model, z)[SEASON:]
    low, high = np.where(free, model.low, x), np.where(free, model.high, x)
    low[LEVEL], high[LEVEL] = LEAST if model.relative else -np.inf, np.inf
    bare = model._replace(columns=NO_COLUMNS)
    season = initial_states(bare, fresh)[0][2 + rows[0] % model.m]
    fresh[LEVEL] = (z[rows[0]] / season if model.multiplies else z[rows[0]] - season) - x[PHI] * x[SLOPE]
    value = maximise(z, model._replace(columns=np.flatnonzero(free), low=low, high=high), fresh, STEPS, np.inf)
    before = evaluate(z, bare, x, np.zeros(3 + model.m), bool(np.isnan(z).any())).value
    return fresh if value < before else x


def state_errors(model: Model, end: Evaluation, normal: np.ndarray) -> np.ndarray:
    """Errors (S, 2 + m) of the states that missing rows leave, in standard deviations of an error."""
    errors = np.zeros((len(normal), 2 + model.m))
    variances, states = end.variances, end.states
    if not variances.any():
        return errors
    first, cov, second = variances[:3]
    errors[:, 0] = np.sqrt(first) * normal[:, 0]
    if first > 0:
        errors[:, 1] = cov / np.sqrt(first) * normal[:, 0]
        errors[:, 1] += np.sqrt(max(second - cov**2 / first, 0.0)) * normal[:, 1]
    errors[:, 2:] = np.sqrt(variances[3:]) * normal[:, 2:]
    if model.multiplies:
        errors[:, :2] *= states[0]
        errors[:, 2:] *= np.abs(states[2:])
    elif model.relative:
        errors *= np.abs(states[0])
    return errors
