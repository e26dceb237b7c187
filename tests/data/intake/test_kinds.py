"""What columns hold, by name and values."""

import pandas as pd
import pytest

from tsformers.data.intake.kinds import counts_rows


@pytest.mark.parametrize(
    ("name", "values", "counts"),
    [
        ("Unnamed: 0", [0, 1, 2], True),
        ("Unnamed: 0", [0, 1, 5, 9], True),  # rows were left out
        ("Unnamed: 3", [7, 2, 5], True),  # rows were sorted
        ("Unnamed: 0", [1, 1, 2], False),
        ("Unnamed: 0", [0.5, 1.5], False),
        ("Unnamed: 0", [-1, 0, 1], False),
        ("index", [1, 2, 3], True),
        ("index", [1, 2, 4], False),
        ("visits", [0, 1, 2], False),
    ],
)
def test_a_column_that_counts_rows(name, values, counts):
    assert counts_rows(name, pd.Series(values)) is counts
