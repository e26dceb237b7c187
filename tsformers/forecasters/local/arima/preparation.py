"""One series made ready for the search: centred, scaled, its differences and regressors chosen."""

from typing import NamedTuple

import numpy as np

from tsformers.forecasters.local.arima.differences import (
    STRONG_SEASON,
    difference_lags,
    differenced,
    differences_needed,
    is_a_walk,
    seasonal_strength,
)
from tsformers.forecasters.local.arima.fits import Sample
from tsformers.forecasters.local.arima.forecast import constant_column, expanded, filtered, without_first_values
from tsformers.forecasters.local.arima.regressors import Standard, independent, standard, standardised

MOST_DIFFERENCES = 2  # seasonal ones included


class Differences(NamedTuple):
    """How a series is differenced: ``(1 - B)^d (1 - B^m)^D``."""

    d: int
    seasonal_d: int
    season: int


class Data(NamedTuple):
    """One series of mean 0 and variance 1, with its regressors."""

    y: np.ndarray  # (T,) NaN = missing
    x: np.ndarray  # (K', T) regressors, finite
    differences: Differences
    centre: float
    scale: float
    standard: Standard  # how the covariates became ``x``


def prepared(y: np.ndarray, x: np.ndarray, season: int, most: int) -> Data:
    """A series and its covariates, ready for the search.

    Args:
        y: (T,), NaN = missing.
        x: (T, K); a row with a missing covariate counts as a missing row.
        season: m, 1 = none.
        most: highest d.

    Returns:
        Values, regressors and differences.

    Example:
        >>> prepared(np.arange(20.0), np.empty((20, 0)), 1, 2).differences
        Differences(d=1, seasonal_d=0, season=1)
    """
    y = np.where(np.isfinite(x).all(axis=1), y, np.nan)
    centre, scale = float(np.nanmean(y)), float(np.nanstd(y))
    y = (y - centre) / scale
    how = standard(x, np.isfinite(y))
    columns = np.nan_to_num(standardised(x, how))
    differences = chosen_differences(_residuals(y, columns), season, most)
    if len(columns):
        plain = expanded(np.zeros(0), (0, 0, 0, 0), *differences)
        history = filtered(plain, np.vstack([y, constant_column(len(y), *differences), columns]))
        left = without_first_values(history)[0].T
        kept = independent(left[2:], left[1:2])
        columns, how = columns[kept], Standard(*(part[kept] for part in how))
    return Data(y, columns, differences, centre, scale, how)


def _residuals(y: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """What a regression on ``columns`` (K, T) and a constant leaves of ``y`` (T,)."""
    if not len(columns):
        return y
    rows = np.isfinite(y)
    design = np.vstack([np.ones(len(y)), columns])[:, rows].T
    left = np.full(len(y), np.nan)
    left[rows] = y[rows] - design @ np.linalg.lstsq(design, y[rows], rcond=None)[0]
    return left


def chosen_differences(y: np.ndarray, season: int, most: int) -> Differences:
    """D is 1 where the season is strong, d counts differences until KPSS does not reject; no season in few rows.

    Where KPSS does not reject in fewer than 100 values without a strong season, d is 1 unless the test of Dickey and
    Fuller rejects a unit root: that keeps the coverage of short random walks. A season needs three cycles of rows,
    values of two cycles, and values in two of its places.

    Args:
        y: (T,) of variance 1, or the rest of a regression of such.
        season: m.
        most: highest d; d and D together are at most 2.

    Returns:
        d, D, m.

    Example:
        >>> chosen_differences(np.tile([0.0, 1.0, 3.0, 1.0], 9), 4, 2)
        Differences(d=0, seasonal_d=1, season=4)
    """
    rows = np.flatnonzero(np.isfinite(y))
    places = len(np.unique(rows % season))
    if len(y) < 3 * season or len(rows) <= 2 * season or places < 2:
        season = 1
    seasonal_d = int(season > 1 and seasonal_strength(y, season) > STRONG_SEASON)
    w = differenced(y, 0, seasonal_d, season)
    d = differences_needed(w, min(most, MOST_DIFFERENCES - seasonal_d))
    if d == 0 and most > 0 and not seasonal_d and is_a_walk(w):
        d = 1
    return Differences(d, seasonal_d, season)


def sample_of(data: Data) -> Sample:
    """What the search needs of ``data``: differenced where no row is missing, else as it is.

    Example:
        >>> sample_of(prepared(np.arange(20.0), np.empty((20, 0)), 1, 2)).columns.shape
        (2, 19)
    """
    d, seasonal_d, season = data.differences
    columns = np.vstack([data.y, data.x, constant_column(len(data.y), *data.differences)])
    rows = int(np.isfinite(data.y).sum())
    if rows < len(data.y):
        return Sample(columns, difference_lags(*data.differences), season, d + seasonal_d, rows)
    columns = np.ascontiguousarray(differenced(columns, *data.differences))
    return Sample(columns, None, season, d + seasonal_d, rows)
