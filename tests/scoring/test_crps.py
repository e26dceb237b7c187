"""CRPS, Brier and log score: against brute force, against properscoring, and by their properties."""

import math
import statistics
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tsformers.scoring import (
    brier_score,
    crps_normal,
    crps_quantile_function,
    crps_quantiles,
    crps_samples,
    log_score,
    pit,
)
from tsformers.scoring.crps import blocks

seeds = st.integers(0, 2**32 - 1)
moderate = settings(max_examples=40, deadline=None)


def brute_force(y, samples, fair=False):
    """The definition, all pairs at once."""
    size = samples.shape[-1]
    pairs = np.abs(samples[..., :, None] - samples[..., None, :]).sum(axis=(-1, -2))
    return np.abs(samples - y[..., None]).mean(axis=-1) - pairs / (2 * size * (size - 1 if fair else size))


@moderate
@given(seeds, st.integers(2, 30), st.booleans())
def test_crps_is_its_definition_over_all_pairs(seed, size, fair):
    rng = np.random.default_rng(seed)
    y, samples = rng.normal(size=(3, 4)), rng.integers(-3, 4, (3, 4, size)) + rng.choice([0.0, rng.normal()])
    estimator = "fair" if fair else "edf"
    np.testing.assert_allclose(crps_samples(y, samples, estimator=estimator), brute_force(y, samples, fair), atol=1e-13)


@moderate
@given(seeds, st.floats(-1e8, 1e8), st.floats(1e-3, 1e3))
def test_crps_moves_with_shift_and_scale(seed, shift, scale):
    rng = np.random.default_rng(seed)
    y, samples = rng.normal(size=5), rng.normal(size=(5, 20))
    moved = crps_samples(scale * y + shift, scale * samples + shift)
    # 1e8 holds numbers to 1.5e-8; what is lost there is lost before the score sees it
    np.testing.assert_allclose(moved, scale * crps_samples(y, samples), rtol=1e-9, atol=1e-7)


def test_a_shift_of_1e8_loses_no_more_than_the_numbers_themselves(rng):
    y, samples = np.round(rng.normal(size=50) * 64) / 64, np.round(rng.normal(size=(50, 20)) * 64) / 64
    exact = crps_samples(y, samples)  # multiples of 1/64 survive the shift unrounded
    np.testing.assert_allclose(crps_samples(y + 1e8, samples + 1e8), exact, rtol=1e-14)


@moderate
@given(seeds, st.integers(1, 40))
def test_crps_ignores_the_order_of_members_and_is_never_negative(seed, size):
    rng = np.random.default_rng(seed)
    y, samples = rng.normal(size=4), rng.standard_cauchy((4, size))
    score = crps_samples(y, samples)
    np.testing.assert_allclose(crps_samples(y, rng.permuted(samples, axis=-1)), score, rtol=1e-12)
    assert (score >= 0).all()


@moderate
@given(hnp.arrays(np.float64, 5, elements=st.floats(-1e6, 1e6)), st.floats(-1e6, 1e6))
def test_one_member_gives_the_absolute_error(y, value):
    np.testing.assert_array_equal(crps_samples(y, np.full((5, 1), value)), np.abs(y - value))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_the_axis_of_members_is_free(rng, axis):
    y, samples = rng.normal(size=(7, 300)), rng.normal(size=(7, 300, 11))
    moved = np.moveaxis(samples, -1, axis)
    expected = crps_samples(y, samples)
    np.testing.assert_allclose(crps_samples(y, moved, axis=axis), expected, rtol=1e-12)
    np.testing.assert_allclose(crps_samples(y, np.ascontiguousarray(moved), axis=axis), expected, rtol=1e-12)


def test_a_single_observation_is_an_array_without_axes(rng):
    samples = rng.normal(size=9)
    assert crps_samples(np.array(0.5), samples).shape == ()
    assert float(crps_samples(np.array(0.5), samples)) == pytest.approx(float(brute_force(np.array(0.5), samples)))


def test_no_observations_give_no_scores():
    assert crps_samples(np.empty((0, 3)), np.empty((0, 3, 4))).shape == (0, 3)
    assert crps_samples(np.empty((3, 0)), np.empty((3, 0, 4))).shape == (3, 0)


