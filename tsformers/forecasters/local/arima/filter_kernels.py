"""One-step errors of a seasonal ARIMA model, divided by their standard deviations, of several series in one pass.

The series to explain, and each regressor, pass through the same filter, so that the coefficients are those of a least
squares problem. Exact: what comes out of ``whitened`` and ``whitened_with_gaps`` has the likelihood of the data.
"""

from typing import no_type_check

import numpy as np

from tsformers.forecasters.local.arima.polynomial_kernels import Array, compiled
from tsformers.jit import inlined

STEADY = 1e-13  # relative change of the error variance from which on it counts as constant


@compiled
@no_type_check
def whitened(phi: Array, covariances: Array, columns: Array, white: Array) -> float:
    """Standardised one-step errors ``white`` (C, n) of complete stationary series ``columns`` (C, n).

    ``covariances`` (r,) are those of the first state with its value. Returns the sum of the logarithms of the variances
    of the errors, shocks having variance 1. The state covariance is never formed: the difference between its next and
    its present value has rank one, ``step step' scale``.
    Source: Morf, Sidhu & Kailath (1974), Some new algorithms for recursive estimation.
    """
    count, n = columns.shape
    r = len(phi)
    variance = covariances[0]
    if not variance > 0.0:
        return np.nan
    gain = np.zeros(r)  # T P Z'
    step = np.zeros(r)
    for i in range(r):
        gain[i] = phi[i] * covariances[0] + (covariances[i + 1] if i + 1 < r else 0.0)
        step[i] = gain[i]
    scale = -1.0 / variance
    state = np.zeros((count, r + 1))
    logs, steady = 0.0, False
    root = np.sqrt(variance)
    for t in range(n):
        logs += np.log(variance)
        for c in range(count):
            level = state[c, 0]
            error = columns[c, t] - level
            white[c, t] = error / root
            ratio = error / variance
            for i in range(r):
                state[c, i] = state[c, i + 1] + phi[i] * level + gain[i] * ratio
        if steady:
            continue
        # F' = F + s (Z W)^2, N' = N + s (Z W) T W, W' = T W - N (Z W) / F, s' = s - (s Z W)^2 / F'
        first = step[0]
        change = scale * first
        following = variance + change * first
        for i in range(r):
            moved = (step[i + 1] if i + 1 < r else 0.0) + phi[i] * first
            step[i] = moved - gain[i] * (first / variance)
            gain[i] += moved * change
        scale -= change * change / following
        steady = abs(following - variance) <= STEADY * variance and _is_small(step, scale)
        variance = following
        if not variance > 0.0:
            return np.nan
        root = np.sqrt(variance)
    return logs


@inlined
@no_type_check
def _is_small(step: Array, scale: float) -> bool:
    most = 0.0
    for i in range(len(step)):
        most = max(most, abs(step[i]))
    return most * most * abs(scale) < STEADY


@inlined
@no_type_check
def stationary_covariance(phi: Array, theta: Array, first: Array, covariance: Array) -> None:
    """Covariance of the stationary state into ``covariance[:r, :r]``, from its first row backwards."""
    r = len(phi)
    for i in range(r - 1, -1, -1):
        for j in range(r - 1, i - 1, -1):
            value = theta[i] * theta[j] + phi[i] * phi[j] * first[0]
            if j + 1 < r:
                value += phi[i] * first[j + 1]
            if i + 1 < r:
                value += phi[j] * first[i + 1]
            if j + 1 < r and i + 1 < r:
                value += covariance[i + 1, j + 1]
            covariance[i, j] = value
            covariance[j, i] = value


@compiled
@no_type_check
def moved(state: Array, phi: Array, delta: Array, lags: int) -> None:
    """``state`` (r + L,), in place, a step later: a stationary part and the last ``lags`` = L (or 0) values.

    The value is ``state[0] + sum delta[k] state[r + k]``.
    """
    r = len(phi)
    level = state[0]
    value = level
    for k in range(lags):
        value += delta[k] * state[r + k]
    for i in range(r - 1):
        state[i] = state[i + 1] + phi[i] * level
    state[r - 1] = phi[r - 1] * level
    for k in range(lags - 1, 0, -1):
        state[r + k] = state[r + k - 1]
    if lags > 0:
        state[r] = value


@inlined
@no_type_check
def _moved_covariance(covariance: Array, phi: Array, theta: Array, delta: Array, lags: int) -> None:
    """``T P T' + R R'`` in place: rows a step later, then columns."""
    r = len(phi)
    size = r + lags
    for _ in range(2):
        for i in range(size):
            moved(covariance[i], phi, delta, lags)
            for j in range(i):
                covariance[i, j], covariance[j, i] = covariance[j, i], covariance[i, j]
    for i in range(r):
        for j in range(r):
            covariance[i, j] += theta[i] * theta[j]


