import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from tsformers import DataError
from tsformers.data.panel import Panel


@pytest.fixture
def frame():
    days = pd.date_range("2024-01-01", periods=10)
    return pd.DataFrame({"unique_id": np.repeat(["a", "b"], 10), "ds": [*days, *days], "y": np.arange(20.0)})


def replaced(frame, column, row, value):
    values = frame[column].astype(object)
    values[row] = value
    return frame.assign(**{column: values})


def refused(data, message, **keywords):
    with pytest.raises(DataError, match=message):
        Panel.from_frame(data, **keywords)


@pytest.mark.parametrize(
    ("rename", "hint"),
    [
        ({"y": "value"}, "target_col='value'"),
        ({"ds": "Date"}, "time_col='Date'"),
        ({"unique_id": "item_id"}, "id_col='item_id'"),
        ({"unique_id": "unique_ids"}, "id_col='unique_ids'"),
    ],
)
def test_a_missing_column_is_named_with_what_it_may_be_called(frame, rename, hint):
    names = {"id_col": "unique_id", "time_col": "ds", "target_col": "y"}
    refused(frame.rename(columns=rename), rf"no column '{next(iter(rename))}' \(it has .*\); pass {hint}", **names)


def test_other_column_names_are_taken(frame):
    names = {"unique_id": "item", "ds": "when", "y": "sold"}
    panel = Panel.from_frame(frame.rename(columns=names), id_col="item", time_col="when", target_col="sold")
    assert panel.to_frame().columns.tolist() == ["item", "when", "sold"]


def test_one_column_cannot_play_two_parts(frame):
    refused(frame, "was named twice", id_col="ds", time_col="ds")


def test_a_frame_whose_times_repeat_without_ids_is_refused(frame):
    refused(frame[["ds", "y"]], r"several rows at one time of 'ds', such as row 10, and no column tells them apart")


@pytest.mark.parametrize("index", ["ds", ["unique_id", "ds"]])
def test_a_column_in_the_index_is_found_there(frame, index):
    assert Panel.from_frame(frame.set_index(index)).ids.tolist() == ["a", "b"]


def test_an_unnamed_time_index_is_found_too(frame):
    panel = Panel.from_frame(frame.set_index("ds").rename_axis(None))
    assert panel.schema.time_col == "ds" and panel.n_series == 2


@pytest.mark.parametrize("empty", [pd.DataFrame(), pd.DataFrame({"unique_id": [], "ds": [], "y": []})])
def test_an_empty_frame_is_refused(empty):
    refused(empty, "is empty: it has no rows; pass at least one row a series")


def test_doubled_or_layered_column_names_are_refused(frame):
    refused(pd.concat([frame, frame[["y"]]], axis=1), "two columns named 'y'; rename one of them")
    refused(
        pd.concat({"u": frame}, axis=1), "column names of several levels; make one of them, for example with df.columns"
    )


@pytest.mark.parametrize("null", [None, np.nan, pd.NA])
def test_a_null_id_is_refused_by_row(frame, null):
    refused(
        replaced(frame, "unique_id", 12, null),
        "'unique_id' of the frame is null at row 12; give the row an id, or drop it",
    )


def test_ids_that_cannot_be_hashed_are_refused(frame):
    refused(frame.assign(unique_id=[[1]] * 20), "cannot be hashed; turn the ids into text")


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([7, 3], [3, 7]),
        ([2.5, 1.5], [1.5, 2.5]),
        (["x", 4], [4, "x"]),
        ([(2, "a"), (1, "b")], [(1, "b"), (2, "a")]),
        (pd.to_datetime(["2024-02-01", "2024-01-01"]), pd.to_datetime(["2024-01-01", "2024-02-01"]).tolist()),
        ([True, False], [False, True]),
    ],
)
def test_ids_of_any_hashable_kind_are_taken_and_sorted(frame, ids, expected):
    panel = Panel.from_frame(frame.assign(unique_id=[name for name in ids for _ in range(10)]))
    assert panel.ids.tolist() == expected
    assert panel.y[0] == 10 * list(ids).index(expected[0])


@pytest.mark.parametrize("categories", [["a", "b"], ["z", "b", "a"], [*"abcdefgh"]])
def test_categorical_ids_come_back_as_values_whatever_their_categories(frame, categories):
    panel = Panel.from_frame(frame.assign(unique_id=pd.Categorical(frame["unique_id"], categories=categories)))
    assert panel.ids.tolist() == ["a", "b"] and panel.y[0] == 0
    assert panel.to_frame()["unique_id"].tolist() == frame["unique_id"].tolist()


def test_a_value_outside_the_categories_is_a_null_id(frame):
    refused(frame.assign(unique_id=pd.Categorical(frame["unique_id"]).set_categories(["z", "b"])), "null at row 0")


