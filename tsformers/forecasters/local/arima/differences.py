"""How often a series is differenced: the KPSS test, and the strength of its season."""

import numpy as np

from tsformers.forecasters.local.arima.decomposition import decomposed

KPSS_CRITICAL = 0.463  # 5 % level of level stationarity: Kwiatkowski et al. (1992), table 1
STRONG_SEASON = 0.64  # of Wang, Smith & Hyndman (2006); threshold of R's forecast package
DICKEY_FULLER_CRITICAL = -2.9  # 5 % level with a constant, 50 to 100 values: Fuller (1976), table 8.5.2
FEW = 100  # values, below which the KPSS test has little power: it keeps a sixth of random walks of 40
EQUAL = 1e-10  # range, of data of variance 1, of values that count as one


def is_constant(y: np.ndarray) -> bool:
    """Whether all observed values of ``y`` (T,), which has variance 1 or came from such a series, are one value.

    Example:
        >>> is_constant(np.array([0.1, np.nan, 0.1])), is_constant(np.array([0.1, 0.2]))
        (True, False)
    """
    observed = y[np.isfinite(y)]
    return bool(observed.size == 0 or np.ptp(observed) <= EQUAL)


def seasonal_strength(y: np.ndarray, season: int) -> float:
    """``max(0, 1 - var(remainder) / var(season + remainder))`` of a decomposition by loess; 0 without a season.

    Args:
        y: (T,), NaN = missing; missing rows have no weight.
        season: rows of one season, m.

    Returns:
        0 to 1.

    Example:
        >>> round(seasonal_strength(np.tile([1.0, 0.0, -1.0, 0.0], 20), 4), 3), seasonal_strength(np.arange(9.0), 1)
        (1.0, 0.0)

    Source: Wang, Smith & Hyndman (2006), Characteristic-based clustering for time series data, section 3.1.
    """
    if season == 1 or len(y) < 2 * season:
        return 0.0
    trend, seasonal = decomposed(np.asarray(y, dtype=float), season)
    both = (y - trend)[np.isfinite(y)]
    remainder = both - seasonal[np.isfinite(y)]
    if not np.ptp(both) > EQUAL * np.nanstd(y):
        return 0.0
    return max(0.0, 1 - float(np.var(remainder) / np.var(both)))


def kpss(y: np.ndarray) -> float:
    """The KPSS statistic of level stationarity, with ``3 sqrt(T) / 13`` lags of a Bartlett window.

    Args:
        y: (T,) without missing values.

    Returns:
        The statistic; above ``KPSS_CRITICAL`` stationarity is rejected.

    Example:
        >>> kpss(np.arange(50.0)) > KPSS_CRITICAL
        True

    Source: Kwiatkowski, Phillips, Schmidt & Shin (1992), Testing the null hypothesis of stationarity.
    """
    errors, n = y - y.mean(), len(y)
    lags = int(3 * np.sqrt(n) / 13)
    covariances = np.array([errors[lag:] @ errors[: n - lag] for lag in range(lags + 1)]) / n
    long_run = covariances[0] + 2 * (1 - np.arange(1, lags + 1) / (lags + 1)) @ covariances[1:]
    return float(np.sum(np.cumsum(errors) ** 2) / n**2 / long_run)


def differences_needed(y: np.ndarray, most: int) -> int:
    """How often ``y`` (T,) is differenced, ``most`` times at most, until the KPSS test does not reject stationarity.

    Missing rows are passed over, as in R: the values on both sides are taken as neighbours.

    Args:
        y: (T,), NaN = missing.
        most: 0 to 2.

    Returns:
        d.

    Example:
        >>> differences_needed(np.cumsum(np.random.default_rng(3).normal(size=300)), 2)
        1
    """
    y = y[np.isfinite(y)]
    for d in range(most):
        if len(y) < 3 or is_constant(y) or kpss(y) < KPSS_CRITICAL:
            return d
        y = np.diff(y)
    return most


def dickey_fuller(y: np.ndarray) -> float:
    """The t statistic of a unit root, in a regression with a constant and one lagged difference.

    Args:
        y: (T,) without missing values.

    Returns:
        The statistic; below ``DICKEY_FULLER_CRITICAL`` a unit root is rejected.

    Example:
        >>> dickey_fuller(np.random.default_rng(0).normal(size=90)) < DICKEY_FULLER_CRITICAL
        True

    Source: Said & Dickey (1984), Testing for unit roots in autoregressive-moving average models of unknown order.
    """
    steps = np.diff(y)
    x = np.column_stack([y[1:-1], np.ones(len(steps) - 1), steps[:-1]])
    inverse = np.linalg.pinv(x)
    coefficients = inverse @ steps[1:]
    errors = steps[1:] - x @ coefficients
    variance = errors @ errors / (len(errors) - 3)
    return float(coefficients[0] / np.sqrt(variance * (inverse[0] @ inverse[0])))


def is_a_walk(y: np.ndarray) -> bool:
    """Whether few values ``y`` (T,), which the KPSS test takes for stationary, may as well be a random walk.

    Example:
        >>> is_a_walk(np.cumsum(np.random.default_rng(0).normal(size=30)))
        True
    """
    y = y[np.isfinite(y)]
    return len(y) < FEW and not is_constant(y) and not dickey_fuller(y) < DICKEY_FULLER_CRITICAL


def difference_lags(d: int, seasonal_d: int, season: int) -> np.ndarray:
    """Weights (d + D m,) of the last values in the value itself: ``1 - (1 - B)^d (1 - B^m)^D``.

    Example:
        >>> difference_lags(1, 1, 4).tolist()
        [1.0, 0.0, 0.0, 1.0, -1.0]
    """
    product = np.ones(1)
    for _ in range(d):
        product = np.convolve(product, [1.0, -1.0])
    for _ in range(seasonal_d):
        product = np.convolve(product, np.r_[1.0, np.zeros(season - 1), -1.0])
    return 0.0 - product[1:]


def differenced(y: np.ndarray, d: int, seasonal_d: int, season: int) -> np.ndarray:
    """``(1 - B)^d (1 - B^m)^D y`` along the last axis, without the rows before which there are none.

    Example:
        >>> differenced(np.array([1.0, 2.0, 4.0, 7.0]), 2, 0, 1).tolist()
        [1.0, 1.0]
    """
    for _ in range(seasonal_d):
        y = y[..., season:] - y[..., :-season]
    return np.diff(y, d)
