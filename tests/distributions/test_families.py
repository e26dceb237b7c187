"""Families of distributions: joined, they are one after the other; marginals and closed forms answer alike."""

import numpy as np
import pytest

from tsformers.distributions.families import NegativeBinomialFamily, NormalFamily, StudentTFamily, join_families
from tsformers.distributions.marginals import Marginals

LEVELS = np.array([0.1, 0.5, 0.9])


def families(rng):
    loc, scale, other = rng.normal(size=4), rng.uniform(1, 2, 4), rng.uniform(3, 9, 4)
    return [
        NormalFamily(loc, scale),
        StudentTFamily(other, loc, scale),
        NegativeBinomialFamily(other, scale / 3),
        Marginals(rng.normal(size=(4, 3)), (0.2, 0.5, 0.7)),
        Marginals(rng.normal(size=(4, 50))),
    ]


def test_joined_families_are_one_after_the_other(rng):
    for one in families(rng):
        joined = join_families([one, one])
        assert type(joined) is type(one)
        assert join_families([one]) is one
        np.testing.assert_array_equal(joined.mean(), np.tile(one.mean(), 2))
        np.testing.assert_array_equal(joined.quantile(LEVELS), np.tile(one.quantile(LEVELS), (2, 1)))


def test_samples_follow_the_quantiles_and_rows_are_independent(rng):
    for one in families(rng):
        drawn = one.sample(np.random.default_rng(0), 20_000)
        assert drawn.shape == (4, 20_000)
        below = (drawn <= one.quantile(LEVELS)[:, 1:2]).mean(axis=1)
        assert ((below > 0.48) & (below < 0.75)).all()  # counts: the median has a probability of its own
        assert abs(np.corrcoef(drawn)[0, 1]) < 0.03


def test_many_levels_at_once_are_one_level_at_a_time(rng):
    for one in families(rng)[3:]:
        for k, level in enumerate(LEVELS):
            np.testing.assert_array_equal(one.quantile(LEVELS)[:, k], one.quantile(float(level)))


def test_cdf_undoes_the_quantile_function_of_held_levels(rng):
    one = families(rng)[3]
    for level in (0.01, 0.3, 0.99):
        np.testing.assert_allclose(one.cdf(one.quantile(level)), level, rtol=1e-9)


def test_a_point_forecast_is_always_drawn_as_itself():
    assert Marginals(np.array([[3.0]]), (0.5,)).sample(np.random.default_rng(0), 2).tolist() == [[3.0, 3.0]]


def test_marginals_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="one row"):
        Marginals(np.zeros(3))