@pytest.mark.parametrize("null", [None, pd.NaT])
def test_a_null_time_is_refused_by_series_and_row(frame, null):
    refused(
        replaced(frame, "ds", 13, null),
        "'ds' of the frame, series 'b': no time at row 13; fill it in, or leave the row out",
    )


@pytest.mark.parametrize("bad", ["yesterday", "31.01.2024", "01/02/2024", "12"])
def test_an_unreadable_time_is_refused_by_series_and_row(frame, bad):
    texts = frame.assign(ds=frame["ds"].astype(str))
    refused(replaced(texts, "ds", 14, bad), rf"series 'b': '{bad}' at row 14 does not fit .*time_format=")


@pytest.mark.parametrize(
    ("make", "freq"),
    [
        (lambda ds: ds.astype(str), "D"),
        (lambda ds: ds.dt.strftime("%Y%m%d"), "D"),
        (lambda ds: ds.dt.date, "D"),
        (lambda ds: ds.dt.to_period("D"), "D"),
        (lambda ds: ds.astype("M8[s]"), "D"),
        (lambda ds: ds.dt.tz_localize("UTC"), "D"),
        (lambda ds: ds.astype("date32[pyarrow]"), "D"),
        (lambda ds: ds.dt.day.astype("Int64"), 1),
        (lambda ds: ds.dt.day.astype(float), 1),
        (lambda ds: ds.dt.day.astype(object), 1),
    ],
)
def test_times_are_read_in_every_usual_form(frame, make, freq):
    panel = Panel.from_frame(frame.assign(ds=make(frame["ds"])))
    assert panel.freq == freq and panel.times[0] == (1 if freq == 1 else np.datetime64("2024-01-01"))


@pytest.mark.parametrize(
    ("freq", "starts"), [("M", "MS"), ("Q-DEC", "QS-JAN"), ("Y-DEC", "YS-JAN"), ("W-SUN", "W-MON"), ("h", "h")]
)
def test_periods_count_by_their_starts(freq, starts):
    periods = pd.period_range("2024-01-01", periods=6, freq=freq)
    assert Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": periods, "y": 1.0})).freq == starts


@pytest.mark.parametrize(
    "ds",
    [
        [pd.Timestamp("2024-01-01", tz=tz) for tz in ("UTC", "Europe/Berlin")],
        [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02", tz="UTC")],
        ["2024-01-01T00:00+01:00", "2024-01-02T00:00+02:00"],
        ["2024-01-01T00:00+01:00", "2024-01-02T00:00"],
        ["2024-01-01 00:00:00", "2024-01-02 00:00:00Z"],
    ],
    ids=["zones", "with and without", "offsets", "offset and none", "none and UTC"],
)
def test_mixed_time_zones_are_refused(ds):
    refused(pd.DataFrame({"unique_id": "a", "ds": ds, "y": 1.0}), "offsets from UTC change.*tz='|has none; write all")


def test_times_that_are_not_times_are_refused(frame):
    refused(frame.assign(ds=True), "'ds' of the frame holds bool values, not times")
    refused(frame.assign(ds=frame["ds"] - frame["ds"].min()), "holds timedelta64.* values, not times")
    refused(frame.assign(ds=frame["ds"].dt.day + 0.5), "series 'a': 1.5 at row 0 is no whole number")
    refused(
        replaced(frame.assign(ds=frame["ds"].dt.day), "ds", 3, 2**62).astype({"ds": "int64"}),
        "at row 3 does not fit whole numbers",
    )
    refused(
        frame.assign(ds=frame["ds"].astype("M8[s]") + np.timedelta64(1000 * 365, "D")),
        "times lie between 1677 and 2262",
    )


def test_integers_go_with_integer_steps_and_datetimes_with_aliases(frame):
    refused(frame, "'ds' holds datetimes and freq=1 does not fit them; pass a pandas alias", freq=1)
    refused(frame.assign(ds=frame["ds"].dt.day), "'ds' holds whole numbers and freq='D' does not fit them", freq="D")


@pytest.mark.parametrize("row", [0, 5, 19])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused_by_series_and_row(frame, row, value):
    series = "a" if row < 10 else "b"
    refused(
        replaced(frame, "y", row, value).astype({"y": float}),
        f"'y' of the frame, series '{series}': {value} at row {row}; replace it",
    )
    refused(
        frame.assign(price=np.where(np.arange(20) == row, value, 1)),
        f"'price' of the frame, series '{series}': {value} at row {row}",
    )


def test_text_in_the_target_is_refused_by_series_and_row(frame):
    refused(
        replaced(frame, "y", 3, "oops"),
        r"'y' of the frame, series 'a': text 'oops' at row 3; if it stands for a missing value, pass missing='oops'",
    )
    refused(frame.assign(y=frame["y"].astype(str)), "text '0.0' at row 0")
    refused(
        frame.assign(y=frame["y"].astype("string")),
        r"series 'a': text '0.0' at row 0; turn .* df\['y'\].astype\(float\)",
    )


@pytest.mark.parametrize(
    "make", [lambda y: y.astype("category"), pd.to_datetime, lambda y: y + 1j, lambda y: y.map(lambda v: [v])]
)
def test_a_target_that_is_no_number_is_refused(frame, make):
    refused(
        frame.assign(y=make(frame["y"])),
        r"column 'y' of the frame.* series 'a'.*at row 0; turn the column into numbers",
    )


@pytest.mark.parametrize(
    "dtype", ["int8", "uint16", "float32", "bool", "boolean", "Int64", "Float64", "double[pyarrow]", "object"]
)
def test_numbers_of_every_type_are_taken(frame, dtype):
    y = (frame["y"] % 2).astype(dtype)
    assert Panel.from_frame(frame.assign(y=y)).y.tolist() == [0.0, 1.0] * 10


@pytest.mark.parametrize(
    "y", [pd.array([1, None] * 10, "Int64"), pd.array([True, None] * 10, "boolean"), [Decimal("1.0"), None] * 10]
)
def test_nulls_of_every_type_are_missing_values(frame, y):
    np.testing.assert_array_equal(Panel.from_frame(frame.assign(y=y)).y, [1.0, np.nan] * 10)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["x"] * 20, "text"),
        (pd.Categorical(["x"] * 20), "text"),
        (pd.date_range("2024", periods=20), "times"),
        ([None] * 20, "no value"),
        ([[1]] * 20, "neither numbers nor text"),
    ],
)
def test_columns_that_are_no_numbers_are_left_out_and_named(frame, values, why):
    panel = Panel.from_frame(frame.assign(shop=values))
    assert panel.schema.past == () and panel.schema.left_out == (("shop", why),)
    assert f"left out: 'shop' ({why})" in str(panel.reading)


