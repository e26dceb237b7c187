"""Quantile and interval scores: by their properties; GluonTS's numbers are in test_gluonts.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.scoring import coverage, interval_score, msis, pit, quantile_loss, weighted_quantile_loss
from tsformers.scoring.reference import scale_of

seeds = st.integers(0, 2**32 - 1)
moderate = settings(max_examples=40, deadline=None)
LEVELS = (0.1, 0.25, 0.5, 0.9)


@moderate
@given(seeds, st.floats(0.01, 0.99))
def test_the_sample_quantile_minimises_the_quantile_loss(seed, level):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=101)
    best = np.sort(y)[int(np.floor(level * 101))]

    def loss(q):
        return quantile_loss(y, np.full(101, q), level).mean()

    assert loss(best) <= min(loss(best + step) for step in (-0.3, -0.01, 0.01, 0.3)) + 1e-12


def test_at_the_median_the_quantile_loss_is_the_absolute_error(rng):
    y, q = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    np.testing.assert_allclose(quantile_loss(y, q, 0.5), np.abs(y - q))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_the_axis_of_levels_is_free_and_kept(rng, axis):
    y, q = rng.normal(size=(3, 5)), rng.normal(size=(3, 5, 4))
    moved = quantile_loss(y, np.moveaxis(q, -1, axis), LEVELS, axis=axis)
    np.testing.assert_array_equal(np.moveaxis(moved, axis, -1), quantile_loss(y, q, LEVELS))
    one = quantile_loss(y, q[..., 1], LEVELS[1])
    np.testing.assert_allclose(quantile_loss(y, q, LEVELS)[..., 1], one)


@moderate
@given(seeds, st.floats(0.01, 100))
def test_scores_of_quantiles_scale_and_shift_with_the_data(seed, scale):
    rng = np.random.default_rng(seed)
    y, ends = rng.normal(size=9), np.sort(rng.normal(size=(2, 9)), axis=0)
    moved_y, moved = scale * y + 3, scale * ends + 3
    score = interval_score(y, *ends, alpha=0.2)
    np.testing.assert_allclose(interval_score(moved_y, *moved, alpha=0.2), scale * score, rtol=1e-9)
    loss = quantile_loss(moved_y, moved[0], 0.1)
    np.testing.assert_allclose(loss, scale * quantile_loss(y, ends[0], 0.1), rtol=1e-8, atol=1e-10)
    assert coverage(moved_y, *moved) == coverage(y, *ends)
    weighted = weighted_quantile_loss(scale * y, scale * ends[0], 0.1)
    np.testing.assert_allclose(weighted, weighted_quantile_loss(y, ends[0], 0.1), rtol=1e-9)


def test_the_interval_score_is_the_two_quantile_losses_over_alpha(rng):
    y, ends = rng.normal(size=50), np.sort(rng.normal(size=(2, 50)), axis=0)
    both = quantile_loss(y, ends[0], 0.1) + quantile_loss(y, ends[1], 0.9)
    np.testing.assert_allclose(interval_score(y, *ends, alpha=0.2), both / 0.2, rtol=1e-12)


def test_missing_truth_is_left_out_and_missing_forecasts_give_nan():
    y, q = np.array([1.0, np.nan, -3.0]), np.array([2.0, 7.0, -3.0])
    assert weighted_quantile_loss(y, q, 0.5) == pytest.approx(0.25)
    assert np.isnan(quantile_loss(y, q, 0.5)[1])
    assert coverage(y, q - 1, q) == 1.0
    np.testing.assert_array_equal(coverage(y, q - 1, q, axis=()), [1.0, np.nan, 1.0])
    q[0] = np.nan
    assert np.isnan(weighted_quantile_loss(y, q, 0.5)) and np.isnan(coverage(y, q - 1, q))
    assert np.isnan(coverage(np.array([np.nan]), 0, 1))


def test_pit_of_draws_from_the_truth_is_uniform(rng):
    y, samples = rng.normal(size=20_000), rng.normal(size=(20_000, 19))
    counts = np.histogram(pit(y, samples), bins=20, range=(-1 / 38, 1 + 1 / 38))[0]
    assert np.abs(counts / 20_000 - 0.05).max() < 0.01


def test_pit_counts_ties_half_and_nan_not_at_all():
    samples = np.array([[0.0, 1.0, 1.0, 2.0], [0.0, np.nan, 1.0, 2.0], [0.0, 1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(pit(np.array([1.0, 1.0, np.nan]), samples), [0.5, np.nan, np.nan])


def test_pit_is_the_forecasts_cdf(rng):
    import pandas as pd

    from tsformers.data.forecast import Forecast

    y, values = np.round(rng.normal(size=(2, 3)), 1), np.round(rng.normal(size=(2, 9, 3)), 1)
    forecast = Forecast(pd.Index(["a", "b"]), np.arange(6).reshape(2, 3), values, freq=1)
    np.testing.assert_array_equal(pit(y, values, axis=1), forecast.cdf(y))


def test_series_without_a_scale_are_not_scored_by_msis():
    y, ends = np.ones((2, 2)), np.stack([np.zeros((2, 2)), np.full((2, 2), 4.0)])
    history = np.array([[1.0, 1.0, 1.0], [1.0, 3.0, 1.0]])
    np.testing.assert_array_equal(msis(y, *ends, history, axis=-1), [np.nan, 2.0])
    assert msis(y, *ends, history) == 2.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: quantile_loss(np.zeros(3), np.zeros((3, 2)), [0.5, 0.0]), "between 0 and 1"),
        (lambda: quantile_loss(np.zeros(3), np.zeros((2, 3)), [0.5, 0.6]), r"\(2, 3\).*axis=-1"),
        (lambda: quantile_loss(np.zeros(3), np.zeros((3, 2)), 0.5), "one forecast an entry"),
        (lambda: interval_score(np.zeros(3), np.zeros(3), np.zeros(3), alpha=80.0), "alpha"),
        (lambda: scale_of(np.zeros(3), np.zeros((2, 5)), 1), "history"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
