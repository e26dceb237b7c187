import numpy as np
import pandas as pd
import pytest

from tsformers.data.files.long_table import read_source
from tsformers.data.files.table_file import FileOptions
from tsformers.data.intake.offers import repeats_of
from tsformers.data.intake.source import Source
from tsformers.data.panel import Panel
from tsformers.errors import DataError


def hours(periods=72, freq="h", form="%d.%m.%Y %H:%M"):
    stamps = pd.date_range("2023-10-28", periods=periods, freq=freq, tz="Europe/Berlin")
    return stamps.as_unit("ns").asi8, stamps.strftime(form)


@pytest.mark.parametrize("freq", ["h", "15min"])
@pytest.mark.parametrize("interleaved", [False, True])
def test_hours_of_a_clock_change_without_ids_are_one_series_in_their_zone(freq, interleaved):
    utc, text = hours(200, freq, "%Y-%m-%d %H:%M")
    frame = pd.DataFrame({"Zeitpunkt": text, "Verbrauch": np.arange(200.0)})
    if interleaved:
        frame = frame.sort_values("Zeitpunkt", kind="stable")
    panel = Panel.from_frame(frame, tz="Europe/Berlin")
    assert panel.n_series == 1
    np.testing.assert_array_equal(panel.times.astype("M8[ns]").view(np.int64), utc)
    np.testing.assert_array_equal(panel.y, np.arange(200.0))


def test_without_a_zone_the_refusal_offers_zones_and_ids_only_where_a_column_may_hold_them():
    _, text = hours()
    frame = pd.DataFrame({"time": text, "load": np.arange(72.0)})
    with pytest.raises(DataError, match=r"row 27 .*tz='Europe/Berlin'") as caught:
        Panel.from_frame(frame)
    assert "id_col" not in str(caught.value) and "resample" not in str(caught.value)
    with pytest.raises(DataError, match=r"tz='Europe/Berlin'.*id_col='remark'"):
        Panel.from_frame(frame.assign(remark=["x", "y"] * 36))


def test_times_that_stand_twice_elsewhere_are_of_no_clock_change():
    _, text = hours()
    frame = pd.DataFrame({"time": [*text, text[40]], "load": np.arange(73.0)})
    assert repeats_of(Source(frame), ("time",)).zones == ()
    with pytest.raises(DataError, match="no column tells them apart") as caught:
        Panel.from_frame(frame)
    assert "tz=" not in str(caught.value)
    with pytest.raises(DataError, match="row 72"):
        Panel.from_frame(frame, tz="Europe/Berlin")


def test_rows_of_one_time_are_brought_to_bins_where_no_column_tells_them_apart():
    frame = pd.DataFrame({"time": np.repeat(pd.date_range("2024-01-01", periods=4), 2), "paid": np.arange(8.0)})
    assert Panel.from_frame(frame, resample="D", aggregate="sum").y.tolist() == [1, 5, 9, 13]
    with pytest.raises(DataError, match="id_col='shop'"):
        Panel.from_frame(frame.assign(shop=["n", "s"] * 4), resample="D")


def test_several_columns_of_numbers_at_a_clock_change_may_be_series(tmp_path):
    utc, text = hours()
    frame = pd.DataFrame({"time": text, "north": np.arange(72.0), "south": np.arange(72.0)})
    with pytest.raises(DataError, match="from_wide"):
        Panel.from_frame(frame)
    frame.to_csv(tmp_path / "w.csv", index=False)
    table, left = read_source(tmp_path / "w.csv", FileOptions(), {"tz": "Europe/Berlin"}, "columns")
    panel = Panel.from_frame(table, **left)
    np.testing.assert_array_equal(panel.times.astype("M8[ns]").view(np.int64), np.tile(utc, 2))
    with pytest.raises(DataError, match="line 28 and again at line 29"):
        Panel.from_frame(table)
