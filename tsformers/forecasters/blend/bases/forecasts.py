"""All base forecasts of one series at one origin, compiled.

Rows t = 0, ..., n - 1, the first one there; steps h = 1, ..., H are rows n + h - 1. d: values less the shrunken
seasonal index S of their phase; g: rows since the last value that is there (0 in the last row).
"""

from typing import NamedTuple

import numpy as np

from tsformers.forecasters.blend.bases.dynamic_theta import dynamic_theta
from tsformers.forecasters.blend.bases.layout import CENTRE, DYNAMIC, LEVEL_SHAPE, SECOND
from tsformers.forecasters.blend.bases.level_shape import level_shape
from tsformers.forecasters.blend.bases.season import additive_indices, multiplicative_indices
from tsformers.forecasters.blend.bases.seasonal import (
    GROWTH,
    GROWTH_POWER,
    last_season,
    last_value,
    mean_of_seasons,
    median_of_seasons,
    season_growth,
)
from tsformers.forecasters.blend.bases.second import second_last_season, second_season, whole_period
from tsformers.forecasters.blend.bases.smoothing import (
    holt,
    line_slope,
    mean_of,
    memory_of,
    smoothed_level,
)
from tsformers.jit import compiled_nogil

REACH = 10.0  # forecasts stay within so many ranges of the values beyond the least and the greatest
NOISE = 1e-9  # deviations of this share of the mean size of a value are rounding


class Room(NamedTuple):
    """Arrays that one series after the other is worked out in: L rows of the longest, M of the longest season."""

    sums: np.ndarray  # (2, L + 1) running sums
    trend: np.ndarray  # (L,) centred moving average
    adjusted: np.ndarray  # (L,) d
    relative: np.ndarray  # (L,) values by their multiplicative index
    indices: np.ndarray  # (M,)
    factors: np.ndarray  # (M,) multiplicative indices
    spare: np.ndarray  # (L,)
    seconds: np.ndarray  # (M,) indices of the second period
    second_trend: np.ndarray  # (L,)


@compiled_nogil()
def make_room(rows: int, season: int) -> Room:
    """A ``Room`` for contexts of up to ``rows`` rows and seasons of up to ``season``."""
    return Room(
        np.empty((2, rows + 1)), np.empty(rows), np.empty(rows), np.empty(rows), np.empty(season), np.empty(season),
        np.empty(rows), np.empty(season), np.empty(rows),
    )  # fmt: skip


@compiled_nogil()
def mean_size(y: np.ndarray) -> float:
    """Mean absolute value of what is there; 0 of none."""
    total, count = 0.0, 0
    for t in range(len(y)):
        if not np.isnan(y[t]):
            total += abs(y[t])
            count += 1
    return total / count if count else 0.0


@compiled_nogil()
def adjust(y: np.ndarray, m: int, room: Room) -> bool:
    """Seasonal indices and adjusted values of ``y`` into ``room``; whether all values are positive."""
    n, indices, factors = len(y), room.indices[:m], room.factors[:m]
    trend = room.trend[:n]
    additive_indices(y, room.sums, trend, indices)
    positive = True
    for t in range(n):
        room.adjusted[t] = y[t] - indices[(t - n) % m]
        positive = positive and not y[t] <= 0
    if positive:
        multiplicative_indices(y, trend, factors)
        for t in range(n):
            room.relative[t] = y[t] / factors[(t - n) % m]
    return positive


@compiled_nogil()
def along(path: np.ndarray, start: float, trend: float, phi: float, indices: np.ndarray, ratio: bool) -> None:
    """Path l + (phi + ... + phi**h) b, plus or times the seasonal index, into ``path`` (H,)."""
    level, step = start, trend
    for h in range(len(path)):
        step *= phi
        level += step
        index = indices[h % len(indices)]
        path[h] = level * index if ratio else level + index


@compiled_nogil()
def smoothing_bases(y: np.ndarray, m: int, positive: bool, room: Room, out: np.ndarray) -> None:
    """Bases 6 to 14 into ``out`` (K, H); ``room`` holds the adjusted values."""
    n, horizon, indices, factors = len(y), out.shape[1], room.indices[:m], room.factors[:m]
    d = room.adjusted[:n]
    last, back = last_value(d)
    along(out[5], smoothed_level(d, 0.1), 0.0, 1.0, indices, False)
    level = smoothed_level(d, 0.3)
    along(out[6], level, 0.0, 1.0, indices, False)
    along(out[7], smoothed_level(d, 0.7), 0.0, 1.0, indices, False)
    damped, trend = holt(d, 0.4, 0.1, 0.9)
    along(out[8], damped, trend, 0.9, indices, False)
    lasting, slope = holt(d, 0.3, 0.1, 0.99)
    along(out[9], lasting, slope, 0.99, indices, False)
    drift = 0.5 * line_slope(d)
    along(out[10], level + drift * (back - 1), drift, 1.0, indices, False)
    mean = mean_of(d)
    memory = memory_of(d, mean, NOISE * mean_size(y))
    left = (last - mean) * memory ** (back - 1)
    for h in range(horizon):
        left *= memory
        out[11, h] = mean + left + indices[h % m]
        out[12, h], out[13, h] = out[6, h], out[8, h]
    if positive:
        relative = room.relative[:n]
        along(out[12], smoothed_level(relative, 0.3), 0.0, 1.0, factors, True)
        damped, trend = holt(relative, 0.4, 0.1, 0.9)
        along(out[13], damped, trend, 0.9, factors, True)


