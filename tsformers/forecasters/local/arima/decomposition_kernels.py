"""Seasonal decomposition by loess that passes over missing rows; importing loads numba."""

from typing import no_type_check

import numpy as np

from tsformers.forecasters.local.arima.polynomial_kernels import Array, compiled
from tsformers.jit import inlined

SEASONAL_ROWS = 11  # of the smoother of one place of the season, in seasons
PASSES = 2


@inlined
@no_type_check
def _tricube(away: float) -> float:
    rest = 1.0 - away * away * away
    return rest * rest * rest


@compiled
@no_type_check
def _loess(y: Array, length: int, degree: int, first: int, out: Array) -> None:
    """Local constants or lines through ``y`` (n,) at the rows ``first``, ``first + 1``, ... into ``out``.

    The ``length`` nearest rows have tricube weights; NaN where none of them is observed.
    """
    n = len(y)
    for k in range(len(out)):
        at = first + k
        low = min(max(at - length // 2, 0), max(n - length, 0))
        high = min(low + length, n)
        reach = max(at - low, high - 1 - at) + (length - n) // 2 * (length > n)
        weights = total = middle = 0.0
        for t in range(low, high):
            away = abs(t - at) / reach if reach > 0 else 0.0
            if np.isfinite(y[t]) and away < 0.999:
                weight = _tricube(away) if away > 0.001 else 1.0
                weights += weight
                total += weight * y[t]
                middle += weight * t
        out[k] = total / weights if weights > 0.0 else np.nan
        if degree == 0 or not weights > 0.0:
            continue
        middle /= weights
        spread = product = 0.0
        for t in range(low, high):
            away = abs(t - at) / reach if reach > 0 else 0.0
            if np.isfinite(y[t]) and away < 0.999:
                weight = _tricube(away) if away > 0.001 else 1.0
                spread += weight * (t - middle) * (t - middle)
                product += weight * (t - middle) * y[t]
        if spread > 1e-6 * n * n * weights:
            out[k] += (at - middle) * product / spread


@compiled
@no_type_check
def _running_mean(y: Array, rows: int, length: int) -> None:
    """Means of ``length`` following values of ``y[:rows]``, in place."""
    for t in range(rows - length + 1):
        total = 0.0
        for k in range(length):
            total += y[t + k]
        y[t] = total / length


@compiled
@no_type_check
def decomposed(y: Array, season: int, width: int, trend: Array, seasonal: Array) -> None:
    """Trend and season of ``y`` (n,), NaN = missing; a place of the season that was never observed has none.

    ``width`` are the rows of the smoother of the trend.

    Source: Cleveland et al. (1990), STL: a seasonal-trend decomposition procedure based on loess, section 2.
    """
    n = len(y)
    smooth = np.zeros(n + 2 * season)
    low = np.zeros(n + 2 * season)
    rest = np.zeros(n)
    for t in range(n):
        trend[t] = 0.0
    for _ in range(PASSES):
        for place in range(season):
            count = (n - place + season - 1) // season
            part = np.zeros(count)
            fitted = np.zeros(count + 2)
            for k in range(count):
                part[k] = y[place + k * season] - trend[place + k * season]
            _loess(part, SEASONAL_ROWS, 0, -1, fitted)
            for k in range(count + 2):
                smooth[place + k * season] = fitted[k] if np.isfinite(fitted[k]) else 0.0
        for t in range(n + 2 * season):
            low[t] = smooth[t]
        _running_mean(low, n + 2 * season, season)
        _running_mean(low, n + season + 1, season)
        _running_mean(low, n + 2, 3)
        for t in range(n):
            rest[t] = low[t]
        _loess(rest, season + 1 - season % 2, 1, 0, seasonal)
        for t in range(n):
            seasonal[t] = smooth[season + t] - seasonal[t]
            rest[t] = y[t] - seasonal[t]
        _loess(rest, width, 1, 0, trend)