def test_nan_is_not_scored_and_a_nan_member_gives_nan(rng):
    y, samples = rng.normal(size=4), rng.normal(size=(4, 6))
    y[0], samples[1, 2] = np.nan, np.nan
    score = crps_samples(y, samples)
    assert np.isnan(score[:2]).all()
    np.testing.assert_allclose(score[2:], brute_force(y[2:], samples[2:]))


def test_omitting_nan_members_scores_the_others(rng):
    y, samples = rng.normal(size=3), rng.normal(size=(3, 6))
    samples[0, [1, 4]] = np.nan
    samples[1] = np.nan
    for estimator in ("edf", "fair"):
        score = crps_samples(y, samples, estimator=estimator, nan_members="omit")
        kept = crps_samples(y[:1], samples[:1, [0, 2, 3, 5]], estimator=estimator)
        np.testing.assert_allclose(score[:1], kept, rtol=1e-12)
        assert np.isnan(score[1])
        np.testing.assert_allclose(score[2:], crps_samples(y[2:], samples[2:], estimator=estimator), rtol=1e-12)


def test_float32_and_integer_samples_are_scored_in_double_precision(rng):
    y, samples = rng.normal(size=20), rng.normal(size=(20, 30)).astype(np.float32)
    np.testing.assert_array_equal(crps_samples(y, samples), crps_samples(y, samples.astype(np.float64)))
    counts = rng.poisson(3, (20, 30))
    np.testing.assert_array_equal(crps_samples(y, counts), crps_samples(y, counts.astype(np.float64)))


def test_the_callers_samples_are_left_alone(rng):
    y, samples = rng.normal(size=20), rng.normal(size=(20, 30))
    before = samples.copy()
    crps_samples(y, samples)
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_extra_memory_stays_far_below_a_copy_of_the_samples(axis, kind):
    y = np.zeros(100_000)
    samples = np.random.default_rng(0).random((100_000, 100) if axis else (100, 100_000), dtype=np.float32).astype(kind)
    tracemalloc.start()
    try:
        score = crps_samples(y, samples, axis=axis)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - score.nbytes < samples.nbytes / 10


def test_fair_crps_does_not_depend_on_the_number_of_members_on_average(rng):
    y = rng.normal(size=40_000)
    truth = 1 / math.sqrt(math.pi)  # E CRPS of N(0, 1) under itself
    few = crps_samples(y, rng.normal(size=(40_000, 3)), estimator="fair").mean()
    assert few == pytest.approx(truth, abs=0.01)
    assert crps_samples(y, rng.normal(size=(40_000, 3))).mean() > truth + 0.1  # the edf of three members is worse


def test_the_true_distribution_scores_best(rng):
    y, draws = rng.normal(size=4000), rng.normal(size=(4000, 50))
    for wrong in (draws + 0.5, 0.5 * draws, 2 * draws):
        assert crps_samples(y, draws).mean() < crps_samples(y, wrong).mean()
        assert log_score(y, draws).mean() < log_score(y, wrong).mean()
        assert brier_score(y, draws, [-0.5, 0.5]).mean() < brier_score(y, wrong, [-0.5, 0.5]).mean()
    assert crps_normal(y, 0, 1).mean() < min(crps_normal(y, 0.5, 1).mean(), crps_normal(y, 0, 2).mean())


def test_crps_of_many_normal_draws_is_the_normals(rng):
    y = np.array([-2.0, 0.0, 0.3, 5.0])
    draws = rng.normal(1.0, 2.0, (4, 200_000))
    np.testing.assert_allclose(crps_samples(y, draws), crps_normal(y, 1.0, 2.0), atol=0.02)


