"""The season of the Theta method: its test by one autocorrelation, and classical decomposition; both skip NaN."""

import numpy as np

from tsformers.jit import compiled_nogil

SEASONALITY_Z = 1.645  # 90 %, the test of the original method
PASSES = 4  # over a series with missing rows: the mean of a window is that of its values without their season


@compiled_nogil()
def is_seasonal(y: np.ndarray, season: int) -> bool:
    """The autocorrelation of ``y`` (T,) at one season is outside its 90 % bounds under a moving average of lower order.

    A missing value (NaN) leaves out the products it is in; the others are raised to the number that all would have.

    Example:
        >>> is_seasonal(np.tile([1.0, 0.0, -1.0, 0.0], 5), 4)
        True

    Source: Assimakopoulos & Nikolopoulos (2000); Fiorucci et al. (2016), section 4.1.
    """
    rows, count, mean, power = len(y), 0, 0.0, 0.0
    for value in y:
        if not np.isnan(value):
            count += 1
            mean += (value - mean) / count
    for value in y:
        if not np.isnan(value):
            power += (value - mean) ** 2
    if count == 0 or power <= 0.0:
        return False
    power /= count
    bound, rho = 1.0, 0.0
    for lag in range(1, season + 1):
        total, pairs = 0.0, 0
        for t in range(lag, rows):
            product = (y[t] - mean) * (y[t - lag] - mean)
            if not np.isnan(product):
                total += product
                pairs += 1
        rho = total / pairs * (rows - lag) / rows / power if pairs > 0 else 0.0
        if lag < season:
            bound += 2 * rho * rho
        else:
            bound /= pairs * rows / (rows - lag) if pairs > 0 else 0.0
    return abs(rho) > SEASONALITY_Z * np.sqrt(bound)


@compiled_nogil()
def window_mean(y: np.ndarray, t: int, pattern: np.ndarray, multiplies: bool) -> float:
    """Mean of the observed values around row ``t``, without a pattern; of an even season the ends have half weight."""
    season = len(pattern)
    half = season // 2
    total, weights = 0.0, 0.0
    for k in range(t - half, t + half + 1):
        if np.isnan(y[k]):
            continue
        weight = 0.5 if season % 2 == 0 and (k == t - half or k == t + half) else 1.0
        place = k % season
        total += weight * (y[k] / pattern[place] if multiplies else y[k] - pattern[place])
        weights += weight
    return total / weights


@compiled_nogil()
def season_means(
    y: np.ndarray, multiplies: bool, pattern: np.ndarray, sums: np.ndarray, counts: np.ndarray, parts: np.ndarray
) -> None:
    """One pass of the decomposition: ``pattern`` (m,) becomes the means of ``parts`` (T,), beside a moving average.

    ``sums`` (m,) are the means before they are brought to the average 1 or 0, ``counts`` (m,) their values.
    """
    season, found, mean = len(pattern), 0.0, 0.0
    half = season // 2
    for place in range(season):
        sums[place], counts[place] = 0.0, 0.0
    for t in range(half, len(y) - half):
        if np.isnan(y[t]):
            continue
        trend = window_mean(y, t, pattern, multiplies)
        parts[t] = y[t] / trend if multiplies else y[t] - trend
        sums[t % season] += parts[t]
        counts[t % season] += 1
    for place in range(season):
        if counts[place] > 0:
            sums[place] /= counts[place]
            found += 1
            mean += (sums[place] - mean) / found
    for place in range(season):
        if counts[place] > 0:
            pattern[place] = sums[place] / mean if multiplies else sums[place] - mean


def classical_season(y: np.ndarray, season: int, multiplies: bool) -> tuple[np.ndarray, np.ndarray]:
    """Means (m,), by season position, of ``y`` (T,) without its centred moving average, and their standard errors.

    The means average 1 or 0. A position without a value has 1 or 0, and the standard error of a single value.

    Example:
        >>> classical_season(np.tile([1.0, 3.0], 5), 2, multiplies=True)[0]
        array([0.5, 1.5])
    """
    pattern = np.full(season, 1.0 if multiplies else 0.0)
    sums, counts, parts = np.empty(season), np.empty(season), np.full(len(y), np.nan)
    for _ in range(PASSES if np.isnan(y).any() else 1):
        season_means(y, multiplies, pattern, sums, counts, parts)
    rest = parts - sums.take(np.arange(len(y)), mode="wrap")
    rest = rest[~np.isnan(rest)]
    spread = float(rest @ rest) / max(len(rest) - int(np.count_nonzero(counts)), 1)
    return pattern, np.sqrt(spread / np.maximum(counts, 1))


def seasonal_pattern(y: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Seasonal terms (m,) by position ``row % m``, their standard errors, whether they multiply; a zero without season.

    Example:
        >>> seasonal_pattern(np.tile([1.0, 0.0, -1.0, 0.0], 5), 4)[0]
        array([ 1.,  0., -1.,  0.])
    """
    if season == 1 or len(y) < 2 * season or not is_seasonal(y, season):
        return np.zeros(1), np.zeros(1), False
    if np.nanmin(y) > 0:
        factors, errors = classical_season(y, season, True)
        if factors.min() > 0:
            return factors, errors, True
    return *classical_season(y, season, False), False
