import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.data.intake.packing import sort_order
from tsformers.data.panel import Panel


def two_series(**columns):
    days = pd.date_range("2024-01-01", periods=10)
    return pd.DataFrame({"unique_id": np.repeat(["a", "b"], 10), "ds": [*days, *days], "y": np.arange(20.0)} | columns)


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 10_000), st.booleans())
@settings(max_examples=50, deadline=None)
def test_the_order_is_that_of_a_stable_sort(n_series, n_stamps, seed, sparse):
    rng = np.random.default_rng(seed)
    code, stamp = rng.integers(0, n_series, 12), rng.integers(0, n_stamps, 12)
    scale = 100 if sparse else 1
    order = sort_order(code, stamp * scale, n_series, n_stamps * scale)
    expected = np.lexsort((stamp, code))
    np.testing.assert_array_equal(np.arange(12) if order is None else order, expected)


def test_duplicates_are_refused_by_series_time_and_both_rows():
    frame = two_series()
    doubled = pd.concat([frame, frame.iloc[[13]]]).sample(frac=1, random_state=1).reset_index(drop=True)
    rows = np.flatnonzero((doubled["unique_id"] == "b") & (doubled["ds"] == "2024-01-04"))
    with pytest.raises(
        DataError,
        match=rf"series 'b': 2024-01-04 .* row {rows[0]} and again at row {rows[1]} \(1 in all\); pass resample='D'",
    ):
        Panel.from_frame(doubled)


def test_rows_missing_in_the_middle_become_rows_of_nan():
    frame = two_series(price=1.0).drop(index=[3, 4, 15])
    panel = Panel.from_frame(frame, known=["price"])
    assert panel.offsets.tolist() == [0, 10, 20] and np.flatnonzero(np.isnan(panel.y)).tolist() == [3, 4, 15]
    assert np.flatnonzero(np.isnan(panel.known[:, 0])).tolist() == [3, 4, 15]
    assert panel.times[3] == np.datetime64("2024-01-04")


@pytest.mark.parametrize("row", [0, 5, 9])
def test_nan_in_the_target_stays_and_forecasts_start_after_the_last_row(row):
    frame = two_series()
    frame.loc[row, "y"] = np.nan
    panel = Panel.from_frame(frame)
    assert np.flatnonzero(np.isnan(panel.y)).tolist() == [row] and panel.lengths.tolist() == [10, 10]
    assert panel.future_times(1)[0, 0] == np.datetime64("2024-01-11")


def test_a_series_without_a_value_is_refused_by_name_and_row():
    frame = two_series()
    frame.loc[frame["unique_id"] == "b", "y"] = np.nan
    with pytest.raises(
        DataError, match=r"'y' of series 'b' is all NaN \(first at row 10; 1 such series: 'b'\).*short='drop'"
    ):
        Panel.from_frame(frame)


def test_a_series_without_a_value_is_dropped_on_request_with_a_warning_that_names_it():
    frame = two_series()
    frame.loc[frame["unique_id"] == "a", "y"] = np.nan
    with pytest.warns(UserWarning, match="dropped 1 series that have no value: 'a'") as caught:
        panel = Panel.from_frame(frame, short="drop")
    assert panel.ids.tolist() == ["b"] and panel.y.tolist() == list(range(10, 20))
    assert caught[0].filename == __file__


def test_rows_are_counted_in_the_callers_frame_also_after_series_were_dropped():
    frame = two_series()
    frame.loc[frame["unique_id"] == "a", "y"] = np.nan
    doubled = pd.concat([frame, frame.iloc[[13]]], ignore_index=True)
    with (
        pytest.warns(UserWarning, match="dropped"),
        pytest.raises(DataError, match="stands at row 13 and again at row 20"),
    ):
        Panel.from_frame(doubled, short="drop")


def test_nothing_is_left_to_drop_where_all_series_are_empty():
    with pytest.raises(DataError, match=r"2 such series: 'a', 'b'.; leave them out$"):
        Panel.from_frame(two_series(y=np.nan), short="drop")


def test_short_knows_two_words():
    with pytest.raises(DataError, match="short='pad' is neither 'error' nor 'drop'"):
        Panel.from_frame(two_series(), short="pad")


def test_one_wild_stamp_does_not_make_millions_of_rows():
    frame = two_series(ds=np.tile(pd.date_range("2024-01-01", periods=10, freq="s"), 2))
    frame.loc[13, "ds"] = pd.Timestamp("1970-01-01")
    with pytest.raises(
        DataError,
        match=r"series 'b' jumps from 1970-01-01 00:00:00 at row 13 to 2024-01-01 00:00:00 at row 10, \d+ steps",
    ):
        Panel.from_frame(frame)


def test_wild_integers_do_not_overflow():
    with pytest.raises(DataError, match="jumps from"):
        Panel.from_frame(two_series(ds=np.tile([-(2**60), *range(8), 2**60], 2)))


@pytest.mark.parametrize("shuffled", [False, True])
def test_the_callers_frame_is_never_modified_nor_shared(shuffled):
    frame = two_series(price=1.0, holiday=True)
    frame = frame.sample(frac=1, random_state=0) if shuffled else frame
    before = frame.copy(deep=True)
    panel = Panel.from_frame(frame, known=["price"])
    panel.y[:], panel.times[:], panel.known[:], panel.past[:] = -1, 0, -1, -1
    pd.testing.assert_frame_equal(frame, before)
