"""The decomposition by loess beside that of statsmodels, and its way with missing rows."""

import numpy as np
import pytest

from tsformers.forecasters.local.arima.decomposition import decomposed, loess


@pytest.mark.parametrize(("season", "width"), [(4, 7), (6, 11), (12, 21)])
def test_a_complete_series_is_decomposed_as_by_statsmodels(season, width, rng):
    from statsmodels.tsa.seasonal import STL

    y = rng.normal(size=10 * season).cumsum() + 5 * np.sin(np.arange(10 * season) * 2 * np.pi / season)
    theirs = STL(y, period=season, seasonal=11, seasonal_deg=0, trend=width, low_pass=season + 1).fit(inner_iter=2)
    trend, seasonal = decomposed(y, season)
    np.testing.assert_allclose(seasonal, theirs.seasonal, atol=0.02)
    np.testing.assert_allclose(trend, theirs.trend, atol=0.02)


def test_missing_rows_are_passed_over(rng):
    pattern = np.array([4.0, -1.0, -2.0, -1.0])
    y = np.tile(pattern, 20) + 0.1 * np.arange(80) + rng.normal(size=80) * 0.05
    y[rng.random(80) < 0.2] = np.nan
    trend, seasonal = decomposed(y, 4)
    np.testing.assert_allclose(seasonal, np.tile(pattern, 20), atol=0.15)
    np.testing.assert_allclose(trend, 0.1 * np.arange(80), atol=0.3)


def test_a_place_that_was_never_observed_does_not_spoil_the_others(rng):
    pattern = np.array([4.0, -1.0, -2.0, -1.0])
    y = np.tile(pattern, 20) + rng.normal(size=80) * 0.05
    y[2::4] = np.nan
    _, seasonal = decomposed(y, 4)
    assert np.isfinite(seasonal).all()
    np.testing.assert_allclose(seasonal[4] - seasonal[5], 5.0, atol=0.2)


@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_lines_are_smoothed_to_themselves(missing, rng):
    t = np.arange(40.0)
    y = np.where(rng.random(40) < missing, np.nan, 3 - 0.5 * t)
    np.testing.assert_allclose(loess(y[:, None], 15, 1)[:, 0], 3 - 0.5 * t, atol=1e-9)


def test_columns_are_smoothed_each_by_itself(rng):
    y = rng.normal(size=(20, 3))
    y[4, 1] = np.nan
    alone = [loess(column[:, None], 7, 1, 1, 1)[:, 0] for column in y.T]
    np.testing.assert_allclose(loess(y, 7, 1, 1, 1).T, alone)
