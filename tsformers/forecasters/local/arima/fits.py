"""One seasonal ARMA model fitted by exact maximum likelihood."""

from typing import NamedTuple

import numpy as np

SMALLEST_ROOT = 1.01  # Hyndman & Khandakar (2008), section 3.2: no nearly non-stationary or non-invertible model
ON_THE_CIRCLE = 1e-6
STEPS = 60  # of the optimiser
ROUGHLY, SETTLED = 1e-8, 1e-12  # relative decrease at which the optimiser ends, in the search and for its result
LEAST_SQUARE = 1e-24  # mean squared error, of data of variance 1, that counts as none


class Order(NamedTuple):
    """What the search varies: orders of autoregression and moving average, non-seasonal and seasonal; a constant."""

    p: int
    q: int
    sp: int
    sq: int
    constant: bool


class Sample(NamedTuple):
    """The data of one search.

    With gaps the columns are not differenced, ``lags`` (d + D m,) says how the filter does it, and NaN in the first one
    is a missing value; without, they are differenced, and ``lags`` is None.
    """

    columns: np.ndarray  # (2 + K, n) the series, K regressors, the constant
    lags: np.ndarray | None
    season: int
    power: int  # d + D
    rows: int  # observed values before differencing
    filled: int = 0  # rows of the first column that are not observed but filled in; they do not count in AICc


class Fit(NamedTuple):
    """One model: its order, free numbers (their tanh are partial autocorrelations), log-likelihood and AICc."""

    order: Order
    free: np.ndarray
    loglik: float
    aicc: float
    mean_square: float = 1.0  # of the errors, in the unit of the data, times the geometric mean of their variances
    admissible: bool = True  # no root near the unit circle


def padded(free: np.ndarray, order: Order, other: Order) -> np.ndarray:
    """The free numbers of a model as those of ``other``: what a longer polynomial adds is 0, what is over is left out.

    Example:
        >>> padded(np.array([0.1, 0.2]), Order(1, 1, 0, 0, True), Order(2, 1, 0, 0, True)).tolist()
        [0.1, 0.0, 0.2]
    """
    parts = np.split(free, np.cumsum(order[:4])[:-1])
    kept = [np.r_[part[:size], np.zeros(max(size - len(part), 0))] for part, size in zip(parts, other[:4], strict=True)]
    return np.concatenate(kept)


def is_admissible(free: np.ndarray, order: Order) -> bool:
    """Whether all roots of all four polynomials lie outside the circle of radius ``SMALLEST_ROOT``.

    Those of the seasonal moving average may lie on it, where a season does not change: the optimiser goes no further.

    Example:
        >>> [is_admissible(np.array([free]), Order(1, 0, 0, 0, True)) for free in (0.5, 3.0)]
        [True, False]
    """
    import tsformers.forecasters.local.arima.polynomial_kernels as kernels

    radii = (*[SMALLEST_ROOT] * 3, SMALLEST_ROOT - ON_THE_CIRCLE)
    for size, radius, factor in zip(order[:4], radii, kernels.factors(free, np.array(order[:4])), strict=True):
        shrunk = factor[:size] * radius ** np.arange(1, size + 1)
        while len(shrunk):  # downwards through the orders: each last coefficient is a partial autocorrelation
            last = shrunk[-1]
            if not abs(last) < 1.0:
                return False
            shrunk = (shrunk[:-1] + last * shrunk[-2::-1]) / (1.0 - last * last) if len(shrunk) > 1 else shrunk[:0]
    return True


def exact_fit(
    sample: Sample, order: Order, starts: list[np.ndarray], settled: float = SETTLED, steps: int = STEPS
) -> Fit | None:
    """The model of an order with the greatest likelihood that is reached from any of ``starts``; None near a unit root.

    Args:
        sample: data of variance 1 or differences of such.
        order: p, q, P, Q and the constant.
        starts: free numbers (k,) to begin with.
        settled: share of the sum of squares, a smaller decrease of which ends the optimiser.
        steps: of the optimiser, at most.

    Returns:
        The fit; its AICc counts coefficients and the variance, and the rows that are left by differencing.
    """
    import tsformers.forecasters.local.arima.fit_kernels as kernels

    columns = sample.columns if order.constant else sample.columns[:-1]
    sizes, (white, slopes) = np.array(order[:4]), workspace(sample, columns, len(starts[0]))
    best, least, used = starts[0], np.inf, 0
    for start in starts:
        free = start.copy()
        total, rows, _ = kernels.maximised(
            free, sizes, sample.season, sample.lags, columns, white, slopes, steps, settled
        )
        if total < least:
            best, least, used = free, total, rows
    k, used = len(best) + len(columns), used - sample.filled
    if not np.isfinite(least) or used - k - 1 <= 0:
        return None
    loglik = -0.5 * used * (np.log(2 * np.pi * max(least / used, LEAST_SQUARE)) + 1)
    return Fit(
        order, best, loglik, -2 * loglik + 2 * k * used / (used - k - 1), least / used, is_admissible(best, order)
    )


def workspace(sample: Sample, columns: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Room for the filtered ``columns`` (C, n), with those of the unknown first values, and for k derivatives.

    Example:
        >>> [part.shape for part in workspace(Sample(np.zeros((2, 9)), np.ones(1), 1, 1, 9), np.zeros((2, 9)), 1)]
        [(3, 9), (1, 9)]
    """
    lags, rows = 0 if sample.lags is None else len(sample.lags), columns.shape[1]
    return np.zeros((len(columns) + lags, rows)), np.zeros((k, rows))


def free_covariance(sample: Sample, fit: Fit) -> np.ndarray:
    """Covariance (k, k) of the free numbers of a fit, by the curvature of its likelihood and a weak prior.

    The prior, normal with deviation 1 around the estimate, keeps what the data do not determine within bounds.

    Args:
        sample: of the fit.
        fit: at its maximum.

    Returns:
        A positive definite matrix.

    Example:
        >>> w = np.random.default_rng(1).normal(size=400)
        >>> sample = Sample(np.vstack([w, np.ones(400)]), None, 1, 1, 401)
        >>> fit = exact_fit(sample, Order(1, 0, 0, 0, False), [np.zeros(1)])
        >>> round(float(free_covariance(sample, fit)[0, 0]) * 400, 1)
        1.0
    """
    import tsformers.forecasters.local.arima.fit_kernels as kernels

    columns, k = sample.columns if fit.order.constant else sample.columns[:-1], len(fit.free)
    white, slopes = workspace(sample, columns, k)
    total, used, _ = kernels.maximised(
        fit.free.copy(), np.array(fit.order[:4]), sample.season, sample.lags, columns, white, slopes, 1, 0.0
    )
    square = max(total / max(used - k, 1), LEAST_SQUARE)
    return np.linalg.inv(slopes @ slopes.T / square + np.eye(k))
