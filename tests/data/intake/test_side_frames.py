import numpy as np
import pandas as pd
import polars as pl
import pytest

from tsformers import DataError
from tsformers.data.panel import Panel

DAYS = pd.date_range("2024-01-01", periods=10)


def history(**columns):
    return pd.DataFrame(
        {"unique_id": np.repeat(["a", "b"], 10), "ds": [*DAYS, *DAYS], "y": 1.0, "price": 2.0} | columns
    )


def future(horizon=3, **columns):
    ds = pd.date_range("2024-01-11", periods=horizon)
    frame = {"unique_id": np.repeat(["a", "b"], horizon), "ds": [*ds, *ds], "price": np.arange(2.0 * horizon)}
    return pd.DataFrame(frame | columns)


@pytest.fixture
def panel():
    return Panel.from_frame(history(temperature=3.0), known=["price"])


@pytest.fixture
def sizes():
    return pd.DataFrame({"unique_id": ["b", "a"], "size": [2, 1], "new": [True, False]})


def test_the_future_is_appended_as_known_values_only(panel):
    ahead = panel.with_future(future().sample(frac=1, random_state=0), 3)
    assert ahead.ends.tolist() == [10, 23] and ahead.offsets.tolist() == [0, 13, 26]
    assert ahead.known[10:13, 0].tolist() == [0.0, 1.0, 2.0] and ahead.known[23:, 0].tolist() == [3.0, 4.0, 5.0]
    assert np.isnan(ahead.y[10:13]).all() and np.isnan(ahead.past[23:]).all() and ahead.lengths.tolist() == [10, 10]
    np.testing.assert_array_equal(ahead.times[23:], pd.date_range("2024-01-11", periods=3))


def test_what_lies_beyond_the_horizon_or_in_the_past_and_other_columns_are_ignored(panel):
    everything = pd.concat([history()[["unique_id", "ds", "price"]], future(9, y=7.0, note="x")])
    np.testing.assert_array_equal(panel.with_future(everything, 2).known[10:12, 0], [0.0, 1.0])


@pytest.mark.parametrize("make", [pl.from_pandas, lambda frame: frame.assign(ds=frame["ds"].astype(str))])
def test_the_future_may_come_in_another_form_than_the_history(panel, make):
    np.testing.assert_array_equal(panel.with_future(make(future()), 3).known, panel.with_future(future(), 3).known)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            None,
            r"\['price'\] need their future values; pass future= with .*'unique_id', 'ds', 'price'.* for the 3 steps",
        ),
        (
            future().iloc[:-1],
            "lacks 1 of the 3 rows of series 'b': 2024-01-13 00:00:00 .1 series lack rows.; pass future=",
        ),
        (future().iloc[:3], r"lacks 3 of the 3 rows of series 'b': 2024-01-11 00:00:00, 2024-01-12 00:00:00"),
        (future().iloc[[0, 2, 3, 5]], "series 'a': 2024-01-12 00:00:00 .2 series lack rows."),
        (future(ds=[*DAYS[:3], *DAYS[:3]]), "lacks 3 of the 3 rows of series 'a'"),
        (
            future(unique_id=np.repeat(["a", "zz"], 3)),
            "has series 'zz' at row 3, which the data do not have; drop its rows",
        ),
        (future().drop(columns="price"), "the future frame has no column 'price'"),
        (future().drop(columns="ds"), "the future frame has no column 'ds'"),
        (
            pd.concat([future(), future().iloc[[4]]]),
            "two rows of series 'b' at one time, the second at row 6; keep one",
        ),
        (future(price=[0, 1, 2, 3, np.nan, 5]), "'price' of the future frame, series 'b': NaN at row 4; fill in"),
        (future(price=[0, 1, 2, 3, np.inf, 5]), "'price' of the future frame, series 'b': inf at row 4"),
        (
            future(price="cheap"),
            "'price' of the future frame.* series 'a': .*'cheap' at row 0; if it stands for a missing value",
        ),
        (future().iloc[:0], "the future frame is empty"),
        (future(ds=pd.NaT), "'ds' of the future frame, series 'a': no time at row 0"),
        (future(ds=1), "holds whole numbers, the data of fit held times without a time zone"),
        (
            future(ds=pd.Timestamp("2024-01-11", tz="UTC")),
            "holds times in time zone UTC, the data of fit held times without a time zone",
        ),
    ],
)
def test_a_future_that_does_not_do_is_refused(panel, frame, message):
    with pytest.raises(DataError, match=message):
        panel.with_future(frame, 3)


def test_a_panel_without_known_covariates_needs_no_future():
    panel = Panel.from_frame(history())
    assert panel.with_future(None, 3) is panel


@pytest.mark.parametrize("index", [None, "unique_id", "unnamed"])
def test_static_covariates_come_in_the_order_of_the_ids(sizes, index):
    frame = sizes if index is None else sizes.set_index("unique_id")
    frame = frame.rename_axis(None) if index == "unnamed" else frame
    static = Panel.from_frame(history(), static=frame).static
    assert (
        static.index.tolist() == ["a", "b"]
        and static["size"].tolist() == [1.0, 2.0]
        and static["new"].tolist() == [0.0, 1.0]
    )


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_static_covariates_may_be_text(sizes, dtype):
    kinds = sizes.assign(kind=pd.Series(["shop", "web"], dtype=dtype))
    assert Panel.from_frame(history(), static=kinds).static["kind"].tolist() == ["web", "shop"]


def test_static_rows_of_other_series_are_ignored(sizes):
    more = pd.concat([sizes, sizes.assign(unique_id=["q", "r"], size=np.nan)])
    assert Panel.from_frame(history(), static=more).static["size"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: pd.concat([frame, frame]),
            "the static frame has series 'b' twice, again at row 2; keep one row",
        ),
        (lambda frame: frame.iloc[:1], r"the static frame lacks 1 series, such as \['a'\]; add one row for each"),
        (
            lambda frame: frame.assign(kind=["x", None]),
            "'kind' of the static frame, series 'a': NaN at row 1; fill it in",
        ),
        (
            lambda frame: frame.assign(size=[1, None]),
            "'size' of the static frame, series 'a': NaN at row 1; fill it in",
        ),
        (lambda frame: frame.assign(size=[np.inf, 1]), "'size' of the static frame, series 'b': inf at row 0"),
        (lambda frame: frame.rename(columns={"unique_id": "item_id"}), "no column 'unique_id'.*rename 'item_id'"),
        (lambda frame: frame.iloc[:0], "the static frame is empty"),
        (lambda frame: frame.assign(unique_id=[None, "a"]), "'unique_id' of the static frame is null at row 0"),
    ],
)
def test_a_static_frame_that_does_not_do_is_refused(sizes, change, message):
    with pytest.raises(DataError, match=message):
        Panel.from_frame(history(), static=change(sizes))
