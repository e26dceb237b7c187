"""Exact maximum likelihood of one seasonal ARIMA model: regressors projected out, the rest by Levenberg-Marquardt.

With shocks of variance s^2 and errors ``v`` of variances ``s^2 f``, the likelihood is greatest for
``s^2 = mean(v^2 / f)``, and minus twice its logarithm is ``n log(sum v^2 / f) + sum log f`` up to a constant. So the
sum of squares of ``v / sqrt(f) exp(sum log f / 2 n)`` is to be minimised, a least squares problem.
"""

from typing import no_type_check

import numpy as np

from tsformers.forecasters.local.arima.filter_kernels import whitened, whitened_with_gaps
from tsformers.forecasters.local.arima.polynomial_kernels import Array, compiled, lag_polynomials, state_covariances
from tsformers.jit import inlined

NULL = 1e-18  # squared length that is left of a column, over its own, below which the columns before it contain it
WIDEST = float(np.arctanh(1 / 1.01))  # bound of the free numbers, 2.65: a partial autocorrelation of 1 / 1.01
SLOPE = 1e-6  # step of a forward difference
NOTHING = 1e-24  # mean square, of data of variance 1, from which on nothing is left to explain
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-9, 1e9


@inlined
@no_type_check
def _copy(source: Array, target: Array) -> None:
    for i in range(len(source)):
        target[i] = source[i]


@inlined
@no_type_check
def _subtract(white: Array, unit: int, column: int, rows: int) -> None:
    share = 0.0
    for t in range(rows):
        share += white[unit, t] * white[column, t]
    for t in range(rows):
        white[column, t] -= share * white[unit, t]


@compiled
@no_type_check
def project_out(white: Array, first: int, last: int, rows: int) -> tuple[float, int]:
    """Make columns ``first`` to ``last - 1`` orthonormal, and those before ``first`` orthogonal to them, in place.

    Returns the sum of the logarithms of the squared lengths that were left of them, and how many were not zero.
    """
    logs, rank = 0.0, 0
    for c in range(first, last):
        whole = 0.0
        for t in range(rows):
            whole += white[c, t] * white[c, t]
        for b in range(first, c):
            _subtract(white, b, c, rows)
        left = 0.0
        for t in range(rows):
            left += white[c, t] * white[c, t]
        length = np.sqrt(left) if left > NULL * whole and left > 0.0 else np.inf
        for t in range(rows):
            white[c, t] /= length
        if length < np.inf:
            logs += np.log(left)
            rank += 1
            for b in range(first):
                _subtract(white, c, b, rows)
    return logs, rank


@inlined
@no_type_check
def _residuals(
    free: Array, sizes: Array, season: int, delta: Array | None, columns: Array, white: Array, out: Array
) -> tuple[float, int]:
    """Residuals ``out`` (n,) of the least squares problem; the other arguments are those of ``maximised``.

    Returns the sum of squares, NaN outside the region, and the number of observations beyond the unknown first values.
    """
    count, rows = columns.shape
    r = max(sizes[0] + season * sizes[2], sizes[1] + season * sizes[3] + 1)
    phi = np.zeros(r)
    theta = np.zeros(r)
    lag_polynomials(free, sizes, season, phi, theta)
    covariances = state_covariances(phi, theta)
    used = rows
    if delta is None:
        logs = whitened(phi, covariances, columns, white)
    else:
        lags = len(delta)
        noise = np.zeros(rows)
        state = np.zeros((count + lags, r + lags))
        covariance = np.zeros((r + lags, r + lags))
        logs, rows = whitened_with_gaps(phi, theta, delta, covariances, columns, noise, white, state, covariance)
        volume, rank = project_out(white, count, count + lags, rows)
        logs += volume
        used = rows - rank
    project_out(white, 1, count, rows)
    scale = np.exp(0.5 * logs / used)
    total = 0.0
    for t in range(rows):
        out[t] = white[0, t] * scale
        total += out[t] * out[t]
    return total, used


@inlined
@no_type_check
def _difference(ahead: Array, now: Array, step: float, slopes: Array) -> None:
    for t in range(len(now)):
        slopes[t] = (ahead[t] - now[t]) / step


