"""From the coefficients of a model: those of its regressors, and what follows a history."""

from typing import NamedTuple

import numpy as np

from tsformers.forecasters.local.arima.differences import difference_lags

ALIKE = 1e-9  # singular value, over the largest, of a direction that no row observes


class Model(NamedTuple):
    """A seasonal ARIMA model without its regressors; shocks have variance 1."""

    phi: np.ndarray  # (r,) autoregressive coefficients, products included
    theta: np.ndarray  # (r,) moving-average coefficients after a leading 1
    lags: np.ndarray  # (L,) differences, L = d + D m: see ``difference_lags``


class Filtered(NamedTuple):
    """A history of C columns that has passed the filter, with L more columns for the unknown values before it."""

    white: np.ndarray  # (C + L, rows observed) standardised one-step errors
    state: np.ndarray  # (C + L, r + L) one step after the last row
    covariance: np.ndarray  # (r + L, r + L) of that state
    n_columns: int  # C


class Regression(NamedTuple):
    """Coefficients (K,) of regressors, their covariance over the variance of shocks, and what they leave."""

    coefficients: np.ndarray
    covariance: np.ndarray
    square: float  # sum of squares of the standardised errors
    used: int  # observed rows beyond the unknown first values


def expanded(free: np.ndarray, sizes: tuple[int, int, int, int], d: int, seasonal_d: int, season: int) -> Model:
    """The model of orders p, q, P, Q whose partial autocorrelations are the tanh of ``free`` (k,).

    Example:
        >>> expanded(np.arctanh([0.5]), (1, 0, 0, 0), 1, 0, 1).phi.round(9).tolist()
        [0.5]
    """
    import tsformers.forecasters.local.arima.polynomial_kernels as kernels

    p, q, sp, sq = sizes
    r = max(p + season * sp, q + season * sq + 1)
    phi, theta = np.zeros(r), np.zeros(r)
    kernels.lag_polynomials(free, np.array(sizes), season, phi, theta)
    return Model(phi, theta, difference_lags(d, seasonal_d, season))


def constant_column(rows: int, d: int, seasonal_d: int, season: int) -> np.ndarray:
    """The column (rows,) that ``(1 - B)^d (1 - B^m)^D`` makes constant: its coefficient is the mean of the differences.

    A unit of it is a unit a row: with one difference, seasonal or not, the coefficient is the slope.

    Example:
        >>> constant_column(4, 1, 0, 1).tolist(), constant_column(3, 2, 0, 1).tolist()
        ([0.0, 1.0, 2.0, 3.0], [0.0, 0.5, 2.0])
    """
    power = d + seasonal_d
    return np.arange(rows, dtype=float) ** power / np.prod(np.arange(1.0, power + 1))


def filtered(model: Model, columns: np.ndarray, noise: np.ndarray | None = None) -> Filtered:
    """``columns`` (C, T), NaN in the first one being missing, after the Kalman filter of ``model``.

    Args:
        model: of the first column; the others are its regressors, finite where it is observed.
        columns: not differenced.
        noise: (T,) variances of errors of observation over that of shocks; None = no errors.

    Returns:
        The standardised errors and the state at the end.

    Example:
        >>> walk = expanded(np.zeros(0), (0, 0, 0, 0), 1, 0, 1)
        >>> filtered(walk, np.array([[1.0, np.nan, 5.0]])).white[0].round(3).tolist()
        [1.0, 2.828]
    """
    import tsformers.forecasters.local.arima.filter_kernels as kernels
    import tsformers.forecasters.local.arima.polynomial_kernels as polynomials

    (count, rows), lags = columns.shape, len(model.lags)
    size = len(model.phi) + lags
    white, state, covariance = np.zeros((count + lags, rows)), np.zeros((count + lags, size)), np.zeros((size, size))
    noise = np.zeros(rows) if noise is None else noise
    first, columns = polynomials.state_covariances(model.phi, model.theta), np.ascontiguousarray(columns)
    _, observed = kernels.whitened_with_gaps(*model, first, columns, noise, white, state, covariance)
    return Filtered(white[:, :observed], state, covariance, count)


