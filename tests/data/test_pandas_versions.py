"""What differs between pandas 2 and 3 makes no difference here: text dtypes, units of time, NA, copy-on-write."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import tsformers as tsf
from tsformers import DataError, Panel, score
from tsformers.pandas_versions import exact_reading

TEXTS = [object, pd.StringDtype("python"), pd.StringDtype("pyarrow"), pd.ArrowDtype(pa.string()), "category", None]
UNITS = ["s", "ms", "us", "ns"]
DAYS = pd.date_range("2024-01-01", periods=20, freq="D")


@pytest.fixture
def frame(rng):
    """Two series of twenty days, ids in the version's own text dtype."""
    long = pd.DataFrame({"unique_id": np.repeat(["007", "a"], 20), "ds": np.tile(DAYS, 2)})
    return long.assign(y=rng.normal(10, 1, 40), price=np.arange(40.0) % 7)


def in_unit(frame, unit, tz=None):
    return frame.assign(ds=frame["ds"].dt.as_unit(unit).dt.tz_localize(tz))


def of_type(frame, dtype):
    """None is pandas 3's own text dtype, with NaN where a value is missing."""
    dtype = pd.Series(["a"]).dtype if dtype is None else dtype
    return frame.assign(unique_id=frame["unique_id"].astype(dtype))


def assert_same_panel(ours, expected):
    assert list(ours.ids) == list(expected.ids)
    for name in ("offsets", "times", "y", "past", "known"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(expected, name), strict=True)
    assert ours.grid == expected.grid


@pytest.mark.parametrize("dtype", TEXTS, ids=str)
def test_ids_of_every_text_dtype_are_the_same_ids(frame, dtype):
    panel = Panel.from_frame(of_type(frame, dtype), known=["price"])
    assert_same_panel(panel, Panel.from_frame(frame, known=["price"]))
    assert panel.to_frame()["unique_id"].tolist() == frame["unique_id"].tolist()


@pytest.mark.parametrize("dtype", TEXTS, ids=str)
def test_ids_of_another_text_dtype_meet_those_of_fit(frame, dtype, tmp_path):
    statics = pd.DataFrame({"size": [1.0, 2.0]}, index=pd.Index(["007", "a"], name="unique_id").astype(object))
    later = of_type(frame.assign(ds=frame["ds"] + pd.Timedelta(days=20)), dtype)
    model = tsf.LRU(horizon=3, context_length=6, d_model=4, d_state=4, max_steps=2).fit(
        frame, known=["price"], static=statics
    )
    model.save(tmp_path / "m")
    expected = model.predict(frame, future=frame.assign(ds=later["ds"]), seed=0).values
    for each in (model, tsf.load(tmp_path / "m")):
        np.testing.assert_array_equal(each.predict(of_type(frame, dtype), future=later, seed=0).values, expected)
    scored = score(model.predict(future=later), later.assign(y=10.0), metrics=["mae"])
    assert np.isfinite(scored["value"]).all()


@pytest.mark.parametrize("dtype", [kind for kind in TEXTS if kind != "category"], ids=str)
def test_text_that_is_a_target_is_refused_with_its_row(frame, dtype):
    text = pd.Series(["1.5"] * 39 + ["oops"], dtype=object).astype(pd.Series(["a"]).dtype if dtype is None else dtype)
    with pytest.raises(DataError, match="'oops' at row 39"):
        Panel.from_frame(frame.assign(y=text))


@pytest.mark.parametrize("dtype", TEXTS, ids=str)
def test_a_missing_id_of_every_text_dtype_is_refused(frame, dtype):
    ids = of_type(frame, dtype)["unique_id"].where(np.arange(40) != 3)
    with pytest.raises(DataError, match="null at row 3"):
        Panel.from_frame(frame.assign(unique_id=ids))


