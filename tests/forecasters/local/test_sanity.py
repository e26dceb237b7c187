"""Isolated absurd values, and forecasts that leave the size of their data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.forecasters.local.sanity import absurd_cells, beyond_the_data


def walk(n=120, seed=0):
    return 4200 + np.random.default_rng(seed).normal(0, 30, n).cumsum()


@pytest.mark.parametrize("row", [0, 1, 60, 118, 119])
@pytest.mark.parametrize("factor", [10, 1000, -10, 1e9])
def test_a_typo_is_found_wherever_it_stands(row, factor):
    y = walk()
    y[row] *= factor
    assert np.flatnonzero(absurd_cells(y)).tolist() == [row]


def test_a_lost_signal_and_a_typo_are_both_found_among_missing_values():
    y = walk()
    y[[3, 50]] = np.nan
    y[[20, 90]] = -9e9, 1e7
    assert np.flatnonzero(absurd_cells(y)).tolist() == [20, 90]


@pytest.mark.parametrize(
    "y",
    [
        np.r_[walk(60), 1e6 + walk(60)],  # a change of level
        np.r_[walk(118), [1e6, 1.1e6]],  # one that begins: two values in a row
        np.exp(np.arange(40.0)),  # growth
        np.where(np.arange(60) % 7 == 0, 300.0, 0.0) + np.eye(60)[30] * 9000,  # counts of two values
        np.full(40, 5.0),
        np.r_[walk(10), 1e9],  # too short to tell
        np.random.default_rng(0).standard_t(2, 500),
    ],
)
def test_what_may_be_true_stays(y):
    assert not absurd_cells(y).any()


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(1e-9, 1e9), shift=st.floats(-5, 5), row=st.integers(0, 119))
def test_units_and_origins_do_not_matter(scale, shift, row):
    y = walk()
    y[row] *= 50
    np.testing.assert_array_equal(absurd_cells((y + 1e4 * shift) * scale), absurd_cells(y))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_bound_is_ten_times_the_size_of_the_data(scale):
    y = scale * np.array([100.0, np.nan, 110.0, 90.0])  # range 20, mean size 100: from -910 to 1110
    for value, out in ((1105.0, False), (1115.0, True), (-905.0, False), (-915.0, True)):
        reason = beyond_the_data(np.full((20, 3), scale * value), y)
        assert bool(reason) is out
        assert not out or f"{scale * value:.4g}" in reason


def test_few_wild_draws_beyond_the_95_percent_ends_are_no_reason():
    draws = np.zeros((1000, 2))
    draws[:20] = 1e12
    assert not beyond_the_data(draws, np.arange(5.0))
    draws[:30] = 1e12
    assert beyond_the_data(draws, np.arange(5.0))