@compiled_nogil()
def seasonal_bases(y: np.ndarray, m: int, out: np.ndarray) -> None:
    """Bases 1 to 5 into ``out`` (K, H)."""
    last = last_value(y)[0]
    last_season(y, m, out[1])
    mean_of_seasons(y, m, out[2])
    median_of_seasons(y, m, out[3])
    growth = GROWTH * season_growth(y, m)
    for h in range(out.shape[1]):
        out[0, h] = last
        out[4, h] = out[1, h] + growth * (h // m + 1.0) ** GROWTH_POWER


@compiled_nogil()
def bound(y: np.ndarray, out: np.ndarray) -> None:
    """Keep ``out`` (K, H) within ``REACH`` ranges of the values of ``y``."""
    low, high = np.inf, -np.inf
    for t in range(len(y)):
        if not np.isnan(y[t]):
            low, high = min(low, y[t]), max(high, y[t])
    least, most = low - REACH * (high - low), high + REACH * (high - low)
    for k in range(out.shape[0]):
        for h in range(out.shape[1]):
            out[k, h] = min(max(out[k, h], least), most)


@compiled_nogil()
def dynamic_base(n: int, m: int, positive: bool, room: Room, path: np.ndarray, other: np.ndarray) -> None:
    """Base 15 into ``path`` (H,); where all values are positive the mean with its multiplicative version.

    ``other`` (H,) is room.
    """
    dynamic_theta(room.adjusted[:n], room.sums, path)
    for h in range(len(path)):
        path[h] += room.indices[h % m]
    if positive:
        dynamic_theta(room.relative[:n], room.sums, other)
        for h in range(len(path)):
            path[h] = 0.5 * (path[h] + other[h] * room.factors[h % m])


@compiled_nogil()
def gated_bases(
    y: np.ndarray, periods: tuple[int, int], positive: bool, chosen: np.ndarray, room: Room, out: np.ndarray,
    available: np.ndarray,
) -> None:  # fmt: skip
    """Bases 15 to 18 into ``out`` (K, H) and ``available`` (K,); ``room`` holds the adjusted values."""
    n, m, second = len(y), periods[0], periods[1]
    if chosen[DYNAMIC]:
        dynamic_base(n, m, positive, room, out[DYNAMIC], out[LEVEL_SHAPE])  # that base comes later
        available[DYNAMIC] = True
    longer = whole_period(m, second) if second > m else 0
    if chosen[LEVEL_SHAPE]:
        available[LEVEL_SHAPE] = level_shape(y, (m, longer), out[LEVEL_SHAPE])
    if second > m:
        found = second_last_season(y, m, second, out[SECOND])
        available[SECOND] = found and chosen[SECOND]
        found = second_season(
            room.adjusted[:n], room.indices[:m], room.sums, room.second_trend[:n], room.spare[:n],
            room.seconds[:second], out[SECOND + 1],
        )  # fmt: skip
        available[SECOND + 1] = found and chosen[SECOND + 1]


@compiled_nogil()
def plain_bases(y: np.ndarray, m: int, chosen: np.ndarray, room: Room, out: np.ndarray, available: np.ndarray) -> bool:
    """Bases 1 to 14 of ``y`` (n,), whose first row is there, into ``out`` (K, H) and ``available`` (K,).

    Answers whether all values are positive; ``room`` then holds the adjusted values for ``gated_bases``.
    """
    positive = adjust(y, m, room)
    seasonal_bases(y, m, out)
    smoothing_bases(y, m, positive, room, out)
    for k in range(len(chosen)):
        available[k] = chosen[k] and k < DYNAMIC
    return positive


@compiled_nogil()
def complete(y: np.ndarray, available: np.ndarray, out: np.ndarray) -> None:
    """Give bases that are not available the forecast of ``CENTRE``, and keep all within bounds."""
    for k in range(len(available)):
        if not available[k] and k != CENTRE:
            for h in range(out.shape[1]):
                out[k, h] = out[CENTRE, h]
    bound(y, out)