@pytest.mark.parametrize("dtype", ["Int64", "Float32", "Float64", "boolean", "double[pyarrow]", "int64[pyarrow]"])
def test_na_of_every_nullable_dtype_is_a_missing_value(frame, dtype):
    values = pd.Series(([1, None, 0, 1] * 10), dtype=dtype)
    panel = Panel.from_frame(frame.assign(y=values, price=values))
    np.testing.assert_array_equal(panel.y, [1.0, np.nan, 0.0, 1.0] * 10)
    np.testing.assert_array_equal(panel.past[:, 0], panel.y)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_times_of_every_unit_are_the_same_times(frame, unit, tz):
    panel = Panel.from_frame(in_unit(frame, unit, tz))
    assert_same_panel(panel, Panel.from_frame(in_unit(frame, "ns", tz)))
    assert panel.times.dtype == "M8[ns]"
    again = panel.to_frame()["ds"]
    assert again.tolist() == in_unit(frame, unit, tz)["ds"].tolist()


@pytest.mark.parametrize("unit", UNITS)
def test_a_future_and_a_truth_of_another_unit_meet_the_forecast(frame, unit):
    later = frame.assign(ds=frame["ds"] + pd.Timedelta(days=20))
    model = tsf.LRU(horizon=3, context_length=6, d_model=4, d_state=4, max_steps=2).fit(frame, known=["price"])
    expected = model.predict(future=in_unit(later, "ns"), seed=0)
    forecast = model.predict(in_unit(frame, unit), future=in_unit(later, unit), seed=0)
    np.testing.assert_array_equal(forecast.values, expected.values)
    np.testing.assert_array_equal(forecast.times, expected.times, strict=True)
    pd.testing.assert_frame_equal(score(forecast, in_unit(later, unit)), score(expected, in_unit(later, "ns")))


@pytest.mark.filterwarnings("ignore:.*calibration scores give no p-value")  # the rows are few
@pytest.mark.parametrize("unit", UNITS)
def test_a_detector_takes_rows_of_every_unit_and_text_dtype(frame, unit):
    detector = tsf.AnomalyDetector(tsf.SeasonalNaive(horizon=1)).fit(frame)
    rows = frame.assign(ds=frame["ds"] + pd.Timedelta(days=20))
    expected = detector.detect(in_unit(rows, "ns"))
    again = tsf.AnomalyDetector(tsf.SeasonalNaive(horizon=1)).fit(frame)
    found = again.detect(of_type(in_unit(rows, unit), "string"))
    keys = ["unique_id", "ds"]
    pd.testing.assert_frame_equal(found.drop(columns=keys), expected.drop(columns=keys))


def test_nothing_of_the_callers_frame_changes_and_answers_are_the_callers_own(frame):
    shuffled, before = frame.sample(frac=1, random_state=0), frame.sample(frac=1, random_state=0)
    model = tsf.SeasonalNaive(horizon=2).fit(shuffled)
    pd.testing.assert_frame_equal(shuffled, before)
    forecast = model.predict()
    panel = Panel.from_frame(frame)
    y = panel.y.copy()
    for answer in (forecast.to_frame(), panel.to_frame()):
        column = answer.columns[-1]
        again = answer.copy()
        answer.loc[0, column] = -1.0
        assert answer.loc[0, column] == -1.0
        fresh = forecast.to_frame() if len(again) == 4 else panel.to_frame()
        pd.testing.assert_frame_equal(fresh, again)
    frame.loc[:, "y"] = 0.0
    np.testing.assert_array_equal(panel.y, y)


def test_what_a_view_of_a_frame_holds_is_read_as_its_copy_is(frame):
    half = frame[frame["unique_id"] == "a"]
    assert_same_panel(Panel.from_frame(half), Panel.from_frame(half.copy()))
    assert_same_panel(Panel.from_frame(frame[::-1]), Panel.from_frame(frame[::-1].copy()))


def test_numbers_are_read_to_the_last_digit_by_either_reader(tmp_path, rng):
    csv, json = exact_reading()
    values = pd.DataFrame({"date": rng.normal(size=500) * 10.0 ** rng.integers(-200, 200, 500)})
    values.to_csv(tmp_path / "a.csv", index=False)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv", **csv), values, check_exact=True)
    (tmp_path / "a.jsonl").write_text(
        "".join(f'{{"date": {v!r}, "at": "2024-01-01"}}\n' for v in values["date"].tolist())
    )
    read = pd.read_json(tmp_path / "a.jsonl", lines=True, **json)
    pd.testing.assert_frame_equal(read[["date"]], values, check_exact=True)
    assert read["at"].tolist() == ["2024-01-01"] * 500
