"""Forecasts of counts: every quantile is a whole number of 0 or more, whatever is done with the forecast."""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tsformers as tsf
from tsformers.data.blocks.forecast_blocks import joined, summarised
from tsformers.data.draws import drawn

DRAWS = arrays(np.int64, st.tuples(st.just(2), st.integers(1, 30), st.just(3)), elements=st.integers(0, 40))
LEVELS = np.r_[0.0, np.sort(np.random.default_rng(0).random(50)), 0.5, 0.999, 1.0]


def counted(values, **more):
    times = np.arange(values.shape[-1])[None].repeat(len(values), axis=0)
    ids = [f"s{i}" for i in range(len(values))]
    return tsf.Forecast(ids, times, np.asarray(values, dtype=float), freq=1, counts=True, **more)


def are_counts(values):
    finite = values[np.isfinite(values)]
    return bool((finite == np.floor(finite)).all() and (finite >= 0).all())


@settings(max_examples=50, deadline=None)
@given(DRAWS)
def test_a_quantile_is_the_least_draw_whose_share_reaches_the_level(draws):
    forecast = counted(draws)
    np.testing.assert_array_equal(
        forecast.quantile(LEVELS), np.moveaxis(np.quantile(draws, LEVELS, axis=1, method="inverted_cdf"), 0, 1)
    )
    tenth = forecast.quantile(np.arange(1, 10) / 10)
    for level, found in zip(np.arange(1, 10) / 10, np.moveaxis(tenth, 1, 0), strict=True):
        assert ((draws <= found[:, None]).mean(axis=1) >= level - 1e-9).all()
        assert ((draws < found[:, None]).mean(axis=1) < level).all()


@settings(max_examples=50, deadline=None)
@given(DRAWS)
def test_whatever_is_done_with_counts_they_stay_counts(draws):
    forecast = counted(draws)
    quantiles = summarised(forecast, (0.1, 0.5, 0.9))
    both = [forecast.select([1]), forecast.clip(upper=7), forecast.sum(["a", "b"]), replace(forecast, ids=["x", "y"])]
    both += [quantiles, quantiles.select([0]), quantiles.clip(lower=2, upper=9), drawn(quantiles, 11, 0)]
    both += [joined([forecast.select([0]), forecast.select([1])]), copy.deepcopy(forecast)]
    for one in both:
        assert one.counts
        assert are_counts(one.quantile(LEVELS)) and are_counts(one.interval(0.77)) and are_counts(one.median)
        frame = one.to_frame(quantiles=(0.123, 0.5, 0.987))
        assert are_counts(frame.filter(regex="^q").to_numpy())
    assert quantiles.clip(lower=2, upper=9).quantile(LEVELS).max() <= 9
    np.testing.assert_array_equal(quantiles.mean, forecast.mean)


def test_the_tails_of_quantiles_of_counts_end_at_zero():
    forecast = counted(np.array([[[0.0], [2.0], [5.0]]]), levels=(0.2, 0.5, 0.8))
    assert forecast.support == (0, np.inf)
    assert forecast.quantile([0.0, 0.01]).ravel().tolist() == [0.0, 0.0]
    assert 6 < forecast.quantile(0.95)[0, 0, 0] < 20
    assert forecast.cdf(np.array([[-1.0]]))[0, 0] == 0
    assert forecast.mean[0, 0] > 2


def test_what_is_no_count_is_none():
    half = np.array([[[0.5], [2.0]]])
    for values in (half, -2 * half):
        assert not counted(values).counts
    forecast = counted(2 * half)
    scaled = replace(forecast, values=forecast.values * 0.3)
    assert forecast.counts and not scaled.counts
    assert scaled.support == (-np.inf, np.inf)
    assert not forecast.clip(lower=1.5).counts  # 1 became 1.5
    assert forecast.clip(lower=0.5).quantile(0.0).ravel().tolist() == [1.0]
    assert not tsf.Forecast(forecast.ids, forecast.times, forecast.values).counts


def test_counts_go_to_gluonts_and_back():
    pytest.importorskip("gluonts")
    for forecast in (counted(np.array([[[0.0], [2.0]]])), counted(np.array([[[0.0], [2.0]]]), levels=(0.2, 0.7))):
        assert tsf.from_gluonts(forecast.to_gluonts()).counts
    other = replace(forecast, counts=False)
    assert not tsf.from_gluonts(other.to_gluonts()).counts


def test_bounds_of_quantiles_stay_when_blocks_are_joined():
    values = np.array([[[0.5], [2.5]]])
    forecast = tsf.Forecast(["a"], np.array([[1]]), values, levels=(0.2, 0.8)).clip(lower=0, upper=3)
    other = replace(forecast, ids=pd.Index(["b"])).clip(lower=0, upper=3)
    whole = joined([forecast, other])
    assert whole.support == (0, 3) and whole.quantile(0.999).max() <= 3
    assert summarised(whole, (0.3, 0.6)).support == (0, 3)
    assert joined([forecast, other.clip(upper=2.7)]).support == (-np.inf, np.inf)
