"""Forecasts with a second, longer period, compiled: a week beside the day of hours, a year beside the week of days."""

import numpy as np

from tsformers.forecasters.blend.bases.season import additive_indices
from tsformers.forecasters.blend.bases.seasonal import last_season
from tsformers.forecasters.blend.bases.smoothing import mean_of, smoothed_level
from tsformers.jit import compiled_nogil

MOVE_SEASONS = 4  # first seasons that tell how the level has moved since a second season ago
SMOOTHING = 1  # first seasons on each side, over which a second period's indices are averaged where it does not fit


@compiled_nogil()
def whole_period(m: int, second: int) -> int:
    """The multiple of ``m`` nearest to ``second``: 168 beside 24, 364 days for a year beside the week."""
    return int(np.round(second / m)) * m


@compiled_nogil()
def second_last_season(y: np.ndarray, m: int, second: int, path: np.ndarray) -> bool:
    """Repeat the last second season (whole first seasons of it) into ``path`` (H,); whether there is one.

    Where ``second`` is no multiple of m, at the level of now: moved by the mean change of the last ``MOVE_SEASONS``.
    """
    lag = whole_period(m, second)
    if second <= m or len(y) < lag:
        return False
    last_season(y, lag, path)
    if second % m != 0:
        total, count = 0.0, 0
        for t in range(max(len(y) - MOVE_SEASONS * m, lag), len(y)):
            change = y[t] - y[t - lag]
            if not np.isnan(change):
                total += change
                count += 1
        for h in range(len(path)):
            path[h] += total / max(count, 1)
    return True


@compiled_nogil()
def smooth_circle(indices: np.ndarray, half: int, smooth: np.ndarray) -> None:
    """Mean of each of ``indices`` (M,) and its ``half`` neighbours on both sides, the last beside the first."""
    n, total = len(indices), 0.0
    for k in range(-half, half + 1):
        total += indices[k % n]
    for p in range(n):
        smooth[p] = total / (2 * half + 1)
        total += indices[(p + half + 1) % n] - indices[(p - half) % n]


@compiled_nogil()
def second_season(
    d: np.ndarray, indices: np.ndarray, sums: np.ndarray, trend: np.ndarray, spare: np.ndarray, seconds: np.ndarray,
    path: np.ndarray,
) -> bool:  # fmt: skip
    """Level and both seasonal indices of adjusted values ``d`` (n,), into ``path`` (H,); whether there are two seasons.

    ``indices`` (m,) are those of the first period, ``seconds`` (M,) become those of ``d``. The level is the mean of the
    last second season, or where it is no multiple of m, by smoothing (.3): a year is too long to wait. ``trend`` (n,)
    keeps the centred moving average, ``spare`` (n,) is room.
    """
    n, m, second = len(d), len(indices), len(seconds)
    if second <= m or n < 2 * second:
        return False
    additive_indices(d, sums, trend, seconds)
    if second % m != 0:
        smooth_circle(seconds, SMOOTHING * m, spare[:second])
        for p in range(second):
            seconds[p] = spare[p]
    for t in range(n):
        spare[t] = d[t] - seconds[(t - n) % second]
    level = mean_of(spare[n - second : n]) if second % m == 0 else smoothed_level(spare[:n], 0.3)
    for h in range(len(path)):
        path[h] = level + indices[h % m] + seconds[h % second]
    return True
