"""Exact likelihoods of complete and of gappy series, beside statsmodels and beside the density of a normal vector."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

import tsformers.forecasters.local.arima.filter_kernels as kernels
import tsformers.forecasters.local.arima.polynomial_kernels as polynomials
from tsformers.forecasters.local.arima.differences import differenced
from tsformers.forecasters.local.arima.forecast import expanded, filtered, without_first_values

ORDERS = [(1, 0, 0, 0), (0, 1, 0, 0), (2, 1, 0, 0), (1, 2, 1, 0), (0, 1, 0, 1), (1, 1, 1, 1), (3, 2, 1, 2)]


def log_density(errors, logs):
    return -0.5 * (len(errors) * np.log(2 * np.pi) + errors @ errors + logs)


def fast(model, w):
    white = np.zeros((1, len(w)))
    first = polynomials.state_covariances(model.phi, model.theta)
    return white[0], kernels.whitened(model.phi, first, w[None], white)


@pytest.mark.parametrize("sizes", ORDERS)
@pytest.mark.parametrize("season", [4, 12])
def test_the_likelihood_of_a_complete_series_is_that_of_statsmodels(sizes, season, rng):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    w, free = rng.normal(size=90), rng.normal(size=sum(sizes)) * 0.6
    errors, logs = fast(expanded(free, sizes, 0, 0, season), w)
    p, q, sp, sq = sizes
    factors = polynomials.factors(free, np.array(sizes)) * [[1], [-1], [1], [-1]]
    parts = [factor[:size] for factor, size in zip(factors, sizes, strict=True)]
    theirs = SARIMAX(w, order=(p, 0, q), seasonal_order=(sp, 0, sq, season), trend="n")
    theirs.ssm.tolerance = 0
    assert log_density(errors, logs) == pytest.approx(theirs.loglike(np.r_[*parts, 1.0]), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), sizes=st.sampled_from(ORDERS), d=st.integers(0, 2), seasonal_d=st.integers(0, 1))
def test_both_filters_agree_where_nothing_is_missing(seed, sizes, d, seasonal_d):
    rng = np.random.default_rng(seed)
    y, free = rng.normal(size=60).cumsum(), rng.normal(size=sum(sizes)) * 0.6
    model = expanded(free, sizes, d, seasonal_d, 4)
    errors, logs = fast(model, differenced(y, d, seasonal_d, 4))
    left, rank = without_first_values(filtered(model, y[None]))
    assert rank == d + 4 * seasonal_d
    np.testing.assert_allclose(left[:, 0] @ left[:, 0], errors @ errors, rtol=1e-6)
    assert np.isfinite(logs)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), sizes=st.sampled_from(ORDERS))
def test_the_likelihood_with_gaps_is_the_density_of_the_observed_rows(seed, sizes):
    rng = np.random.default_rng(seed)
    y, free = rng.normal(size=40), rng.normal(size=sum(sizes)) * 0.6
    y[1:-1][rng.random(38) < 0.5] = np.nan
    model, seen = expanded(free, sizes, 0, 0, 4), np.isfinite(y)
    r = len(model.phi)
    white, state, covariance = np.zeros((1, 40)), np.zeros((1, r)), np.zeros((r, r))
    first = polynomials.state_covariances(model.phi, model.theta)
    logs, rows = kernels.whitened_with_gaps(*model, first, y[None], np.zeros(40), white, state, covariance)
    responses = np.zeros(4000)
    for k in range(4000):
        responses[k] = (model.theta[k] if k < r else 0) + model.phi[: min(k, r)] @ responses[k - 1 :: -1][: min(k, r)]
        if k > 600 and abs(responses[k - 50 : k]).max() < 1e-12:
            break
    lags = np.array([responses[: 4000 - lag] @ responses[lag:] for lag in range(40)])
    at = np.flatnonzero(seen)
    full = lags[np.abs(at[:, None] - at)]
    expected = multivariate_normal(np.zeros(len(at)), full).logpdf(y[seen])
    assert rows == len(at)
    assert log_density(white[0, :rows], logs) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("d", "seasonal_d"), [(1, 0), (2, 0), (0, 1), (1, 1)])
def test_differenced_gaps_have_the_diffuse_likelihood_of_statsmodels(d, seasonal_d, rng):
    """Both leave out the unknown first values; theirs has a large variance in place of none."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    y = rng.normal(size=60).cumsum()
    y[[20, 21, 22, 30, 44]] = np.nan
    answers = []
    for partial in (0.3, -0.6):  # constants cancel in the difference of two models
        model = expanded(np.arctanh([partial, 0.2]), (1, 1, 0, 0), d, seasonal_d, 4)
        size = len(model.phi) + len(model.lags)
        white, state = np.zeros((1 + len(model.lags), 60)), np.zeros((1 + len(model.lags), size))
        first = polynomials.state_covariances(model.phi, model.theta)
        logs, rows = kernels.whitened_with_gaps(
            *model, first, y[None], np.zeros(60), white, state, np.zeros((size, size))
        )
        first_columns = white[1:, :rows].T
        left = white[0, :rows] - first_columns @ np.linalg.lstsq(first_columns, white[0, :rows], rcond=None)[0]
        mine = -0.5 * (left @ left + logs + np.linalg.slogdet(first_columns.T @ first_columns)[1])
        theirs = SARIMAX(y, order=(1, d, 1), seasonal_order=(0, seasonal_d, 0, 4), use_exact_diffuse=True)
        theirs.ssm.tolerance = 0
        answers.append(mine - theirs.loglike([partial, -0.2, 1.0]))
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)


def test_a_walk_after_a_gap_has_the_variance_of_all_its_steps():
    walk = expanded(np.zeros(0), (0, 0, 0, 0), 1, 0, 1)
    white = filtered(walk, np.array([[0.0, np.nan, np.nan, np.nan, 6.0, 7.0]])).white
    np.testing.assert_allclose(white[0], [0.0, 6.0 / 2.0, 1.0])


def test_an_error_of_observation_leaves_part_of_the_uncertainty():
    walk = expanded(np.zeros(0), (0, 0, 0, 0), 1, 0, 1)
    history = filtered(walk, np.array([[0.0, 2.0, 5.0]]), np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(history.white[0], [0.0, 2.0 / np.sqrt(2.0), (5.0 - 1.0) / np.sqrt(1.5)])
