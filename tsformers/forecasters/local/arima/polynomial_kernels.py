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
def stationary(free: Array, first: int, size: int) -> Array:
    """Coefficients (size,) of an autoregression with partial autocorrelations ``tanh(free[first:first + size])``.

    Stationary for any numbers. Source: Monahan (1984).
    """
    now = np.zeros(size)
    before = np.zeros(size)
    for k in range(size):
        partial = np.tanh(free[first + k])
        for j in range(k):
            before[j] = now[j]
        for j in range(k):
            now[j] = before[j] - partial * before[k - 1 - j]
        now[k] = partial
    return now


@compiled
@no_type_check
def multiply(inner: Array, outer: Array, season: int, product: Array) -> None:
    """``product[k]`` = coefficient of B^k in ``(1 - sum inner[i] B^(i + 1)) (1 - sum outer[j] B^(m (j + 1)))``."""
    for k in range(len(product)):
        product[k] = 0.0
    for j in range(len(outer) + 1):
        factor = 1.0 if j == 0 else -outer[j - 1]
        product[season * j] += factor
        for i in range(len(inner)):
            product[season * j + i + 1] -= factor * inner[i]


@compiled
@no_type_check
def lag_polynomials(free: Array, sizes: Array, season: int, phi: Array, theta: Array) -> None:
    """``phi`` (r,) and ``theta`` (r,) of orders ``sizes`` = p, q, P, Q, from numbers without bounds."""
    p, q, sp, sq = sizes[0], sizes[1], sizes[2], sizes[3]
    product = np.zeros(len(phi) + 1)
    multiply(stationary(free, 0, p), stationary(free, p + q, sp), season, product)
    for i in range(len(phi)):
        phi[i] = -product[i + 1]
    multiply(stationary(free, p, q), stationary(free, p + q + sp, sq), season, theta)


@compiled
@no_type_check
def autoregressive_covariances(phi: Array, size: int, rows: int) -> Array:
    """Autocovariances (rows,) of the autoregression ``phi[:size]`` with shocks of variance 1; NaN: not stationary.

    Downwards through the orders to the variance, upwards to the covariances (Durbin and Levinson).
    """
    out = np.zeros(rows)
    lower = np.zeros((size + 1, size + 1))
    variance = np.zeros(size + 1)
    variance[size] = 1.0
    for i in range(size):
        lower[size, i] = phi[i]
    for k in range(size, 0, -1):
        last = lower[k, k - 1]
        rest = 1.0 - last * last
        if not rest > 0.0:
            out[0] = np.nan
            return out
        for j in range(k - 1):
            lower[k - 1, j] = (lower[k, j] + last * lower[k, k - 2 - j]) / rest
        variance[k - 1] = variance[k] / rest
    out[0] = variance[0]
    for k in range(1, rows):
        order = min(k, size)
        total = lower[k, k - 1] * variance[k - 1] if k <= size else 0.0
        row = k - 1 if k <= size else size
        for j in range(order - 1 if k <= size else size):
            total += lower[row, j] * out[k - 1 - j]
        out[k] = total
    return out


@inlined
@no_type_check
def _used(coefficients: Array) -> int:
    """One more than the place of the last coefficient that is not 0."""
    size = len(coefficients)
    while size > 0 and coefficients[size - 1] == 0.0:
        size -= 1
    return size


@compiled
@no_type_check
def _arma_covariances(pure: Array, theta: Array, q: int, rows: int) -> Array:
    """Autocovariances (rows,) of a model, from those of its autoregression alone, ``pure``."""
    out = np.zeros(rows)
    for lag in range(q + 1):
        moving = 0.0
        for j in range(q + 1 - lag):
            moving += theta[j] * theta[j + lag]
        if moving != 0.0:
            for k in range(rows):
                out[k] += moving * (pure[k + lag] + (pure[abs(k - lag)] if lag > 0 else 0.0))
    return out


@compiled
@no_type_check
def state_covariances(phi: Array, theta: Array) -> Array:
    """Covariances (r,) of each entry of the stationary state with the value, shocks having variance 1."""
    r = len(phi)
    p, q = _used(phi), _used(theta) - 1
    both = _arma_covariances(autoregressive_covariances(phi, p, r + q + 1), theta, q, p + 1)
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