@inlined
@no_type_check
def _step(normal: Array, slope: Array, damping: float, step: Array) -> None:
    """Solve ``(normal + damping diag(normal)) step = -slope`` by a Cholesky factor; NaN where it has none."""
    k = len(slope)
    lower = np.zeros((k, k))
    for i in range(k):
        for j in range(i + 1):
            total = normal[i, j] * (1.0 + damping if i == j else 1.0)
            for b in range(j):
                total -= lower[i, b] * lower[j, b]
            lower[i, j] = np.sqrt(total) if i == j else total / lower[j, j]
    for i in range(k):
        total = -slope[i]
        for b in range(i):
            total -= lower[i, b] * step[b]
        step[i] = total / lower[i, i]
    for i in range(k - 1, -1, -1):
        total = step[i]
        for b in range(i + 1, k):
            total -= lower[b, i] * step[b]
        step[i] = total / lower[i, i]


@inlined
@no_type_check
def _normal_equations(slopes: Array, now: Array, free: Array, normal: Array, slope: Array) -> None:
    """``J J'`` and ``J r``; a number at its bound that would leave it stays where it is."""
    k, n = slopes.shape
    for i in range(k):
        slope[i] = 0.0
        for t in range(n):
            slope[i] += slopes[i, t] * now[t]
        if abs(free[i]) >= WIDEST and free[i] * slope[i] < 0.0:
            slope[i] = 0.0
            for t in range(n):
                slopes[i, t] = 0.0
        for j in range(i + 1):
            normal[i, j] = 0.0
            for t in range(n):
                normal[i, j] += slopes[i, t] * slopes[j, t]
        if normal[i, i] == 0.0:
            normal[i, i] = 1.0


@compiled
@no_type_check
def maximised(
    free: Array,
    sizes: Array,
    season: int,
    delta: Array | None,
    columns: Array,
    white: Array,
    slopes: Array,
    most: int,
    settled: float,
) -> tuple[float, int, int]:
    """Improve ``free`` (k,) in place, at most for ``most`` steps.

    It ends where a step decreases the sum of squares by less than its share ``settled``.

    Args:
        free: (k,) numbers without bounds, whose tanh are partial autocorrelations.
        sizes: (4,) p, q, P, Q.
        season: m.
        delta: (L,) differences, which the filter applies where rows are missing; None: ``columns`` are complete and
            differenced, and the fast filter does it (compiled for itself, since compiling the other takes seconds).
        columns: (C, n) the series and its regressors.
        white: (C + L, n) to work in.
        slopes: (k, n) to write: the last derivatives of the residuals.
        most: steps.
        settled: relative decrease.

    Returns:
        The sum of squares (NaN: no point of the region), the number of observations beyond the unknown first values,
        and the steps taken.
    """
    n, k = columns.shape[1], len(free)
    now = np.zeros(n)
    trial = np.zeros(n)
    normal = np.zeros((k, k))
    slope = np.zeros(k)
    step = np.zeros(k)
    point = np.zeros(k)
    _copy(free, point)
    total, gained = np.inf, np.inf
    damping, taken, moved = FIRST_DAMPING, 0, -1  # moved: the number whose slopes are computed, -1 for a trial point
    while damping < MOST_DAMPING:
        found, used = _residuals(point, sizes, season, delta, columns, white, trial)
        if moved >= 0:
            _difference(trial, now, point[moved] - free[moved], slopes[moved])
            moved += 1
        elif found < total:
            gained = total - found
            total = found
            _copy(point, free)
            _copy(trial, now)
            if taken == most or k == 0 or gained <= settled * total or total <= NOTHING * used:
                break
            taken, moved = taken + 1, 0
            damping = max(damping / 16.0, LEAST_DAMPING)
        elif taken == 0:
            return np.nan, used, taken
        else:
            damping *= 8.0
        if moved == k:
            _normal_equations(slopes, now, free, normal, slope)
            moved = -1
        _copy(free, point)
        if moved >= 0:
            point[moved] += SLOPE if free[moved] <= 0.0 else -SLOPE
        else:
            _step(normal, slope, damping, step)
            for i in range(k):
                point[i] = min(max(free[i] + step[i], -WIDEST), WIDEST)
    return total, used, taken
