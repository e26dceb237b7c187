"""Location and scale of series."""

import numpy as np
import pandas as pd
import pytest

from tsformers.data.panel import Panel
from tsformers.data.series_scale import location_and_scale, series_scale


def test_missing_values_and_rows_beyond_the_history_are_left_out():
    y = np.array([1.0, np.nan, 3.0, 8.0])
    panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(4), "y": y}), freq=1)
    location, scale = series_scale(panel, "standard")
    assert location[0] == pytest.approx(4.0) and scale[0] == pytest.approx(np.std([1.0, 3.0, 8.0]))


@pytest.mark.parametrize("method", ["standard", "mean_abs", "robust"])
def test_a_constant_series_is_divided_by_its_mean_absolute_value_and_an_empty_one_by_one(method):
    _, scale = location_and_scale(np.full(5, -2.5), np.zeros(5, dtype=int), 2, method)
    assert scale.tolist() == [2.5, 1.0]