def test_crps_normal_without_spread_is_the_absolute_error():
    np.testing.assert_array_equal(crps_normal(np.array([3.0, np.nan]), 1, np.array([0.0, 1.0])), [2.0, np.nan])


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=6),
    st.floats(-8, 8),
    st.lists(st.integers(1, 99), min_size=6, max_size=6, unique=True),
)
@settings(max_examples=50, deadline=None)
def test_crps_of_a_quantile_function_is_the_integral_over_its_dense_levels(quantiles, y, levels):
    levels, q = np.sort(levels)[: len(quantiles)] / 100, np.sort(quantiles)
    dense = (np.arange(20_000) + 0.5) / 20_000
    inverse = np.interp(dense, levels, q)
    if len(q) > 1:  # the end pieces go on
        slopes = np.diff(q) / np.diff(levels)
        inverse += np.minimum(dense - levels[0], 0) * slopes[0] + np.maximum(dense - levels[-1], 0) * slopes[-1]
    found = crps_quantile_function(np.array([y]), q[None], levels)
    np.testing.assert_allclose(found, crps_quantiles(np.array([y]), inverse[None], dense), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(found, crps_quantile_function(np.array([y]), np.array([quantiles]), levels))


def test_crps_of_few_unequally_spaced_quantiles_compares_with_that_of_draws(rng):
    y, levels = rng.normal(size=20_000), (0.01, 0.025, *(k / 20 for k in range(1, 20)), 0.975, 0.99)
    q = np.array([statistics.NormalDist().inv_cdf(level) for level in levels])
    true = crps_normal(y, 0, 1).mean()
    assert crps_quantile_function(y, np.tile(q, (len(y), 1)), levels).mean() == pytest.approx(true, rel=0.003)
    assert crps_quantiles(y, np.tile(q, (len(y), 1)), levels).mean() < 0.9 * true


def test_crps_is_the_integral_of_twice_the_pinball_loss_over_levels(rng):
    y, samples = rng.normal(size=8), rng.normal(size=(8, 10))
    levels = (np.arange(10_000) + 0.5) / 10_000
    inverse = np.sort(samples, axis=-1)[:, np.minimum((levels * 10).astype(int), 9)]  # the edf's quantile function
    np.testing.assert_allclose(crps_quantiles(y, inverse, levels), crps_samples(y, samples), atol=1e-3)


def test_crps_is_the_integral_of_the_brier_score_over_thresholds(rng):
    y, samples = rng.normal(size=8), rng.normal(size=(8, 10))
    thresholds = np.linspace(-6, 6, 20_001)
    area = brier_score(y, samples, thresholds).sum(axis=-1) * (thresholds[1] - thresholds[0])
    np.testing.assert_allclose(area, crps_samples(y, samples), atol=2e-3)


def test_log_score_is_minus_the_log_density_of_the_moments_normal(rng):
    y, samples = rng.normal(size=5), rng.normal(size=(5, 12))
    mean, variance = samples.mean(-1), samples.var(-1)
    expected = -np.log(np.exp(-((y - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))
    np.testing.assert_allclose(log_score(y, samples), expected, rtol=1e-12)
    assert log_score(np.array([1.0, 2.0]), np.ones((2, 3))).tolist()[1] == np.inf
    assert np.isnan(log_score(np.array([1.0]), np.ones((1, 3)))).all()


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e6 + 0.1, 1e-9, -1e300])
@pytest.mark.parametrize("size", [1, 3, 7, 100, 1000])
def test_members_that_agree_have_no_density_elsewhere_however_their_mean_rounds(value, size):
    members = np.full((2, size), value)
    score = log_score(np.array([value + 0.2 * abs(value), value]), members)
    assert score[0] == np.inf
    assert np.isnan(score[1])


def test_one_member_that_differs_makes_the_log_score_finite_in_any_unit():
    y, members = np.array([0.3]), np.array([[0.1] * 99 + [0.2]])
    expected = log_score(y, members)
    assert np.isfinite(expected).all()
    for unit in (1e-200, 2.0**-30, 1e9, 1e200):
        np.testing.assert_allclose(log_score(unit * y, unit * members) - np.log(unit), expected, rtol=1e-12)


def test_the_log_score_of_a_missing_or_infinite_number_is_missing():
    y = np.array([np.nan, 1.0, 1.0, 1.0, 0.0])
    members = np.array([[1.0, 1.0], [np.nan, 1.0], [1.0, np.nan], [np.inf, 1.0], [np.inf, np.inf]])
    assert np.isnan(log_score(y, members)).all()


@moderate
@given(st.lists(st.integers(0, 5), max_size=4).map(tuple), st.integers(1, 12))
def test_blocks_cover_every_entry_once(shape, entries):
    visits = np.zeros(shape, dtype=int)
    for block in blocks(shape, entries):
        visits[block] += 1
        assert np.size(visits[block]) <= entries
    assert (visits == 1).all()


class TestAgainstProperscoring:
    """The peer is imported where it is used: with numba its import compiles for seconds."""

    def test_crps_ensemble(self, rng):
        import properscoring

        y, samples = rng.normal(size=(6, 40)), np.round(rng.normal(size=(6, 40, 13)), 1)
        y[rng.random(y.shape) < 0.2] = np.nan
        np.testing.assert_allclose(crps_samples(y, samples), properscoring.crps_ensemble(y, samples), atol=1e-13)
        first = np.moveaxis(samples, -1, 0)
        np.testing.assert_allclose(
            crps_samples(y, first, axis=0), properscoring.crps_ensemble(y, first, axis=0), atol=1e-13
        )

    def test_crps_ensemble_with_missing_members(self, rng):
        import properscoring

        y, samples = rng.normal(size=200), rng.normal(size=(200, 13))
        samples[rng.random(samples.shape) < 0.3] = np.nan
        samples[0], y[1] = np.nan, np.nan
        expected = properscoring.crps_ensemble(y, samples)
        np.testing.assert_allclose(crps_samples(y, samples, nan_members="omit"), expected, atol=1e-13)

    def test_crps_gaussian(self, rng):
        import properscoring

        y, loc, scale = rng.normal(size=500) * 4, rng.normal(size=500), rng.lognormal(size=500)
        y[::7] = np.nan
        expected = properscoring.crps_gaussian(y, loc, scale)
        np.testing.assert_allclose(crps_normal(y, loc, scale), expected, rtol=1e-12, atol=1e-14)

    def test_threshold_brier_score(self, rng):
        import properscoring

        y, samples = np.round(rng.normal(size=(5, 60)), 1), np.round(rng.normal(size=(5, 60, 11)), 1)
        y[rng.random(y.shape) < 0.2] = np.nan
        thresholds = np.array([-1.0, 0.0, 0.3, 2.0])
        expected = properscoring.threshold_brier_score(y, samples, thresholds)
        np.testing.assert_allclose(brier_score(y, samples, thresholds), expected, atol=1e-15)
        one = properscoring.threshold_brier_score(y, samples, 0.3)
        np.testing.assert_allclose(brier_score(y, samples, 0.3), one, atol=1e-15)
        samples[rng.random(samples.shape) < 0.3] = np.nan
        expected = properscoring.threshold_brier_score(y, samples, thresholds)
        np.testing.assert_allclose(brier_score(y, samples, thresholds, nan_members="omit"), expected, atol=1e-15)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: crps_samples(np.zeros(3), np.zeros((2, 5))), r"\(3,\).*\(2, 5\).*one axis more"),
        (lambda: crps_samples(np.zeros(3), np.zeros((3, 0))), "at least one member"),
        (lambda: crps_samples(np.zeros(3), np.zeros(3)), "one axis more"),
        (lambda: crps_samples(np.zeros(3), np.zeros((3, 5)), axis=2), "axis=2"),
        (lambda: crps_samples(np.zeros(3), np.zeros((3, 1)), estimator="fair"), "two members"),
        (lambda: crps_normal(np.zeros(3), 0, -1), "negative"),
        (lambda: brier_score(np.zeros(3), np.zeros((3, 2)), np.zeros((2, 2))), "thresholds"),
        (lambda: crps_quantiles(np.zeros(3), np.zeros((3, 2)), [0.1, 1.0]), "between 0 and 1"),
        (lambda: crps_quantiles(np.zeros(3), np.zeros((3, 2)), [0.1, 0.5, 0.9]), "levels"),
        (lambda: crps_quantile_function(np.zeros(3), np.zeros((3, 2)), [0.9, 0.1]), "rise strictly"),
        (lambda: crps_quantile_function(np.zeros(3), np.zeros((3, 2)), [0.1, 0.5, 0.9]), "2 quantiles"),
        (lambda: pit(np.zeros(3), np.zeros((3, 0))), "at least one member"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