def test_unknown_or_repeated_known_covariates_are_refused(frame):
    refused(frame, "no column 'price'; add it, or leave it out of the covariates", known=["price"])
    refused(frame, "'y' has a role already", known=["y"])
    refused(frame.assign(price=1.0), "'price' has a role already", known=["price", "price"])
    assert Panel.from_frame(frame.assign(price=1.0), known="price").schema.known == ("price",)


@pytest.mark.parametrize("dtype", [object, "string", "string[pyarrow]"])
@pytest.mark.parametrize("row", [0, 5, 13])
def test_the_text_that_is_no_number_is_blamed_not_the_numbers_that_became_text_with_it(frame, dtype, row):
    texts = replaced(frame.assign(y=frame["y"].astype(str)), "y", row, "x").astype({"y": dtype})
    refused(texts, rf"series '{'a' if row < 10 else 'b'}': (text )?'x' at row {row}; if it .* missing='x'")


def test_a_list_among_numbers_and_numeric_text_is_blamed(frame):
    refused(replaced(replaced(frame, "y", 2, "3"), "y", 6, [1]), r"a list \[1\] at row 6")


@pytest.mark.parametrize("value", [1e101, -1e200])
def test_values_so_great_that_their_sums_overflow_are_refused_by_series_and_row(frame, value):
    message = rf"series 'b': {value!r}".replace("+", r"\+") + " at row 12; sums of such values overflow, so rescale"
    refused(replaced(frame, "y", 12, value).astype({"y": float}), message)
    refused(frame.assign(price=np.where(np.arange(20) == 12, value, 1)), "'price' of the frame, " + message)
    assert Panel.from_frame(frame.assign(y=1e100)).y[0] == 1e100


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (pd.to_timedelta([1, 2], unit="h"), r"df['y'].dt.total_seconds()"),
        (pd.Categorical([1.0, 2.0]), r"df['y'].astype(float)"),
        ([Fraction(1, 2), Fraction(1)], r"df['y'].astype(float)"),
        ([1 + 1j, 2 + 1j], ""),
        ([{"a": 1}, {"a": 2}], ""),
    ],
)
def test_code_that_makes_numbers_is_named_where_it_works_without_a_loss(values, code):
    frame = pd.DataFrame({"ds": [1, 2], "y": values})
    with pytest.raises(DataError) as caught:
        Panel.from_frame(frame)
    said = str(caught.value)
    assert said.endswith(f"turn the column into numbers, such as with {code}" if code else "the column into numbers")
    if code:
        assert code in said


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ("5 %", "take '%' off the cells"),
        ("1.5K", "write such numbers in full, without 'K'"),
        ("oops", "pass missing='oops'"),
        ("(5)", "the sign in front"),
        ("5-", "the sign in front"),
    ],
)
def test_text_with_a_number_is_not_offered_as_a_missing_value(cell, remedy):
    with pytest.raises(DataError, match=re.escape(remedy)) as caught:
        Panel.from_frame(pd.DataFrame({"ds": [1, 2], "y": [1.0, cell]}))
    assert ("missing" in str(caught.value)) == (cell == "oops")
