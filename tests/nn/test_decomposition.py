"""Moving-average decomposition against the authors' numbers, and its properties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.nn import SeriesDecomposition


@pytest.fixture(scope="module")
def golden(shared):
    """The authors' code in float64; sums of at most 25 terms leave 1e-14, the tolerance of the set is 1e-11."""
    return np.load(shared / "golden" / "autoformer" / "series_decomp.npz")


@pytest.mark.parametrize(
    ("source", "result", "kernel_size"),
    [("x", "k25", 25), ("x_len7", "len7_k3", 3), ("x_len8", "len8_k25", 25), ("x", "k1", 1), ("x", "k24_fed", 24)],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_both_parts_are_the_authors(golden, source, result, kernel_size, dtype):
    seasonal, trend = SeriesDecomposition(kernel_size)(torch.from_numpy(golden[source]).to(dtype))
    close = {"rtol": 1e-9, "atol": 1e-11} if dtype == torch.float64 else {"rtol": 2e-4, "atol": 2e-5}
    np.testing.assert_allclose(seasonal, golden[f"{result}_seasonal"], **close)
    np.testing.assert_allclose(trend, golden[f"{result}_trend"], **close)


series = st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 3), st.integers(0, 2**31))


def draw(batch, length, channels, seed, dtype=torch.float64):
    return torch.randn(batch, length, channels, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@settings(deadline=None, max_examples=40)
@given(series, st.integers(1, 60))
def test_the_parts_sum_to_the_series_whatever_length_and_kernel(shape, kernel_size):
    x = draw(*shape, dtype=torch.float32)
    seasonal, trend = SeriesDecomposition(kernel_size)(x)
    assert seasonal.shape == trend.shape == x.shape
    torch.testing.assert_close(seasonal + trend, x, rtol=0, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(series, st.integers(1, 60), st.floats(-1e3, 1e3))
def test_a_constant_belongs_to_the_trend(shape, kernel_size, level):
    x = draw(*shape)
    decompose = SeriesDecomposition(kernel_size)
    torch.testing.assert_close(decompose(x + level)[0], decompose(x)[0], rtol=0, atol=1e-10)
    constant = torch.full_like(x, level)
    torch.testing.assert_close(decompose(constant)[1], constant, rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(series, st.integers(1, 60))
def test_the_trend_is_the_mean_of_the_window_with_repeated_ends(shape, kernel_size):
    x = draw(*shape)
    at = np.arange(shape[1])[:, None] + np.arange(kernel_size) - kernel_size // 2
    expected = x.numpy()[:, at.clip(0, shape[1] - 1)].mean(2)
    np.testing.assert_allclose(SeriesDecomposition(kernel_size)(x)[1], expected, rtol=1e-12, atol=1e-12)


def test_a_season_that_fills_the_kernel_leaves_no_trend_inside():
    x = torch.sin(torch.arange(60, dtype=torch.float64) * 2 * torch.pi / 12).reshape(1, 60, 1)
    assert SeriesDecomposition(12)(x)[1][:, 6:-6].abs().max() < 1e-12


def test_a_kernel_without_steps_is_refused():
    with pytest.raises(ValueError, match="kernel_size is 0"):
        SeriesDecomposition(0)
