import numpy as np
import pandas as pd
import pytest

from tsformers.counter_rng import keyed_normals, series_keys, uniforms


def test_the_bits_are_those_of_splitmix64():
    """First outputs of the reference generator (Vigna, splitmix64.c) from state 0: the finaliser of k * golden."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    from scipy.special import ndtri

    draws = keyed_normals(np.zeros(1, np.uint64), 6, 1)[0, :3, 0]
    np.testing.assert_array_equal(draws, ndtri([((bits >> 11) + 0.5) * 2.0**-53 for bits in expected]))
    first = uniforms(0, np.array([0]), np.array([0]), stream=0)[0]
    state = np.array([expected[0]], np.uint64)  # series 0, then turn 0, each one step of the generator
    x = state + golden
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    assert first == ((int(x[0]) >> 11) + 0.5) / 2**53


def test_keys_depend_on_the_id_and_the_seed_alone():
    keys = series_keys(pd.Index(["a", "b", "c"]), 3)
    np.testing.assert_array_equal(keys[[2, 0]], series_keys(pd.Index(["c", "a"]), 3))
    assert len({*keys, *series_keys(pd.Index(["a", "b", "c"]), 4)}) == 6


@pytest.mark.parametrize("n_samples", [2, 5, 100])
def test_normals_come_in_antithetic_pairs(n_samples):
    draws = keyed_normals(series_keys(pd.Index(["a", "b"]), 0), n_samples, 3)
    pairs = n_samples // 2
    assert draws.shape == (2, n_samples, 3)
    np.testing.assert_array_equal(draws[:, pairs : 2 * pairs], -draws[:, :pairs])


def test_uniforms_are_uniform_and_differ_between_streams():
    series, turn = np.divmod(np.arange(100_000), 1000)
    one, other = (uniforms(7, series, turn, stream) for stream in (0, 1))
    assert abs(one.mean() - 0.5) < 0.005 and abs(one.var() - 1 / 12) < 0.002
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.01
    order = np.random.default_rng(0).permutation(len(series))
    np.testing.assert_array_equal(uniforms(7, series[order], turn[order], 0), one[order])
