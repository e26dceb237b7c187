"""Numbers that describe one series whatever its unit, compiled."""

import numpy as np

from tsformers.forecasters.blend.bases.forecasts import NOISE, Room, mean_size
from tsformers.forecasters.blend.bases.seasonal import last_value
from tsformers.forecasters.blend.bases.smoothing import autocorrelation, mean_of
from tsformers.jit import compiled_nogil

SCALE_FLOOR = 1e-6  # of the mean size of a value
LEAST_SHARE = 0.3  # of the seasonal error: the scale of a smooth series
TINY = 1e-6  # of the scale, under logarithms
WHOLE_WITHIN = 0.01  # of a whole number
MOST_UNITS = 1e4  # greater multiples of the unit are not looked at
BOUND = 8.0


@compiled_nogil()
def mean_step(y: np.ndarray, lag: int, start: int) -> float:
    """Mean absolute change over ``lag`` rows, of rows from ``start`` on; NaN of none."""
    total, count = 0.0, 0
    for t in range(max(lag, start), len(y)):
        step = abs(y[t] - y[t - lag])
        if not np.isnan(step):
            total += step
            count += 1
    return total / count if count else np.nan


@compiled_nogil()
def scale_of(y: np.ndarray, m: int) -> tuple[float, bool]:
    """Scale of the errors of ``y`` (n,), and whether all values are the same.

    min(seasonal, max(step, .3 seasonal)) + 1e-6 mean |y|, of mean absolute changes over a season and over a row.
    """
    low, high, size = np.inf, -np.inf, mean_size(y)
    for t in range(len(y)):
        if not np.isnan(y[t]):
            low, high = min(low, y[t]), max(high, y[t])
    if not high > low:
        return (SCALE_FLOOR * size if size > 0 else 1.0), True
    seasonal, step = mean_step(y, m, 0), mean_step(y, 1, 0)
    if np.isnan(step):
        step = seasonal if not np.isnan(seasonal) else high - low
    if np.isnan(seasonal):
        seasonal = step
    return min(seasonal, max(step, LEAST_SHARE * seasonal)) + SCALE_FLOOR * size, False


@compiled_nogil()
def standard_deviation(d: np.ndarray) -> float:
    """Of the values that are there; 0 of none."""
    mean, squares, count = mean_of(d), 0.0, 0
    for t in range(len(d)):
        if not np.isnan(d[t]):
            squares += (d[t] - mean) ** 2
            count += 1
    return np.sqrt(squares / count) if count else 0.0


@compiled_nogil()
def whole_share(y: np.ndarray, noise: float) -> float:
    """Share of values that are whole multiples of the smallest change between neighbours.

    Membership falls linearly to 0 at ``WHOLE_WITHIN`` off, and from one to two ``MOST_UNITS``: no value jumps.
    """
    unit, total, count = np.inf, 0.0, 0
    for t in range(1, len(y)):
        step = abs(y[t] - y[t - 1])
        if step > noise:
            unit = min(unit, step)
    if unit == np.inf:
        return 0.0
    for t in range(len(y)):
        if not np.isnan(y[t]):
            multiple = abs(y[t]) / unit
            off = abs(multiple - np.round(multiple))
            total += max(0.0, 1 - off / WHOLE_WITHIN) * min(max(2 - multiple / MOST_UNITS, 0.0), 1.0)
            count += 1
    return total / count


@compiled_nogil()
def nonzero_gap(y: np.ndarray) -> float:
    """Rows that are there for each value other than 0."""
    count, nonzero = 0, 0
    for t in range(len(y)):
        if not np.isnan(y[t]):
            count += 1
            nonzero += y[t] != 0
    return count / max(nonzero, 1)


@compiled_nogil()
def strength(y: np.ndarray, trend: np.ndarray, indices: np.ndarray, noise: float) -> float:
    """1 - var(residual) / var(residual + season) about the centred moving average, at least 0."""
    n, m = len(y), len(indices)
    if m == 1 or n < 2 * m:
        return 0.0
    whole, rest, count = 0.0, 0.0, 0
    for t in range(n):
        detrended = y[t] - trend[t]
        if not np.isnan(detrended):
            whole += detrended**2
            rest += (detrended - indices[(t - n) % m]) ** 2
            count += 1
    return max(0.0, 1 - rest / (whole + count * noise * noise)) if count and whole > 0 else 0.0


