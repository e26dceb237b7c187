"""Single values of the standard library and of pandas: they come back equal and of the same type."""

import datetime as dt
import uuid
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsformers.storage.scalars import join_scalar, scalar_parts, zone_name

from .round_trips import round_trip

ZONES = st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=-3, minutes=-30)), ZoneInfo("Europe/Berlin")])
VALUES = (
    st.decimals(allow_nan=False)
    | st.fractions()
    | st.uuids()
    | st.binary(max_size=9)
    | st.complex_numbers(allow_nan=False)
    | st.frozensets(st.integers() | st.text(max_size=3), max_size=3)
    | st.dates()
    | st.datetimes(timezones=ZONES)
    | st.times()
    | st.timedeltas()
)


@given(VALUES)
def test_values_come_back_equal_and_of_their_type(value):
    back = round_trip(value)
    assert type(back) is type(value)
    assert back == value


@pytest.mark.parametrize(
    "value",
    [
        pd.Period("2024Q1"),
        pd.Period("2024-03", freq="M"),
        pd.Period("2024-01-03", freq="W-TUE"),
        pd.Interval(0, 2),
        pd.Interval(pd.Timestamp("2024"), pd.Timestamp("2025"), closed="left"),
    ],
    ids=str,
)
def test_periods_and_intervals_come_back(value):
    back = round_trip(value)
    assert (back, type(back), repr(back)) == (value, type(value), repr(value))


def test_a_zone_without_a_name_has_none():
    assert zone_name(dt.timezone(dt.timedelta(hours=2), "here")) is None
    assert scalar_parts(dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2), "here"))) is None
    assert scalar_parts(object()) is None


def test_the_second_of_a_repeated_hour_stays_the_second():
    value = dt.datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    assert round_trip(value).utcoffset() == value.utcoffset() == dt.timedelta(hours=1)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'moon' is no kind"):
        join_scalar({"kind": "moon", "value": 1})


def test_the_kinds_are_told_apart():
    values = [Decimal(1), Fraction(1), uuid.UUID(int=1), 1 + 0j, b"1"]
    assert [type(round_trip(value)) for value in values] == [type(value) for value in values]
