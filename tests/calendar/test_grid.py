import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.calendar.grid import OFF, beyond, compose, decompose, parse, to_local, to_utc

WALL_CLOCK = [
    "D",
    "3D",
    "B",
    "2B",
    "W-SUN",
    "2W-TUE",
    "MS",
    "ME",
    "BMS",
    "BME",
    "QS-FEB",
    "QE-DEC",
    "2QE-DEC",
    "BQE-DEC",
]
WALL_CLOCK += ["BQS-JAN", "YS-APR", "YE-JUN", "BYE-DEC", "SMS-15", "SME-15", "WOM-3FRI"]
ABSOLUTE = ["ms", "s", "90s", "min", "15min", "h", "6h", "24h", "36h"]
ZONES = [None, "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata"]


@pytest.mark.parametrize("freq", WALL_CLOCK + ABSOLUTE)
@pytest.mark.parametrize("tz", ZONES)
def test_positions_are_one_apart_and_stamps_come_back_as_pandas_makes_them(freq, tz):
    """pandas' own date_range is the oracle, from before 1970 and through clock changes."""
    stamps = pd.date_range("1966-10-30 06:30", periods=150, freq=freq).as_unit("ns")
    grid = parse(freq, tz)
    if tz is not None and grid.wall_clock:
        stamps = stamps.tz_localize(tz, ambiguous=np.ones(150, bool), nonexistent="shift_forward")
    counts = np.asarray(stamps.asi8)
    position, phase = decompose(counts, grid)
    assert (np.diff(position) == 1).all() and len(set(phase)) == 1 and phase[0] != OFF
    np.testing.assert_array_equal(compose(position, phase, grid), counts)


NO_GRID_POINTS = [("B", "2024-06-01"), ("ME", "2024-06-01"), ("BMS", "2024-06-01"), ("W-MON", "2024-06-01")]
NO_GRID_POINTS += [("QS-JAN", "2024-06-01"), ("YE-DEC", "2024-06-30"), ("SMS", "2024-06-02")]


@pytest.mark.parametrize(("freq", "stamp"), NO_GRID_POINTS)
def test_stamps_that_are_no_grid_point_are_marked(freq, stamp):
    assert decompose(np.array([pd.Timestamp(stamp).value]), parse(freq))[1][0] == OFF


OLD_NAMES = {
    "H": "h",
    "T": "min",
    "M": "ME",
    "Q": "QE-DEC",
    "A": "YE-DEC",
    "Y": "YE-DEC",
    "AS-APR": "YS-APR",
    "2M": "2ME",
}
OLD_NAMES |= {"60min": "h", "1D": "D", "W": "W-SUN", "BM": "BME", "1.5h": "90min", np.int64(3): 3}


@pytest.mark.parametrize(("old", "new"), [*OLD_NAMES.items(), (pd.offsets.MonthBegin(2), "2MS")])
def test_older_names_and_offsets_mean_what_they_meant(old, new):
    assert parse(old).freq == new


@pytest.mark.parametrize("freq", ["foo", "", "bh", "-1D", 0, -2, 1.5, True, None])
def test_what_has_no_grid_is_refused_with_an_example(freq):
    with pytest.raises(DataError, match=r"freq=.*(pass|use)"):
        parse(freq)


@given(st.integers(-(2**60), 2**60), st.sampled_from(ZONES[1:]))
@settings(max_examples=50, deadline=None)
def test_wall_clock_time_comes_back_outside_of_repeated_hours(utc, tz):
    counts = np.array([utc])
    again = to_utc(to_local(counts, tz), tz)[0]
    assert again == utc or abs(again - utc) <= 24 * 3600 * 10**9  # a repeated hour means its first pass
    assert to_local(np.array([again]), tz)[0] == to_local(counts, tz)[0]


CALENDARS = [
    pd.offsets.CustomBusinessDay(holidays=["2024-12-25", "2024-12-26", "2025-01-01"]),
    pd.offsets.CustomBusinessDay(weekmask="Sun Mon Tue Wed Thu", holidays=["2025-01-01"]),
    pd.offsets.CustomBusinessDay(3, holidays=["2024-12-25"]),
    pd.offsets.CustomBusinessDay(weekmask="Mon Tue Wed Thu Fri Sat"),
]


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_business_days_of_ones_own_follow_their_calendar(calendar, tz):
    days = pd.date_range("2024-11-01", periods=90, freq=calendar, tz=tz)
    grid = parse(calendar, tz)
    counts = days.as_unit("ns").asi8
    place, phase = decompose(counts, grid)
    assert (np.diff(place) == 1).all() and (phase == phase[0]).all()
    np.testing.assert_array_equal(compose(place, phase, grid), counts)
    np.testing.assert_array_equal(
        compose(place[-1:] + 1, phase[-1:], grid), [(days[-1] + calendar).as_unit("ns").value]
    )
    assert parse(grid, tz) == grid and not beyond(place, phase, grid).any()


def test_a_holiday_is_no_grid_point_and_plain_business_days_are_b():
    holiday = np.array(["2024-12-25"], dtype="M8[ns]").view(np.int64)
    assert decompose(holiday, parse(CALENDARS[0]))[1].tolist() == [OFF]
    assert parse(pd.offsets.CustomBusinessDay()) == parse("B")
    assert parse(pd.offsets.CustomBusinessDay(2)) == parse("2B")
    with pytest.raises(DataError, match="offset"):
        parse(pd.offsets.CustomBusinessDay(offset=pd.Timedelta("9h")))
