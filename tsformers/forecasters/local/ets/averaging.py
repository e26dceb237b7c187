"""Uncertainty of models and weights: particles that stand for what the data leave open."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tsformers.forecasters.local.ets.kernels import BETA, GAMMA, N_WEIGHTS, admissible
from tsformers.forecasters.local.ets.optimiser import evaluate, maximise
from tsformers.forecasters.local.ets.selection import MOST_SPREAD, Fit, chosen, criterion, fit_all, params_of
from tsformers.forecasters.local.ets.states import Spec
from tsformers.forecasters.local.tasks import Params

PARTICLES = 48
PROPOSALS = 96  # of all models together
FEWEST = 8  # of one model
NEGLIGIBLE = 0.01  # share of a model, relative to the best one's, below which it is left out
STATE_STEPS = 2
WIDER = 1.5  # proposals, than the curvature of the likelihood
SLOW = 4.0  # of the prior density exp(-SLOW beta / alpha): slopes change slowly
PRIMES = (2, 3, 5, 7)


class Member(NamedTuple):
    """The particles of one model; all that is kept of it."""

    spec: Spec
    centre: float  # what is subtracted from data
    scale: float  # by which they are divided then
    freedom: float  # degrees of freedom of the standard deviations
    low: np.ndarray  # (d,) bounds of the slots
    high: np.ndarray  # (d,)
    counts: np.ndarray  # (P,) how many particles are alike
    slots: np.ndarray  # (P, d)
    sigmas: np.ndarray  # (P,) standard deviations of an error, of normalised data


def shares(fits: Sequence[Fit], name: str) -> np.ndarray:
    """Akaike's weights of fits: exp(-(criterion - least) / 2), normalised.

    Example:
        >>> fit = Fit(None, None, None, -10.0, 1.0, 20, 3, 0.0, 1.0)
        >>> shares([fit, fit], "aicc")
        array([0.5, 0.5])
    """
    values = np.array([criterion(fit, name) for fit in fits])
    if not np.isfinite(values).any():
        values = np.array([criterion(fit, "aic") for fit in fits])
    weights = np.exp(-0.5 * (values - values.min()))
    weights[weights < NEGLIGIBLE] = 0.0
    return weights / weights.sum()


def van_der_corput(n: int, base: int) -> np.ndarray:
    """The first n radical inverses.

    Example:
        >>> van_der_corput(3, 2)
        array([0.5 , 0.25, 0.75])
    """
    values, rest, unit = np.zeros(n), np.arange(1, n + 1), 1.0
    while rest.any():
        unit /= base
        rest, digit = np.divmod(rest, base)
        values += digit * unit
    return values


def posterior(z: np.ndarray, fit: Fit, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights around their estimate with states fitted to them, and their posterior shares.

    The prior is uniform in the slots. Proposals follow a truncated Cauchy distribution in each slot, as wide as the
    curvature of the profile likelihood says, at the points of a Halton sequence; their shares are the likelihood over
    the proposal's density.

    Args:
        z: (T,) normalised data.
        fit: the fit.
        n: proposals.

    Returns:
        Slots (n, d) and shares (n,) that sum to 1.
    """
    found, best = fit.found, fit.x
    here = evaluate(z, found, best, np.zeros(3 + found.m), fit.n < len(z))
    q = int((found.columns < N_WEIGHTS).sum())
    weights, states = found.columns[:q], found.columns[q:]
    ridge = here.hessian[q:, q:] + np.diag(2.0 / (found.high[states] - found.low[states]) ** 2)
    follow = np.linalg.solve(ridge, here.hessian[q:, :q])  # how states move with weights
    low, high = found.low[weights], found.high[weights]
    scale = proposal_scale(
        here.hessian[:q, :q] - here.hessian[:q, q:] @ follow, here.gradient[:q], best[weights], low, high
    )
    lower, upper = np.arctan((low - best[weights]) / scale), np.arctan((high - best[weights]) / scale)
    uniform = np.column_stack([van_der_corput(n, base) for base in PRIMES[:q]])
    step = np.tan(lower + uniform * (upper - lower))
    x = np.tile(best, (n, 1))
    x[:, weights] = np.clip(best[weights] + scale * step, low, high)
    x[:, states] = np.clip(
        best[states] - (x[:, weights] - best[weights]) @ follow.T, found.low[states], found.high[states]
    )
    logs = np.log(1.0 + step**2).sum(axis=1) - SLOW * x[:, BETA]
    halved = -0.5 * (fit.n - len(states)) / fit.n  # with the variance integrated out
    only_states = found._replace(columns=states)
    trending = found.m > 2 and found.high[BETA] > 0 and found.high[GAMMA] > 0
    for i in range(n):
        if trending and not admissible(x[i], found.m):
            logs[i] = -np.inf
            continue
        logs[i] += halved * maximise(z, only_states, x[i], STATE_STEPS, np.inf)
    if not np.isfinite(logs).any():
        return best[None], np.ones(1)
    parts = np.exp(logs - logs.max())
    return x, parts / parts.sum()


def proposal_scale(
    curvature: np.ndarray, gradient: np.ndarray, x: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Scales (q,) of proposals: standard deviations, or at a bound the decay of the likelihood from it."""
    inside = (x > low) & (x < high)
    precision = np.diag(curvature) / 2 + np.where(inside, 0.0, gradient / 2) ** 2
    if inside.any():
        ridge = np.diag(1.0 / (high - low)[inside] ** 2)
        precision[inside] = 1.0 / np.diag(np.linalg.inv(curvature[np.ix_(inside, inside)] / 2 + ridge))
    sd = 1.0 / np.sqrt(np.maximum(precision, 1e-300))
    return np.minimum(WIDER * sd, high - low)


def members(y: np.ndarray, fits: Sequence[Fit], name: str) -> list[Member]:
    """The particles of each model that has a share."""
    usable = [fit for fit in fits if not (fit.found.relative and fit.sigma > MOST_SPREAD)]
    share, found = shares(usable, name), []
    for fit, part in zip(usable, share, strict=True):
        if part > 0:
            z = (y - fit.centre) / fit.scale
            x, weights = posterior(z, fit, max(FEWEST, round(PROPOSALS * part)))
            found.append((fit, z, x, part * weights))
    ends = np.cumsum(np.concatenate([weights for *_, weights in found]))
    counts = np.diff(
        np.searchsorted((np.arange(PARTICLES) + 0.5) / PARTICLES * ends[-1], ends, side="right"), prepend=0
    )
    out, at = [], 0
    for fit, z, x, _ in found:
        count = counts[at : at + len(x)]
        at += len(x)
        kept = count > 0
        if kept.any():
            bare = fit.found._replace(columns=np.empty(0, np.int64))
            totals = [evaluate(z, bare, one, np.zeros(3 + bare.m), fit.n < len(z)).total for one in x[kept]]
            freedom = float(max(fit.n - fit.k + 1, 1))
            sigmas = np.sqrt(np.array(totals) / freedom)
            out.append(
                Member(fit.spec, fit.centre, fit.scale, freedom, bare.low, bare.high, count[kept], x[kept], sigmas)
            )
    return out


def learned(y: np.ndarray, season: int, specs: Sequence[Spec], name: str) -> Params:
    """What is kept of the models of a series ``y`` (T,): the best one, in the units of the data, and the particles."""
    fits = fit_all(y, season, specs)
    best = chosen(fits, name)
    rows = np.flatnonzero(np.isfinite(y))
    return params_of(best, name) | {
        "members": tuple((tuple(member.spec), *member[1:]) for member in members(y, fits, name)),
        "places": np.unique(rows % season),
        "season": season,
    }
