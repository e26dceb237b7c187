"""The decomposition by loess beside that of statsmodels, and its way with missing rows."""

import numpy as np
import pytest

import tsformers.forecasters.local.arima.decomposition_kernels as kernels


def decomposed(y, season, width):
    trend, seasonal = np.empty(len(y)), np.empty(len(y))
    kernels.decomposed(y, season, width, trend, seasonal)
    return trend, seasonal


@pytest.mark.parametrize(("season", "width"), [(4, 7), (6, 11), (12, 21)])
def test_a_complete_series_is_decomposed_as_by_statsmodels(season, width, rng):
    from statsmodels.tsa.seasonal import STL

    y = rng.normal(size=10 * season).cumsum() + 5 * np.sin(np.arange(10 * season) * 2 * np.pi / season)
    theirs = STL(y, period=season, seasonal=11, seasonal_deg=0, trend=width, low_pass=season + 1).fit(inner_iter=2)
    trend, seasonal = decomposed(y, season, width)
    np.testing.assert_allclose(seasonal, theirs.seasonal, atol=0.02)
    np.testing.assert_allclose(trend, theirs.trend, atol=0.02)


def test_missing_rows_are_passed_over(rng):
    pattern = np.array([4.0, -1.0, -2.0, -1.0])
    y = np.tile(pattern, 20) + 0.1 * np.arange(80) + rng.normal(size=80) * 0.05
    y[rng.random(80) < 0.2] = np.nan
    trend, seasonal = decomposed(y, 4, 7)
    np.testing.assert_allclose(seasonal, np.tile(pattern, 20), atol=0.15)
    np.testing.assert_allclose(trend, 0.1 * np.arange(80), atol=0.3)


def test_a_place_that_was_never_observed_does_not_spoil_the_others(rng):
    pattern = np.array([4.0, -1.0, -2.0, -1.0])
    y = np.tile(pattern, 20) + rng.normal(size=80) * 0.05
    y[2::4] = np.nan
    _, seasonal = decomposed(y, 4, 7)
    assert np.isfinite(seasonal).all()
    np.testing.assert_allclose(seasonal[4] - seasonal[5], 5.0, atol=0.2)
