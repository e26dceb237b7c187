"""Level maps: coverage on later data, the identity where nothing is wrong, and data that distort others' wrappers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from tsformers.distributions.quantile_function import between_levels
from tsformers.distributions.recalibration import LevelMap, level_map, pit_values, remapped
from tsformers.nn.heads.quantile import LEVELS

LEVEL = np.array(LEVELS)
MIDDLE = len(LEVELS) // 2


def _normal(rows, horizon, width, seed, shift=0.0):
    """Truths of standard deviation 1, and quantiles that claim ``width``."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(0, 5, size=(rows, horizon))
    truth = centre + rng.normal(size=(rows, horizon))
    return truth, centre[:, None] + shift + width * norm.ppf(LEVEL)[None, :, None]


def _share_below(truth, values):
    return (truth[:, None] <= values).mean(axis=(0, 2))


@pytest.mark.parametrize(("width", "shift"), [(0.5, 0.0), (0.7, 0.0), (1.0, 0.5), (1.7, -0.3)])
def test_shares_of_later_data_are_within_two_points_of_their_levels(width, shift):
    truth, raw = _normal(3000, 6, width, seed=1, shift=shift)
    found = level_map(pit_values(truth, raw, LEVEL), LEVEL)
    later, raw = _normal(5000, 6, width, seed=2, shift=shift)
    assert np.abs(_share_below(later, raw) - LEVEL).max() > 0.05
    assert np.abs(_share_below(later, remapped(raw, LEVEL, found)) - LEVEL).max() < 0.02


def test_calibrated_forecasts_stay_as_they_are():
    truth, raw = _normal(4000, 6, 1.0, seed=3)
    found = level_map(pit_values(truth, raw, LEVEL), LEVEL)
    assert np.abs(found.mapped - LEVEL).max() < 0.02


def test_evenly_spread_pit_values_give_the_identity():
    pit = np.repeat(np.arange(1, 1000)[:, None] / 1000, 3, axis=1)
    np.testing.assert_allclose(level_map(pit, LEVEL).mapped, np.tile(LEVEL, (3, 1)), atol=1e-12)


def test_the_next_value_lies_below_with_the_nominal_probability_however_few_there_are():
    rng = np.random.default_rng(4)
    pit = rng.uniform(size=(9, 20_000))
    found = np.stack([level_map(column[:, None], np.array([0.1, 0.3, 0.9]), prior_weight=0).mapped for column in pit.T])
    assert found.mean(axis=0).ravel() == pytest.approx([0.1, 0.3, 0.9], abs=0.004)  # the standard error is 0.001


def test_the_identity_weighs_as_much_as_200_windows():
    pit = np.full((200, 1), 0.5) + np.linspace(-0.1, 0.1, 200)[:, None]
    free = level_map(pit, LEVEL, prior_weight=0).mapped
    half = norm.ppf(level_map(pit, LEVEL).mapped)
    np.testing.assert_allclose(half, (norm.ppf(free) + norm.ppf(LEVEL)) / 2, atol=1e-9)
    assert np.abs(level_map(pit, LEVEL, n=2.0).mapped - LEVEL).max() < 0.02


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(0, 30),
    horizon=st.integers(1, 20),
    missing=st.floats(0, 1),
    places=st.sampled_from([0, 1, 9]),
    prior=st.sampled_from([0.0, 1.0, 200.0]),
)
def test_maps_are_monotone_and_inside_the_unit_interval(seed, rows, horizon, missing, places, prior):
    rng = np.random.default_rng(seed)
    pit = rng.beta(0.3, 0.3, size=(rows, horizon)).round(places)  # places 0: zeros and ones alone
    pit[rng.uniform(size=pit.shape) < missing] = np.nan
    found = level_map(pit, LEVEL, prior_weight=prior)
    assert ((found.mapped > 0) & (found.mapped < 1)).all() and (np.diff(found.mapped, axis=1) >= 0).all()
    values = np.sort(rng.normal(size=(4, len(LEVEL), horizon)), axis=1)
    read = remapped(values, LEVEL, found)
    assert np.isfinite(read).all() and (np.diff(read, axis=1) >= 0).all()


