import numpy as np
import pandas as pd
import pytest

from tsformers.calendar.times.iso import iso_pattern, parse_iso, write_iso

HOURS = pd.date_range("2024-01-01", periods=5, freq="h")


@pytest.mark.parametrize(
    "form",
    [
        *("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H", "%Y%m%dT%H%M", "%Y%m%dT%H%M%SZ"),
        *("%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%d %H:%M:%S,500", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%S+0000"),
        *("%Y-%m-%dT%H:%M:%S+02:00", "%Y-%m-%d %H:%M -0330", "%Y-%m-%d %H:%M+01", "%Y%m%dT%H%M+0100"),
    ],
)
def test_each_spelling_is_written_as_it_was_read(form):
    texts = HOURS.strftime(form).to_numpy(dtype=object)
    parsed = parse_iso(texts)
    assert not parsed.bad.any()
    index = pd.DatetimeIndex(parsed.counts.view("M8[ns]"))
    if parsed.offsets is not None:
        minutes = int(parsed.offsets[0]) // (60 * 10**9)
        zone = f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}" if minutes else "UTC"
        index = index.tz_localize("UTC").tz_convert(zone)
    assert write_iso(index, *iso_pattern(texts)).tolist() == texts.tolist()


def test_days_stay_days_and_grow_where_times_of_day_are_to_be_written():
    pattern, digits = iso_pattern(np.array(["2024-01-01", "2024-01-02"], dtype=object))
    assert write_iso(pd.to_datetime(["2024-01-03"]), pattern, digits).tolist() == ["2024-01-03"]
    assert write_iso(HOURS[:2], pattern, digits).tolist() == ["2024-01-01 00:00:00", "2024-01-01 01:00:00"]
    zoned = pd.to_datetime(["2024-01-03"]).tz_localize("Europe/Berlin")
    assert write_iso(zoned, pattern, digits).tolist() == ["2024-01-03"]


def test_of_days_and_times_the_longest_form_is_written():
    texts = np.array(["2024-01-01", "2024-01-01T12:00:00", "2024-01-02"], dtype=object)
    assert write_iso(HOURS[:1], *iso_pattern(texts)).tolist() == ["2024-01-01T00:00:00"]


@pytest.mark.parametrize(
    ("pattern", "step", "written"),
    [
        ("%Y-%m-%dT%H", "30min", "2024-01-01T00:30"),
        ("%Y-%m-%dT%H:%M", "30s", "2024-01-01T00:00:30"),
        ("%Y%m%dT%H%M", "30s", "20240101T000030"),
        ("%Y-%m-%d %H:%M:%S", "500ms", "2024-01-01 00:00:00.500000"),
    ],
)
def test_a_pattern_that_is_too_short_grows(pattern, step, written):
    assert write_iso(pd.date_range("2024-01-01", periods=2, freq=step), pattern, 0)[1] == written


def test_times_brought_into_a_zone_bear_its_offsets():
    stamps = pd.date_range("2024-03-31", periods=3, freq="h", tz="Europe/Berlin")
    zoned = ["2024-03-31T00:00+01:00", "2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00"]
    for pattern in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M%^z"):
        assert write_iso(stamps, pattern, 0).tolist() == zoned
    assert write_iso(stamps, "%Y%m%dT%H%M", 0)[2] == "20240331T0300+0200"
    assert write_iso(stamps, "%Y-%m-%d %H:%M %Z", 0)[2] == "2024-03-31 03:00+02:00"
