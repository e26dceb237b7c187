"""Croston's method, its corrections and the empirical distribution: a chance of demand, and weights of past sizes."""

import numpy as np

from tsformers.jit import compiled_nogil

CROSTON, SBA, TSB, BOOTSTRAP = range(4)  # methods, as numbers for compiled code


@compiled_nogil()
def demand(y: np.ndarray, method: int, alpha: float, sizes: np.ndarray, shares: np.ndarray) -> tuple[float, int]:
    """Chance of a row above 0, and how many past ``sizes`` (T,) with which ``shares`` (T,) it takes.

    Sizes are smoothed in rows above 0: their shares are a, a (1-a), ..., the oldest takes the rest. The chance is 1
    over the smoothed interval between such rows (SBA: times 1 - a/2), is smoothed itself in every row (TSB), or is the
    share of such rows (bootstrap, with equal shares of all sizes). Missing rows are no rows.
    """
    n, rows, since, interval, chance = 0, 0, 0, 0.0, 0.0
    for value in y:
        if np.isnan(value):
            continue
        rows += 1
        since += 1
        above = 1.0 if value > 0 else 0.0
        chance = above if rows == 1 else chance + alpha * (above - chance)
        if value > 0:
            interval = since if n == 0 else interval + alpha * (since - interval)
            sizes[n] = value
            n += 1
            since = 0
    if n == 0:
        return 0.0, 0
    for j in range(n):
        newer = n - 1 - j
        shares[j] = (1 - alpha) ** newer * (alpha if j > 0 else 1.0) if method != BOOTSTRAP else 1 / n
    if method == BOOTSTRAP:
        return n / rows, n
    if method != TSB:
        chance = 1 / interval * (1 - alpha / 2 if method == SBA else 1.0)
    return chance, n


@compiled_nogil()
def sort_sizes(sizes: np.ndarray, shares: np.ndarray, n: int) -> None:
    """The first ``n`` sizes in ascending order, their shares with them (by insertion over shrinking distances)."""
    gap = n // 2
    while gap > 0:
        for j in range(gap, n):
            size, share, at = sizes[j], shares[j], j
            while at >= gap and sizes[at - gap] > size:
                sizes[at], shares[at] = sizes[at - gap], shares[at - gap]
                at -= gap
            sizes[at], shares[at] = size, share
        gap //= 2


@compiled_nogil()
def smoothed_forecasts(
    y: np.ndarray,
    offsets: np.ndarray,
    ends: np.ndarray,
    method: int,
    alpha: float,
    means: np.ndarray,
    draws: np.ndarray,
) -> None:
    """Means (N,) and sorted draws (N, S) of every step: 0, or one of the past sizes; the mean is that of the method."""
    longest = 0
    for i in range(len(means)):
        longest = max(longest, ends[i] - offsets[i])
    sizes, shares = np.empty(longest), np.empty(longest)
    for i in range(len(means)):
        chance, n = demand(y[offsets[i] : ends[i]], method, alpha, sizes, shares)
        means[i] = 0.0
        for j in range(n):
            means[i] += chance * shares[j] * sizes[j]
        if draws.shape[1] == 0:
            continue
        sort_sizes(sizes, shares, n)
        at, below = -1, 1 - chance  # of zeros
        for s in range(draws.shape[1]):
            level = (s + 0.5) / draws.shape[1]
            while at < n - 1 and below < level:
                at += 1
                below += chance * shares[at]
            draws[i, s] = sizes[at] if at >= 0 else 0.0
