"""The uncertainty of coefficients, orders and variances, and places of the season that were never observed."""

import numpy as np
import pytest
from scipy.stats import kstest, t

from tsformers.forecasters.local.arima.draws import (
    History,
    Member,
    combined,
    drawn,
    first_slopes,
    moments,
    places_filled,
)
from tsformers.forecasters.local.arima.forecast import expanded, filtered, outlook

NONE = np.zeros((0, 0))


def walk(variance=1.0, weight=1.0):
    return Member((0, 0, 0, 0), False, np.zeros(0), NONE, np.zeros(0), NONE, variance, weight)


def autoregression(phi, deviation):
    free, covariance = np.arctanh([phi]), np.full((1, 1), deviation**2 / (1 - phi**2) ** 2)
    return Member((1, 0, 0, 0), False, free, covariance, np.zeros(0), NONE, 1.0, 1.0)


def after(y, horizon, d=0):
    return History(np.asarray(y, dtype=float), np.zeros((0, len(y) + horizon)), d, 0, 1)


def test_the_error_of_a_coefficient_widens_as_by_the_delta_method():
    means, spread = moments(autoregression(0.6, 0.1), after([1.0, 3.0], 2))
    np.testing.assert_allclose(means, [1.8, 1.08])
    slopes = np.array([3.0, 2 * 0.6 * 3.0])
    expected = np.array([[1.0, 0.6], [0.6, 1.36]]) + 0.01 * np.outer(slopes, slopes)
    np.testing.assert_allclose(spread, expected, rtol=1e-3)


def test_models_near_the_best_widen_what_follows_and_leave_its_mean():
    history = after([1.0, 3.0], 2)
    stationary = autoregression(0.6, 0.0)._replace(weight=0.25)
    means, spread = combined([walk(weight=0.75), stationary], after([1.0, 3.0], 2, d=0)._replace(d=0))
    own, width = moments(walk(), history)
    other, narrow = moments(stationary, history)
    np.testing.assert_allclose(means, own)
    np.testing.assert_allclose(spread, 0.75 * width + 0.25 * (narrow + np.outer(other - own, other - own)))


def test_slopes_are_those_of_each_number():
    np.testing.assert_allclose(
        first_slopes(lambda f: f[0] * np.array([1.0, f[1]]), np.array([2.0, 5.0])), [[1, 5], [0, 2]]
    )
    assert first_slopes(lambda f: np.zeros(3), np.zeros(0)).shape == (0, 3)


@pytest.mark.parametrize("n_samples", [4000, 4001])
def test_draws_are_those_of_student_and_mirror_each_other(n_samples, rng):
    draws = drawn(np.array([5.0, 6.0]), np.array([[4.0, 1.0], [1.0, 9.0]]), 5, n_samples, rng) - [5.0, 6.0]
    half = n_samples // 2
    np.testing.assert_allclose(draws[:half], -draws[half : 2 * half])
    assert kstest(draws[:half, 0] / 2, t(5).cdf).pvalue > 1e-3
    assert kstest(draws[:half, 1] / 3, t(5).cdf).pvalue > 1e-3


def test_no_variance_gives_the_mean():
    np.testing.assert_array_equal(
        drawn(np.array([5.0, 6.0]), np.zeros((2, 2)), 5, 3, np.random.default_rng(0)), [[5, 6]] * 3
    )


def test_a_place_that_was_never_observed_is_like_the_others():
    y = np.tile([10.0, 14.0, 12.0, np.nan], 6)[:-1]
    evidence, noise = places_filled(y, 4, 2.0)
    assert evidence[19] == pytest.approx(12.0)
    assert noise[19] == pytest.approx(np.var([10, 14, 12], ddof=1) / 2.0)
    assert np.isnan(evidence).sum() == 4
    model = expanded(np.zeros(0), (0, 0, 0, 0), 0, 1, 4)
    means, spread = outlook(model, filtered(model, evidence[None], noise), np.zeros(0), NONE, np.zeros((0, 4)))
    np.testing.assert_allclose(means, [12.0, 10.0, 14.0, 12.0])
    np.testing.assert_allclose(np.diag(spread), [1 + 2.0, 1, 1, 1])


def test_known_places_stay_as_they_are():
    y = np.array([1.0, np.nan, 3.0, 4.0])
    assert places_filled(y, 2, 1.0)[0] is y
