"""Forecasts that repeat past seasons of one series, compiled: for each phase the rows that are there.

Steps are h = 1, ..., H; phase p = (h - 1) % m is that of row n - m + p. A phase without a value gets the last value.
"""

import numpy as np

from tsformers.jit import compiled_nogil

MEAN_SEASONS = 4
GROWTH = 0.7  # share of the last season's growth that goes on ...
GROWTH_POWER = 0.8  # ... and how it grows with the seasons ahead


@compiled_nogil()
def last_value(y: np.ndarray) -> tuple[float, int]:
    """The last value that is there, and how many rows it lies before the end (1: the last row); NaN of none."""
    for back in range(1, len(y) + 1):
        if not np.isnan(y[len(y) - back]):
            return y[len(y) - back], back
    return np.nan, len(y)


@compiled_nogil()
def repeat(path: np.ndarray, m: int) -> None:
    """Fill ``path`` (H,) from its first m steps on."""
    for h in range(m, len(path)):
        path[h] = path[h - m]


@compiled_nogil()
def last_season(y: np.ndarray, m: int, path: np.ndarray) -> None:
    """The last value of each phase, into ``path`` (H,)."""
    last = last_value(y)[0]
    for p in range(min(m, len(path))):
        t = len(y) - m + p
        while t >= 0 and np.isnan(y[t]):
            t -= m
        path[p] = y[t] if t >= 0 else last
    repeat(path, m)


@compiled_nogil()
def season_mean(y: np.ndarray, m: int, back: int) -> float:
    """Mean of the season that ends ``back`` seasons before the end; NaN where it is not whole or half missing."""
    start, total, count = len(y) - (back + 1) * m, 0.0, 0
    if start < 0:
        return np.nan
    for t in range(start, start + m):
        if not np.isnan(y[t]):
            total += y[t]
            count += 1
    return total / count if 2 * count >= m else np.nan


@compiled_nogil()
def mean_of_seasons(y: np.ndarray, m: int, path: np.ndarray) -> None:
    """Mean deviation of each phase from the mean of its season, last four seasons, at the mean of the last season."""
    last, means, level = last_value(y)[0], np.empty(MEAN_SEASONS), np.nan
    for back in range(MEAN_SEASONS - 1, -1, -1):
        means[back] = season_mean(y, m, back)
        if not np.isnan(means[back]):
            level = means[back]
    for p in range(min(m, len(path))):
        total, count = 0.0, 0
        for back in range(MEAN_SEASONS):
            t = len(y) - (back + 1) * m + p
            if t >= 0 and not np.isnan(y[t]) and not np.isnan(means[back]):
                total += y[t] - means[back]
                count += 1
        path[p] = level + total / count if count else last
    repeat(path, m)


@compiled_nogil()
def median_of_seasons(y: np.ndarray, m: int, path: np.ndarray) -> None:
    """Median of the last three values of each phase (of two: their mean)."""
    last = last_value(y)[0]
    for p in range(min(m, len(path))):
        found, a, b, c, t = 0, 0.0, 0.0, 0.0, len(y) - m + p
        while t >= 0 and found < 3:
            if not np.isnan(y[t]):
                a, b, c = b, c, y[t]
                found += 1
            t -= m
        if found == 3:
            path[p] = max(min(a, b), min(max(a, b), c))
        elif found == 2:
            path[p] = 0.5 * (b + c)
        else:
            path[p] = c if found else last
    repeat(path, m)


@compiled_nogil()
def season_growth(y: np.ndarray, m: int) -> float:
    """Mean change from a season before, over the rows of the last season whose both values are there; else 0."""
    total, count = 0.0, 0
    for t in range(max(len(y) - m, m), len(y)):
        if not np.isnan(y[t]) and not np.isnan(y[t - m]):
            total += y[t] - y[t - m]
            count += 1
    return total / count if count and len(y) >= 2 * m else 0.0
