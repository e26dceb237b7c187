"""describe: what a table holds, series by series."""

import numpy as np
import pandas as pd
import pytest

from tsformers.data.packed.classical_decomposition import PackedSeries
from tsformers.data.panel import Panel
from tsformers.diagnostics.description import describe, season_strength
from tsformers.errors import DataError


def frame() -> pd.DataFrame:
    """A week in "a" with two gaps, noise in "b", and a short "c" of zeros."""
    days = pd.date_range("2024-01-01", periods=70)
    a = pd.DataFrame({"unique_id": "a", "ds": days, "y": np.tile(np.arange(7.0), 10)}).drop(index=[3, 4, 9])
    b = pd.DataFrame({"unique_id": "b", "ds": days, "y": np.random.default_rng(0).normal(size=70)})
    c = pd.DataFrame({"unique_id": "c", "ds": days[:5], "y": [0.0, np.nan, np.nan, 0.0, 2.0]})
    return pd.concat([a, b, c], ignore_index=True)


def test_rows_gaps_times_and_zeros_are_counted_series_by_series():
    table = describe(frame()).set_index("unique_id")
    assert table["rows"].tolist() == [70, 70, 5]
    assert table["missing"].tolist() == [3, 0, 2]
    assert table["gaps"].tolist() == [2, 0, 1]
    assert table["longest_gap"].tolist() == [2, 0, 2]
    assert table["step"].tolist() == ["D"] * 3
    assert table["last"].astype(str).tolist() == ["2024-03-10", "2024-03-10", "2024-01-05"]
    assert table["zeros"].round(3).tolist() == [round(10 / 67, 3), 0.0, round(2 / 3, 3)]
    assert table.loc["c", ["least", "median", "greatest"]].tolist() == [0.0, 0.0, 2.0]


def test_a_season_is_strong_where_there_is_one_and_weak_in_noise():
    strength = describe(frame()).set_index("unique_id")["season_strength"]
    assert strength["a"] > 0.99 and strength["b"] < 0.2 and np.isnan(strength["c"])


def test_the_strength_of_a_season_in_noise_is_near_zero_on_average():
    rng = np.random.default_rng(1)
    noise = PackedSeries(rng.normal(size=400 * 28), np.arange(0, 401 * 28, 28), np.zeros(400, dtype=np.int64))
    assert season_strength(noise, 7).mean() < 0.25  # unadjusted it would be 0.35 and more
    assert np.isnan(season_strength(noise, 1)).all()


def test_the_answer_does_not_depend_on_the_order_of_rows_and_takes_a_panel():
    shuffled = frame().sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(describe(shuffled), describe(frame()))
    pd.testing.assert_frame_equal(describe(Panel.from_frame(frame())), describe(frame()))


def test_an_id_column_of_the_name_of_an_answer_is_refused():
    with pytest.raises(DataError, match="'rows' is also a column of the answer"):
        describe(frame().rename(columns={"unique_id": "rows"}), id_col="rows")


def test_joined_ids_come_back_as_their_columns():
    frame = pd.DataFrame({"shop": ["n", "n", "s", "s"], "item": [1, 1, 2, 2], "ds": [0, 1, 0, 1], "y": 1.0})
    found = describe(frame, id_col=["shop", "item"], freq=1)
    assert [*found.columns][:3] == ["shop", "item", "rows"] and found["item"].tolist() == [1, 2]
