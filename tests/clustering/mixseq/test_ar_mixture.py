"""Mixtures of autoregressions: densities against their formula, moments of lags, another order of clusters."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

import tsformers as tsf
from tsformers.clustering.mixseq.ar_backbone import evaluate, permuted
from tsformers.clustering.mixseq.ar_mixture import ARMixture, lag_moments
from tsformers.clustering.scaled_series import read_scaled


def long(y):
    n, length = y.shape
    columns = {"unique_id": np.repeat(np.arange(n), length), "ds": np.tile(np.arange(length), n), "y": y.ravel()}
    return pd.DataFrame(columns)


def series_of(y):
    return read_scaled(tsf.Panel.from_frame(long(y)), None)


@pytest.mark.parametrize("own_variance", [True, False])
def test_densities_are_those_of_the_formula(own_variance):
    rng = np.random.default_rng(0)
    y, mixture = rng.normal(size=(3, 12)), example(own_variance)
    found = evaluate(mixture._asdict(), series_of(y))
    for i in range(3):
        for k in range(2):
            errors = [
                y[i, t] - mixture.constants[k] - mixture.coefficients[k] @ [y[i, t - 1], y[i, t - 2]]
                for t in range(2, 12)
            ]
            square = np.square(errors).sum()
            if own_variance:  # the integral of the normal density over ds / s, on a fine grid of log s
                log_s = np.linspace(-12, 12, 20001)
                each = -5 * np.log(2 * np.pi) - 5 * log_s - square / (2 * np.exp(log_s))
                expected = logsumexp(each) + np.log(log_s[1] - log_s[0])
            else:
                variance = mixture.variances[k]
                expected = -5 * np.log(2 * np.pi * variance) - square / (2 * variance)
            assert found.log_densities[i, k] == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(found.elbo, logsumexp(found.log_densities, b=mixture.weights, axis=1), atol=1e-6)


def example(own_variance, floor=0.0):
    parts = [np.array(part) for part in ([0.3, 0.7], [0.1, -0.2], [[0.5, -0.3], [0.9, 0.0]], [0.4, 2.0])]
    return ARMixture(*parts, own_variance, floor, 0.0)


@pytest.mark.parametrize("own_variance", [True, False])
def test_other_numbers_for_the_clusters_give_the_same_answers_in_other_columns(own_variance):
    scaled, order = series_of(np.random.default_rng(0).normal(size=(5, 12))), np.array([1, 0])
    mixture = example(own_variance)._asdict()
    first, second = evaluate(mixture, scaled), evaluate(permuted(mixture, order), scaled)
    np.testing.assert_allclose(second.q, first.q[:, order], atol=1e-12)
    np.testing.assert_allclose(second.elbo, first.elbo, atol=1e-12)


def test_moments_skip_steps_with_a_missing_lag():
    y = np.array([[1.0, 2.0, np.nan, 3.0, 5.0, 8.0]])
    sums = lag_moments(series_of(y), 2, centre=0.0).sums[0]
    z = np.array([1.0, 8.0, 5.0, 3.0])  # the only value with both its lags
    np.testing.assert_allclose(sums, np.outer(z, z))
