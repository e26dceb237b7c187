"""Exponential smoothing, lines and reversion of one series, compiled: no missing row changes a level."""

import numpy as np

from tsformers.jit import compiled_nogil

START_ROWS = 12  # observed rows whose mean step starts the trend of Holt's method


@compiled_nogil()
def smoothed_level(d: np.ndarray, alpha: float) -> float:
    """Level after l += a (d - l); the first 1 / alpha values weigh alike, so that the first one does not rule."""
    level, count = 0.0, 0.0
    for t in range(len(d)):
        if not np.isnan(d[t]):
            count += 1.0
            level += max(alpha, 1 / count) * (d[t] - level)
    return level


@compiled_nogil()
def starting_trend(d: np.ndarray) -> float:
    """Mean step a row of the first observed values: last of ``START_ROWS`` less the first, by the rows between."""
    count, first, last, start, end = 0, 0, 0, 0.0, 0.0
    for t in range(len(d)):
        if np.isnan(d[t]):
            continue
        if count == 0:
            first, start = t, d[t]
        last, end = t, d[t]
        count += 1
        if count == START_ROWS:
            break
    return (end - start) / (last - first) if last > first else 0.0


@compiled_nogil()
def holt(d: np.ndarray, alpha: float, beta: float, phi: float) -> tuple[float, float]:
    """Level and trend after the last row of ``d``: missing rows go along the damped trend."""
    level, trend, started = 0.0, starting_trend(d), False
    for t in range(len(d)):
        value = d[t]
        if not started:
            if not np.isnan(value):
                level, started = value, True
            continue
        trend *= phi
        before = level
        level += trend
        if not np.isnan(value):
            level += alpha * (value - level)
            trend += beta * (level - before - trend)
    return level, trend


@compiled_nogil()
def line_slope(d: np.ndarray) -> float:
    """Slope a row of the least-squares line of ``d``; 0 for one value."""
    count, time, mean, spread, product = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(len(d)):
        if np.isnan(d[t]):
            continue
        count += 1
        away = t - time
        time += away / count
        mean += (d[t] - mean) / count
        spread += away * (t - time)
        product += away * (d[t] - mean)
    return product / spread if spread > 0 else 0.0


@compiled_nogil()
def mean_of(d: np.ndarray) -> float:
    """Mean of the values that are there; 0 of none."""
    total, count, origin = 0.0, 0, 0.0
    for t in range(len(d)):
        if not np.isnan(d[t]):
            if count == 0:
                origin = d[t]
            total += d[t] - origin
            count += 1
    return origin + total / count if count else 0.0


@compiled_nogil()
def autocorrelation(d: np.ndarray, lag: int, mean: float, noise: float) -> float:
    """Correlation about ``mean`` with the value ``lag`` rows before; deviations of the size of ``noise`` are none."""
    products, squares, later, count = 0.0, 0.0, 0.0, 0.0
    for t in range(lag, len(d)):
        if np.isnan(d[t]) or np.isnan(d[t - lag]):
            continue
        now, before = d[t] - mean, d[t - lag] - mean
        products += now * before
        squares += before * before
        later += now * now
        count += noise * noise
    return products / np.sqrt((squares + count) * (later + count)) if squares > 0 and later > 0 else 0.0


@compiled_nogil()
def memory_of(d: np.ndarray, mean: float, noise: float) -> float:
    """First-order autoregression of ``d``, with the bias of a short series, (1 + 3 r) / n, put back; in [0, 1]."""
    r = autocorrelation(d, 1, mean, noise)
    return min(max(r + (1 + 3 * r) / len(d), 0.0), 1.0)
