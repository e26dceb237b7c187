"""Bases of a second, longer period: a week beside the day, a year beside the week."""

import numpy as np
import pytest

from tsformers.forecasters.blend.bases.contexts import BASES, Contexts, inputs
from tsformers.forecasters.blend.bases.second import smooth_circle, whole_period


def found_of(y, m, second, horizon):
    one = np.array([0]), np.array([len(y)]), np.array([m]), np.array([second])
    found = inputs(Contexts(np.asarray(y, float), *one), horizon)
    return {
        name: path if there else None
        for name, path, there in zip(BASES, found.forecasts[0], found.available[0], strict=True)
    }


def test_a_whole_period_is_the_nearest_multiple():
    assert [whole_period(24, 168), whole_period(7, 365), whole_period(48, 336)] == [168, 364, 336]


def test_a_pattern_of_the_second_period_is_repeated_exactly():
    week = np.random.default_rng(0).normal(size=20)
    found = found_of(np.tile(week, 5), 4, 20, 30)
    np.testing.assert_allclose(found["second_last_season"], np.tile(week, 2)[:30])
    np.testing.assert_allclose(found["second_season"], np.tile(week, 2)[:30], atol=0.15)
    error = [np.abs(found[name] - np.tile(week, 2)[:30]).mean() for name in ("second_season", "ses")]
    assert error[0] < 0.1 * error[1]


def test_a_year_ago_comes_at_the_level_of_now_and_at_the_same_weekday():
    t = np.arange(150)
    y = np.array([0.0, 1.0, 5.0, 2.0])[t % 4] + 3.0 * (t >= 120)
    found = found_of(y, 4, 61, 8)
    np.testing.assert_allclose(found["second_last_season"], np.array([0.0, 1.0, 5.0, 2.0])[np.arange(150, 158) % 4] + 3)


@pytest.mark.parametrize(
    ("n", "second", "there"), [(40, 0, [0, 0]), (40, 4, [0, 0]), (15, 16, [0, 0]), (20, 16, [1, 0]), (32, 16, [1, 1])]
)
def test_they_are_available_where_one_or_two_second_seasons_are(n, second, there):
    found = found_of(np.arange(n) % 5, 4, second, 3)
    assert [found["second_last_season"] is not None, found["second_season"] is not None] == [bool(x) for x in there]


def test_indices_are_smoothed_around_the_year():
    x = np.random.default_rng(1).normal(size=30)
    smooth = np.empty(30)
    smooth_circle(x, 3, smooth)
    np.testing.assert_allclose(smooth, [np.mean([x[(p + k) % 30] for k in range(-3, 4)]) for p in range(30)])
