import numpy as np
import pandas as pd
import pytest

from tsformers.calendar.times.zones import by_order, localize, zones_that_fit, zones_that_repeat

HOUR = 3600 * 10**9


def wall(start, periods, freq="h", tz="Europe/Berlin"):
    index = pd.date_range(start, periods=periods, freq=freq, tz=tz)
    return index.as_unit("ns").asi8, index.tz_localize(None).as_unit("ns").asi8


def passes_apart(local, series, tz="Europe/Berlin"):
    code, unique = pd.factorize(local)
    first, second, _ = localize(np.asarray(unique), tz)
    return by_order(first, second, code, series)


@pytest.mark.parametrize("freq", ["h", "30min", "15min", "min"])
def test_the_two_passes_of_an_hour_are_kept_apart_by_order_within_each_series(freq):
    utc, local = wall("2023-10-28", 200, freq)
    series = np.repeat([0, 1, 2], 200)
    np.testing.assert_array_equal(passes_apart(np.tile(local, 3), series), np.tile(utc, 3))


def test_series_may_stand_interleaved():
    utc, local = wall("2023-10-28", 60)
    np.testing.assert_array_equal(passes_apart(np.repeat(local, 2), np.tile([0, 1], 60)), np.repeat(utc, 2))


def test_files_with_the_newest_row_first_are_read_backwards():
    utc, local = wall("2023-10-28", 60, "30min")
    np.testing.assert_array_equal(passes_apart(local[::-1], np.zeros(60, dtype=np.int64)), utc[::-1])


@pytest.mark.parametrize("freq", ["h", "30min", "15min", "min"])
def test_interleaved_passes_of_a_file_sorted_by_wall_clock_are_told_apart_pair_by_pair(freq):
    utc, local = wall("2023-10-28", 400, freq)
    order = np.argsort(local, kind="stable")
    several = np.concatenate([order, order + len(utc)])
    found = passes_apart(np.tile(local, 2)[several], np.repeat([0, 1], len(utc)))
    np.testing.assert_array_equal(found, np.tile(utc, 2)[several])


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
@pytest.mark.parametrize("first_pass", [True, False])
def test_a_time_of_one_pass_alone_goes_with_the_rows_around_it(lost, first_pass):
    utc, local = wall("2023-10-29", 24, "15min")  # 02:00 to 02:45 twice, from the ninth row on
    kept = np.delete(np.arange(24), 8 + lost + (0 if first_pass else 4))
    np.testing.assert_array_equal(passes_apart(local[kept], np.zeros(23, dtype=np.int64)), utc[kept])


def test_an_hour_that_stands_once_is_of_the_first_pass_and_never_makes_duplicates(rng):
    utc, local = wall("2023-10-29", 24, "15min")
    once = np.delete(np.arange(24), slice(12, 16))
    for order in (np.arange(20), rng.permutation(20)):
        found = passes_apart(local[once][order], np.zeros(20, dtype=np.int64))
        assert len(np.unique(found)) == 20
    np.testing.assert_array_equal(passes_apart(local[once], np.zeros(20, dtype=np.int64)), utc[once])


def test_several_changes_in_one_series_are_each_kept_apart():
    utc, local = wall("2021-01-01", 24 * 1100)
    np.testing.assert_array_equal(passes_apart(local, np.zeros(len(local), dtype=np.int64)), utc)


def test_rows_outside_repeated_hours_may_be_in_any_order(rng):
    utc, local = wall("2023-06-01", 300)
    order = rng.permutation(300)
    np.testing.assert_array_equal(passes_apart(local[order], np.zeros(300, dtype=np.int64)), utc[order])


@pytest.mark.parametrize("tz", ["Europe/Berlin", "America/New_York", "Australia/Sydney", "America/St_Johns"])
def test_zones_that_are_offered_have_the_offsets_of_all_stamps(tz):
    utc, local = wall("2023-01-01", 24 * 365, tz=tz)
    zones = zones_that_fit(utc, local - utc)
    assert 1 <= len(zones) <= 3
    for zone in zones:
        again = pd.DatetimeIndex(utc.view("M8[ns]")).tz_localize("UTC").tz_convert(zone).tz_localize(None)
        np.testing.assert_array_equal(again.asi8, local)


def test_no_zone_fits_offsets_that_change_at_random():
    assert zones_that_fit(np.array([0, HOUR, 2 * HOUR]), np.array([0, 5 * HOUR, 0])) == []


def test_zones_are_offered_for_hours_that_their_clock_repeats():
    repeated = np.array([pd.Timestamp("2023-10-29 02:30").as_unit("ns").value])
    assert zones_that_repeat(repeated)[0] == "Europe/Berlin"
    assert zones_that_repeat(repeated - 24 * HOUR) == []
    assert zones_that_repeat(np.array([pd.Timestamp("2023-11-05 01:00").as_unit("ns").value]))[0] == "America/New_York"