def without_first_values(history: Filtered) -> tuple[np.ndarray, int]:
    """What the unknown values before the first row leave of the C columns: (rows, C), and how many they were.

    Example:
        >>> walk = expanded(np.zeros(0), (0, 0, 0, 0), 1, 0, 1)
        >>> left, rank = without_first_values(filtered(walk, np.array([[5.0, 6.0, 8.0]])))
        >>> left.T.round(9).tolist(), int(rank)
        ([[0.0, 1.0, 2.0]], 1)
    """
    white, count = history.white, history.n_columns
    first, left = white[count:].T, white[:count].T
    if not first.shape[1]:
        return left, 0
    solution, _, rank, _ = np.linalg.lstsq(first, left, rcond=ALIKE)
    return left - first @ solution, rank


def regression(history: Filtered) -> Regression:
    """Generalised least squares of the first column on the others; unknown first values have no prior.

    Example:
        >>> noise = expanded(np.zeros(0), (0, 0, 0, 0), 0, 0, 1)
        >>> found = regression(filtered(noise, np.array([[1.0, 2.0, 6.0], [1.0, 1.0, 1.0]])))
        >>> found.coefficients.tolist(), found.square, found.used
        ([3.0], 14.0, 3)
    """
    left, rank = without_first_values(history)
    x = left[:, 1:]
    if not x.shape[1]:
        return Regression(np.zeros(0), np.zeros((0, 0)), float(left[:, 0] @ left[:, 0]), len(left) - rank)
    inverse = np.linalg.pinv(x, rcond=ALIKE)
    coefficients = inverse @ left[:, 0]
    errors = left[:, 0] - x @ coefficients
    return Regression(coefficients, inverse @ inverse.T, float(errors @ errors), len(left) - rank)


def outlook(
    model: Model, history: Filtered, coefficients: np.ndarray, uncertainty: np.ndarray, future: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means (H,) of what follows a history, and their covariance (H, H) over the variance of shocks.

    The covariance holds that of the state at the end, of the unknown first values, and of the coefficients.

    Args:
        model: that of ``history``.
        history: (C = 1 + K columns).
        coefficients: (K,) of the regressors.
        uncertainty: (K, K) their covariance over the variance of shocks.
        future: (K, H) the regressors in the steps to come.

    Returns:
        Means and covariance.

    Raises:
        ValueError: the history does not determine the first values of the differences.

    Example:
        >>> walk = expanded(np.zeros(0), (0, 0, 0, 0), 1, 0, 1)
        >>> history = filtered(walk, np.array([[1.0, 3.0]]))
        >>> means, spread = outlook(walk, history, np.zeros(0), np.zeros((0, 0)), np.zeros((0, 2)))
        >>> means.round(9).tolist(), spread.round(9).tolist()
        ([3.0, 3.0], [[1.0, 1.0], [1.0, 2.0]])
    """
    import tsformers.forecasters.local.arima.filter_kernels as kernels

    white, state, covariance, count = history
    horizon = future.shape[1]
    rows = np.empty((horizon, len(covariance)))
    kernels.responses(model.phi, model.lags, rows)
    means = state @ rows.T
    responses = rows[:, : len(model.phi)] @ model.theta  # to a shock h steps before
    behind = np.arange(horizon)[:, None] - np.arange(1, horizon)
    later = np.where(behind >= 0, responses[behind], 0.0)
    spread = rows @ covariance @ rows.T + later @ later.T
    first = white[count:].T
    series = white[:count].T @ np.r_[1.0, -coefficients]
    answer = np.r_[1.0, -coefficients] @ means[:count] + coefficients @ future
    unexplained = future - means[1:count]
    if first.shape[1]:
        q, upper = np.linalg.qr(first)
        if len(upper) < first.shape[1] or not np.abs(np.diag(upper)).min() > ALIKE:
            raise ValueError(f"{white.shape[1]} rows are fewer than the differences of the model need")
        shares = np.linalg.solve(upper.T, means[count:])  # (L, H)
        answer -= (q.T @ series) @ shares
        unexplained += (q.T @ white[1:count].T).T @ shares
        spread += shares.T @ shares
    return answer, spread + unexplained.T @ uncertainty @ unexplained