def test_without_any_truth_the_map_is_the_identity():
    for pit in (np.empty((0, 3)), np.full((5, 3), np.nan)):
        np.testing.assert_array_equal(level_map(pit, LEVEL).mapped, np.tile(LEVEL, (3, 1)))


def test_a_step_without_truths_borrows_from_its_neighbours():
    truth, raw = _normal(2000, 3, 0.5, seed=5)
    truth[:, 1] = np.nan
    found = level_map(pit_values(truth, raw, LEVEL), LEVEL).mapped
    np.testing.assert_allclose(found[1], (found[0] + found[2]) / 2, atol=0.01)


def test_neighbouring_steps_are_smoothed():
    rng = np.random.default_rng(6)
    pit = rng.uniform(size=(100, 32))
    found = level_map(pit, LEVEL, prior_weight=0).mapped[:, MIDDLE]
    alone = np.array([level_map(column[:, None], LEVEL, prior_weight=0).mapped[0, MIDDLE] for column in pit.T])
    assert found.std() < 0.6 * alone.std()


@given(scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3))
@settings(deadline=None, max_examples=20)
def test_units_do_not_matter(scale, shift):
    truth, raw = _normal(50, 4, 0.5, seed=7)
    base = level_map(pit_values(truth, raw, LEVEL), LEVEL)
    moved = level_map(pit_values(scale * (truth + shift), scale * (raw + shift), LEVEL), LEVEL)
    np.testing.assert_allclose(moved.mapped, base.mapped, rtol=1e-6)
    read = remapped(scale * (raw + shift), LEVEL, moved)
    np.testing.assert_allclose(read / scale - shift, remapped(raw, LEVEL, base), rtol=1e-5, atol=1e-5)


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(8)
    truth = rng.poisson(0.7, size=(300, 5)).astype(float)
    raw = np.tile(poisson.ppf(LEVEL, 0.7)[None, :, None], (300, 1, 5))
    order = rng.permutation(300)
    one, other = (level_map(pit_values(truth[at], raw[at], LEVEL), LEVEL) for at in (slice(None), order))
    np.testing.assert_array_equal(one.mapped, other.mapped)


def test_zeros_of_counts_fill_their_range_of_levels_evenly():
    raw = np.tile(np.where(LEVEL <= 0.8, 0.0, 1.0)[None, :, None], (1000, 1, 1))
    pit = pit_values(np.zeros((1000, 1)), raw, LEVEL)
    assert np.abs(np.sort(pit.ravel()) - 0.8 * (np.arange(1000) + 0.5) / 1000).max() < 0.003


def test_intermittent_series_do_not_distort_the_others():
    rng = np.random.default_rng(9)
    rate = 0.25
    counts = rng.poisson(rate, size=(2000, 4)).astype(float)
    held = np.tile(poisson.ppf(LEVEL, rate)[None, :, None], (2000, 1, 4))
    truth, raw = _normal(2000, 4, 1.0, seed=10)
    found = level_map(pit_values(np.r_[truth, counts], np.r_[raw, held], LEVEL), LEVEL)
    assert np.abs(found.mapped - LEVEL).max() < 0.03
    read = remapped(held[:1], LEVEL, found)[0, :, 0]
    assert read[0] == 0 and read[LEVELS.index(0.7)] == 0


def test_forecasts_without_width_say_nothing_and_stay_without_width():
    truth, raw = _normal(400, 3, 1.0, seed=11)
    dead = np.full((400, len(LEVEL), 3), 7.0)
    pit = pit_values(np.r_[truth, np.full((400, 3), 9.0)], np.r_[raw, dead], LEVEL)
    assert np.isnan(pit[400:]).all()
    alone = level_map(pit_values(truth, raw, LEVEL), LEVEL)
    found = level_map(pit, LEVEL)
    np.testing.assert_array_equal(found.mapped, alone.mapped)
    np.testing.assert_array_equal(remapped(dead[:1], LEVEL, found), dead[:1])


def test_missing_truths_and_missing_forecasts_have_no_pit():
    truth, raw = _normal(4, 2, 1.0, seed=12)
    truth[0], raw[1] = np.nan, np.nan
    pit = pit_values(truth, raw, LEVEL)
    assert np.isnan(pit[:2]).all() and np.isfinite(pit[2:]).all()


