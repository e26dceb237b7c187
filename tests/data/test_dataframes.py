import datetime
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tsformers import DataError
from tsformers.data.dataframes import Schema, from_pandas, stamps, to_pandas
from tsformers.data.panel import Panel


def long_frame(ds):
    return pd.DataFrame({"unique_id": ["a", "a", "b", "b"], "ds": list(ds) * 2, "y": [1.0, 2.0, np.nan, 4.0]})


DAYS = pd.date_range("2024-01-01", periods=2)
ACCEPTED = {"pandas": lambda frame: frame, "polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}


@pytest.mark.parametrize("backend", ACCEPTED)
@pytest.mark.parametrize(
    "ds",
    [DAYS, DAYS.as_unit("us"), DAYS.tz_localize("Europe/Berlin"), list(DAYS.date), [3, 4]],
    ids=["nanoseconds", "microseconds", "zone", "dates", "integers"],
)
def test_a_table_comes_back_in_its_own_type_with_its_own_columns(backend, ds):
    table = ACCEPTED[backend](long_frame(ds))
    back = Panel.from_frame(table).to_frame()
    assert type(back) is type(table)
    if backend == "pandas":
        pd.testing.assert_frame_equal(back, table)
    else:
        frame = table.to_pandas() if backend == "pyarrow" else table.to_arrow().to_pandas()
        again = back.to_pandas() if backend == "pyarrow" else back.to_arrow().to_pandas()
        pd.testing.assert_frame_equal(again, frame)


def test_polars_stamps_join_with_the_callers_frame():
    table = pl.from_pandas(long_frame(DAYS)).with_columns(pl.col("ds").cast(pl.Date))
    back = Panel.from_frame(table).to_frame()
    assert back.schema["ds"] == pl.Date
    assert table.join(back, on=["unique_id", "ds"]).height == 4


def test_a_lazy_frame_is_collected():
    frame, backend = to_pandas(pl.from_pandas(long_frame(DAYS)).lazy())
    assert len(frame) == 4 and backend == "polars"


def test_missing_values_leave_polars_as_null():
    assert from_pandas(pd.DataFrame({"y": [1.0, np.nan]}), "polars")["y"].null_count() == 1


@pytest.mark.parametrize(("index", "freq"), [(pd.period_range("2024-01", periods=3, freq="M"), "MS"), (range(3), 1)])
def test_a_series_with_a_time_index_is_one_series_named_by_its_name(index, freq):
    panel = Panel.from_frame(pd.Series([1.0, 2.0, 3.0], index=index, name="sales"))
    assert panel.ids.tolist() == ["sales"] and panel.freq == freq and panel.y.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("data", "way"),
    [
        ([1.0, 2.0], "for one series without times pass pd.Series(data); or "),
        (np.ones(3), "for one series without times pass pd.Series(data); or "),
        (np.ones((3, 2)), ""),
        ({"y": [1.0]}, "pass pd.DataFrame(data); or "),
        ([{"y": 1.0}], "pass pd.DataFrame(data); or "),
        ("a.csv", "read the file first, for example pass pd.read_csv('a.csv'); or "),
        (pa.record_batch({"y": [1.0]}), "pass pa.Table.from_batches([data]); or "),
        (pl.Series([1.0]), "for one series without times pass pd.Series(data); or "),
    ],
)
def test_what_is_no_table_is_refused_with_the_way_to_one_and_the_kinds_that_are(data, way):
    with pytest.raises(DataError, match=re.escape(f"not a table; {way}pass a long frame (pandas, polars or pyarrow)")):
        to_pandas(data)


def test_a_series_over_two_index_levels_is_refused():
    series = long_frame(DAYS).set_index(["unique_id", "ds"])["y"]
    with pytest.raises(DataError, match=r"MultiIndex is not one series.*reset_index"):
        to_pandas(series)


def test_stamps_keep_zone_and_resolution_where_nothing_is_lost():
    times = np.array(["2024-03-31T01:00", "2024-03-31T02:00"], "M8[ns]")
    local = stamps(times, Schema(tz="Europe/Berlin", unit="s"))
    assert local.unit == "s" and [stamp.hour for stamp in local] == [3, 4]
    assert stamps(times, Schema(unit="D"))[0] == pd.Timestamp("2024-03-31 01:00")
    assert stamps(times.astype("M8[D]").astype("M8[ns]"), Schema(unit="D"))[0] == datetime.date(2024, 3, 31)
