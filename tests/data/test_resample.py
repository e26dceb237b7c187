from contextlib import nullcontext

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers as tsf
from tsformers import DataError
from tsformers.calendar.aggregation import AGGREGATES
from tsformers.data.files.read import read_table

WEEK = (10, 11, 12, 13, 14, 15, 16)


def frame_of(n=200, seed=0, freq="37min", **columns):
    rng = np.random.default_rng(seed)
    times = pd.date_range("2024-01-01", periods=n, freq=freq)
    return pd.DataFrame({"unique_id": rng.choice(["a", "b"], n), "ds": times, "y": rng.normal(size=n), **columns})


@pytest.mark.parametrize("how", AGGREGATES)
@pytest.mark.parametrize("every", ["h", "6h", "D", "MS"])
def test_bins_and_aggregates_are_those_of_pandas(how, every):
    frame = frame_of(freq="97min")
    frame.loc[::7, "y"] = np.nan
    some_empty = how == "sum" and every in ("h", "6h")
    with pytest.warns(tsf.DataWarning, match="sum is missing") if some_empty else nullcontext():
        ours = tsf.resample(frame, every, aggregate=how)
    grouped = frame.groupby("unique_id")
    rows = []
    for name, part in grouped:
        binned = part.set_index("ds")["y"].resample(every)
        right = binned.sum(min_count=1) if how == "sum" else getattr(binned, how)()
        rows.append(pd.DataFrame({"unique_id": name, "ds": right.index, "y": right.to_numpy()}))
    right = pd.concat(rows, ignore_index=True)
    assert ours["unique_id"].tolist() == right["unique_id"].tolist() and ours["ds"].tolist() == right["ds"].tolist()
    np.testing.assert_allclose(ours["y"], right["y"], atol=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10**7), st.integers(-100, 100)), min_size=1, max_size=40),
    st.sampled_from(["7min", "h", "D", "W-WED", "MS", "2D"]),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=60)
@pytest.mark.filterwarnings("ignore::tsformers.errors.DataWarning")
def test_resampling_conserves_sums_and_forgets_the_order_of_rows(rows, every, random):
    def table(rows):
        ids, seconds, values = zip(*rows, strict=True)
        times = pd.to_datetime(np.array(seconds), unit="s")
        return pd.DataFrame({"unique_id": ids, "ds": times, "y": np.array(values, dtype=float)})

    ours = tsf.resample(table(rows), every, aggregate="sum")
    shuffled = [*rows]
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(ours, tsf.resample(table(shuffled), every, aggregate="sum"))
    for name, total in table(rows).groupby("unique_id")["y"].sum().items():
        assert ours.loc[ours["unique_id"] == name, "y"].sum() == pytest.approx(total)
    assert not ours.duplicated(["unique_id", "ds"]).any()


def test_days_of_a_shop_are_added_up():
    times = pd.date_range("2024-01-01", periods=21 * 8, freq="3h")
    values = [WEEK[k // 8 % 7] if k % 8 == 5 else 0 for k in range(len(times))]
    frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": values})
    days = tsf.resample(frame, "D", aggregate="max")
    assert days["y"].tolist() == [WEEK[k % 7] for k in range(21)]
    assert days["ds"].tolist() == [*pd.date_range("2024-01-01", periods=21)]
    assert frame["y"].tolist() == values


def test_weeks_that_restart_in_january_keep_all_counts():
    starts = [pd.Timestamp(year, 1, 1) + pd.Timedelta(days=7 * k) for year in (2000, 2001, 2002) for k in range(52)]
    frame = pd.DataFrame({"unique_id": "a", "ds": starts, "y": 1.0})
    with pytest.warns(tsf.DataWarning, match="bins of 'W-MON' have no row: their sum is missing, not 0"):
        weeks = tsf.resample(frame, "W-MON", aggregate="sum")
    assert weeks["y"].sum() == 156 and (weeks["ds"].dt.day_of_week == 0).all()
    assert tsf.Panel.from_frame(weeks).freq == "W-MON"


def test_covariates_are_averaged_and_of_text_the_last_value_stays():
    frame = frame_of(48, freq="h", price=np.arange(48.0), open=True, mood=["low", None] * 24)
    frame["unique_id"] = "a"
    days = tsf.resample(frame, "D", aggregate={"y": "sum", "open": "max"})
    assert days["price"].tolist() == [11.5, 35.5] and days["open"].tolist() == [1, 1]
    assert days["mood"].tolist() == ["low", "low"] and [*days.columns] == [*frame.columns]


def test_times_come_back_in_the_form_and_zone_in_which_they_came():
    hours = pd.date_range("2024-03-30", periods=72, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"unique_id": "a", "ds": hours, "y": 1.0})
    days = tsf.resample(frame, "D", aggregate="sum")
    assert days["ds"].tolist() == [*pd.date_range("2024-03-30", periods=4, freq="D", tz="Europe/Berlin")]
    assert days["y"].tolist() == [24, 23, 24, 1]
    written = frame.assign(ds=hours.strftime("%d.%m.%Y %H:%M"))
    assert tsf.resample(written, "D", tz="Europe/Berlin")["ds"][1] == "31.03.2024 00:00+01:00"
    assert tsf.resample(frame.assign(ds=hours.strftime("%d.%m.%Y")), "MS")["ds"].tolist() == [
        "01.03.2024",
        "01.04.2024",
    ]
    counts = tsf.resample(pd.DataFrame({"unique_id": "a", "ds": range(10), "y": 1.0}), 5, aggregate="sum")
    assert counts["ds"].tolist() == [0, 5] and counts["y"].tolist() == [5, 5]


def test_columns_are_found_by_name_or_kind():
    till = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=4, freq="12h"), "amount": [1.0, 2.0, 3.0, 4.0]})
    assert tsf.resample(till, "D", aggregate="sum")["amount"].tolist() == [3, 7]
    assert tsf.resample(pl.from_pandas(till), "D")["amount"].to_list() == [1.5, 3.5]
    named = tsf.resample(till, "D", time_col="time", target_col="amount")
    assert [*named.columns] == ["time", "amount"]
    series = pd.Series([1.0, 3.0], index=pd.date_range("2024-01-01", periods=2, freq="h"), name="load")
    assert tsf.resample(series, "D")["y"].tolist() == [2]


