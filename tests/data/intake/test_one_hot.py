"""One-hot encoding of categorical columns."""

import numpy as np
import pandas as pd
import pytest

from tsformers.data.intake.one_hot import MAX_LEVELS, levels_of, one_hot
from tsformers.errors import DataError


def test_each_row_has_one_1_at_its_level():
    column = pd.Series(["b", "a", "c", "a"])
    encoded = one_hot(column, levels_of(column))
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded.argmax(axis=1), [1, 0, 2, 0])
    np.testing.assert_array_equal(encoded.sum(axis=1), 1)


def test_missing_values_are_zeros():
    np.testing.assert_array_equal(one_hot(pd.Series([None, np.nan]), ["a", "b"]), np.zeros((2, 2)))


def test_levels_that_were_not_in_fit_are_refused_by_column_level_and_row():
    column = pd.Series(["a", "z"], index=["s1", "s2"], name="place")
    with pytest.raises(
        DataError, match=r"static column 'place' holds 'z', first at series 's2', .* in fit \('a', 'b'\)"
    ):
        one_hot(column, ["a", "b"])


@pytest.mark.parametrize("values", [["1", "2"], [1, 2], [1.0, 2.0], pd.array([1, 2], "Int64"), pd.Categorical([1, 2])])
def test_numbers_and_their_texts_are_one_level(values):
    assert levels_of(pd.Series(values)) == ["1", "2"]
    np.testing.assert_array_equal(one_hot(pd.Series(values), ["1", "2"]), np.eye(2))


def test_categories_and_truth_values_are_encoded_by_their_text():
    assert levels_of(pd.Series([True, False, True])) == ["False", "True"]
    column = pd.Series(["x", "y"], dtype="category")
    np.testing.assert_array_equal(one_hot(column, levels_of(column)), np.eye(2))


def test_a_column_with_too_many_levels_is_refused_by_name():
    column = pd.Series([f"level {i}" for i in range(MAX_LEVELS + 1)], name="shop")
    with pytest.raises(DataError, match="static column 'shop' has 101 levels, 100 at most"):
        levels_of(column)
