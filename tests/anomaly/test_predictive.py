"""Predictive p-values: uniform where the distribution is right, and ranking extremes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tsformers.anomaly.predictive import PredictiveP
from tsformers.data.forecast import Forecast
from tsformers.distributions.marginals import Marginals

from .conftest import p_of

GRID = tuple(np.linspace(0.01, 0.99, 99))


def test_quantiles_give_the_p_value_of_the_forecasts_own_distribution():
    rng = np.random.default_rng(0)
    values = np.sort(rng.normal(size=(200, 5, 1)), axis=1)
    levels, y = (0.05, 0.3, 0.5, 0.7, 0.9), rng.normal(scale=1.5, size=(200, 1))
    pit = Forecast(pd.RangeIndex(200), np.zeros((200, 1), dtype=int), values, levels=levels).cdf(y)[:, 0]
    marginals = Marginals(values[:, :, 0], levels)
    assert np.allclose(p_of(PredictiveP("lower"), y[:, 0], marginals), pit, rtol=1e-9)
    assert np.allclose(p_of(PredictiveP("upper"), y[:, 0], marginals), 1 - pit, rtol=1e-9)
    assert np.allclose(p_of(PredictiveP(), y[:, 0], marginals), 2 * np.minimum(pit, 1 - pit), rtol=1e-9)


@pytest.mark.parametrize("distribution", [stats.norm, stats.expon, stats.t(5)], ids=["normal", "exponential", "t5"])
def test_p_values_of_draws_are_uniform_and_valid_in_the_tail(distribution):
    rng = np.random.default_rng(1)
    rows = 20_000
    marginals, y = (
        Marginals(distribution.rvs(size=(rows, 100), random_state=rng)),
        distribution.rvs(size=rows, random_state=rng),
    )
    p = p_of(PredictiveP("upper"), y, marginals)
    assert stats.kstest(p, "uniform").statistic < 0.02  # a fitted tail is not exactly uniform; 0.0096 is noise
    assert (p <= 0.01).mean() < 0.01 + 3 * np.sqrt(0.01 / rows)
    assert (p <= 0.001).mean() < 0.0013 + 3 * np.sqrt(0.001 / rows)


def test_an_exponential_tail_of_many_draws_is_extrapolated_as_exponential():
    draws = np.random.default_rng(2).exponential(size=(300, 4000))
    log_p = PredictiveP("upper", shape=0.0).log_p(
        PredictiveP().start(300), np.arange(300), np.full(300, 12.0), Marginals(draws)
    )
    assert log_p.mean() == pytest.approx(-12, abs=1)  # a thirty-fold extrapolation beyond 1 / 4000


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("levels", [None, (0.1, 0.5, 0.9)])
def test_extremes_still_rank(levels, counts):
    rng = np.random.default_rng(3)
    marginals = Marginals(np.repeat(rng.normal(size=(1, 40 if levels is None else 3)), 12, axis=0), levels)
    for sign in (1, -1):
        far = sign * 10.0 ** np.arange(1, 13)
        log_p = PredictiveP(counts=counts).log_p(PredictiveP().start(12), np.arange(12), far, marginals)
        assert np.isfinite(log_p).all()
        assert (np.diff(log_p) < 0).all()


@given(seed=st.integers(0, 2**31), shift=st.floats(-1e3, 1e3), scale=st.floats(0.01, 100))
@settings(max_examples=40, deadline=None)
def test_shift_scale_and_reflection_change_nothing(seed, shift, scale):
    rng = np.random.default_rng(seed)
    draws, y, series = rng.normal(size=(5, 50)), 3 * rng.normal(size=5), np.arange(5)
    arrays = PredictiveP().start(5)
    plain = PredictiveP().log_p(arrays, series, y, Marginals(draws))
    moved = PredictiveP().log_p(arrays, series, shift + scale * y, Marginals(shift + scale * draws))
    assert np.allclose(plain, moved, rtol=1e-6, atol=1e-6)
    upper = PredictiveP("upper").log_p(arrays, series, y, Marginals(draws))
    lower = PredictiveP("lower").log_p(arrays, series, -y, Marginals(-draws))
    assert np.allclose(upper, lower, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("levels", [None, GRID])
def test_p_values_never_rise_with_the_distance(levels):
    rng = np.random.default_rng(4)
    one = rng.gamma(2.0, size=99).round(1)  # with ties
    y = np.sort(rng.gamma(2.0, size=400) * 3)
    log_p = PredictiveP("upper").log_p(
        PredictiveP().start(400), np.arange(400), y, Marginals(np.tile(one, (400, 1)), levels)
    )
    assert (np.diff(log_p) <= 1e-12).all()


def test_counts_are_randomised_to_be_uniform():
    rng = np.random.default_rng(5)
    rows = 20_000
    marginals, y = (
        Marginals(rng.poisson(1.5, size=(rows, 200)).astype(float)),
        rng.poisson(1.5, size=rows).astype(float),
    )
    p = p_of(PredictiveP("upper", counts=True), y, marginals)
    assert stats.kstest(p, "uniform").statistic < 0.015
    assert stats.kstest(p_of(PredictiveP("upper"), y, marginals), "uniform").statistic > 0.1  # without: conservative


def test_a_count_gets_a_p_value_between_those_of_more_and_of_at_least_as_many():
    draws = np.repeat(np.arange(5.0), [10, 30, 30, 20, 9])[None]
    seeds = [p_of(PredictiveP("upper", counts=True, seed=seed), 3.0, Marginals(draws)).item() for seed in range(200)]
    assert 0.09 < min(seeds) < 0.10 and 0.28 < max(seeds) < 0.30  # P(X > 3) = 0.09, P(X >= 3) = 0.29


def test_without_width_rounding_is_no_anomaly_and_a_jump_is():
    marginals = Marginals(np.full((3, 100), 0.1))
    p = p_of(PredictiveP(), np.array([0.1, 0.1 + 2e-17, 0.2]), marginals)
    assert p[0] == p[1] == 1.0 and p[2] < 1e-15


@pytest.mark.parametrize(
    ("marginals", "reason"),
    [(Marginals(np.zeros((1, 9))), "10"), (Marginals(np.zeros((1, 1)), (0.5,)), "point forecast")],
)
def test_marginals_without_tails_are_refused(marginals, reason):
    with pytest.raises(ValueError, match=reason):
        p_of(PredictiveP(), 1.0, marginals)