@pytest.mark.parametrize(
    ("change", "keywords", "message"),
    [
        ({}, {"aggregate": "median"}, "mean, sum, last, max, min, first"),
        ({}, {"every": "fortnight"}, "resample='D'"),
        ({}, {"every": "BMS"}, "resample='MS'"),
        ({}, {"id_col": "shop"}, "no column 'shop'"),
        ({}, {"aggregate": {"price": "sum"}}, "no column 'price'"),
        ({"y": "x"}, {}, "'y'"),
        ({"ds": "x"}, {}, "time"),
    ],
)
def test_what_cannot_be_resampled_is_refused(change, keywords, message):
    with pytest.raises(DataError, match=message):
        tsf.resample(frame_of().assign(**change), **({"every": "D"} | keywords))


def test_bins_far_too_short_are_refused():
    frame = pd.DataFrame({"unique_id": "a", "ds": pd.to_datetime(["2000-01-01", "2024-01-01"]), "y": 1.0})
    with pytest.raises(DataError, match="most of them empty"):
        tsf.resample(frame, "s")
    with pytest.raises(DataError, match="or pass a longer resample="):
        tsf.Panel.from_frame(frame, resample="s")
    with pytest.raises(DataError, match="or pass a longer freq="):
        tsf.Panel.from_frame(frame, freq="s")


def test_an_empty_frame_is_refused_and_a_column_that_two_may_be_is_to_be_named():
    with pytest.raises(DataError, match="no rows"):
        tsf.resample(frame_of().iloc[:0], "D")
    two = frame_of().rename(columns={"y": "load"}).assign(price=1.0)
    with pytest.raises(DataError, match=r"several columns of numbers.*target_col='load' or target_col='price'"):
        tsf.resample(two, "D")


def test_the_columns_of_files_and_their_lines_are_those_of_from_frame(tmp_path):
    (tmp_path / "till.csv").write_text(
        "row_number;Datum;Uhrzeit;shop;item;sold\n"
        "1;14.03.2024;08:00;007;a;1,5\n2;14.03.2024;20:00;007;a;2,5\n3;15.03.2024;08:00;007;b;4\n"
    )
    roles = {"id_col": ["shop", "item"], "time_col": ["Datum", "Uhrzeit"]}
    days = tsf.resample(read_table(tmp_path / "till.csv"), "D", aggregate="sum", **roles)
    assert days.to_dict("list") == {
        "Datum Uhrzeit": ["14.03.2024 00:00", "15.03.2024 00:00"],
        "shop": ["007", "007"],
        "item": ["a", "b"],
        "sold": [4, 4],
    }
    (tmp_path / "bad.csv").write_text("unique_id,ds,y\na,2024-01-01,1\na,2024-01-02,one\n")
    with pytest.raises(DataError, match="'one' at line 3"):
        tsf.resample(read_table(tmp_path / "bad.csv"), "D", target_col="y")


def test_an_index_of_times_is_the_time_and_ids_keep_their_type():
    index = pd.date_range("2024-01-01", periods=4, freq="12h", name="when")
    frame = pd.DataFrame(
        {"unique_id": pd.array([7, 7, 7, 7], dtype="Int32"), "load": [1.0, 2.0, 3.0, 4.0]}, index=index
    )
    days = tsf.resample(frame, "D", aggregate="sum")
    assert [*days.columns] == ["when", "unique_id", "load"] and days["load"].tolist() == [3, 7]
    assert days["unique_id"].dtype == frame["unique_id"].dtype


def test_rows_of_several_series_without_ids_are_not_mixed():
    frame = pd.DataFrame({"day": pd.to_datetime(["2024-01-01"] * 2), "shop": ["a", "b"], "sold": [1.0, 2.0]})
    with pytest.raises(DataError, match="id_col='shop'"):
        tsf.resample(frame, "W-MON")
    assert tsf.resample(frame, "W-MON", id_col="shop")["sold"].tolist() == [1, 2]
