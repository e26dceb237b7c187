"""Numbers of a report as text."""

import numpy as np
import pandas as pd
import pytest

from tsformers.evaluation.formatting import NOTHING, format_column, format_duration, format_percent, format_time


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1234567.8, 12.3], ["1,234,568", "12"]),
        ([0.123456, 0.5], ["0.1235", "0.5000"]),
        ([12.3456, 0.02], ["12.346", "0.020"]),
        ([np.nan, 1.0], [NOTHING, "1.000"]),
        ([1e-9, 1e-8], ["1e-09", "1e-08"]),
        ([np.inf, 0.0], [NOTHING, "0"]),
    ],
)
def test_numbers_have_as_many_digits_as_one_can_read(values, shown):
    assert format_column(pd.Series(values)) == shown


def test_a_percentage_has_a_sign_and_a_missing_one_is_a_dash():
    assert [format_percent(share) for share in (0.5, -0.5, 0.0, np.nan)] == [
        "+50.0 %",
        "\N{MINUS SIGN}50.0 %",
        "0 %",
        NOTHING,
    ]


def test_a_time_is_shown_without_the_parts_that_are_zero():
    stamps = ["2024-01-31", "2024-01-31 06:00", "2024-01-31 06:00:07"]
    assert [format_time(pd.Timestamp(stamp)) for stamp in stamps] == stamps
    assert format_time(5) == "5"


def test_a_long_duration_is_in_minutes():
    assert [format_duration(seconds) for seconds in (0.256, 10.4, 119.4, 120.0)] == [
        "0.26 s",
        "10 s",
        "119 s",
        "2 min 0 s",
    ]
