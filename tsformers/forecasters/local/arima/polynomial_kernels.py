"""Lag polynomials of a seasonal ARMA model and the covariance of its stationary state; importing loads numba.

A model is ``w[t] = sum phi[i] w[t - 1 - i] + e[t] + sum theta[j] e[t - j]`` with ``theta[0] = 1``. Its state has r
entries: the value itself, and the parts of the next r - 1 values that are known already, as in Harvey's form.
"""

from typing import Any, no_type_check

import numpy as np

from tsformers.jit import compiled_nogil, inlined

Array = np.ndarray[Any, Any]
compiled = compiled_nogil("contract")


@compiled
@no_type_check
def factors(free: Array, sizes: Array) -> Array:
    """Coefficients (4, most) of the four polynomials of orders ``sizes``, from numbers (k,) without bounds.

    Each is a stationary autoregression, whose partial autocorrelations are the tanh of the numbers; the moving averages
    have their coefficients with the other sign. Source: Monahan (1984).
    """
    out = np.zeros((4, max(max(sizes[0], sizes[1]), max(sizes[2], sizes[3]))))
    before = np.zeros(out.shape[1])
    first = 0
    for part in range(4):
        for k in range(sizes[part]):
            partial = np.tanh(free[first + k])
            for j in range(k):
                before[j] = out[part, j]
            for j in range(k):
                out[part, j] = before[j] - partial * before[k - 1 - j]
            out[part, k] = partial
        first += sizes[part]
    return out


@compiled
@no_type_check
def lag_polynomials(free: Array, sizes: Array, season: int, phi: Array, theta: Array) -> None:
    """``phi`` (r,) and ``theta`` (r,) of orders ``sizes`` = p, q, P, Q, from numbers without bounds.

    Product k of ``(1 - sum inner[i] B^(i + 1)) (1 - sum outer[j] B^(m (j + 1)))`` is the coefficient of B^k.
    """
    parts = factors(free, sizes)
    product = np.zeros((2, len(phi) + 1))
    for side in range(2):
        for j in range(sizes[side + 2] + 1):
            factor = 1.0 if j == 0 else -parts[side + 2, j - 1]
            product[side, season * j] += factor
            for i in range(sizes[side]):
                product[side, season * j + i + 1] -= factor * parts[side, i]
    for i in range(len(phi)):
        phi[i] = -product[0, i + 1]
        theta[i] = product[1, i]


@inlined
@no_type_check
def _autoregressive_covariances(phi: Array, size: int, lower: Array, variance: Array, out: Array) -> None:
    """Autocovariances ``out`` of the autoregression ``phi[:size]`` with shocks of variance 1; NaN: not stationary.

    Downwards through the orders to the variance, upwards to the covariances (Durbin and Levinson); ``lower``
    (size + 1, size + 1) and ``variance`` (size + 1,) hold the coefficients and error variances of lower orders.
    """
    for i in range(size):
        lower[size, i] = phi[i]
    variance[size] = 1.0
    for k in range(size, 0, -1):
        last = lower[k, k - 1]
        rest = 1.0 - last * last
        for j in range(k - 1):
            lower[k - 1, j] = (lower[k, j] + last * lower[k, k - 2 - j]) / rest
        variance[k - 1] = variance[k] / rest if rest > 0.0 else np.nan
    out[0] = variance[0]
    for k in range(1, len(out)):
        row = min(k - 1, size)
        out[k] = lower[k, k - 1] * variance[k - 1] if k <= size else 0.0
        for j in range(row):
            out[k] += lower[row, j] * out[k - 1 - j]


@inlined
@no_type_check
def _used(coefficients: Array) -> int:
    """One more than the place of the last coefficient that is not 0."""
    size = len(coefficients)
    while size > 0 and coefficients[size - 1] == 0.0:
        size -= 1
    return size


@inlined
@no_type_check
def _arma_covariances(pure: Array, theta: Array, q: int, out: Array) -> None:
    """Autocovariances ``out`` of a model, from those of its autoregression alone, ``pure``."""
    for lag in range(q + 1):
        moving = 0.0
        for j in range(q + 1 - lag):
            moving += theta[j] * theta[j + lag]
        if moving != 0.0:
            for k in range(len(out)):
                out[k] += moving * (pure[k + lag] + (pure[abs(k - lag)] if lag > 0 else 0.0))


@compiled
@no_type_check
def state_covariances(phi: Array, theta: Array) -> Array:
    """Covariances (r,) of each entry of the stationary state with the value, shocks having variance 1."""
    r = len(phi)
    p, q = _used(phi), _used(theta) - 1
    lower = np.zeros((p + 1, p + 1))
    variance = np.zeros(p + 1)
    pure = np.zeros(r + q + 1)
    both = np.zeros(p + 1)
    _autoregressive_covariances(phi, p, lower, variance, pure)
    _arma_covariances(pure, theta, q, both)
    weights = np.zeros(q + 1)  # psi: response of the value to a shock
    for k in range(q + 1):
        weights[k] = theta[k]
        for i in range(min(k, p)):
            weights[k] += phi[i] * weights[k - 1 - i]
    out = np.zeros(r)
    for i in range(r):
        for j in range(i, p):
            out[i] += phi[j] * both[j + 1 - i]
        for j in range(i, q + 1):
            out[i] += theta[j] * weights[j - i]
    return out
