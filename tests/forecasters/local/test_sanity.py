"""Forecasts that leave the size of their data."""

import numpy as np
import pytest

from tsformers.forecasters.local.sanity import beyond_the_data


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
