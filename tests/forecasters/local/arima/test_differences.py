"""Tests of stationarity and of seasons, and differences."""

import warnings

import numpy as np
import pytest

from tsformers.forecasters.local.arima.differences import (
    dickey_fuller,
    difference_lags,
    differenced,
    differences_needed,
    is_a_walk,
    is_constant,
    kpss,
    seasonal_strength,
)


@pytest.mark.parametrize("rows", [30, 100, 333])
def test_the_kpss_statistic_is_that_of_statsmodels(rows, rng):
    from statsmodels.tsa.stattools import kpss as theirs

    y = np.cumsum(rng.normal(size=rows)) * 0.1 + rng.normal(size=rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels says where the statistic leaves its table
        expected = theirs(y, nlags=int(3 * np.sqrt(rows) / 13))[0]
    np.testing.assert_allclose(kpss(y), expected)


def test_differences_are_counted():
    rng = np.random.default_rng(3)
    noise = rng.normal(size=300)
    assert differences_needed(noise, 2) == 0
    assert differences_needed(np.cumsum(noise), 2) == 1
    assert differences_needed(np.cumsum(np.cumsum(noise)), 2) == 2
    assert differences_needed(np.cumsum(np.cumsum(noise)), 1) == 1


def test_missing_rows_are_passed_over():
    rng = np.random.default_rng(3)
    y = np.cumsum(rng.normal(size=300))
    y[rng.random(300) < 0.6] = np.nan
    assert differences_needed(y, 2) == 1
    assert differences_needed(np.where(np.isnan(y), np.nan, rng.normal(size=300)), 2) == 0


def test_the_strength_of_a_season_tells_seasonal_from_plain(rng):
    noise = rng.normal(size=120)
    assert seasonal_strength(noise + 4 * np.sin(np.arange(120) * np.pi / 6), 12) > 0.8
    assert seasonal_strength(noise, 12) < 0.6
    assert seasonal_strength(noise, 1) == 0.0


@pytest.mark.parametrize("scale", [1.0, 1e-9])
def test_a_line_has_no_season(scale):
    assert seasonal_strength(scale * (5 + 2 * np.arange(48.0)), 12) == 0.0


def test_constant_values_are_known_by_their_range():
    assert is_constant(np.array([0.3, np.nan, 0.3 + 1e-13]))
    assert not is_constant(np.array([0.3, 0.3 + 1e-6]))


@pytest.mark.parametrize(("d", "seasonal_d"), [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)])
def test_lags_give_the_differences(d, seasonal_d, rng):
    y = rng.normal(size=30)
    lags = difference_lags(d, seasonal_d, 4)
    expected = [y[t] - lags @ y[t - len(lags) : t][::-1] for t in range(len(lags), 30)]
    np.testing.assert_allclose(differenced(y, d, seasonal_d, 4), expected, atol=1e-12)


@pytest.mark.parametrize("rows", [30, 80])
def test_the_statistic_of_a_unit_root_is_that_of_statsmodels(rows, rng):
    from statsmodels.tsa.stattools import adfuller

    y = np.cumsum(rng.normal(size=rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the form of its answer
        expected = adfuller(y, maxlag=1, autolag=None)[0]
    assert dickey_fuller(y) == pytest.approx(expected)


def test_only_few_values_are_asked_whether_they_are_a_walk(rng):
    y = np.cumsum(rng.normal(size=200))
    assert is_a_walk(y[:50]) and not is_a_walk(y)
    assert not is_a_walk(rng.normal(size=50)) and not is_a_walk(np.ones(50))
