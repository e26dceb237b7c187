"""Which column is what: the only reading is taken and reported, two are both offered."""

import numpy as np
import pandas as pd
import pytest

from tsformers import DataError
from tsformers.data.intake.asked import Asked
from tsformers.data.intake.roles import find_roles
from tsformers.data.intake.source import Source
from tsformers.data.panel import Panel

DAYS = pd.date_range("2024-01-01", periods=14)
VALUES = np.arange(14.0)


def frame(time="date", value="calls", **columns):
    return pd.DataFrame({time: DAYS.strftime("%Y-%m-%d"), value: VALUES, **columns})


def refused(data, match, shell, **roles):
    with pytest.raises(DataError, match=match) as caught:
        Panel.from_frame(data, **roles)
    said = caught.value.message.text("shell")
    for part in [shell] if isinstance(shell, str) else shell:
        assert part in said, said


@pytest.mark.parametrize("time", ["date", "Datum", "when", "Time-Stamp", "Fecha", "Date (UTC)", "event", "ds"])
def test_times_and_numbers_are_one_series_called_after_the_target(time):
    panel = Panel.from_frame(frame(time))
    assert panel.ids.tolist() == ["calls"] and panel.schema.single and panel.schema.time_col == time
    assert panel.to_frame().columns.tolist() == ["unique_id", time, "calls"]


@pytest.mark.parametrize("name", ["day", None])
def test_a_time_index_is_the_time_column(name):
    data = pd.DataFrame({"calls": VALUES}, index=DAYS.rename(name))
    kept = data.copy()
    panel = Panel.from_frame(data)
    assert panel.schema.time_col == (name or "ds") and panel.freq == "D"
    pd.testing.assert_frame_equal(data, kept)


def test_two_columns_of_times_are_both_offered():
    data = frame("opened", closed=(DAYS + pd.Timedelta("9D")).strftime("%Y-%m-%d"))
    refused(data, "time_col='opened' or time_col='closed'", ["--time-col opened", "--time-col closed"])
    assert Panel.from_frame(data, time_col="closed").schema.left_out == (("opened", "text"),)


def test_a_day_and_a_time_of_day_are_offered_together_and_joined():
    stamps = pd.date_range("2024-03-14", periods=48, freq="h")
    data = pd.DataFrame({"Date": stamps.strftime("%d/%m/%Y"), "Time": stamps.strftime("%H:%M:%S"), "CO": 1.0})
    refused(data, r"time_col=\['Date', 'Time'\]", "--time-col Date --time-col Time")
    panel = Panel.from_frame(data, time_col=["Date", "Time"])
    assert panel.freq == "h" and panel.schema.time_cols == ("Date", "Time")
    assert panel.to_frame().columns.tolist() == ["unique_id", "Date Time", "CO"]


def test_repeated_times_offer_the_column_that_tells_rows_apart():
    data = pd.concat([frame(shop=name, remark="x") for name in ("Kiel", "Bonn")])
    refused(data, "id_col='shop'", "--id-col shop")
    assert Panel.from_frame(data, id_col="shop").ids.tolist() == ["Bonn", "Kiel"]


def test_repeated_times_offer_two_columns_where_one_is_not_enough():
    data = pd.concat([frame(shop=shop, item=item) for shop in "ns" for item in ("ham", "jam")])
    refused(data, r"id_col=\['shop', 'item'\]", "--id-col shop --id-col item")


def test_repeated_times_among_numbers_name_ids_and_targets_at_once():
    data = pd.concat([frame(value="sales", store=store, price=2.5) for store in (1, 2)])
    refused(data, "id_col='store' for the ids and target_col='sales' or target_col='price'", "--id-col store")


def test_several_numbers_have_two_readings():
    data = frame(east=VALUES, value="west")
    refused(data, r"tsf.from_wide\(df\).*target_col='west' or target_col='east'", ["--wide", "--target-col east"])
    panel = Panel.from_frame(data, target_col="west")
    assert panel.ids.tolist() == ["west"] and panel.schema.past == ("east",)


