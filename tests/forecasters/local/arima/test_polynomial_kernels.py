"""Stationary coefficients, their products and autocovariances, beside statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers.forecasters.local.arima.polynomial_kernels as kernels


@settings(max_examples=50, deadline=None)
@given(free=st.lists(st.floats(-3, 3), min_size=1, max_size=5))
def test_any_numbers_give_a_stationary_autoregression(free):
    coefficients = kernels.factors(np.array(free), np.array([0, 0, len(free), 0]))[2]
    assert (np.abs(np.roots(np.r_[1.0, -coefficients])) < 1 + 1e-9).all()


def test_seasonal_factors_are_multiplied():
    phi, theta = np.zeros(6), np.zeros(6)
    kernels.lag_polynomials(np.arctanh([0.5, -0.3, 0.2, 0.1]), np.array([1, 1, 1, 1]), 4, phi, theta)
    np.testing.assert_allclose(phi, [0.5, 0, 0, 0.2, -0.1, 0])
    np.testing.assert_allclose(theta, [1, 0.3, 0, 0, -0.1, -0.03])


@settings(max_examples=30, deadline=None)
@given(free=st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3), season=st.sampled_from([1, 4, 7]))
def test_autocovariances_are_those_of_statsmodels(free, season):
    from statsmodels.tsa.arima_process import ArmaProcess

    r = 1 + season
    phi, theta = np.zeros(r + 1), np.zeros(r + 1)
    kernels.lag_polynomials(np.array(free), np.array([1, 1, 1, 0]), season, phi, theta)
    theirs = ArmaProcess(np.r_[1.0, -phi], theta).acovf(3)
    mine = kernels.state_covariances(phi, theta)
    assert mine[0] == pytest.approx(theirs[0], rel=1e-6)


def test_an_explosive_autoregression_has_no_covariances():
    assert np.isnan(kernels.state_covariances(np.array([1.1]), np.ones(1))[0])
