"""Level x shape: one level a period, forecast by ridge regression, times the shares of the last periods; compiled.

The last C whole periods of P rows as a matrix y (C, P); level L_c = sum of a period, share y_cp / L_c. The level is
shifted to start at 0 where a value is below 0, taken by Box-Cox to z, and dz_c regressed on
(1, t, -z_{c-1}, dz_{c-s}), s periods of the first kind in one of the second.
"""

import numpy as np

from tsformers.forecasters.blend.bases.ridge import DAMPING, ridge_weights
from tsformers.jit import compiled_nogil

LEAST_PERIODS = 3
SHAPE_PERIODS = 10  # their shares are averaged without the highest and lowest quarter (the paper: the mean of 2, which
# is 2 % worse on M1, M3, retail and tourism, 3 % on pedestrians and page views)
LAG_ROWS = 10  # steps with a step a longer period before, from which that one counts
SWEEPS = 8  # of alternating least squares; with no row missing the second changes little
NOISE = 1e-9  # residuals of this share of the root mean square are rounding
LAMBDAS = 11  # Box-Cox powers 0, .1, ..., 1: the average by likelihood
LEAST_LEVEL = 0.05  # of the mean level
LEVEL_REACH = 1.0  # ranges of the levels beyond the least and the greatest


@compiled_nogil()
def information(y: np.ndarray, period: int, low: float, shape: np.ndarray, levels: np.ndarray) -> float:
    """BIC a value of levels x shape, less that of the mean of each period; inf without a value."""
    start = len(y) - len(levels) * period
    rest, flat, size, count = 0.0, 0.0, 0.0, 0
    for c in range(len(levels)):
        mean, there = 0.0, 0
        for p in range(period):
            value = y[start + c * period + p] - low
            if not np.isnan(value):
                rest += (value - levels[c] * shape[p]) ** 2
                there += 1
                away = value - mean
                mean += away / there
                flat += away * (value - mean)
                size += value * value
        count += there
    if count == 0 or size <= 0:
        return np.inf
    floor = NOISE * NOISE * size
    return np.log((rest + floor) / (flat + floor)) + (period - 1) * np.log(count) / count


@compiled_nogil()
def rank_one(y: np.ndarray, period: int, low: float, shape: np.ndarray, levels: np.ndarray) -> float:
    """BIC a value of the rank-one fit of the whole periods of ``y - low``, less that of a flat shape; inf if no fit.

    ``shape`` (P,) gets the fitted shape with sum 1, ``levels`` (C,) the sums of the periods, the oldest first (NaN: no
    value there).
    """
    n, periods = len(y), len(levels)
    start = n - periods * period
    shape[:] = 1.0
    for sweep in range(SWEEPS + 1):
        for c in range(periods):
            product, power = 0.0, 0.0
            for p in range(period):
                value = y[start + c * period + p] - low
                if not np.isnan(value):
                    product += value * shape[p]
                    power += shape[p] * shape[p]
            levels[c] = product / power if power > 0 else np.nan
        if sweep == SWEEPS:
            break
        for p in range(period):
            product, power = 0.0, 0.0
            for c in range(periods):
                value = y[start + c * period + p] - low
                if not np.isnan(value):
                    product += value * levels[c]
                    power += levels[c] * levels[c]
            shape[p] = product / power if power > 0 else 1.0
    return information(y, period, low, shape, levels)


@compiled_nogil()
def insert(ordered: np.ndarray, n: int, value: float) -> None:
    """Put ``value`` in its place among the first ``n`` of ``ordered``."""
    at = n
    while at > 0 and ordered[at - 1] > value:
        ordered[at] = ordered[at - 1]
        at -= 1
    ordered[at] = value


@compiled_nogil()
def middle_mean(ordered: np.ndarray, n: int) -> float:
    """Mean of the first ``n`` of ``ordered`` without a quarter at both ends."""
    total, left_out = 0.0, n // 4
    for k in range(left_out, n - left_out):
        total += ordered[k]
    return total / (n - 2 * left_out)


@compiled_nogil()
def shares(y: np.ndarray, low: float, shape: np.ndarray, levels: np.ndarray) -> bool:
    """Sums of the periods into ``levels`` (C,) and the shares of the last into ``shape`` (P,); whether above 0.

    A phase's share is the mean of its last ten without the highest and lowest quarter.

    Where rows are missing, the fitted ``shape`` says what share of a period is there, and a phase takes its last
    shares that are there, or keeps the fitted one.
    """
    n, period, periods = len(y), len(shape), len(levels)
    start, whole = n - periods * period, 0.0
    for p in range(period):
        shape[p] = max(shape[p], 0.0)
        whole += shape[p]
    for c in range(periods):
        total, there = 0.0, 0.0
        for p in range(period):
            value = y[start + c * period + p] - low
            if not np.isnan(value):
                total += value
                there += shape[p] / whole
        levels[c] = total / there if there > 0 else np.nan
    whole_shares, ordered = 0.0, np.empty(SHAPE_PERIODS)
    for p in range(period):
        found, c = 0, periods - 1
        while c >= 0 and found < SHAPE_PERIODS:
            value = y[start + c * period + p] - low
            if not np.isnan(value) and levels[c] > 0:
                insert(ordered, found, value / levels[c])
                found += 1
            c -= 1
        shape[p] = middle_mean(ordered, found) if found else shape[p] / whole
        whole_shares += shape[p]
    if not whole_shares > 0:
        return False
    for p in range(period):
        shape[p] /= whole_shares
    return True