@pytest.mark.parametrize(
    "labels", [["2015", "2016", "2017"], [2015, 2016, 2017], ["W0", "W1", "W2"], ["2024Q1", "2024Q2", "2024Q3"]]
)
def test_times_in_the_header_are_one_series_a_row(labels):
    data = pd.DataFrame([["a", 1, 2, 3], ["b", 4, 5, 6]], columns=["land", *labels])
    refused(data, r"tsf.from_wide\(df, series='rows'\)", "--wide-rows")


def test_the_target_is_y_then_value_then_the_only_number():
    assert Panel.from_frame(frame("ds", "y", price=1.0)).schema.target_col == "y"
    assert Panel.from_frame(frame("ds", "value", price=1.0)).schema.target_col == "value"
    assert Panel.from_frame(frame("ds", "sales", remark="x", flag=True)).schema.target_col == "sales"


def test_a_column_of_numbers_with_one_text_is_the_target_and_the_text_is_blamed():
    data = frame("ds", "sales")
    data["sales"] = data["sales"].astype(object)
    data.loc[3, "sales"] = "oops"
    refused(data, "'sales' of the frame.*text 'oops' at row 3.*missing='oops'", "--missing oops")


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (("remark", ["ok"] * 14), "text"),
        (("Unnamed: 0", range(14)), "a row number"),
        (("index", range(1, 15)), "a row number"),
        (("empty", [None] * 14), "no value"),
        (("closed", [*DAYS]), "times"),
    ],
)
def test_columns_without_a_role_are_left_out_and_named(column, why):
    name, values = column
    panel = Panel.from_frame(frame("ds", "y").assign(**{name: [*values]}))
    assert panel.schema.left_out == ((name, why),) and panel.schema.past == ()
    assert f"left out: {name!r} ({why})" in str(panel.reading)


def test_past_names_exactly_the_covariates():
    data = frame("ds", "y", price=2.0, rain=1.0, promo=["no", "yes"] * 7)
    assert Panel.from_frame(data).schema.past == ("price", "rain")
    panel = Panel.from_frame(data, past=["promo"])
    assert panel.schema.past_columns == ("promo=no", "promo=yes")
    assert [name for name, _ in panel.schema.left_out] == ["price", "rain"]
    np.testing.assert_array_equal(panel.past[:2], [[1, 0], [0, 1]])


def test_aggregate_without_resample_is_refused():
    refused(frame(), r"aggregate='sum' has no effect without resample=", "--resample", aggregate="sum")


def test_no_column_of_times_is_said():
    refused(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}), "no column of times among 'a', 'b'", "--time-col")


@pytest.mark.parametrize("backend", ["polars", "pyarrow"])
def test_the_rules_hold_for_every_backend(backend):
    import polars as pl
    import pyarrow as pa

    data = {"day": DAYS.date.tolist(), "calls": VALUES.tolist(), "remark": ["x"] * 14}
    panel = Panel.from_frame(pl.DataFrame(data) if backend == "polars" else pa.table(data))
    assert panel.ids.tolist() == ["calls"] and panel.schema.left_out == (("remark", "text"),)


@pytest.mark.parametrize("asked", [Asked(), Asked(times=("Time",))])
def test_times_of_a_day_without_a_date_are_refused_with_the_column_of_dates(asked):
    frame = pd.DataFrame({"Time": ["13:30", "14:00"], "load": [1.0, 2.0]})
    with pytest.raises(DataError, match=r"'Time' .* such as '13:30' at row 0; .*time_col=\['date', 'Time'\]"):
        find_roles(Source(frame), asked)
    if asked.times:
        with pytest.raises(DataError, match=r"pass time_col=\['Day', 'Time'\]"):
            find_roles(Source(frame.assign(Day=["2024-01-01"] * 2)), asked)
        assert find_roles(Source(frame.assign(Day="2024-01-01")), Asked(times=("Day", "Time"))).target == "load"


def months(names=("year", "month"), **columns):
    parts = pd.DataFrame({names[0]: np.repeat([2022, 2023], 12), names[1]: np.tile(np.arange(1, 13), 2)})
    return parts.assign(**columns)


