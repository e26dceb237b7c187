import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.calendar.arithmetic import future_times, ordinals
from tsformers.calendar.grid import parse
from tsformers.data.panel import Panel

FREQS = [
    "s",
    "10s",
    "min",
    "5min",
    "15min",
    "30min",
    "h",
    "6h",
    "24h",
    "D",
    "2D",
    "7D",
    "B",
    "W-SUN",
    "W-FRI",
    "2W-MON",
]
FREQS += ["MS", "ME", "2MS", "BMS", "BME", "QS-JAN", "QE-DEC", "QS-FEB", "YS-JAN", "YE-DEC", "YS-APR", "SMS-15"]
ZONES = [None, "Europe/Berlin", "America/New_York"]


def start_on(freq, day, tz):
    stamp = pd.date_range(pd.Timestamp(day), periods=1, freq=freq)
    if tz is not None:
        stamp = (
            stamp.tz_localize(tz, ambiguous=np.array([True]), nonexistent="shift_forward")
            .tz_convert("UTC")
            .tz_localize(None)
        )
    return stamp.values


@given(
    st.sampled_from(FREQS),
    st.sampled_from(ZONES),
    st.dates(datetime.date(1975, 1, 1), datetime.date(2075, 1, 1)),
    st.integers(1, 60),
)
@settings(max_examples=50, deadline=None)
def test_stamps_that_follow_have_the_ordinals_that_follow(freq, tz, day, horizon):
    last = start_on(freq, day, tz)
    grid = parse(freq, tz)
    later = future_times(last, horizon, grid)
    assert later.shape == (1, horizon) and later.dtype == "M8[ns]"
    np.testing.assert_array_equal(ordinals(later, grid)[0], ordinals(last, grid) + np.arange(1, horizon + 1))
    assert (np.diff(later[0].view(np.int64)) > 0).all()


@pytest.mark.parametrize("tz", ZONES[1:])
@pytest.mark.parametrize("day", ["2024-03-09", "2024-03-30", "2024-10-26", "2024-11-02"])
@pytest.mark.parametrize("freq", ["h", "D"])
def test_clock_changes_are_crossed_as_pandas_crosses_them(tz, day, freq):
    expected = pd.date_range(day, periods=73, freq=freq, tz=tz).tz_convert("UTC").tz_localize(None)
    later = future_times(expected.values[:1], 72, parse(freq, tz))
    np.testing.assert_array_equal(later[0], expected.values[1:])


def test_days_keep_the_hour_of_the_wall_clock():
    last = pd.DatetimeIndex(["2024-03-29 18:00"], tz="Europe/Berlin").tz_convert("UTC").tz_localize(None)
    later = (
        pd.DatetimeIndex(future_times(last.values, 4, parse("D", "Europe/Berlin"))[0])
        .tz_localize("UTC")
        .tz_convert("Europe/Berlin")
    )
    assert later.hour.tolist() == [18] * 4


@pytest.mark.parametrize("freq", FREQS)
def test_stamps_that_follow_are_those_of_pandas(freq):
    expected = pd.date_range("2023-11-15", periods=40, freq=freq).values
    np.testing.assert_array_equal(future_times(expected[:1], 39, parse(freq))[0], expected[1:])


def test_each_series_continues_from_its_own_last_stamp():
    last = np.array(["2024-01-31", "2024-02-29", "2024-01-31"], "M8[ns]")
    later = future_times(last, 1, parse("ME"))[:, 0].astype("M8[D]").astype(str)
    assert later.tolist() == ["2024-02-29", "2024-03-31", "2024-02-29"]
    np.testing.assert_array_equal(future_times(np.array([5, -10]), 2, parse(5)), [[10, 15], [-5, 0]])


@pytest.mark.parametrize("call", [lambda t: ordinals(t, parse("B")), lambda t: future_times(t, 1, parse("B"))])
def test_a_stamp_off_the_grid_is_named(call):
    with pytest.raises(ValueError, match=r"2024-06-01.*not on the grid of 'B'"):
        call(np.array(["2024-05-31", "2024-06-01"], "M8[ns]"))


@pytest.mark.parametrize(
    ("last", "freq", "tz", "horizon"),
    [
        ("2262-04-11", "D", None, 1),
        ("2259-01-01", "YS", None, 4),
        ("2262-04-07", "B", None, 5),
        ("2262-04-11T20", "h", None, 4),
        ("2262-04-11T20:00", "15min", None, 17),
        ("2262-04-05", "W-SAT", None, 1),
        ("2262-03-31", "ME", None, 1),
        ("2262-01-15", "SMS", None, 9),
        ("2262-04-09T22", "D", "Europe/Berlin", 1),
        ("2200-01-01", "300YS", None, 1),
    ],
)
def test_stamps_beyond_the_last_nanosecond_are_refused_instead_of_wrapping_around(last, freq, tz, horizon):
    stamps = np.array(["2000-01-01", last], "M8[ns]")
    if freq in ("W-SAT", "ME", "SMS", "B"):
        stamps[0] = stamps[1] - np.timedelta64(0, "D")
    with pytest.raises(DataError, match=r"after 2.* ends too late; times lie between 1677 and 2262, so shorten it, or"):
        future_times(stamps, horizon, parse(freq, tz))


@pytest.mark.parametrize("freq", ["D", "h", "B", "W-SAT", "MS", "YS"])
def test_stamps_are_right_up_to_the_last_nanosecond(freq):
    stamps = pd.date_range("2240-01-01", "2262-04-05" if freq == "W-SAT" else "2262-04-11", freq=freq).values
    later = future_times(stamps[:1], len(stamps) - 1, parse(freq))
    np.testing.assert_array_equal(later[0], stamps[1:])
    with pytest.raises(DataError, match="ends too late"):
        future_times(stamps[:1], len(stamps) + (23 if freq == "h" else 0), parse(freq))


def test_forecasts_beyond_the_last_nanosecond_name_the_series():
    frame = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2250-01-01", periods=10, freq="YS"), "y": 1.0})
    panel = Panel.from_frame(frame)
    assert panel.future_times(3)[0, -1] == np.datetime64("2262-01-01")
    with pytest.raises(DataError, match="series 'a': the horizon of 4 x 'YS-JAN' after 2259-01-01 00:00:00 ends too"):
        panel.future_times(4)
