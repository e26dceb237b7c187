"""One model fitted: what a larger one contains, roots, and the covariance of its coefficients."""

import numpy as np
import pytest

from tsformers.forecasters.local.arima.fits import (
    SMALLEST_ROOT,
    Order,
    Sample,
    exact_fit,
    free_covariance,
    is_admissible,
    padded,
)


def sample_of(w, season=1, power=1):
    return Sample(np.vstack([w, np.ones(len(w))]), None, season, power, len(w) + 1)


def autoregression(rng, rows=120, phi=0.6):
    y = np.zeros(rows + 50)
    for t, shock in enumerate(rng.normal(size=rows + 50)):
        y[t] = phi * y[t - 1] + shock
    return y[50:]


@pytest.mark.parametrize("seed", range(6))
def test_a_larger_model_is_not_below_one_that_it_contains(seed):
    sample = sample_of(autoregression(np.random.default_rng(seed), 60), 4)
    small = exact_fit(sample, Order(1, 0, 0, 0, True), [np.zeros(1)])
    for larger in (Order(2, 0, 0, 0, True), Order(1, 1, 0, 0, True), Order(1, 0, 1, 1, True), Order(3, 2, 0, 1, True)):
        fit = exact_fit(sample, larger, [np.zeros(sum(larger[:4])), padded(small.free, small.order, larger)])
        assert fit.loglik >= small.loglik - 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_admissible_models_have_roots_outside_the_circle(seed):
    import tsformers.forecasters.local.arima.polynomial_kernels as kernels

    free = np.random.default_rng(seed).normal(size=3) * 1.5
    inverse = np.roots(np.r_[1.0, -kernels.factors(free, np.array([3, 0, 0, 0]))[0]])
    assert is_admissible(free, Order(3, 0, 0, 0, True)) == (np.abs(inverse).max() < 1 / SMALLEST_ROOT)
    assert is_admissible(free, Order(0, 0, 0, 3, True)) == (np.abs(inverse).max() < 1 / SMALLEST_ROOT)


@pytest.mark.parametrize("phi", [0.0, 0.6, -0.9])
def test_the_covariance_of_coefficients_is_that_of_theory(phi):
    sample = sample_of(autoregression(np.random.default_rng(0), 800, phi))
    fit = exact_fit(sample, Order(1, 0, 0, 0, False), [np.zeros(1)])
    slope = 1 - np.tanh(fit.free[0]) ** 2
    assert free_covariance(sample, fit)[0, 0] * slope**2 == pytest.approx((1 - phi**2) / 800, rel=0.15)


def test_what_the_data_do_not_determine_stays_within_bounds(rng):
    sample = sample_of(rng.normal(size=60))
    fit = exact_fit(sample, Order(1, 1, 0, 0, False), [np.zeros(2)])  # a common factor cancels
    assert np.linalg.eigvalsh(free_covariance(sample, fit)).max() <= 1.0


def test_a_season_that_does_not_change_is_fitted_at_the_edge_of_the_region(rng):
    y = np.tile([3.0, -1.0, -2.0, 0.0], 30) + rng.normal(size=120)
    fit = exact_fit(sample_of(y[4:] - y[:-4], 4), Order(0, 0, 0, 1, False), [np.zeros(1)])
    assert fit.admissible and np.tanh(fit.free[0]) == pytest.approx(1 / SMALLEST_ROOT)


def test_a_moving_average_at_the_edge_is_not_kept():
    w = np.diff(np.random.default_rng(2).normal(size=80))  # overdifferenced
    assert not exact_fit(sample_of(w), Order(0, 1, 0, 0, False), [np.zeros(1)]).admissible


def test_numbers_of_smaller_and_larger_models_are_matched():
    free = np.arange(1.0, 7.0)
    order, other = Order(2, 1, 1, 2, True), Order(1, 2, 2, 1, False)
    np.testing.assert_array_equal(padded(free, order, other), [1, 3, 0, 4, 0, 5])
