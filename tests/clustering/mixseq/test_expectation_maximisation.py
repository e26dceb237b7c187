"""Expectation and maximisation of autoregressions: it climbs, one cluster is least squares, weights are copies."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.clustering.mixseq.ar_backbone import Plan as ARPlan
from tsformers.clustering.mixseq.ar_backbone import learn
from tsformers.clustering.mixseq.ar_mixture import ARMixture, lag_moments
from tsformers.clustering.mixseq.expectation_maximisation import fit_ar_mixture
from tsformers.clustering.scaled_series import read_scaled


def long(y):
    n, length = y.shape
    columns = {"unique_id": np.repeat(np.arange(n), length), "ds": np.tile(np.arange(length), n), "y": y.ravel()}
    return pd.DataFrame(columns)


def series_of(y):
    return read_scaled(tsf.Panel.from_frame(long(y)), None)


@pytest.mark.parametrize("own_variance", [True, False])
def test_no_iteration_makes_the_mixture_less_likely(own_variance):
    y = np.random.default_rng(0).normal(size=(40, 30)).cumsum(1)
    plan = ARPlan(2, own_variance, 1, 60, False)
    _, progress = learn(series_of(y), np.ones(40), 3, plan, np.random.default_rng(0))
    assert len(progress) > 5 and (np.diff([line.elbo for line in progress]) > -1e-9).all()


def test_one_cluster_is_least_squares():
    y = np.random.default_rng(0).normal(size=(4, 50)).cumsum(1)
    plan = ARPlan(1, False, 1, 50, False)
    parameters, _ = learn(series_of(y), np.ones(4), 1, plan, np.random.default_rng(0))
    rows = np.column_stack([np.ones(4 * 49), y[:, :-1].ravel()])
    expected, square, *_ = np.linalg.lstsq(rows, y[:, 1:].ravel(), rcond=None)
    mixture = ARMixture(**parameters)
    constant = mixture.constants[0] + mixture.centre * (1 - mixture.coefficients[0].sum())
    np.testing.assert_allclose([constant, mixture.coefficients[0, 0]], expected, atol=1e-6)
    assert mixture.variances[0] == pytest.approx(square[0] / len(rows), rel=1e-6)


def test_weights_count_like_copies():
    y = np.random.default_rng(0).normal(size=(12, 40)).cumsum(1)
    weight = np.array([3.0] * 3 + [1.0] * 9)
    initial = np.random.default_rng(1).dirichlet(np.ones(2), 12)
    found = [
        climb(y, weight, initial),
        climb(np.concatenate([y, y[:3], y[:3]]), np.ones(18), np.r_[initial, initial[:3], initial[:3]]),
    ]
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def climb(y, weight, initial):
    moments = lag_moments(series_of(y), 1, centre=0.0)
    *_, (mixture, _, _) = fit_ar_mixture(moments, weight, iter([initial]), 30)
    return mixture[:4]
