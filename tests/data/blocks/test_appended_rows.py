"""Later rows of a panel's series are appended; steps that nobody gave are missing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers as tsf
from tsformers.data.blocks.appended_rows import appended


def frame_of(lengths, freq="D", begins="2024-01-01"):
    parts = [
        pd.DataFrame(
            {
                "unique_id": f"s{i}",
                "ds": pd.date_range(begins, periods=n, freq=freq),
                "y": np.arange(n) + 100.0 * i,
                "price": np.arange(n) * 1.0,
            }
        )
        for i, n in enumerate(lengths)
    ]
    return pd.concat(parts, ignore_index=True)


def same(a, b):
    for name in ("offsets", "ends", "times", "y", "past", "known"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    assert a.ids.equals(b.ids)


@pytest.mark.parametrize("freq", ["D", "ME", "30min", "B", "W-SUN"])
@settings(max_examples=10, deadline=None)
@given(lengths=st.lists(st.integers(2, 9), min_size=1, max_size=4), cut=st.integers(1, 8))
def test_a_panel_cut_and_appended_is_the_panel(freq, lengths, cut):
    frame = frame_of(lengths, freq)
    whole = tsf.Panel.from_frame(frame, freq=freq, known=["price"])
    place = frame.groupby("unique_id").cumcount()
    head = tsf.Panel.from_frame(frame[place < cut], freq=freq, known=["price"])
    tail = frame[place >= cut]
    same(appended(head, head.like(tail)) if len(tail) else head, whole)


def test_steps_in_between_are_missing_and_have_their_times():
    frame = frame_of([3, 9, 4])
    whole = tsf.Panel.from_frame(frame)
    panel = whole.until(whole.offsets[:-1] + 3)
    later = frame[(frame.unique_id == "s1") & (frame.y >= 106)]
    longer = appended(panel, panel.like(later))
    one = longer.select(np.array([1]))
    np.testing.assert_array_equal(one.y, [100, 101, 102, np.nan, np.nan, np.nan, 106, 107, 108])
    np.testing.assert_array_equal(one.times, whole.times[whole.offsets[1] : whole.offsets[2]])
    assert longer.lengths.tolist() == [3, 9, 3]


def test_a_gap_over_a_change_of_clocks_follows_the_wall_clock():
    times = pd.date_range("2024-03-29", periods=5, freq="D", tz="Europe/Berlin")
    frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": np.arange(5.0)})
    panel = tsf.Panel.from_frame(frame[:2])
    longer = appended(panel, panel.like(frame[4:]))
    np.testing.assert_array_equal(longer.times, tsf.Panel.from_frame(frame).times)


def test_rows_that_do_not_follow_and_unknown_series_are_refused_by_name():
    frame = frame_of([4, 4])
    panel = tsf.Panel.from_frame(frame)
    with pytest.raises(tsf.DataError, match=r"series 's1'.*2024-01-04.* is not after the end of its history"):
        appended(panel, panel.like(frame[-1:]))
    with pytest.raises(tsf.DataError, match="series 'new' was not in the data of fit"):
        appended(panel, panel.like(frame_of([6]).assign(unique_id="new")))
