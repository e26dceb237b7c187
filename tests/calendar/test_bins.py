import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.calendar.bins import bins_of, parse_bins, suggest
from tsformers.calendar.grid import compose, parse

WEEKS_BEGIN = {f"W-{one}": f"W-{before}" for one, before in zip(
    ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"), ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), strict=True
)}  # fmt: skip


def ns(index):
    return pd.DatetimeIndex(index).as_unit("ns").asi8


def bins_begin(counts, rule, tz=None, integer=False):
    grid = parse_bins(rule, tz, integer)
    position, phase = bins_of(counts, grid)
    return compose(position, np.array(phase), grid)


STAMPS = st.lists(st.integers(-(10**9), 4 * 10**9), min_size=1, max_size=8)  # seconds, 1938 to 2096


@given(STAMPS, st.sampled_from(["30s", "15min", "h", "6h", "D", "MS", "QS", "YS", "QS-FEB", "YS-APR", *WEEKS_BEGIN]))
def test_a_bin_begins_at_or_before_its_stamps_and_the_next_one_after_them(seconds, rule):
    counts = np.array(seconds) * 10**9
    grid = parse_bins(rule)
    position, phase = bins_of(counts, grid)
    begin, end = (compose(position + k, np.array(phase), grid) for k in (0, 1))
    assert (begin <= counts).all() and (counts < end).all()
    np.testing.assert_array_equal(bins_begin(begin, rule), begin)


@given(STAMPS, st.sampled_from(["30s", "15min", "h", "6h", "D", "MS", "QS-JAN", "YS-JAN"]))
def test_bins_are_those_of_pandas(seconds, rule):
    index = pd.DatetimeIndex(np.array(seconds, dtype="M8[s]").astype("M8[ns]"))
    period = {"MS": "M", "QS-JAN": "Q-DEC", "YS-JAN": "Y-DEC"}.get(rule)
    right = index.floor(rule) if period is None else index.to_period(period).to_timestamp()
    np.testing.assert_array_equal(bins_begin(ns(index), rule), ns(right))


@pytest.mark.parametrize("rule", WEEKS_BEGIN)
def test_weeks_begin_on_their_weekday(rule):
    days = pd.date_range("2024-01-01", periods=30)
    right = days.to_period(WEEKS_BEGIN[rule]).start_time  # periods of pandas end on their weekday
    np.testing.assert_array_equal(bins_begin(ns(days), rule), ns(right))


def test_days_and_longer_bins_follow_the_wall_clock_and_hours_the_full_hour():
    hours = pd.date_range("2024-03-30", periods=72, freq="h", tz="Europe/Berlin")
    np.testing.assert_array_equal(bins_begin(ns(hours), "D", "Europe/Berlin"), ns(hours.normalize()))
    kolkata = pd.date_range("2024-03-30", periods=50, freq="7min", tz="Asia/Kolkata")
    np.testing.assert_array_equal(bins_begin(ns(kolkata), "h", "Asia/Kolkata"), ns(kolkata.floor("h")))


def test_weekends_fall_into_the_friday_and_holidays_into_the_day_before():
    days = pd.date_range("2024-12-20", "2025-01-03")
    assert set(bins_begin(ns(days), "B")) == set(ns(days[days.day_of_week < 5]))
    calendar = pd.offsets.CustomBusinessDay(holidays=["2024-12-25", "2024-12-26"])
    right = pd.date_range("2024-12-20", "2025-01-03", freq=calendar)
    assert set(bins_begin(ns(days), calendar)) == set(ns(right))


def test_month_ends_give_bins_that_begin_on_the_first():
    assert [parse_bins(rule).freq for rule in ("ME", "QE-DEC", "QE-JAN", "YE-DEC", "YE-MAR", "2ME")] == [
        *("MS", "QS-JAN", "QS-FEB", "YS-JAN", "YS-APR", "2MS"),
    ]
    assert parse_bins("QE-JAN") == parse("QS-FEB")


@pytest.mark.parametrize("rule", ["soon", "SMS", "BMS", "7", 7, 0, "-1D", ""])
def test_a_rule_without_bins_is_refused_with_examples(rule):
    with pytest.raises(DataError, match=r"resample=.*resample='"):
        parse_bins(rule)
    with pytest.raises(DataError, match=r"resample='D'.*whole numbers"):
        parse_bins("D", integer=True)


def whole(stamps):
    return ns(stamps), np.array([0, len(stamps)])


def test_the_rule_that_fits_is_suggested(rng):
    start = pd.Timestamp("2024-05-01 12:00:00")
    drifting = pd.DatetimeIndex([start + pd.Timedelta(seconds=30 * k + k // 15) for k in range(60)])
    assert suggest(*whole(drifting)) == "30s"
    scrapes = start + pd.to_timedelta(np.arange(100) * 60 + rng.uniform(0, 3, 100), unit="s")
    assert suggest(*whole(scrapes)) == "min"
    sales = pd.DatetimeIndex(np.sort(rng.integers(0, 60 * 86_400, 200)).astype("M8[s]"))
    assert suggest(*whole(sales)) == "D"
    starts = [pd.Timestamp(year, 1, 1) + pd.Timedelta(days=7 * k) for year in (2000, 2001, 2002) for k in range(52)]
    assert suggest(*whole(pd.DatetimeIndex(starts))).startswith("W-")
    assert suggest(*whole(pd.date_range("2024-01-15", periods=12, freq="MS") + pd.Timedelta(days=14))) == "MS"
    assert suggest(*whole(pd.date_range("2024-01-01 03:07", periods=9, freq="25h"))) == "D"
    for freq, rule in (("91D", "QS"), ("365D", "YS"), ("3D", "3D"), ("14D", "14D"), ("61min", "h")):
        assert suggest(*whole(pd.date_range("2024-01-01", periods=9, freq=freq))) == rule
    assert suggest(*whole(pd.DatetimeIndex(["2024-01-01"]))) == "D"


@given(st.lists(st.integers(1, 10**17), min_size=1, max_size=30))
def test_a_suggested_rule_always_has_bins(steps):
    stamps = np.cumsum(np.array(steps, dtype=np.int64))
    assert parse_bins(suggest(stamps, np.array([0, len(stamps)]))) is not None
