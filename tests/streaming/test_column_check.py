"""Columns that rows should have: found, or warned of once."""

import warnings

import pytest

from tsformers.streaming.column_check import CHECKED_ROWS, ColumnCheck

WANTED = ("unique_id", "ds", "y")


def test_columns_may_be_found_in_different_rows():
    check = ColumnCheck(WANTED)
    check.look_at([{"unique_id": "a"}, {"ds": 1}])
    check.look_at([{"y": 2.0}])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check.warn()
    assert check.missing == [] and check.rows == 3


def test_a_missing_column_is_warned_of_once():
    check = ColumnCheck(WANTED)
    with pytest.warns(
        UserWarning, match=f"none of {CHECKED_ROWS:,} rows had a column 'y': they have 'unique_id', 'ds'"
    ):
        check.look_at([{"unique_id": "a", "ds": 1}] * (CHECKED_ROWS + 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check.look_at([{}] * CHECKED_ROWS)
        check.warn()