@compiled_nogil()
def power_of(x: float, power: float) -> float:
    """Box-Cox: (x**power - 1) / power, the logarithm at 0."""
    return np.expm1(power * np.log(x)) / power if power > 1e-6 else np.log(x)


@compiled_nogil()
def likely_power(x: np.ndarray) -> float:
    """Box-Cox power in [0, 1] of ``x`` (C,) > 0: mean of the grid by likelihood."""
    n, logs = len(x), 0.0
    for c in range(n):
        logs += np.log(x[c])
    scores, best = np.empty(LAMBDAS), -np.inf
    for k in range(LAMBDAS):
        power = k / (LAMBDAS - 1)
        mean, squares = 0.0, 0.0
        for c in range(n):
            value = power_of(x[c], power)
            away = value - mean
            mean += away / (c + 1)
            squares += away * (value - mean)
        scores[k] = (power - 1) * logs - 0.5 * n * np.log(squares / n + NOISE)
        best = max(best, scores[k])
    total, weights = 0.0, 0.0
    for k in range(LAMBDAS):
        weight = np.exp(scores[k] - best)
        total += weight * k / (LAMBDAS - 1)
        weights += weight
    return total / weights


@compiled_nogil()
def level_path(levels: np.ndarray, lag: int, path: np.ndarray) -> bool:
    """Levels of the next periods into ``path`` (J,), from ``levels`` (C,), NaN = missing; whether there was one."""
    n, mean, count = len(levels), 0.0, 0
    for c in range(n):
        if not np.isnan(levels[c]):
            mean += levels[c]
            count += 1
    if count < LEAST_PERIODS or not mean > 0:
        return False
    mean /= count
    x, z, there = np.empty(n), np.empty(n), np.empty(n, dtype=np.bool_)
    last = 1.0
    for c in range(n):
        there[c] = not np.isnan(levels[c])
        if there[c]:
            last = max(levels[c] / mean, LEAST_LEVEL)
        x[c] = last
    power = likely_power(x)
    for c in range(n):
        z[c] = power_of(x[c], power)
    reach = LEVEL_REACH * (x.max() - x.min())
    least, most = power_of(max(x.min() - reach, LEAST_LEVEL), power), power_of(x.max() + reach, power)
    found = ridge_weights(z, there, lag)
    ahead = np.empty(n + len(path))
    ahead[:n] = z
    level, left = z[n - 1], 1.0
    for j in range(len(path)):
        step = found[0] + found[1] * (n + j) - found[2] * level
        if lag > 0:
            before = ahead[n + j - lag]
            step += found[3] * (before - ahead[n + j - lag - 1])
        step *= left
        left *= DAMPING
        level = min(max(level + step, least), most)
        ahead[n + j] = level
        path[j] = mean * (max(1 + power * level, 0.0) ** (1 / power) if power > 1e-6 else np.exp(level))
    return True


@compiled_nogil()
def level_shape(y: np.ndarray, periods: tuple[int, int], path: np.ndarray) -> bool:
    """Forecasts of ``y`` (n,) by the likelier of two ``periods`` (0: none) into ``path`` (H,); whether there is one.

    A period of three or more in the data counts, if its rank-one fit is better by BIC than a flat shape.
    """
    n, low, best, period = len(y), 0.0, 0.0, 0
    for t in range(n):
        if y[t] < low:
            low = y[t]
    for candidate in periods:
        if candidate > 1 and n >= LEAST_PERIODS * candidate:
            gain = rank_one(y, candidate, low, np.empty(candidate), np.empty(n // candidate))
            if gain < best:
                best, period = gain, candidate
    if period == 0:
        return False
    shape, levels = np.empty(period), np.empty(n // period)
    rank_one(y, period, low, shape, levels)
    if not shares(y, low, shape, levels):
        return False
    lag = periods[1] // period if periods[1] > period else 0
    if len(levels) < lag + LAG_ROWS + 1:
        lag = 0
    ahead = np.empty((len(path) + period - 1) // period)
    if not level_path(levels, lag, ahead):
        return False
    for h in range(len(path)):
        path[h] = low + ahead[h // period] * shape[h % period]
    return True
