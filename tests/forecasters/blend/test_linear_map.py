"""The linear map: it finds an exact linear law, and no window is judged by a map that was fitted to it."""

import numpy as np

from tsformers.forecasters.blend.linear_map import cross_fitted, last_rows, learned_map, mapped
from tsformers.forecasters.blend.windows import Cuts


def cuts_of(n, length, horizon, series=None):
    stop = np.arange(length, n - horizon)
    return Cuts(np.zeros(len(stop), np.int64) if series is None else series, stop - length, stop)


def test_a_linear_recurrence_is_continued_exactly():
    t = np.arange(400)
    values = np.sin(0.3 * t) + 0.5 * np.cos(0.71 * t)
    cuts = cuts_of(400, 16, 5)
    weight = learned_map(values, cuts, 5, 16, cuts)
    found, there = mapped(weight, values, cuts.first, cuts.stop)
    assert there.all()
    wanted = values[cuts.stop[:, None] + np.arange(5)]
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_noise_is_not_learned_by_the_maps_that_judge_it(rng):
    values = rng.normal(size=600)
    cuts = cuts_of(600, 60, 1)
    weight = learned_map(values, cuts, 1, 60, None)
    truth = values[cuts.stop]
    inside, _ = mapped(weight, values, cuts.first, cuts.stop)
    outside, there = cross_fitted(values, cuts, 1, 60, 1)
    assert there.all()
    assert np.square(inside[:, 0] - truth).mean() < 0.97 * np.square(outside[:, 0] - truth).mean()


def test_units_and_levels_of_a_window_do_not_matter(rng):
    values = rng.normal(size=300).cumsum()
    cuts = cuts_of(300, 10, 3)
    weight = learned_map(values, cuts, 3, 10, cuts)
    one, _ = mapped(weight, values, cuts.first, cuts.stop)
    other, _ = mapped(weight, 1000 * values + 5e5, cuts.first, cuts.stop)
    np.testing.assert_allclose(other, 1000 * one + 5e5, rtol=1e-8)


def test_missing_values_are_the_ones_before_and_windows_without_half_of_their_rows_are_not_used():
    values = np.array([np.nan, 4.0, np.nan, 2.0, np.nan, np.nan, np.nan, 1.0, 5.0])
    found = last_rows(values, np.array([0, 3]), np.array([4, 8]), 4)
    np.testing.assert_allclose(found.scaled[0] * found.spread[0] + 3.5, [4.0, 4.0, 4.0, 2.0])
    assert found.spread[1] == 0


def test_too_few_windows_give_no_map(rng):
    values = rng.normal(size=40)
    assert learned_map(values, cuts_of(40, 16, 2), 2, 16, None) is None
