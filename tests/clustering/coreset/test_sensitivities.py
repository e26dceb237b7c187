"""Sensitivities of series and times: positive, bounded, and those of the published algorithm."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.clustering.coreset.sensitivities import entity_sensitivities, time_sensitivities
from tsformers.clustering.coreset.var_mixture import all_pairs


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(6, 40), st.integers(2, 20), st.integers(0, 2**31))
def test_sensitivities_are_positive_and_their_sums_are_bounded(k, n, length, seed):
    x = np.random.default_rng(seed).standard_t(2, size=(n, length, 2)).cumsum(1)
    mean = x.mean(1)
    found = entity_sensitivities(mean, np.square(x - mean[:, None]).sum(2).mean(1), k, seed=0)
    assert (found > 0).all() and found.sum() <= 4 + 3 * k + 1e-9
    pairs = all_pairs(x)
    times = time_sensitivities(pairs, np.arange(n * length), pairs.entity)
    assert (times > 0).all() and np.bincount(pairs.entity, times).max() <= 16 + 1e-9


def test_sensitivities_are_those_of_the_algorithm():
    x = np.array([[[0.0], [1.0], [5.0]], [[3.0], [3.0], [3.0]]])
    pairs = all_pairs(x)
    away = np.array([4.0, 1.0, 9.0])
    own = 2 * away / 14 + 6 / 3
    found = time_sensitivities(pairs, np.arange(6), pairs.entity)
    np.testing.assert_allclose(found, [own[0], own[1] + own[0], own[2] + own[1], 1, 2, 2])
    assert entity_sensitivities(x.mean(1), np.array([14 / 3, 0]), 2, seed=0).tolist() == [3.0, 3.0]
    one = entity_sensitivities(x.mean(1), np.array([14 / 3, 0]), 1, seed=0)
    np.testing.assert_allclose(one, 3 / 2 + 4 * 0.25 / (0.5 + 14 / 3))
