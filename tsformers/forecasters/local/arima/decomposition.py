"""Seasonal decomposition by loess that passes over missing rows."""

import numpy as np

SEASONAL_ROWS = 11  # of the smoother of one place of the season, in seasons; as in R's mstl
PASSES = 2
NEAREST, FARTHEST = 0.001, 0.999  # shares of the reach of a smoother, within which weight is whole, beyond which none


def loess(y: np.ndarray, length: int, degree: int, before: int = 0, after: int = 0) -> np.ndarray:
    """Local constants or lines through the columns of ``y``, with tricube weights of the nearest rows.

    Args:
        y: (n, C), NaN = missing, without weight.
        length: nearest rows that count, missing ones included.
        degree: 0 (constants) or 1 (lines).
        before: rows before the first that are smoothed too.
        after: rows after the last.

    Returns:
        (before + n + after, C); NaN where no row near is observed.

    Example:
        >>> loess(np.array([[0.0], [1.0], [np.nan], [3.0]]), 5, 1, after=1).ravel().round(6).tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0]

    Source: Cleveland (1979), Robust locally weighted regression and smoothing scatterplots.
    """
    n = len(y)
    at = np.arange(-before, n + after)[:, None]
    low = np.clip(at - length // 2, 0, max(n - length, 0))
    near = low + np.arange(min(length, n))
    reach = np.maximum(at - low, near[:, -1:] - at) + max(length - n, 0) // 2
    away = np.abs(near - at) / np.maximum(reach, 1)
    tricube = np.where(away <= NEAREST, 1.0, (1 - np.minimum(away, 1.0) ** 3) ** 3) * (away <= FARTHEST)
    observed = np.isfinite(y)
    weights = tricube[:, :, None] * observed[near]
    values, total = np.where(observed, y, 0.0)[near], weights.sum(axis=1)
    fitted = (weights * values).sum(axis=1) / total
    if degree == 0:
        return fitted
    rows = near[:, :, None] - (weights * near[:, :, None]).sum(axis=1, keepdims=True) / total[:, None]
    spread = (weights * rows**2).sum(axis=1)
    slope = (weights * rows * values).sum(axis=1) / np.maximum(spread, 1e-300)
    steps = at - (weights * near[:, :, None]).sum(axis=1) / total
    return fitted + np.where(spread > 1e-6 * n * n * total, slope * steps, 0.0)


def decomposed(y: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Trend (n,) and season (n,) of ``y``; a place of the season that was never observed has none.

    Args:
        y: (n,), NaN = missing.
        season: rows of one season, m.

    Returns:
        What R's ``stl`` gives with a seasonal window of 11 on complete series, up to its interpolation.

    Example:
        >>> trend, seasonal = decomposed(np.tile([1.0, -1.0, 0.0], 8) + 5, 3)
        >>> bool(np.abs(trend - 5).max() < 0.01), seasonal[-3:].round(2).tolist()
        (True, [1.0, -1.0, 0.0])

    Source: Cleveland et al. (1990), STL: a seasonal-trend decomposition procedure based on loess, section 2.
    """
    n = len(y)
    width = int(np.ceil(1.5 * season / (1 - 1.5 / SEASONAL_ROWS))) // 2 * 2 + 1
    cycles = -(-n // season)
    table = np.full(cycles * season, np.nan)
    trend, seasonal = np.zeros(n), np.zeros(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        for _ in range(PASSES):
            table[:n] = y - trend
            smooth = _by_place(table.reshape(cycles, season), n).ravel()[: n + 2 * season]
            low = smooth
            for length in (season, season, 3):
                low = np.convolve(low, np.full(length, 1 / length), "valid")
            seasonal = smooth[season : season + n] - loess(low[:, None], season + 1 - season % 2, 1)[:, 0]
            trend = loess((y - seasonal)[:, None], width, 1)[:, 0]
    return trend, seasonal


def _by_place(table: np.ndarray, n: int) -> np.ndarray:
    """The columns of ``table`` (cycles, m) of n rows, smoothed, a cycle more at both ends; empty ones: the mean."""
    cycles, season = table.shape
    whole = n - (cycles - 1) * season  # places that occur in the last cycle
    out = np.full((cycles + 2, season), np.nan)
    out[:, :whole] = loess(table[:, :whole], SEASONAL_ROWS, 0, 1, 1)
    if whole < season:
        out[:-1, whole:] = loess(table[:-1, whole:], SEASONAL_ROWS, 0, 1, 1)
    seen = np.isfinite(out)
    means = np.where(seen, out, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return np.where(seen, out, means[:, None])
