import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
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


def receipts(repeated=2, rows=2352):
    seconds = np.cumsum(np.random.default_rng(0).integers(40, 4000, rows))
    seconds[1 : 2 * repeated : 2] = seconds[0 : 2 * repeated : 2]
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")
    paid = np.where(np.arange(rows) % 2, "card", "cash")
    return pd.DataFrame({"Time": times, "Total": 1.0, "Payment": paid, "Receipt No": [f"R{n}" for n in range(rows)]})


def test_rows_of_one_bin_are_one_series_where_an_aggregate_is_asked_for():
    panel = Panel.from_frame(receipts(500), resample="D", aggregate="sum")
    assert panel.n_series == 1 and np.nansum(panel.y) == 2352
    assert "500 of 2,352 rows repeat a time; rows of one time are added up" in str(panel.reading)
    assert "'Payment' (text), 'Receipt No' (text)" in str(panel.reading)
    assert tsf.resample(receipts(500), "D", aggregate="sum")["Total"].sum() == 2352


def test_bins_alone_make_one_series_where_few_rows_repeat_a_time():
    panel = Panel.from_frame(receipts(), resample="D")
    assert panel.n_series == 1 and "2 of 2,352 rows repeat a time; rows of one time are averaged" in str(panel.reading)
    both = r"id_col='Payment'; if they are to be added up, pass aggregate='sum' or aggregate='mean' beside resample='D'"
    for read in (Panel.from_frame, tsf.resample):
        with pytest.raises(DataError, match=both) as caught:
            read(receipts(500), **({"resample": "D"} if read == Panel.from_frame else {"every": "D"}))
        assert "Receipt" not in str(caught.value)


def test_transactions_without_bins_are_offered_ids_and_totals():
    offers = r"id_col='Payment'; if they are to be added up, pass resample='D' with aggregate='sum'"
    with pytest.raises(DataError, match=offers) as caught:
        Panel.from_frame(receipts())
    assert "Receipt" not in str(caught.value)
    with pytest.raises(DataError, match=r"no column tells them apart.*aggregate='sum' or aggregate='mean'"):
        Panel.from_frame(receipts()[["Time", "Total", "Receipt No"]])
    days = pd.DataFrame({"day": np.repeat(pd.date_range("2024-01-01", periods=9), 2), "shop": ["n", "s"] * 9, "z": 1.0})
    with pytest.raises(DataError, match=r"id_col='shop'$"):
        Panel.from_frame(days)


def test_parts_of_a_date_are_not_added_up():
    frame = pd.DataFrame({"year": [2023] * 12 + [2024] * 12, "month": [*range(1, 13)] * 2, "shop": "n", "sales": 1.0})
    with pytest.raises(DataError, match=r"time_col=\['year', 'month'\]"):
        Panel.from_frame(frame, time_col="year", target_col="sales", resample="YS", aggregate="sum")


def test_columns_in_one_text_are_offered_one_by_one():
    frame = pd.DataFrame(
        {"store": ["a"] * 3, "item": ["b"] * 3, "ds": pd.date_range("2024-01-01", periods=3), "y": 1.0}
    )
    with pytest.raises(DataError, match=r"pass id_col=\['store', 'item'\]"):
        Panel.from_frame(frame, id_col="store,item")


@pytest.mark.parametrize("items", [["x", "y"], [7, 8]])
def test_a_forgotten_column_of_ids_is_offered_before_bins(items):
    days = pd.date_range("2024-01-01", periods=9).repeat(4)
    frame = pd.DataFrame({"ds": days, "store": ["n", "n", "s", "s"] * 9, "item": items * 18, "y": np.arange(36.0)})
    with pytest.raises(DataError, match=r"pass id_col=\['store', 'item'\] if .* several series, or resample='D'"):
        Panel.from_frame(frame.assign(receipt=[f"r{n}" for n in range(36)]), id_col="store")
    with pytest.raises(DataError, match=r"\(18 in all\); pass resample='D'"):
        Panel.from_frame(frame.drop(columns="item"), id_col="store")
