import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.calendar.times.form import TimeForm, as_texts, unique_values
from tsformers.storage.decoding import Decoder
from tsformers.storage.encoding import Encoder

SECOND, DAY = 10**9, 86_400 * 10**9
SPAN = st.integers(-98_000, 84_000)  # days of the years 1701 to 2199
SHORT = st.integers(0, 36_000)  # days of 1970 to 2068, which two digits hold


def days(strategy=SPAN):
    return st.lists(strategy, min_size=1, max_size=6).map(lambda n: np.array(n, dtype=np.int64) * DAY)


def floored(counts, unit):
    return counts.view("M8[ns]").astype(f"M8[{unit}]").astype("M8[ns]").view(np.int64)


def same_after_writing(form, counts, tz=None):
    written = form.write(counts, tz)
    again, bad = form.parse(pd.Series(written), tz)
    assert not bad.any(), written
    np.testing.assert_array_equal(again, counts)


@given(
    days(), st.sampled_from(["%d.%m.%Y", "%-d/%-m/%Y", "%m/%d/%Y", "%Y-%j", "%d %b %Y", "%-d-%^b-%Y", "%A, %d %B %Y"])
)
@settings(deadline=None, max_examples=40)
def test_days_written_by_a_pattern_are_read_again(counts, pattern):
    same_after_writing(TimeForm("format", pattern, True), counts)


@given(days(SHORT), st.sampled_from(["%d.%m.%y", "%y%m%d", "%-m/%-d/%y"]))
@settings(deadline=None, max_examples=40)
def test_years_of_two_digits_are_read_again(counts, pattern):
    same_after_writing(TimeForm("format", pattern, True), counts)


@given(days(), st.sampled_from(["%Y-%m", "%b-%Y", "%B %Y", "%YM%m", "%Y%m", "%m/%Y", "%Y.%m"]))
@settings(deadline=None, max_examples=40)
def test_months_are_read_again(counts, pattern):
    same_after_writing(TimeForm("format", pattern, True), floored(counts, "M"))


@given(days(), st.sampled_from(["", "{year}-Q{quarter}", "Q{quarter} {year}", "{quarter}q{year}"]))
@settings(deadline=None, max_examples=40)
def test_quarters_are_read_again(counts, spelling):
    month = counts.view("M8[ns]").astype("M8[M]").astype(np.int64) // 3 * 3
    same_after_writing(TimeForm("quarter", spelling, True), month.astype("M8[M]").astype("M8[ns]").view(np.int64))


@given(days(), st.sampled_from(["", "%GW%V", "%G-w%V"]))
@settings(deadline=None, max_examples=40)
def test_weeks_are_read_again(counts, pattern):
    mondays = (counts // DAY + 3) // 7 * 7 - 3
    same_after_writing(TimeForm("iso-week", pattern, True), mondays * DAY)
    same_after_writing(TimeForm("format", "%G%V", True), mondays * DAY)


@given(
    st.lists(st.integers(-9 * 10**18, 9 * 10**18), min_size=1, max_size=6),
    st.sampled_from([("s", 0), ("s", 2), ("s", 9), ("ms", 0), ("ms", 3), ("us", 0), ("ns", 0)]),
)
@settings(deadline=None, max_examples=40)
def test_epochs_are_read_again(counts, unit):
    step = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit[0]] // 10 ** unit[1]
    exact = np.array(counts, dtype=np.int64) // step * step
    same_after_writing(TimeForm("epoch", unit[0], True, unit[1]), exact)


@given(days(), st.sampled_from([("months", 3), ("months", 9), ("mid-months", 4)]))
@settings(deadline=None, max_examples=40)
def test_decimal_years_of_months_are_read_again(counts, step):
    same_after_writing(TimeForm("decimal-year", step[0], True, step[1]), floored(counts, "M"))
    same_after_writing(TimeForm("decimal-year", step[0], False, step[1]), floored(counts, "M"))


@given(days(), st.integers(3, 9))
@settings(deadline=None, max_examples=40)
def test_decimal_years_of_days_are_read_again(counts, digits):
    same_after_writing(TimeForm("decimal-year", "days", True, digits), counts)


@given(
    st.lists(st.integers(0, 2_000_000_000), min_size=1, max_size=6),
    st.sampled_from([None, "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    st.sampled_from(["%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y%m%d%H%M%S"]),
)
@settings(deadline=None, max_examples=40)
def test_times_of_day_are_read_again_in_every_zone(counts, tz, pattern):
    """The offset that is written tells the two passes of a repeated hour apart."""
    same_after_writing(TimeForm("format", pattern, True), np.array(counts) * SECOND, tz)
    same_after_writing(TimeForm(), np.array(counts) * SECOND, tz)


@given(st.lists(st.integers(-(2**60), 2**60), min_size=1, max_size=6))
def test_counts_are_read_again(counts):
    same_after_writing(TimeForm("count"), np.array(counts))


def test_what_does_not_fit_is_marked_and_nothing_is_raised():
    for form, value in (
        (TimeForm(), "31.01.2024"),
        (TimeForm("format", "%d.%m.%Y"), "2024-01-31"),
        (TimeForm("quarter"), "2024Q5"),
        (TimeForm("iso-week"), "2024-W54"),
        (TimeForm("epoch", "s"), "soon"),
        (TimeForm("decimal-year", "months", digits=3), "1949.05"),
        (TimeForm("count"), "1.5"),
    ):
        assert form.parse(pd.Series([value]), None)[1].tolist() == [True], form


def test_a_skipped_hour_does_not_fit_and_of_a_repeated_one_the_first_is_read():
    form = TimeForm("format", "%d.%m.%Y %H:%M", True)
    counts, bad = form.parse(pd.Series(["31.03.2024 02:30", "27.10.2024 02:30"]), "Europe/Berlin")
    assert bad.tolist() == [True, False]
    assert counts[1] == pd.Timestamp("2024-10-27 02:30+02:00").value


def test_a_form_is_saved_with_a_model():
    form = TimeForm("format", "%-d.%m.%Y", True, 3)
    encoder = Encoder()
    assert Decoder(encoder.arrays, {}).value(encoder.value(form, ())) == form


def test_values_that_differ_by_blanks_are_one():
    code, unique = unique_values(pd.Series([" 2024Q1", "2024Q1", "2024Q2 "]))
    assert code.tolist() == [0, 0, 1] and unique.tolist() == ["2024Q1", "2024Q2"]
    assert as_texts(np.array([2024.0])).tolist() == ["2024"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (TimeForm("format", "%-d.%m.%y"), "days, %d.%m.%y, years 1969 to 2068"),
        (TimeForm("format", "%b-%Y"), "months, %b-%Y"),
        (TimeForm("format", "%G%V"), "weeks, %G%V"),
        (TimeForm("format", "%Y"), "years, %Y"),
        (TimeForm("format", "%Y%m%d%H"), "times, %Y%m%d%H"),
        (TimeForm("quarter", "Q{quarter} {year}"), "quarters such as Q1 2021"),
        (TimeForm("epoch", "ms"), "epoch milliseconds"),
        (TimeForm("iso-week"), "ISO weeks, by their Monday"),
        (TimeForm("date"), "dates"),
    ],
)
def test_a_form_is_described_in_words(form, words):
    assert form.describe() == words
