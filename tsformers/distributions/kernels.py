"""Logarithms of tail probabilities of draws and quantiles: compiled, row by row."""

import math

import numpy as np

from tsformers.jit import compiled

LOG_2 = math.log(2.0)
PRIOR_SHAPE, PRIOR_WEIGHT = (
    0.1,
    10.0,
)  # what the shape of a tail is shrunk to, and with the weight of how many exceedances
LEAST_SHAPE, MOST_SHAPE = 0.0, 0.5
LEAST_WIDTH = 1e-9  # of a tail, as a share of the greatest value: rounding is no anomaly


@compiled
def spread_ties(rows: np.ndarray, levels: np.ndarray) -> None:
    """Spread equal whole numbers x evenly over (x - 1/2, x + 1/2), in place: a count as a continuous value."""
    last = levels.size - 1
    for m in range(rows.shape[0]):
        row = rows[m]
        begin = 0
        while begin <= last:
            end = begin
            while end < last and row[end + 1] == row[begin]:
                end += 1
            if end > begin:
                x = row[begin]
                low = max(levels[0] - (levels[1] - levels[0]) / 2, 0.0)
                high = min(levels[last] + (levels[last] - levels[last - 1]) / 2, 1.0)
                if begin > 0:
                    low = (levels[begin - 1] + levels[begin]) / 2
                if end < last:
                    high = (levels[end] + levels[end + 1]) / 2
                for k in range(begin, end + 1):
                    row[k] = x - 0.5 + (levels[k] - low) / (high - low)
            begin = end + 1
        for k in range(1, last + 1):  # values that are not whole numbers may be out of order now
            row[k] = max(row[k], row[k - 1])


@compiled
def log_tails(
    y: np.ndarray,
    rows: np.ndarray,
    mirrored: np.ndarray,
    levels: np.ndarray,
    edges: np.ndarray,
    exceedances: int,
    shape: float,
    found: np.ndarray,
) -> None:
    """Logarithms of P(X >= y) into ``found[0]`` and of P(X <= y) into ``found[1]``; ``mirrored`` is ``-rows[:, ::-1]``.

    The tail beyond the last draw is a generalised Pareto distribution fitted to the outermost ``exceedances`` draws; 0:
    the rows are quantiles, and the last two give the tail. ``edges`` holds, for the upper and the lower tail, the
    logarithm of the probability beyond the last value and, of quantiles, the factor from the distance of the last two
    to the tail's scale. ``shape`` is NaN where it is to be fitted.
    """
    for m in range(y.size):
        row, back = rows[m], mirrored[m]
        if y[m] != y[m] or row[0] != row[0] or row[-1] != row[-1]:
            found[0, m] = found[1, m] = math.nan
            continue
        near = LEAST_WIDTH * max(abs(row[0]), abs(row[-1]))
        if y[m] > row[-1] + near:
            found[0, m] = _log_beyond(y[m], row, edges[0], exceedances, shape)
            found[1, m] = _log_rest(found[0, m])
        elif -y[m] > back[-1] + near:
            found[1, m] = _log_beyond(-y[m], back, edges[1], exceedances, shape)
            found[0, m] = _log_rest(found[1, m])
        else:
            low, high = _levels_at(min(max(y[m], row[0]), row[-1]), row, levels)
            found[0, m] = math.log1p(-low) if low < 1 else -math.inf
            found[1, m] = math.log(high) if high > 0 else -math.inf


@compiled
def _log_rest(log_part: float) -> float:
    """Logarithm of 1 - exp(log_part)."""
    if log_part > -LOG_2:
        rest = -math.expm1(log_part)
        return math.log(rest) if rest > 0 else -math.inf
    return math.log1p(-math.exp(log_part))


@compiled
def _levels_at(y: float, row: np.ndarray, levels: np.ndarray) -> tuple[float, float]:
    """Bounds of P(X < y) and P(X <= y): one level where the quantile function rises at y, two where it is flat."""
    begin, end = _count(row, y, False), _count(row, y, True)
    if end - begin > 1:
        return levels[begin - 1] if begin > 0 else 0.0, levels[end] if end < levels.size else 1.0
    if end > begin:
        return levels[begin], levels[begin]
    share = (y - row[begin - 1]) / (row[begin] - row[begin - 1])
    level = levels[begin - 1] + (levels[begin] - levels[begin - 1]) * share
    return level, level


@compiled
def _count(row: np.ndarray, y: float, equal: bool) -> int:
    """How many values of an ascending row are below y, or at most y."""
    low, high = 0, row.size
    while low < high:
        middle = (low + high) // 2
        if row[middle] < y or (equal and row[middle] == y):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _log_beyond(y: float, row: np.ndarray, edge: np.ndarray, exceedances: int, shape: float) -> float:
    """Logarithm of P(X > y) beyond ``row[-1]``, where it is ``edge[0]``."""
    least = max(LEAST_WIDTH * max(abs(row[0]), abs(row[-1])), 1e-300)
    if exceedances == 0:
        return edge[0] - _log_pareto(y - row[-1], max((row[-1] - row[-2]) * edge[1], least), shape)
    threshold = row[row.size - 1 - exceedances]
    first, second = 0.0, 0.0  # probability-weighted moments of the exceedances
    for j in range(exceedances):
        excess = (row[row.size - exceedances + j] - threshold) / exceedances
        first += excess
        second += (1 - (j + 0.65) / exceedances) * excess
    if shape != shape:
        gap = first - 2 * second
        raw = min(max(2 - first / gap, -0.5), 1.0) if gap > 0 else 1.0
        shrunk = (exceedances * raw + PRIOR_WEIGHT * PRIOR_SHAPE) / (exceedances + PRIOR_WEIGHT)
        shape = min(max(shrunk, LEAST_SHAPE), MOST_SHAPE)
    scale = max(first * (1 - shape), least)
    shape += 1.0 / exceedances
    return edge[0] + _log_pareto(row[-1] - threshold, scale, shape) - _log_pareto(y - threshold, scale, shape)


@compiled
def _log_pareto(excess: float, scale: float, xi: float) -> float:
    """Minus the logarithm of the generalised Pareto survival function."""
    ratio = excess / scale
    return ratio if xi < 1e-12 else math.log1p(xi * ratio) / xi