@inlined
@no_type_check
def _value_covariances(covariance: Array, delta: Array, lags: int, gain: Array) -> float:
    """``gain`` = P Z', covariances (r + L,) of the state with the value; returns Z P Z', the variance of the value."""
    r = len(gain) - len(delta)
    for i in range(len(gain)):
        gain[i] = covariance[0, i]
        for k in range(lags):
            gain[i] += delta[k] * covariance[r + k, i]
    variance = gain[0]
    for k in range(lags):
        variance += delta[k] * gain[r + k]
    return variance


@inlined
@no_type_check
def _forget(covariance: Array, r: int) -> None:
    """The last values are known: they have no covariance."""
    for i in range(len(covariance)):
        for j in range(r, len(covariance)):
            covariance[i, j] = covariance[j, i] = 0.0


@inlined
@no_type_check
def _observe(
    columns: Array, t: int, delta: Array, gain: Array, variance: float, state: Array, white: Array, place: int
) -> None:
    """Standardised errors of row ``t`` of each column, and the states after it; ``gain`` are covariances (r + L,)."""
    count, lags = len(columns), len(delta)
    size = len(gain)
    for c in range(len(state)):
        error = (columns[c, t] if c < count else 0.0) - state[c, 0]
        for k in range(lags):
            error -= delta[k] * state[c, size - lags + k]
        white[c, place] = error / np.sqrt(variance)
        for i in range(size):
            state[c, i] += gain[i] * (error / variance)


@compiled
@no_type_check
def whitened_with_gaps(
    phi: Array,
    theta: Array,
    delta: Array,
    covariances: Array,
    columns: Array,
    noise: Array,
    white: Array,
    state: Array,
    covariance: Array,
) -> tuple[float, int]:
    """Standardised one-step errors of the observed rows, by the Kalman filter; NaN in ``columns[0]`` is missing.

    The last L values before the first row are unknown: they are coefficients of L further series, which begin with one
    of them at 1 and are 0 afterwards. As long as the last L rows are observed they have no covariance.

    Args:
        phi: (r,).
        theta: (r,).
        delta: (L,) differences: the value is the stationary part plus ``sum delta[k] y[t - 1 - k]``.
        covariances: (r,) of the first stationary state with its value.
        columns: (C, n) the series and its regressors, not differenced.
        noise: (n,) variance of an error of observation over that of shocks; 0 where there is none.
        white: (C + L, n), of which the observed rows are written.
        state: (C + L, r + L), all 0; holds the state after the last row, a step ahead.
        covariance: (r + L, r + L), all 0; holds the covariance of that state.

    Returns:
        The sum of the logarithms of the variances of the errors, and the number of observed rows.
    """
    r, count = len(phi), len(columns)
    gain = np.zeros(r + len(delta))
    stationary_covariance(phi, theta, covariances, covariance)
    for k in range(len(delta)):
        state[count + k, r + k] = 1.0
    logs, rows, lags, since = 0.0, 0, 0, 0
    for t in range(columns.shape[1]):
        variance = _value_covariances(covariance, delta, lags, gain) + noise[t]
        observed = np.isfinite(columns[0, t])
        if observed:
            if not variance > 0.0:
                return np.nan, rows
            logs += np.log(variance)
            _observe(columns, t, delta, gain, variance, state, white, rows)
            for i in range(r + lags):
                for j in range(r + lags):
                    covariance[i, j] -= gain[i] * (gain[j] / variance)
            rows += 1
        since += 1
        if not observed or noise[t] > 0.0:
            lags, since = len(delta), 0
        _moved_covariance(covariance, phi, theta, delta, lags)
        if lags > 0 and since >= lags:  # the last L values are known
            _forget(covariance, r)
            lags = 0
        for c in range(len(state)):
            moved(state[c], phi, delta, len(delta))
    return logs, rows


@compiled
@no_type_check
def responses(phi: Array, delta: Array, rows: Array) -> None:
    """How forecasts depend on the state: the mean at step h is ``rows[h]`` (H, r + L) times the state a step ahead."""
    r, lags = len(phi), len(delta)
    for h in range(len(rows)):
        first = 1.0  # weight of the value before the row in question
        for i in range(r + lags):
            rows[h, i] = 0.0
        if h == 0:
            rows[0, 0] = 1.0
        else:
            first = rows[h - 1, r] if lags > 0 else 0.0
            rows[h, 0] = first
            for i in range(r):
                rows[h, 0] += rows[h - 1, i] * phi[i]
            for i in range(1, r):
                rows[h, i] = rows[h - 1, i - 1]
            for k in range(lags - 1):
                rows[h, r + k] = rows[h - 1, r + k + 1]
        for k in range(lags):
            rows[h, r + k] += first * delta[k]
