"""Ids of every kind that a frame holds are saved and come back, or are refused before training."""

import datetime as dt
import enum
import uuid
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.errors import DataError
from tsformers.storage.training_panel import training_panel

from .round_trips import round_trip


class Shop(enum.Enum):
    NORTH = 1
    SOUTH = 2


def listed(*values):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


IDS = {
    "stamps": pd.to_datetime(["2024", "2025"]).array,
    "zoned stamps": pd.to_datetime(["2024", "2025"]).tz_localize("Europe/Berlin").array,
    "durations": pd.to_timedelta(["1h", "2h"]).array,
    "periods": pd.period_range("2024", periods=2, freq="M").array,
    "intervals": pd.interval_range(0, 2).array,
    "categories": pd.Categorical(["x", "y"]),
    "nullable": pd.array([1, 2], dtype="Int64"),
    "strings": pd.array(["a", "b"], dtype="string"),
    "sparse": pd.arrays.SparseArray([1, 2]),
    "floats": np.array([0.1, 0.2], dtype=np.float32),
    "truth values": np.array([True, False]),
    "tuples": listed(("a", 1), ("b", 2)),
    "tuples of two lengths": listed(("a", 1), ("b",)),
    "decimals": listed(Decimal("1.10"), Decimal("2")),
    "bytes": listed(b"a", b"\xff"),
    "dates": listed(dt.date(2024, 1, 1), dt.date(2025, 1, 1)),
    "times of day": listed(dt.time(1), dt.time(2)),
    "uuids": listed(uuid.UUID(int=1), uuid.UUID(int=2)),
    "text and a number": listed("a", 1),
    "mixed": listed("a", Decimal("1.5"), pd.Timestamp("2024"), (1, None)),
    "complex": listed(1j, 2 + 0j),
}


def frame_of(ids, rows=8):
    column = pd.Series(ids, dtype=object if getattr(ids, "dtype", None) == np.dtype(object) else None)
    times = np.tile(np.arange(rows), len(column))
    repeated = column.take(np.repeat(np.arange(len(column)), rows)).reset_index(drop=True)
    return pd.DataFrame({"unique_id": repeated, "ds": times, "y": np.arange(float(times.size))})


@pytest.mark.filterwarnings("ignore:Dtype inference on a pandas object")
@pytest.mark.parametrize("ids", IDS.values(), ids=IDS.keys())
def test_ids_of_any_kind_come_back_equal(ids, tmp_path):
    frame = frame_of(ids)
    model = tsf.Theta(horizon=2, season_length=1, seed=0).fit(frame)
    model.save(tmp_path / "m")
    back = tsf.load(tmp_path / "m")
    pd.testing.assert_index_equal(back.panel_.ids, model.panel_.ids, exact=True)
    assert [type(name) for name in back.panel_.ids] == [type(name) for name in model.panel_.ids]
    pd.testing.assert_frame_equal(back.predict(frame).to_frame(), model.predict().to_frame())


@pytest.mark.parametrize("model", [tsf.Theta(horizon=2), tsf.LRU(horizon=2), tsf.ByFeatures(None)], ids=repr)
def test_ids_that_no_saved_model_can_hold_are_refused_before_training(model):
    frame = frame_of(listed(Shop.NORTH, Shop.SOUTH))
    if isinstance(model, tsf.ByFeatures):
        from sklearn.cluster import KMeans

        model.set_params(clusterer=KMeans(2))
    refused = r"column 'unique_id': id <Shop.NORTH: 1> is a .*Shop, which a saved model cannot hold"
    with pytest.raises(DataError, match=refused) as error:
        model.fit(frame)
    assert not [name for name in vars(model) if name.endswith("_")]
    assert "map" not in error.value.message.text("shell")
    assert "frame['unique_id'].map(str)" in str(error.value)
    fixed = frame.assign(unique_id=frame["unique_id"].map(str))  # the remedy
    assert training_panel(fixed, None, {}).n_series == 2


def test_ids_that_are_no_unicode_text_are_refused():
    ids = pd.Index(listed("\ud800", "b"), dtype=object)
    panel = tsf.Panel.from_frame(frame_of(pd.Series(["a", "b"])))
    with pytest.raises(DataError, match="is no Unicode text"):
        training_panel(replace(panel, ids=ids, static=panel.static.set_axis(ids)), None, {})


def test_a_series_forecast_does_not_depend_on_an_id_that_is_no_text():
    both = frame_of(listed(b"\xff", b"b"))
    alone = tsf.Theta(horizon=2, season_length=1, seed=0).fit(both[both["unique_id"] == b"b"]).predict()
    beside = tsf.Theta(horizon=2, season_length=1, seed=0).fit(both).predict()
    np.testing.assert_array_equal(alone.values[0], beside.select([[*beside.ids].index(b"b")]).values[0])


def test_what_stands_after_the_frame_by_position_must_be_values():
    frame = frame_of(pd.Series(["a"]))
    assert training_panel(frame, None, {}).n_series == training_panel(frame, frame["y"], {}).n_series == 1
    for mistake in ("D", 7, {"freq": "D"}):
        with pytest.raises(TypeError, match="takes roles by keyword"):
            tsf.Theta(horizon=2).fit(frame, mistake)


def test_frames_of_periods_intervals_and_sparse_columns_come_back():
    frame = pd.DataFrame({name: IDS[name] for name in ("periods", "intervals", "sparse")})
    pd.testing.assert_frame_equal(round_trip(frame), frame)
    assert (round_trip(frame).dtypes == frame.dtypes).all()
