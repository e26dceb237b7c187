import numpy as np
import pandas as pd
import pytest

from tsformers.data.groups import group_codes

IDS = pd.Index(["a", "b", "c"])


@pytest.mark.parametrize(
    "groups",
    [
        {"a": "west", "b": "east", "c": "west", "d": "north"},
        pd.Series(["west", "west", "east"], index=["a", "c", "b"]),
        ["west", "east", "west"],
        ("west", "east", "west"),
        np.array(["west", "east", "west"]),
        pd.Index(["west", "east", "west"]),
    ],
)
def test_groups_are_numbered_in_order_of_their_first_series(groups):
    codes, names = group_codes(groups, IDS)
    assert codes.tolist() == [0, 1, 0] and names.tolist() == ["west", "east"]


def test_without_groups_all_series_are_one_total():
    codes, names = group_codes(None, IDS)
    assert codes.tolist() == [0, 0, 0] and names.tolist() == ["total"]


def test_tuples_may_name_series_and_groups():
    ids = pd.Index([("a", 1), ("b", 2)], tupleize_cols=False)
    codes, names = group_codes({("a", 1): ("x", 0), ("b", 2): ("x", 0)}, ids)
    assert codes.tolist() == [0, 0] and names.tolist() == [("x", 0)]


def test_a_series_named_twice_is_refused():
    with pytest.raises(ValueError, match="groups names series 'a' twice"):
        group_codes(pd.Series(["x", "y", "x", "x"], index=["a", "a", "b", "c"]), IDS)
