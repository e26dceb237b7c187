"""Maximum likelihood of exponential smoothing: damped Gauss-Newton steps in a box."""

from typing import NamedTuple

import numpy as np

from tsformers.forecasters.local.ets.kernels import (
    BETA,
    GAMMA,
    SEASON,
    Model,
    admissible,
    gains_of,
    smooth,
)
from tsformers.jit import compiled_nogil

EXACT = 1e-20  # squared error of a row, in variances of the data, below which a fit is exact: rounding, no likelihood
ENOUGH = 1e-7  # decrease of -2 log-likelihood at which the search ends
STEPS = 100  # of the search, the most
FIRST_DAMPING, LEAST_DAMPING, WORST_DAMPING, QUIET = (
    1e-2,
    1e-10,
    1e8,
    1e-2,
)  # of a step; a search ends at a small decrease if it is quiet
PACE = 0.02  # a search goes on if twenty steps of the last one's size would reach its rival
HALVINGS = 30  # of the interval in which the largest admissible slope weight lies


class Evaluation(NamedTuple):
    """The likelihood of normalised data at a point; derivatives are by the free slots."""

    value: float  # -2 log-likelihood
    gradient: np.ndarray  # (p,)
    hessian: np.ndarray  # (p, p) the Gauss-Newton approximation
    total: float  # sum of u**2
    states: np.ndarray  # (2 + m,) after the last row
    d_states: np.ndarray  # (2 + m, p)
    variances: np.ndarray  # (3 + m,) of the states after the last row, as ``Gains.after``


@compiled_nogil("contract")
def evaluate(y: np.ndarray, model: Model, x: np.ndarray, before: np.ndarray, gaps: bool) -> Evaluation:
    """-2 log-likelihood of normalised data, its gradient and an approximation of its Hessian.

    With the variance at its maximum the value is n log(sum u**2 / n) + 2 sum log(mu sqrt(v)) + n log(2 pi) + n: a least
    squares problem in w = u exp(mean log(mu sqrt(v))), whose squares give the approximation.

    Args:
        y: (n,), NaN = missing.
        model: the model.
        x: slots.
        before: (3 + m,) variances of the states before the first row.
        gaps: whether rows are missing or ``before`` is not 0.

    Returns:
        The evaluation.
    """
    by = gains_of(y, model, x, before, gaps)
    total, logs, n, hessian, gradient, d_logs, states, d_states = smooth(y, model, x, by)
    value = np.inf
    if np.isfinite(total) and n > 0:
        floored = total + n * EXACT
        value = n * (np.log(floored / n) + np.log(2.0 * np.pi) + 1.0) + 2.0 * logs
        for i in range(len(gradient)):
            d_logs[i] /= n
        for i in range(len(gradient)):
            for k in range(i + 1):
                cross = gradient[i] * d_logs[k] + d_logs[i] * gradient[k] + total * d_logs[i] * d_logs[k]
                hessian[i, k] = 2.0 * n * (hessian[i, k] + cross) / floored
                hessian[k, i] = hessian[i, k]
        for i in range(len(gradient)):
            gradient[i] = 2.0 * n * (gradient[i] / floored + d_logs[i])
    return Evaluation(value, gradient, hessian, total, states, d_states, by.after)


