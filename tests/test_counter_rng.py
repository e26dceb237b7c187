"""Counter-based random numbers: draws of a series depend on its seed and its id alone."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import ndtri

from tsformers.counter_rng import keyed_normals, series_keys, uniforms


def test_the_bits_are_those_of_splitmix64():
    """First outputs of the reference generator (Vigna, splitmix64.c) from state 0: the finaliser of k * golden."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    draws = keyed_normals(np.zeros(1, np.uint64), 6, 1)[0, :3, 0]
    np.testing.assert_array_equal(draws, ndtri([((bits >> 11) + 0.5) * 2.0**-53 for bits in expected]))
    first = uniforms(0, np.array([0]), np.array([0]), stream=0)[0]
    state = np.array([expected[0]], np.uint64)  # series 0, then turn 0, each one step of the generator
    x = state + golden
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    assert first == ((int(x[0]) >> 11) + 0.5) / 2**53


def test_uniforms_are_uniform_and_differ_between_streams():
    series, turn = np.divmod(np.arange(100_000), 1000)
    one, other = (uniforms(7, series, turn, stream) for stream in (0, 1))
    assert abs(one.mean() - 0.5) < 0.005 and abs(one.var() - 1 / 12) < 0.002
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.01
    order = np.random.default_rng(0).permutation(len(series))
    np.testing.assert_array_equal(uniforms(7, series[order], turn[order], 0), one[order])


def test_keyed_draws_are_standard_normal_and_uncorrelated():
    draws = keyed_normals(series_keys(pd.Index(range(200)), 0), 50, 20)
    assert stats.kstest(draws.ravel(), "norm").pvalue > 0.01
    correlation = np.corrcoef(draws[:, :25].reshape(200, -1)) - np.eye(200)
    assert np.abs(correlation).max() < 5 / np.sqrt(500)
    lagged = np.corrcoef(draws[..., 1:].ravel(), draws[..., :-1].ravel())[0, 1]
    assert abs(lagged) < 4 / np.sqrt(draws.size)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 10])
def test_draws_come_in_antithetic_pairs_so_that_mean_and_median_are_exact(n_samples):
    draws = keyed_normals(series_keys(pd.Index(["a", "b"]), 0), n_samples, 4)
    assert draws.shape == (2, n_samples, 4)
    pairs = n_samples // 2
    assert np.array_equal(draws[:, :pairs], -draws[:, pairs : 2 * pairs])
    assert (draws != 0).all()


def test_keys_differ_by_id_and_by_seed_alone():
    ids = pd.Index(["a", "b", "c"])
    keys = series_keys(ids, 1)
    assert len(set(keys)) == 3
    np.testing.assert_array_equal(series_keys(ids[[2, 0]], 1), keys[[2, 0]])
    assert not (series_keys(ids, 2) == keys).any()
    assert not (series_keys(ids, None) == series_keys(ids, None)).any()


def test_ids_of_every_type_have_keys():
    for ids in (pd.Index([1, 2]), pd.CategoricalIndex(["x", "y"]), pd.to_datetime(["2024-01-01", "2024-01-02"])):
        assert len(set(series_keys(ids, 0))) == 2
