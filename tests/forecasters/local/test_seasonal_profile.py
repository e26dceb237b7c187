"""Seasonal profiles, and missing values interpolated."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.forecasters.local.seasonal_profile import interpolated, profile_at, seasonal_profile


def test_interpolation_is_linear():
    np.testing.assert_array_equal(interpolated(np.array([1, np.nan, np.nan, 4.0])), [1, 2, 3, 4])


@given(season=st.integers(2, 30), rows=st.integers(0, 40))
@settings(max_examples=30, deadline=None)
def test_a_seasonal_profile_finds_its_place(season, rows):
    pattern = np.sin(np.arange(season)) * 5
    y = profile_at(pattern, 0, 3 * season + rows)
    np.testing.assert_allclose(profile_at(seasonal_profile(y, season), 0, len(y)), y - y.mean(), atol=2.0)
    np.testing.assert_array_equal(profile_at(pattern, rows, 4), np.tile(pattern, 60)[rows : rows + 4])