@compiled_nogil("contract")
def solve(hessian: np.ndarray, gradient: np.ndarray, free: np.ndarray, damping: float, step: np.ndarray) -> None:
    """Fill step <- -(H + damping diag(H))^-1 g over the ``free`` entries, 0 in the others; by Cholesky's factors."""
    index, p = np.empty(len(free), np.int64), 0
    for i in range(len(free)):
        step[i] = 0.0
        if free[i]:
            index[p] = i
            p += 1
    factor, z = np.empty((p, p)), np.empty(p)
    for i in range(p):
        for k in range(i):
            rest = hessian[index[i], index[k]]
            for q in range(k):
                rest -= factor[i, q] * factor[k, q]
            factor[i, k] = rest / factor[k, k]
        square, rest = (1.0 + damping) * hessian[index[i], index[i]] + 1e-12, -gradient[index[i]]
        least = 1e-14 * square
        for q in range(i):
            square -= factor[i, q] * factor[i, q]
            rest -= factor[i, q] * z[q]
        factor[i, i] = np.sqrt(max(square, least))
        z[i] = rest / factor[i, i]
    for i in range(p - 1, -1, -1):
        rest = z[i]
        for q in range(i + 1, p):
            rest -= factor[q, i] * z[q]
        z[i] = rest / factor[i, i]
        step[index[i]] = z[i]


@compiled_nogil("contract")
def project(x: np.ndarray, model: Model, trending: bool) -> bool:
    """Clip ``x`` to its box, then lower the slope weight of a ``trending`` season until it is admissible.

    Returns:
        Whether the slope weight was lowered.
    """
    for i in range(len(x)):
        x[i] = min(max(x[i], model.low[i]), model.high[i])
    if not trending or admissible(x, model.m):
        return False
    least, most = 0.0, x[BETA]
    for _ in range(HALVINGS):
        x[BETA] = 0.5 * (least + most)
        if admissible(x, model.m):
            least = x[BETA]
        else:
            most = x[BETA]
    x[BETA] = least
    return True


@compiled_nogil("contract")
def mark_free(x: np.ndarray, model: Model, gradient: np.ndarray, lowered: bool, free: np.ndarray) -> None:
    """Fill ``free`` (p,): not at a bound beyond which the likelihood would grow."""
    for c in range(len(free)):
        slot = model.columns[c]
        at_high = x[slot] >= model.high[slot] or (lowered and slot == BETA)
        free[c] = not ((x[slot] <= model.low[slot] and gradient[c] > 0.0) or (at_high and gradient[c] < 0.0))


@compiled_nogil("contract")
def maximise(y: np.ndarray, model: Model, x: np.ndarray, steps: int, rival: float) -> float:
    """Move ``x`` to a local maximum of the likelihood inside its box.

    Args:
        y: (n,) normalised data, NaN = missing.
        model: the model.
        x: slots; the free ones are changed, and all are clipped.
        steps: the most steps.
        rival: -2 log-likelihood of another maximum; the search ends where it is out of reach at the present pace.

    Returns:
        -2 log-likelihood, inf where ``x`` is impossible.
    """
    gaps, p = np.isnan(y[0]), len(model.columns)  # no literal, which would be a type of its own
    for t in range(len(y)):
        gaps = gaps or np.isnan(y[t])
    trending = model.m > 2 and len(model.low) > SEASON and model.high[BETA] > 0.0 and model.high[GAMMA] > 0.0
    before, free, step, trial = np.zeros(3 + model.m), np.ones(p, np.bool_), np.zeros(p), x.copy()
    value, gradient, hessian, lowered, damping = np.inf, np.zeros(p), np.zeros((p, p)), False, FIRST_DAMPING
    for turn in range(steps + 1):
        for i in range(len(x)):
            trial[i] = x[i]
        for c in range(p):
            trial[model.columns[c]] += step[c]
        capped = project(trial, model, trending)
        there = evaluate(y, model, trial, before, gaps)
        decrease = value - there.value
        if turn == 0 or decrease > 0.0:
            for i in range(len(x)):
                x[i] = trial[i]
            value, gradient, hessian, lowered = there.value, there.gradient, there.hessian, capped
            damping = max(0.1 * damping, LEAST_DAMPING)
        else:
            damping *= 10.0
        quiet = damping < QUIET and 0.0 < decrease < max(ENOUGH, PACE * (value - rival))
        if quiet or damping > WORST_DAMPING or not np.isfinite(value):
            break
        mark_free(x, model, gradient, lowered, free)
        solve(hessian, gradient, free, damping, step)
    return value
