"""The series to draw."""

import pandas as pd
import pytest

from tsformers.plotting.chosen import chosen_positions

IDS = pd.Index([("a", 1), ("a", 2), "b"], dtype=object, tupleize_cols=False)


def test_series_are_found_in_the_order_asked_and_the_first_ones_without_names():
    assert chosen_positions(["b", ("a", 1)], IDS, 1).tolist() == [2, 0]
    assert chosen_positions("b", IDS, 1).tolist() == [2]
    assert chosen_positions(None, IDS, 2).tolist() == [0, 1]


def test_an_unknown_series_is_refused_with_the_ids_there_are():
    with pytest.raises(ValueError, match=r"series 'c' is not in this forecast; it has .*'b'"):
        chosen_positions(["b", "c"], IDS, 3, "this forecast")
