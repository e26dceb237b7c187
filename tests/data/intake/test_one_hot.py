"""One-hot encoding of categorical columns."""

import numpy as np
import pandas as pd
import pytest

from tsformers.data.intake.one_hot import MAX_LEVELS, levels_of, one_hot
from tsformers.data.panel import Panel
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


FRAME = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": 1.0, "promo": ["none", "coupon", "bogo", "none"]})


def plan(promo, days=(4,)):
    return pd.DataFrame({"unique_id": "a", "ds": days, "promo": promo})


def test_levels_are_one_hot_and_come_back_as_text():
    panel = Panel.from_frame(FRAME, known="promo")
    assert panel.schema.known == ("promo",)
    assert panel.schema.known_columns == ("promo=bogo", "promo=coupon", "promo=none")
    assert panel.known.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert panel.to_frame()["promo"].tolist() == FRAME["promo"].tolist()


@pytest.mark.parametrize("make", [list, lambda p: pd.Categorical(p, categories=["bogo", "coupon"])])
def test_later_levels_count_by_their_values_whatever_their_codes(make):
    panel = Panel.from_frame(FRAME, known="promo")
    assert panel.with_future(plan(make(["bogo"])), 1).known[-1].tolist() == [1, 0, 0]


def test_a_level_that_fit_did_not_have_is_refused_by_column_value_and_row():
    panel = Panel.from_frame(FRAME, known="promo")
    with pytest.raises(
        DataError, match="column 'promo' holds 'voucher', first at row 1, which was not among its levels"
    ):
        panel.with_future(plan(["coupon", "voucher"], [4, 5]), 2)
    with pytest.raises(DataError, match="column 'promo' holds 'voucher'"):
        panel.like(FRAME.assign(promo="voucher"))


def test_a_missing_level_ahead_is_refused_and_in_the_past_missing():
    gap = FRAME.assign(promo=["none", None, "bogo", "none"])
    assert np.isnan(Panel.from_frame(gap, known="promo").known[1]).all()
    panel = Panel.from_frame(FRAME, known="promo")
    with pytest.raises(DataError, match="column 'promo' of the future frame, series 'a': NaN at row 0"):
        panel.with_future(plan([None]), 1)


def test_too_many_levels_are_refused():
    data = pd.DataFrame({"unique_id": "a", "ds": range(101), "y": 1.0, "code": [f"c{k}" for k in range(101)]})
    with pytest.raises(DataError, match="column 'code' has 101 levels, 100 at most"):
        Panel.from_frame(data, known="code")


@pytest.mark.parametrize("kinds", [[1, 2], [1.0, 2.0], ["1", "2"]])
def test_statics_of_numbers_and_their_texts_are_one_level(kinds):
    data = pd.concat([FRAME.assign(unique_id=name) for name in "ab"])
    panel = Panel.from_frame(data, static=pd.DataFrame({"unique_id": ["a", "b"], "kind": ["1", "2"]}))
    later = panel.like(data, static=pd.DataFrame({"unique_id": ["a", "b"], "kind": kinds}))
    assert later.static["kind"].tolist() == ["1", "2"]
