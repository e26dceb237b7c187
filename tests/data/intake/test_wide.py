import numpy as np
import pandas as pd
import polars as pl
import pytest

from tsformers import DataError, from_wide
from tsformers.data.panel import Panel


def wide():
    return pd.DataFrame({"date": pd.date_range("2024-01-01", periods=3), "a": [1, 2, 3], "b": [None, 5.0, None]})


def test_series_start_at_their_first_value_and_end_with_the_frame():
    long = from_wide(wide())
    assert long.columns.tolist() == ["unique_id", "ds", "y"]
    assert long["unique_id"].tolist() == ["a", "a", "a", "b", "b"]
    np.testing.assert_array_equal(long["y"], [1, 2, 3, 5, np.nan])


@pytest.mark.parametrize(
    "frame",
    [
        wide(),
        wide().set_index("date"),
        wide().rename(columns={"date": "DS"}),
        wide().rename(columns={"date": "when"}),
        wide().set_index(wide()["date"].dt.to_period("D")).drop(columns="date"),
    ],
    ids=["named", "index", "capitals", "datetime column", "periods"],
)
def test_the_time_is_found(frame):
    panel = Panel.from_frame(from_wide(frame))
    assert panel.freq == "D" and panel.ids.tolist() == ["a", "b"] and panel.lengths.tolist() == [3, 2]


def test_without_any_time_the_rows_are_counted():
    assert Panel.from_frame(from_wide(wide()[["a"]])).times.tolist() == [0, 1, 2]


def test_a_given_frequency_adds_missing_rows_and_refuses_others():
    long = from_wide(wide().drop(index=1)[["date", "a"]], freq="D")
    np.testing.assert_array_equal(long["y"], [1, np.nan, 3])
    with pytest.raises(DataError, match="off the grid of freq='MS'"):
        from_wide(wide()[["date", "a"]], freq="MS")


def test_polars_in_polars_out():
    long = from_wide(pl.from_pandas(wide()))
    assert isinstance(long, pl.DataFrame) and long.shape == (5, 3)


def test_a_series_without_a_value_is_left_to_the_panel_to_refuse():
    with pytest.raises(DataError, match="series 'c' is all NaN"):
        Panel.from_frame(from_wide(wide().assign(c=np.nan)))


@pytest.mark.parametrize(
    ("frame", "keywords", "message"),
    [
        (wide().assign(c="x"), {}, "'c' of the wide frame, series 'c': text 'x' at row 0"),
        (wide()[["date"]], {}, "no column beside the time; pass one column a series"),
        (wide().iloc[:0], {}, "the wide frame is empty"),
        (wide(), {"time_col": "when"}, "the wide frame has no column 'when'.*rename 'date'|time_col"),
        (pd.concat([wide(), wide()[["a"]]], axis=1), {}, "two columns named 'a'"),
        (pd.concat({"u": wide()}, axis=1), {}, "several levels"),
        (wide().iloc[[0, 1, 2, 1]], {}, "the time 2024-01-02 00:00:00 twice, again at row 3"),
        (wide()["a"], {}, "a Series is one series, not a wide frame"),
        (wide().set_index(["date", "a"]), {}, "index of several levels"),
    ],
)
def test_what_cannot_be_made_long_is_refused(frame, keywords, message):
    with pytest.raises(DataError, match=message):
        from_wide(frame, **keywords)


@pytest.mark.parametrize(
    "time",
    [
        [1990, 1991, 1992],
        pd.array([1, 2, 3], "Int64"),
        pd.Series([3, 4, 9], dtype=object),
    ],
    ids=["years", "nullable", "objects"],
)
def test_a_first_column_that_counts_upwards_is_not_silently_a_series(time):
    frame = pd.DataFrame({"when": time, "a": [2.0, 1.0, 3.0]})
    with pytest.raises(
        DataError, match=r"column 'when' of the wide frame looks like its time; pass time_col='when', or"
    ):
        from_wide(frame)
    assert from_wide(frame, time_col="when")["unique_id"].unique().tolist() == ["a"]
    assert from_wide(frame.set_index("when"))["unique_id"].unique().tolist() == ["a"]


@pytest.mark.parametrize(
    "time",
    [
        ["2024-01-01", "2024-01-02", "2024-01-03"],
        ["2024Q1", "2024Q2", "2024Q3"],
        pd.date_range("2024-01-01", periods=3).date,
        pd.period_range("2024-01-01", periods=3, freq="D"),
    ],
    ids=["text", "quarters", "dates", "periods"],
)
def test_a_column_that_reads_as_times_is_the_time(time):
    frame = pd.DataFrame({"a": [2.0, 1.0, 3.0], "when exactly": time})
    assert from_wide(frame)["unique_id"].unique().tolist() == ["a"]


def test_a_column_named_like_a_time_is_found_wherever_it_stands():
    frame = pd.DataFrame({"a": [2.0, 1.0, 3.0], "Year": [1990, 1991, 1992]})
    with pytest.raises(DataError, match="'Year' of the wide frame looks like its time"):
        from_wide(frame)


def test_a_rising_series_is_a_series_where_the_time_is_named():
    rising = pd.DataFrame({"a": [1, 2, 3], "b": [3, 1, 2]})
    for frame, time_col in ((rising.reset_index(), "index"), (rising.set_axis([5, 6, 7]), None)):
        assert from_wide(frame, time_col=time_col)["unique_id"].unique().tolist() == ["a", "b"]
    assert from_wide(rising[["b", "a"]])["ds"].tolist() == [0, 1, 2] * 2
