import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.calendar.times.patterns import MANY, check_pattern, parse_pattern, spelled, write_pattern

PATTERNS = ["%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M", "%d %b %Y", "%Y%m%d", "%d.%m.%Y %H:%M:%S.%f"]


@given(st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=5), st.sampled_from(PATTERNS))
def test_reading_and_writing_are_those_of_pandas(seconds, pattern):
    index = pd.DatetimeIndex(np.array(seconds, dtype="M8[s]"))
    texts = np.asarray(index.strftime(pattern), dtype=object)
    assert write_pattern(index, pattern).tolist() == texts.tolist()
    right = pd.to_datetime(pd.Series(texts), format=pattern).to_numpy(dtype="M8[ns]").view(np.int64)
    np.testing.assert_array_equal(parse_pattern(texts, pattern).counts, right)


@pytest.mark.parametrize("pattern", ["%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M"])
def test_many_texts_are_read_as_few_are(pattern):
    index = pd.date_range("2020-01-01", periods=MANY + 2, freq="37min")
    texts = np.array([*index.strftime(pattern), "31.31.2020", "", texts_without_clock(pattern)], dtype=object)
    many, few = parse_pattern(texts, pattern), [parse_pattern(texts[part : part + 1000], pattern) for part in (0, MANY)]
    np.testing.assert_array_equal(many.counts[:-3], index.as_unit("ns").asi8)
    np.testing.assert_array_equal(many.bad[:1000], few[0].bad)
    np.testing.assert_array_equal(many.bad[MANY:], few[1].bad)
    assert many.bad[-3:].all() and not many.bad[:-3].any()


def texts_without_clock(pattern):
    return pd.Timestamp("2020-01-13").strftime(pattern[:8])


def test_a_week_without_a_weekday_is_its_monday():
    for text, pattern in (("201901", "%G%V"), ("2019-W01", "%G-W%V")):
        counts = parse_pattern(np.array([text], dtype=object), pattern).counts
        assert counts.view("M8[ns]").astype("M8[D]").tolist() == [pd.Timestamp("2018-12-31").date()]


@pytest.mark.parametrize(
    ("texts", "pattern", "right"),
    [
        (["1/2/2024", "12/31/2024"], "%m/%d/%Y", "%-m/%-d/%Y"),
        (["01/2/2024"], "%m/%d/%Y", "%m/%-d/%Y"),
        (["JAN-90", "FEB-90"], "%b-%y", "%^b-%y"),
        (["1/31/2024 3:00 pm"], "%m/%d/%Y %I:%M %p", "%-m/%-d/%Y %-I:%M %#p"),
        (["01.02.2024"], "%d.%m.%Y", "%d.%m.%Y"),
    ],
)
def test_a_pattern_takes_the_marks_that_its_texts_show(texts, pattern, right):
    assert spelled(pattern, np.array(texts, dtype=object)) == right


@pytest.mark.parametrize("pattern", ["%Q", "%d.%m", "%Y-%", "%V.%m"])
def test_a_pattern_that_makes_no_date_is_refused(pattern):
    with pytest.raises(DataError, match="time_format="):
        check_pattern(pattern)
