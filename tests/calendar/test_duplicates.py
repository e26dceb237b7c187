import numpy as np
import pandas as pd
import pytest

from tsformers import DataError
from tsformers.calendar.duplicates import refuse_duplicates
from tsformers.calendar.regularity import Origin
from tsformers.places import Places

FILE = Places("h.csv", line_of=lambda row: row + 2)


def refusal(stamps, tz=None, integer=False):
    counts = np.asarray(stamps) if integer else pd.DatetimeIndex(stamps).as_unit("ns").asi8
    stamp, unique = pd.factorize(counts, sort=True)
    origin = Origin(pd.Index(["a"]), np.arange(len(counts)), "ds", FILE)
    offsets = np.array([0, len(counts)])
    with pytest.raises(DataError) as caught:
        refuse_duplicates(stamp, np.asarray(unique), offsets, origin, tz, integer)
    return caught.value.message.text("shell")


def test_an_hour_that_a_clock_change_repeats_is_named_with_both_lines_and_the_zone():
    hours = pd.date_range("2023-10-27", periods=97, freq="h", tz="Europe/Berlin").tz_localize(None)
    text = refusal(hours)
    assert "2023-10-29 02:00:00 stands at line 52 and again at line 53 (1 in all)" in text
    assert "--tz Europe/Berlin" in text


def test_other_duplicates_are_aggregated_and_no_zone_is_offered():
    days = pd.date_range("2024-01-01", periods=9).repeat(2)
    text = refusal(days)
    assert "--tz" not in text and "--resample D with --aggregate sum or --aggregate mean to make" in text
    hours = pd.date_range("2023-10-27", periods=97, freq="h", tz="Europe/Berlin").tz_localize(None)
    assert "--tz" not in refusal(hours.append(hours[:1]).sort_values())
    assert "--tz" not in refusal(pd.DatetimeIndex(["2023-10-29 02:00"] * 2), tz="Europe/Berlin")
    assert "--resample 1" in refusal([1, 2, 2, 3], integer=True)


def test_rows_without_duplicates_pass():
    origin = Origin(pd.Index(["a", "b"]), np.arange(2), "ds")
    rows = np.zeros(2, int), np.array([5])
    assert refuse_duplicates(*rows, np.array([0, 1, 2]), origin, None, True) is None
    with pytest.raises(DataError):  # the same two rows in one series
        refuse_duplicates(*rows, np.array([0, 2]), origin, None, True)
