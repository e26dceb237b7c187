import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.calendar.arithmetic import future_times, infer_freq, ordinals
from tsformers.calendar.features import n_time_features, time_features
from tsformers.calendar.seasons import season_length
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
    later = future_times(last, horizon, freq, tz)
    assert later.shape == (1, horizon) and later.dtype == "M8[ns]"
    np.testing.assert_array_equal(ordinals(later, freq, tz)[0], ordinals(last, freq, tz) + np.arange(1, horizon + 1))
    assert (np.diff(later[0].view(np.int64)) > 0).all()


@pytest.mark.parametrize("tz", ZONES[1:])
@pytest.mark.parametrize("day", ["2024-03-09", "2024-03-30", "2024-10-26", "2024-11-02"])
@pytest.mark.parametrize("freq", ["h", "D"])
def test_clock_changes_are_crossed_as_pandas_crosses_them(tz, day, freq):
    expected = pd.date_range(day, periods=73, freq=freq, tz=tz).tz_convert("UTC").tz_localize(None)
    later = future_times(expected.values[:1], 72, freq, tz)
    np.testing.assert_array_equal(later[0], expected.values[1:])


def test_days_keep_the_hour_of_the_wall_clock():
    last = pd.DatetimeIndex(["2024-03-29 18:00"], tz="Europe/Berlin").tz_convert("UTC").tz_localize(None)
    later = (
        pd.DatetimeIndex(future_times(last.values, 4, "D", "Europe/Berlin")[0])
        .tz_localize("UTC")
        .tz_convert("Europe/Berlin")
    )
    assert later.hour.tolist() == [18] * 4


@pytest.mark.parametrize("freq", FREQS)
def test_stamps_that_follow_are_those_of_pandas(freq):
    expected = pd.date_range("2023-11-15", periods=40, freq=freq).values
    np.testing.assert_array_equal(future_times(expected[:1], 39, freq)[0], expected[1:])


def test_each_series_goes_on_from_its_own_last_stamp():
    last = np.array(["2024-01-31", "2024-02-29", "2024-01-31"], "M8[ns]")
    later = future_times(last, 1, "ME")[:, 0].astype("M8[D]").astype(str)
    assert later.tolist() == ["2024-02-29", "2024-03-31", "2024-02-29"]
    np.testing.assert_array_equal(future_times(np.array([5, -10]), 2, 5), [[10, 15], [-5, 0]])


@pytest.mark.parametrize("call", [lambda t: ordinals(t, "B"), lambda t: future_times(t, 1, "B")])
def test_a_stamp_off_the_grid_is_named(call):
    with pytest.raises(ValueError, match=r"2024-06-01.*not on the grid of freq='B'"):
        call(np.array(["2024-05-31", "2024-06-01"], "M8[ns]"))


def test_seasons_are_those_of_the_table():
    seasons = {
        "s": 3600,
        "10s": 360,
        "min": 1440,
        "5min": 288,
        "10min": 144,
        "15min": 96,
        "30min": 48,
        "h": 24,
        "2h": 12,
        "6h": 4,
    }
    seasons |= {
        "5h": 1,
        "24h": 7,
        "D": 7,
        "2D": 1,
        "7D": 52,
        "B": 5,
        "W": 52,
        "W-FRI": 52,
        "2W-FRI": 26,
        "SMS": 24,
        "WOM-3FRI": 12,
    }
    seasons |= {
        "M": 12,
        "MS": 12,
        "ME": 12,
        "BME": 12,
        "2MS": 6,
        "Q": 4,
        "QS": 4,
        "QE-JAN": 4,
        "2QS": 2,
        "Y": 1,
        "YS": 1,
        "ms": 1,
        1: 1,
        7: 1,
    }
    assert {freq: season_length(freq) for freq in seasons} == seasons


@pytest.mark.parametrize("name", ["s", "t", "h", "d", "b", "w", "m"])
def test_time_features_are_the_golden_ones_to_1e_12(shared, name):
    """shared/golden/autoformer/embedding.npz, marks of the official time embedding in float64."""
    with np.load(shared / "golden" / "autoformer" / "embedding.npz") as golden:
        times, expected = golden["stamps_unix_seconds"].astype("M8[s]"), golden[f"freq_{name}"]
    freq = {"t": "15min", "d": "D", "b": "B", "w": "W-FRI", "m": "MS"}.get(name, name)
    features = time_features(times, freq)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-12)
    assert n_time_features(freq) == expected.shape[-1]


@pytest.mark.parametrize("freq", [*FREQS, 1])
def test_time_features_keep_shape_and_range(freq):
    times = (
        np.arange(12).reshape(3, 4)
        if freq == 1
        else pd.date_range("2023-12-25", periods=12, freq=freq).values.reshape(3, 4)
    )
    features = time_features(times, freq)
    assert features.shape == (3, 4, n_time_features(freq)) and (np.abs(features) <= 0.5).all()


def test_time_features_follow_the_wall_clock():
    noon_utc = np.array(["2024-07-01T12:00"], "M8[ns]")
    assert time_features(noon_utc, "h", "Europe/Berlin")[0, 0] == pytest.approx(14 / 23 - 0.5)


def test_infer_freq_names_series_and_row_of_a_stamp_off_the_grid():
    times = np.array(["2024-01-01", "2024-01-02", "2024-01-03T05", "2024-01-04", "2024-01-05"], "M8[ns]")
    with pytest.raises(DataError, match="series 'q': 2024-01-03 05:00:00 at row 2 is off the grid"):
        infer_freq(times, np.array([0, 5]), ["q"])


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
        future_times(stamps, horizon, freq, tz)


@pytest.mark.parametrize("freq", ["D", "h", "B", "W-SAT", "MS", "YS"])
def test_stamps_are_right_up_to_the_last_nanosecond(freq):
    stamps = pd.date_range("2240-01-01", "2262-04-05" if freq == "W-SAT" else "2262-04-11", freq=freq).values
    later = future_times(stamps[:1], len(stamps) - 1, freq)
    np.testing.assert_array_equal(later[0], stamps[1:])
    with pytest.raises(DataError, match="ends too late"):
        future_times(stamps[:1], len(stamps) + (23 if freq == "h" else 0), freq)


def test_forecasts_beyond_the_last_nanosecond_name_the_series():
    frame = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2250-01-01", periods=10, freq="YS"), "y": 1.0})
    panel = Panel.from_frame(frame)
    assert panel.future_times(3)[0, -1] == np.datetime64("2262-01-01")
    with pytest.raises(DataError, match="series 'a': the horizon of 4 x 'YS-JAN' after 2259-01-01 00:00:00 ends too"):
        panel.future_times(4)