@compiled_nogil()
def part_mean(y: np.ndarray, start: int, stop: int) -> float:
    """Mean of the values of rows ``start`` to ``stop`` that are there; of all where there are none."""
    total, count = 0.0, 0
    for t in range(max(start, 0), stop):
        if not np.isnan(y[t]):
            total += y[t]
            count += 1
    return total / count if count else mean_of(y)


@compiled_nogil()
def step_features(y: np.ndarray, m: int, s: float, room: Room, out: np.ndarray) -> None:
    """Those of the changes between neighbours, into ``out``: sizes, correlations, quantile, share of zeros."""
    n, noise = len(y), NOISE * mean_size(y)
    steps, sizes, count, zeros = room.spare[: n - 1], room.relative, 0, 0
    for t in range(1, n):
        steps[t - 1] = y[t] - y[t - 1]
        if not np.isnan(steps[t - 1]):
            sizes[count] = abs(steps[t - 1])
            zeros += sizes[count] <= noise
            count += 1
    if count == 0:
        return
    ordered, mean = np.sort(sizes[:count]), mean_of(sizes[:count])
    out[1] = np.log(mean / s + TINY)
    out[4] = autocorrelation(steps, 1, 0.0, noise)
    out[5] = autocorrelation(steps, m, 0.0, noise)
    out[11] = zeros / count
    recent = mean_step(y, 1, n - max(n // 4, 1))
    out[13] = np.log((recent / s + TINY) / (mean / s + TINY)) if not np.isnan(recent) else 0.0
    place = 0.95 * (count - 1)
    below = int(place)
    upper = ordered[min(below + 1, count - 1)]
    quantile = ordered[below] + (place - below) * (upper - ordered[below])
    out[14] = np.log((quantile / s + TINY) / (mean / s + TINY))


@compiled_nogil()
def shape_features(
    y: np.ndarray, periods: tuple[int, int], s: float, horizon: int, room: Room, out: np.ndarray
) -> None:
    """``SHAPES`` of ``y`` (n,) with scale ``s`` into ``out``; ``room`` holds its indices, trend and adjusted values."""
    n, m, second, size, mean = len(y), periods[0], periods[1], mean_size(y), mean_of(y)
    noise, d, indices = NOISE * size, room.adjusted[:n], room.indices[:m]
    for f in range(len(out)):
        out[f] = 0.0
    out[0] = np.log(s / size) if size > 0 else 0.0
    out[2] = autocorrelation(y, 1, mean, noise)
    out[3] = autocorrelation(y, m, mean, noise)
    out[6] = autocorrelation(d, 1, mean_of(d), noise)
    out[7] = np.log(standard_deviation(indices) / s + TINY)
    out[8] = np.log(standard_deviation(d) / s + TINY)
    count, low = 0, 0
    for t in range(n):
        count += not np.isnan(y[t])
        low += y[t] <= 0
    out[9] = low / count
    out[10] = whole_share(y, noise)
    out[12] = 1.0 if low == 0 else 0.0
    out[15] = np.arcsinh((last_value(y)[0] - part_mean(y, n - m, n)) / s)
    quarter = max(n // 4, 1)
    out[16] = np.arcsinh((part_mean(y, n - quarter, n) - part_mean(y, 0, quarter)) / s)
    out[17], out[18], out[19], out[20] = np.log(n), np.log(m), n / m, np.log(horizon)
    out[21] = 1 - count / n
    out[22] = strength(y, room.trend[:n], indices, noise)
    if second > m:
        out[23] = strength(d, room.second_trend[:n], room.seconds[:second], noise)
    out[24] = np.log(nonzero_gap(y))
    if n > 1:
        step_features(y, m, s, room, out)
