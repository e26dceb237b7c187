"""pandas indexes, series and frames come back with their dtypes."""

import numpy as np
import pandas as pd
import pytest

from .round_trips import round_trip

INDEXES = [
    pd.Index(["b", "a"], name="unique_id"),
    pd.Index([3, 1]),
    pd.Index([1, "a", ("x", 2)], dtype=object, tupleize_cols=False),
    pd.RangeIndex(2, 8, 3, name="n"),
    pd.CategoricalIndex(["x", "y", "x"], categories=["y", "x"], ordered=True),
    pd.Index(["a", None], dtype="string"),
    pd.date_range("2024-03-30", periods=3, freq="D", tz="Europe/Berlin", name="ds"),
    pd.date_range("2024-01-31", periods=2, freq="ME"),
    pd.DatetimeIndex(["2024-01-01", None]),
    pd.to_timedelta(["1h", "2h"]),
    pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["id", "step"]),
    pd.Index([], dtype=object),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_indexes_of_every_kind_come_back(index):
    back = round_trip(index)
    pd.testing.assert_index_equal(back, index, exact=True)
    assert getattr(back, "freq", None) == getattr(index, "freq", None)


def test_frames_and_series_come_back_with_their_dtypes():
    frame = pd.DataFrame(
        {
            "f": [1.5, np.nan, -0.0],
            "i": np.array([1, 2, 3], dtype=np.int8),
            "o": ["a", None, 3],
            "c": pd.Categorical(["x", "y", None]),
            "s": pd.array(["a", None, "c"], dtype="string"),
            "m": pd.array([1, None, 3], dtype="Int32"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "t": pd.date_range("2024-01-01", periods=3, tz="UTC"),
            "u": pd.array([1.0, None, 2.0], dtype="double[pyarrow]"),
        },
        index=pd.Index(["p", "q", "r"], name="id"),
    )
    pd.testing.assert_frame_equal(round_trip(frame), frame, check_exact=True)
    doubled = frame.set_axis([*"ffffabcde"], axis=1)  # two columns of one name
    pd.testing.assert_frame_equal(round_trip(doubled), doubled)
    for name in frame:
        pd.testing.assert_series_equal(round_trip(frame[name]), frame[name])
    empty = pd.DataFrame(index=pd.Index(["a", "b"]))
    pd.testing.assert_frame_equal(round_trip(empty), empty)
