"""Seasonal indices of one series about a centred moving average, compiled, missing rows skipped.

Phases are counted from the end of the series: phase p is that of row n - m + p, so step h = 1, 2, ... has phase
(h - 1) % m whatever the length.
"""

import numpy as np

from tsformers.jit import compiled_nogil

SEASONS = 6  # an index is the mean of so many last seasons ...
AGEING = 0.08  # ... their weights fall by this with each season of age: 1 to .6
LEAST_INDEX = 0.05  # multiplicative indices
PASSES = 3  # of a series with missing rows: the moving average leaves out the last pass's indices


@compiled_nogil()
def centred_average(y: np.ndarray, indices: np.ndarray, sums: np.ndarray, trend: np.ndarray) -> None:
    """Mean of a season around each row of ``y`` (n,), without ``indices`` (m,): an even season's ends count half.

    Only the rows that are there count. NaN where the season around the row is not whole, or more than half missing.
    ``sums`` (2, n + 1) is room for the running sums.
    """
    n, m = len(y), len(indices)
    half, origin = m // 2, y[0]
    sums[0, 0], sums[1, 0] = 0.0, 0.0
    for t in range(n):
        value = y[t] - origin - indices[(t - n) % m]
        observed = not np.isnan(value)
        sums[0, t + 1] = sums[0, t] + (value if observed else 0.0)
        sums[1, t + 1] = sums[1, t] + (1.0 if observed else 0.0)
        trend[t] = np.nan
    even = 1 - m % 2
    for t in range(half, n - half):
        wide, narrow = t + half + 1, t - half
        total = (
            sums[0, wide] - sums[0, narrow] if even == 0
            else 0.5 * (sums[0, wide] - sums[0, narrow] + sums[0, wide - 1] - sums[0, narrow + 1])
        )  # fmt: skip
        count = (
            sums[1, wide] - sums[1, narrow] if even == 0
            else 0.5 * (sums[1, wide] - sums[1, narrow] + sums[1, wide - 1] - sums[1, narrow + 1])
        )  # fmt: skip
        if count >= 0.5 * m:
            trend[t] = origin + total / count


@compiled_nogil()
def share_of(value: float, trend: float, m: int) -> float:
    """``value / trend``: at most m, as the mean of a season of positive values holds the value itself."""
    share = value / trend
    return float(m) if share > m or trend <= 0 else share


@compiled_nogil()
def mean_indices(y: np.ndarray, trend: np.ndarray, ratio: bool, indices: np.ndarray) -> tuple[float, float]:
    """Weighted mean of ``y - trend``, or of ``y / trend``, by phase; and the squared residuals and their freedom.

    A phase without a value gets the neutral index (0, or 1).
    """
    n, m = len(y), len(indices)
    squares, freedom = 0.0, 0.0
    for p in range(m):
        total, weights, found = 0.0, 0.0, 0
        t = n - m + p
        while t >= 0 and found < SEASONS:
            value = share_of(y[t], trend[t], m) if ratio else y[t] - trend[t]
            if not np.isnan(value):
                weight = 1 - AGEING * found
                total += weight * value
                weights += weight
                found += 1
            t -= m
        if found == 0:
            indices[p] = 1.0 if ratio else 0.0
            continue
        indices[p] = total / weights
        freedom += found - 1
        t, found = n - m + p, 0
        while t >= 0 and found < SEASONS:
            value = share_of(y[t], trend[t], m) if ratio else y[t] - trend[t]
            if not np.isnan(value):
                squares += (value - indices[p]) ** 2
                found += 1
            t -= m
    return squares, freedom


@compiled_nogil()
def shrink(indices: np.ndarray, squares: float, freedom: float, neutral: float) -> None:
    """Centre ``indices`` (m,) at ``neutral`` and pull them to it by vs / (vs + vr), in place.

    vr: the residual variance by the seasons behind an index; vs: the variance of the indices beyond vr, so that a
    season that is not there goes out. With one season the two are taken as equal.
    """
    m, mean, spread = len(indices), 0.0, 0.0
    for p in range(m):
        mean += indices[p] / m
    for p in range(m):
        indices[p] = indices[p] / mean if neutral == 1.0 else indices[p] - mean
        spread += (indices[p] - neutral) ** 2 / m
    noise = squares / freedom / (freedom / m + 1) if freedom > 0 else 0.5 * spread
    share = max(spread - noise, 0.0) / spread if spread > 0 else 0.0
    for p in range(m):
        indices[p] = neutral + share * (indices[p] - neutral)
        if neutral == 1.0:
            indices[p] = max(indices[p], LEAST_INDEX)


@compiled_nogil()
def additive_indices(y: np.ndarray, sums: np.ndarray, trend: np.ndarray, indices: np.ndarray) -> None:
    """Shrunken additive indices (m,) of ``y`` (n,), into ``indices``: zeros below two seasons, or for m = 1.

    ``trend`` (n,) keeps the centred moving average, ``sums`` (2, n + 1) is room.
    """
    n, m = len(y), len(indices)
    for p in range(m):
        indices[p] = 0.0
    if m == 1 or n < 2 * m:
        return
    missing = False
    for t in range(n):
        missing = missing or np.isnan(y[t])
    squares, freedom = 0.0, 0.0
    for _ in range(PASSES if missing else 1):
        centred_average(y, indices, sums, trend)
        squares, freedom = mean_indices(y, trend, False, indices)
        mean = 0.0
        for p in range(m):
            mean += indices[p] / m
        for p in range(m):
            indices[p] -= mean
    shrink(indices, squares, freedom, 0.0)


@compiled_nogil()
def multiplicative_indices(y: np.ndarray, trend: np.ndarray, indices: np.ndarray) -> None:
    """Shrunken multiplicative indices (m,) of positive ``y`` (n,) about a positive ``trend`` (n,), into ``indices``."""
    for p in range(len(indices)):
        indices[p] = 1.0
    if len(indices) == 1 or len(y) < 2 * len(indices):
        return
    squares, freedom = mean_indices(y, trend, True, indices)
    shrink(indices, squares, freedom, 1.0)
