import numpy as np
import pytest

from tsformers import DataError
from tsformers.calendar.feature_cache import BLOCK_STEPS, FeatureCache, stamps_at
from tsformers.calendar.features import time_features
from tsformers.calendar.grid import as_counts, decompose, parse


def test_cached_features_are_those_of_the_stamps_of_every_phase():
    grid = parse("h", "Europe/Berlin")
    last = np.array(["2024-03-30T22:00", "2024-03-30T22:30", "2024-03-30T23:00"], "M8[ns]")
    position, phase = decompose(as_counts(last), grid)
    cache, rows = FeatureCache(position, phase, grid), np.arange(3)
    for _ in range(3 * BLOCK_STEPS):
        stamps = stamps_at(position + 1, phase, grid)
        np.testing.assert_array_equal(cache.after(position, rows), time_features(stamps, grid).astype(np.float32))
        position = position + 1
    assert sum(len(one.features) for one in cache.phases) <= 4 * BLOCK_STEPS


def test_features_wait_for_the_slowest_series():
    grid = parse("D")
    position, phase = np.array([100, 100]), np.zeros(2, np.int64)
    cache = FeatureCache(position, phase, grid)
    for _ in range(5 * BLOCK_STEPS):
        cache.after(position, np.array([0]))
        position = position + np.array([1, 0])
    expected = time_features(stamps_at(np.array([101]), phase[:1], grid), grid)
    np.testing.assert_array_equal(cache.after(position, np.array([1])), expected.astype(np.float32))


def test_positions_beyond_the_last_nanosecond_are_refused():
    with pytest.raises(DataError, match="2262"):
        stamps_at(np.array([10**6]), np.array([0]), parse("D"))
