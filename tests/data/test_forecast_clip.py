"""Forecast.clip: draws and quantiles keep to bounds, and mean, quantiles and PIT values come from one distribution."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.messages import message_of

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
BOUNDS = [(0, None), (0, 2), (None, 1.5), (-9, 9), (1, None)]


@pytest.fixture
def quantiles(rng):
    values = np.sort(rng.normal(1, 2, size=(3, 5, 2)), axis=1)
    return tsf.Forecast(list("abc"), np.tile([7, 8], (3, 1)), values, levels=LEVELS)


def test_draws_are_clipped_one_by_one(rng):
    draws = rng.normal(size=(2, 50, 3))
    forecast = tsf.Forecast(["a", "b"], np.tile([1, 2, 3], (2, 1)), draws, joint=True, freq=1)
    clipped = forecast.clip(lower=-0.5, upper=1)
    np.testing.assert_array_equal(clipped.samples, draws.clip(-0.5, 1))
    np.testing.assert_array_equal(clipped.mean, draws.clip(-0.5, 1).mean(1))
    assert (clipped.joint, clipped.freq) == (True, 1)
    np.testing.assert_array_equal(forecast.samples, draws)


@pytest.mark.parametrize("bounds", BOUNDS)
def test_mean_and_pit_of_clipped_quantiles_are_those_of_its_quantile_function(quantiles, bounds):
    clipped = quantiles.clip(*bounds)
    np.testing.assert_array_equal(clipped.values, quantiles.values.clip(*bounds))
    assert clipped.levels == LEVELS
    draws = clipped.quantile((np.arange(100_000) + 0.5) / 100_000)
    low, high = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
    assert draws.min() >= low and draws.max() <= high
    np.testing.assert_allclose(clipped.mean, draws.mean(1), atol=1e-4)  # the tail beyond the outermost of the draws
    for y in (-9.5, low, 0.3, 1.0, high, 9.5):
        if np.isfinite(y):
            asked = np.full(clipped.times.shape, y)
            shares = ((draws < y).mean(1) + (draws <= y).mean(1)) / 2
            np.testing.assert_allclose(clipped.cdf(asked), shares, atol=2e-5)


def test_bounds_of_a_forecast_survive_the_choice_of_series_and_a_second_clip(quantiles):
    clipped = quantiles.clip(lower=0)
    assert clipped.select([1]).quantile(0).min() == 0
    assert clipped.clip(upper=3).support == (0, 3)
    assert clipped.clip(lower=-1).support == (0, np.inf)


def test_a_copy_with_other_values_has_no_bounds(quantiles):
    moved = replace(quantiles.clip(lower=0), values=quantiles.values - 100)
    assert moved.quantile(0.01).max() < -90


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ((None, None), "pass --lower 0, --upper 1 or both"),
        ((2, 1), "--lower 2 and --upper 1 leave no value"),
        ((np.nan, None), "--lower must be a finite number"),
        ((None, np.inf), "--upper must be a finite number"),
    ],
)
def test_bounds_without_a_meaning_are_refused(quantiles, bounds, words):
    with pytest.raises(ValueError) as caught:
        quantiles.clip(*bounds)
    assert words in message_of(caught.value, "shell")
    assert " --" not in str(caught.value)


def test_a_point_forecast_keeps_to_the_bound():
    point = tsf.Forecast(pd.Index(["a"]), np.array([[7]]), np.array([[[-3.0]]]), levels=(0.5,))
    assert point.clip(lower=0).mean.item() == point.clip(lower=0).quantile(0.01).item() == 0
