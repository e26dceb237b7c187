"""Series as clusterers read them: units, what lies beyond the end of a history, and blank series."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.clustering.scaled_series import read_scaled, require_series

FRAME = pd.DataFrame(
    {"unique_id": [*"aaaabbbbcccc"], "ds": [*range(4)] * 3, "y": [1.0, np.nan, 3.0, 8.0, 5, 5, 5, 5, 0, 0, np.nan, 0]}
)


@pytest.mark.parametrize("method", ["mean_abs", "standard", "robust"])
def test_units_are_those_of_scale(method):
    panel = tsf.Panel.from_frame(FRAME, freq=1)
    expected = tsf.Scale(method).fit(panel).transform(panel).y
    np.testing.assert_array_equal(read_scaled(panel, method).y, expected)
    np.testing.assert_array_equal(read_scaled(panel, None).y, panel.y)


def test_blank_series_are_marked_and_observed_values_counted():
    scaled = read_scaled(tsf.Panel.from_frame(FRAME, freq=1), "mean_abs")
    assert scaled.blank.tolist() == [False, False, True] and scaled.n_observed.tolist() == [3, 4, 3]
    assert scaled.select(np.array([2, 0])).n_observed.tolist() == [3, 3]


def test_too_few_usable_series_are_refused():
    require_series(np.array([True, True]), 2, "two values")
    with pytest.raises(tsf.DataError, match=r"3 clusters need as many series with two values.*there are 2 such series"):
        require_series(np.array([True, True, False]), 3, "two values")
