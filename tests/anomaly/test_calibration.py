"""The calibration set: how many rows, which ones, and in which order."""

import numpy as np
import pandas as pd

from tsformers.anomaly.calibration import as_stream, calibration_lengths, rows_after
from tsformers.data.panel import Panel

FRAME = pd.DataFrame({"unique_id": ["a"] * 9 + ["b"] * 4, "ds": [*range(9), *range(5, 9)], "y": np.arange(13.0)})


def test_no_series_gives_more_than_half_of_its_rows():
    panel = Panel.from_frame(FRAME, freq=1)
    assert calibration_lengths(panel, None, 1000).tolist() == [2, 2]
    assert calibration_lengths(panel, 7, 1000).tolist() == [4, 2]
    assert calibration_lengths(panel, 0, 1000).tolist() == [0, 0]
    assert calibration_lengths(panel, None, 1).tolist() == [1, 1]


def test_the_rows_left_out_come_in_order_of_time():
    panel = Panel.from_frame(FRAME, freq=1)
    rows, owner = rows_after(panel, panel.until(panel.ends - np.array([3, 2])))
    columns = as_stream(panel, rows, owner)
    assert columns.stamps.tolist() == [6, 7, 7, 8, 8]
    assert owner.tolist() == [0, 0, 1, 0, 1]
    assert columns.values[:, 0].tolist() == [6.0, 7.0, 11.0, 8.0, 12.0]