def test_a_year_and_a_month_are_offered_as_one_time():
    wanted = ["--time-col year --time-col month", "--target-col sales"]
    refused(months(sales=1.0), r"several columns of times; pass time_col=\['year', 'month'\]$", wanted[0])
    file = months(sales=1.0, price=2.0).rename(columns={"month": "mo"})
    refused(file, "for the time and target_col='sales' or target_col='price'$", "--time-col year --time-col mo for")
    offer = "if 'year' and 'month' make the time together"
    refused(months(sales=1.0, month=list("abcdefghijkl") * 2), offer, wanted[0])
    shops = pd.concat([months(sales=1.0).assign(shop=shop) for shop in "ab"])
    file = shops.rename(columns={"month": "mo"}).assign(price=2.0)
    refused(file, "'year'", ["--time-col year --time-col mo for the time, --id-col shop for the ids and", wanted[1]])
    shops = shops.reset_index(drop=True)
    refused(shops.assign(month=shops["month"].map("m{}".format)), offer, [wanted[0], "and --id-col shop for the ids"])
    file = shops.rename(columns={"month": "mo"})
    text = "several rows of a series at one time of 'year'"
    refused(file, text, "--time-col year --time-col mo", id_col="shop", target_col="sales")
    panel = Panel.from_frame(shops, id_col="shop", time_col=["year", "month"], target_col="sales")
    assert panel.freq == "MS" and len(panel.y) == 48


@pytest.mark.parametrize(("part", "n", "freq"), [("quarter", 4, "QS-JAN"), ("week", 52, "W-MON"), ("KW", 52, "W-MON")])
def test_a_year_and_a_number_are_what_the_column_is_called(part, n, freq):
    data = pd.DataFrame({"year": np.repeat([2022, 2023], n), part: np.tile(np.arange(1, n + 1), 2), "y": 1.0})
    refused(data, "'year'", f"--time-col year --time-col {part}", target_col="y")
    panel = Panel.from_frame(data, time_col=["year", part], target_col="y")
    assert panel.freq == freq and len(panel.y) == 2 * n  # no row is missing
    later = panel.like(data.tail(n))
    assert later.times.tolist() == panel.times[n:].tolist()


def test_hours_in_four_columns_are_hours():
    hours = pd.date_range("2024-01-01", periods=48, freq="h")
    parts = ["year", "month", "day", "hour"]
    data = pd.DataFrame({name: getattr(hours, name) for name in parts} | {"y": 1.0})
    assert Panel.from_frame(data, time_col=parts).freq == "h"


@pytest.mark.parametrize("names", [[0, 1], [None, "nan"], [np.nan, 0], [pd.Timestamp("2024-01-01"), 7]])
def test_names_of_columns_need_be_no_text(names):
    data = pd.DataFrame({"time": DAYS, "value": VALUES}).set_axis(names, axis=1)
    panel = Panel.from_frame(data)
    assert panel.freq == "D" and panel.ids.tolist() == [names[1]]
    assert len(panel.like(data).y) == len(VALUES)


def nearly_numbers():
    rate = [f"{4 + n / 10:.1f}" for n in range(28)] + ["4.2 p", "4.3 p"]
    return pd.DataFrame({"date": pd.date_range("2024-01-01", periods=30), "gdp": np.arange(30.0), "rate": rate})


def test_a_column_of_numbers_but_for_two_cells_is_a_reading_of_the_target():
    with pytest.raises(DataError, match="target_col='gdp' or target_col='rate'"):
        Panel.from_frame(nearly_numbers())
    with pytest.raises(DataError, match=r"'4.2 p'.*row 28|row 28.*'4.2 p'"):
        Panel.from_frame(nearly_numbers(), target_col="rate")


def test_a_column_left_out_for_two_cells_is_named_with_the_first_of_them():
    panel = Panel.from_frame(nearly_numbers(), target_col="gdp")
    assert "left out: 'rate' (text, such as '4.2 p' at row 28)" in str(panel.reading)
    named = nearly_numbers().rename(columns={"gdp": "y"}).assign(note="n")
    assert "'rate' (text, such as '4.2 p' at row 28), 'note' (text)" in str(Panel.from_frame(named).reading)