def test_shares_that_no_level_reaches_leave_finite_bounded_quantiles():
    pit = np.concatenate([np.zeros((500, 2)), np.ones((500, 2))])
    found = level_map(pit, LEVEL)
    read = remapped(norm.ppf(LEVEL)[None, :, None] * np.ones((1, 1, 2)), LEVEL, found)
    assert np.isfinite(read).all() and 4 < np.abs(read).max() < 15


def test_remapped_is_between_levels_with_levels_of_its_own_for_each_step():
    rng = np.random.default_rng(13)
    values = np.sort(rng.normal(size=(5, len(LEVEL), 3)), axis=1)
    mapped = np.sort(rng.beta(0.2, 0.2, size=(3, 7)).clip(1e-12, 1 - 1e-12), axis=1)
    read = remapped(values, LEVEL, LevelMap(np.linspace(0.1, 0.9, 7), mapped))
    for h in range(3):
        expected = between_levels(values[:, :, h : h + 1], LEVEL, mapped[h])[:, :, 0]
        np.testing.assert_allclose(read[:, :, h], expected, rtol=1e-9, atol=1e-9)
    same = remapped(values, LEVEL, LevelMap(LEVEL, np.tile(LEVEL, (3, 1))))
    np.testing.assert_allclose(same, values, rtol=0, atol=1e-14)


def test_a_point_forecast_has_nothing_to_read():
    one = np.ones((2, 1, 3))
    found = LevelMap(LEVEL, np.tile(LEVEL, (3, 1)))
    assert remapped(one, np.array([0.5]), found).shape == (2, len(LEVEL), 3)


def test_a_map_of_another_horizon_is_refused():
    with pytest.raises(ValueError, match="2 steps, the forecast of 3"):
        remapped(np.ones((1, len(LEVEL), 3)), LEVEL, LevelMap(LEVEL, np.tile(LEVEL, (2, 1))))


def test_an_estimated_prior_weight_widens_by_few_windows_what_is_far_too_narrow_and_leaves_what_is_not():
    rng = np.random.default_rng(14)
    score = rng.normal(size=(40, 1))
    narrow = level_map(norm.cdf(score / 0.4), LEVEL, prior_weight=None).mapped[0]
    stubborn = level_map(norm.cdf(score / 0.4), LEVEL).mapped[0]
    assert narrow[3] < 0.4 * stubborn[3] and narrow[-4] > stubborn[-4]
    assert np.abs(level_map(norm.cdf(score), LEVEL, prior_weight=None).mapped - LEVEL).max() < 0.03


def test_an_estimated_prior_weight_shrinks_shifts_as_200_windows_do():
    rng = np.random.default_rng(15)
    pit = norm.cdf(rng.normal(1.0, 0.5, size=(100, 1)))
    free, half, found = (norm.ppf(level_map(pit, LEVEL, prior_weight=w).mapped[0]) for w in (0, 200, None))
    assert found[MIDDLE] == pytest.approx(half[MIDDLE]) and found[MIDDLE] == pytest.approx(free[MIDDLE] / 3)


def test_a_prior_map_is_kept_where_nothing_was_observed_and_left_for_evidence():
    wider = LevelMap(LEVEL, np.tile(norm.cdf(1.5 * norm.ppf(LEVEL)), (2, 1)))
    nothing = level_map(np.full((3, 2), np.nan), LEVEL, prior=wider)
    np.testing.assert_allclose(nothing.mapped, wider.mapped)
    even = np.repeat(np.arange(1, 2000)[:, None] / 2000, 2, axis=1)
    found = level_map(even, LEVEL, prior=wider).mapped
    assert np.abs(found - LEVEL).max() < 0.02 and (found[:, 0] < LEVEL[0]).all()


def test_an_estimated_prior_weight_needs_symmetric_levels():
    with pytest.raises(ValueError, match=r"symmetric around 0\.5"):
        level_map(np.full((3, 1), 0.5), np.array([0.1, 0.5]), prior_weight=None)
