"""One row a series: the names of the columns are times, in any form that counts or is read as a date."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.data.files.long_table import read_source
from tsformers.data.files.table_file import FileOptions

HEADERS = {
    "W0": ([f"W{k}" for k in range(24)], "W24"),
    "w1": ([f"w{k}" for k in range(1, 25)], "w25"),
    "Week 1": ([f"Week {k}" for k in range(1, 25)], "Week 25"),
    "d_1": ([f"d_{k}" for k in range(1918, 1942)], "d_1942"),
    "years": ([str(year) for year in range(1990, 2014)], "2014"),
    "days": (pd.date_range("2024-01-01", periods=24).strftime("%Y-%m-%d").tolist(), "2024-01-25"),
    "dates": (pd.date_range("2024-01-01", periods=24).strftime("%d.%m.%Y").tolist(), "25.01.2024"),
    "quarters": ([f"{1990 + k // 4}Q{k % 4 + 1}" for k in range(24)], "1996Q1"),
    "months": (pd.date_range("2020-01-01", periods=24, freq="MS").strftime("%Y-%m").tolist(), "2022-01"),
    "names": (pd.date_range("2020-01-01", periods=24, freq="MS").strftime("%b-%y").tolist(), "Jan-22"),
}


@pytest.mark.parametrize("header", HEADERS)
def test_times_of_the_header_come_back_in_its_form(tmp_path, header):
    labels, later = HEADERS[header]
    frame = pd.DataFrame([["north", *range(24)], ["south", *range(10, 34)]], columns=["region", *labels])
    frame.to_csv(tmp_path / "w.csv", index=False)
    table, roles = read_source(tmp_path / "w.csv", FileOptions(), {}, "rows")
    panel = tsf.Panel.from_frame(table, **roles)
    answer = tsf.SeasonalNaive(horizon=1, season_length=4, seed=0).fit(panel).predict().to_frame()
    assert answer["region"].tolist() == ["north", "south"] and answer["ds"].tolist() == [later] * 2
    assert panel.reading.first == labels[0] and panel.reading.last == labels[-1]


def test_labels_of_a_long_table_count_and_bind_later_tables():
    frame = pd.DataFrame({"week": [f"W{k}" for k in range(1, 13)], "sold": np.arange(12.0)})
    model = tsf.SeasonalNaive(horizon=2, season_length=4, seed=0).fit(frame)
    assert model.predict().to_frame()["week"].tolist() == ["W13", "W14"]
    later = pd.DataFrame({"week": ["W13", "W14", "W15", "W16"], "sold": np.arange(4.0)})
    assert model.predict(later).to_frame()["week"].tolist() == ["W17", "W18"]
    with pytest.raises(tsf.DataError, match="V17"):
        model.predict(later.assign(week=["W13", "W14", "W15", "V17"]))


def test_numbered_columns_of_a_frame_without_names_of_rows_are_series():
    wide = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=["s0", "s1", "s2"])
    assert tsf.from_wide(wide)["unique_id"].unique().tolist() == ["s0", "s1", "s2"]
    with pytest.raises(tsf.DataError, match="series='rows'"):
        tsf.from_wide(wide.set_axis(["2020", "2021", "2022"], axis=1))
    with pytest.raises(tsf.DataError, match="series='rows'"):
        tsf.from_wide(wide.set_index(pd.Index(["a", "b", "c", "d"])))


@pytest.mark.parametrize("given", [None, ["shop", "item"]])
def test_the_columns_that_name_the_rows_come_back_as_they_are(tmp_path, given):
    rows = [["n", "x", 1, 2, 3], ["n", "y", 4, 5, 6], ["s", "x", 7, 8, 9]]
    pd.DataFrame(rows, columns=["shop", "item", "2020", "2021", "2022"]).to_csv(tmp_path / "w.csv", index=False)
    table, roles = read_source(tmp_path / "w.csv", FileOptions(), {} if given is None else {"id_col": given}, "rows")
    panel = tsf.Panel.from_frame(table, **roles)
    answer = tsf.SeasonalNaive(horizon=1, season_length=1, seed=0).fit(panel).predict().to_frame()
    assert panel.ids.tolist() == ["n/x", "n/y", "s/x"] and answer.columns[:3].tolist() == ["shop", "item", "ds"]
    assert answer["shop"].tolist() == ["n", "n", "s"] and answer["item"].tolist() == ["x", "y", "x"]
