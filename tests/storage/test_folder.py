"""Models in folders: everything of the closed set comes back bit for bit, nothing else gets in, nothing is lost."""

import json
import math
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import load, save
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

import tsformers.storage.folder as storage
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.errors import JobError
from tsformers.forecasters.seasonal_naive import SeasonalNaive
from tsformers.storage.encoding import Decoder, Encoder


class Mine(BaseEstimator):
    """A model that promises nothing: its attributes ending in an underscore are what it learned."""

    def __init__(self, horizon=4, inner=None):
        self.horizon = horizon
        self.inner = inner

    save = storage.save


class Keeper(BaseEstimator):
    """A model that says itself what it learned."""

    def __init__(self, horizon=4):
        self.horizon = horizon

    def learned(self):
        if not hasattr(self, "_weights"):
            raise NotFittedError("not fitted")
        return {"weights": self._weights}

    def relearn(self, learned):
        self._weights = learned["weights"]


OWN = {"Mine": Mine, "Keeper": Keeper}


def there_and_back(value):
    encoder = Encoder()
    page = json.loads(json.dumps(encoder.value(value, ("learned",)), allow_nan=False))
    return Decoder(load(save(encoder.arrays)), OWN).value(page)


def same(a, b):
    """Equal in type, dtype and every bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        if a.dtype.kind == "O":
            return a.shape == b.shape and all(same(x, y) for x, y in zip(a.flat, b.flat, strict=True))
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, np.generic):
        return (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and same(bits(a), bits(b))
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    return a == b


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy()


PLAIN_DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?", "c8", "c16", ">f8", ">i4"]
DTYPES = [*PLAIN_DTYPES, "M8[ns]", "M8[D]", "m8[s]"]
SHAPES = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: arrays(np.dtype(dtype), SHAPES))
TEXTS = arrays(np.dtype("U5"), SHAPES) | arrays(object, SHAPES, elements=st.text(max_size=5), fill=st.just(""))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | ARRAYS.filter(lambda a: a.size > 0).map(lambda a: a.reshape(-1)[0])
    | st.text(max_size=3).map(np.str_)
)
KEYS = st.text(max_size=4) | st.sampled_from(["$", "a/b", "#1", "w.b", "0"]) | st.integers() | st.tuples(st.integers())
NESTED = st.recursive(
    SCALARS | ARRAYS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(NESTED)
def test_any_structure_of_the_closed_set_comes_back_bit_for_bit(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize(
    "dtype",
    ["float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "int64", "int8", "uint8", "bool", "complex64"],
)
def test_tensors_of_every_type_come_back_bit_for_bit(dtype):
    generator = torch.Generator().manual_seed(0)
    tensor = (torch.rand(3, 2, generator=generator) * 9).to(getattr(torch, dtype))
    for value in (tensor, tensor[0, 0], tensor[:0], tensor.T):
        assert same(there_and_back(value), value)
    assert not there_and_back(torch.nn.Parameter(torch.ones(2))).requires_grad


def test_a_state_dict_comes_back_loadable():
    torch.manual_seed(0)
    one, other = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    other.load_state_dict(there_and_back(one.state_dict()))
    assert same(other.weight.data, one.weight.data)
    assert same(there_and_back(OrderedDict(b=1, a=2)), {"b": 1, "a": 2})


INDEXES = [
    pd.Index(["b", "a"], name="unique_id"),
    pd.Index([3, 1]),
    pd.Index([1, "a", ("x", 2)], dtype=object, tupleize_cols=False),
    pd.RangeIndex(2, 8, 3, name="n"),
    pd.CategoricalIndex(["x", "y", "x"], categories=["y", "x"], ordered=True),
    pd.Index(["a", None], dtype="string"),
    pd.date_range("2024-03-30", periods=3, freq="D", tz="Europe/Berlin", name="ds"),
    pd.date_range("2024-01-31", periods=2, freq="ME"),
    pd.DatetimeIndex(["2024-01-01", None]),
    pd.to_timedelta(["1h", "2h"]),
    pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["id", "step"]),
    pd.Index([], dtype=object),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_indexes_of_every_kind_come_back(index):
    back = there_and_back(index)
    pd.testing.assert_index_equal(back, index, exact=True)
    assert getattr(back, "freq", None) == getattr(index, "freq", None)


def test_frames_and_series_come_back_with_their_dtypes():
    frame = pd.DataFrame(
        {
            "f": [1.5, np.nan, -0.0],
            "i": np.array([1, 2, 3], dtype=np.int8),
            "o": ["a", None, 3],
            "c": pd.Categorical(["x", "y", None]),
            "s": pd.array(["a", None, "c"], dtype="string"),
            "m": pd.array([1, None, 3], dtype="Int32"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "t": pd.date_range("2024-01-01", periods=3, tz="UTC"),
            "u": pd.array([1.0, None, 2.0], dtype="double[pyarrow]"),
        },
        index=pd.Index(["p", "q", "r"], name="id"),
    )
    pd.testing.assert_frame_equal(there_and_back(frame), frame, check_exact=True)
    doubled = frame.set_axis([*"ffffabcde"], axis=1)  # two columns of one name
    pd.testing.assert_frame_equal(there_and_back(doubled), doubled)
    for name in frame:
        pd.testing.assert_series_equal(there_and_back(frame[name]), frame[name])
    empty = pd.DataFrame(index=pd.Index(["a", "b"]))
    pd.testing.assert_frame_equal(there_and_back(empty), empty)


@pytest.mark.parametrize(
    "stamp",
    [
        pd.Timestamp("2024-03-31T01:30:00.123456789", tz="Europe/Berlin"),
        pd.Timestamp("2024-10-27T00:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timestamp("1677-09-22"),
        pd.Timestamp("2024-01-01", tz="+05:30"),
        pd.Timestamp("2500-01-01").as_unit("s"),
        pd.Timedelta("1 day 2 ns"),
        pd.NaT,
        pd.NA,
    ],
    ids=str,
)
def test_stamps_come_back_to_the_nanosecond(stamp):
    back = there_and_back(stamp)
    assert back is stamp or (back == stamp and str(back) == str(stamp) and back.unit == stamp.unit)


def test_panels_and_forecasts_come_back():
    frame = pd.DataFrame({"unique_id": ["b", "a", "a"], "ds": [2, 1, 2], "y": [1.0, np.nan, 3.0], "x": [1.0, 2.0, 3.0]})
    panel = Panel.from_frame(frame, freq=1, id_col="unique_id")
    back = there_and_back(panel)
    pd.testing.assert_frame_equal(back.to_frame(), panel.to_frame())
    assert back.schema == panel.schema
    forecast = Forecast(pd.Index(["a"]), np.array([[1]]), np.ones((1, 2, 1)), freq=1, schema=Schema(time_col="t"))
    assert same(there_and_back(forecast).values, forecast.values)
    assert there_and_back(forecast).schema == forecast.schema


def test_a_model_with_models_inside_comes_back(tmp_path):
    inner = Keeper(horizon=7)
    inner._weights = {"layer/0": np.arange(3.0), "layer": {"0": torch.ones(2)}}
    model = Mine(horizon=3, inner=inner)
    model.fits_ = [1, (2.5, None), {("a", 1): np.array(["x", "yy"])}]
    model._private_ = "not learned"
    model.save(tmp_path / "deep" / "m")
    back = storage.load(str(tmp_path / "deep" / "m"), classes=OWN)
    assert (type(back), back.horizon, type(back.inner), back.inner.horizon) == (Mine, 3, Keeper, 7)
    assert same(back.fits_, model.fits_)
    assert same(back.inner._weights, inner._weights)
    assert not hasattr(back, "_private_")
    assert sorted(path.name for path in (tmp_path / "deep" / "m").iterdir()) == ["arrays.safetensors", "model.json"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["m"]


def test_a_model_without_arrays_and_one_that_was_never_fitted_come_back(tmp_path):
    storage.save(Mine(horizon=9), tmp_path / "m")
    assert storage.load(tmp_path / "m", classes=OWN).get_params() == {"horizon": 9, "inner": None}
    storage.save(Mine(inner=Keeper(horizon=2)), tmp_path / "template")
    assert storage.load(tmp_path / "template", classes=OWN).inner.horizon == 2


def test_a_forecaster_that_was_saved_forecasts_the_same(tmp_path):
    frame = pd.DataFrame({"unique_id": ["b"] * 12, "ds": pd.date_range("2024", periods=12, freq="ME"), "y": range(12)})
    model = SeasonalNaive(horizon=3, seed=1).fit(frame)
    model.save(tmp_path / "m")
    before, after = model.predict(), storage.load(tmp_path / "m").predict()
    np.testing.assert_array_equal(after.values, before.values)
    np.testing.assert_array_equal(after.times, before.times)
    assert after.freq == before.freq == "ME"
    raw = b"".join(path.read_bytes() for path in (tmp_path / "m").iterdir())
    assert b"pickle" not in raw
    assert json.loads((tmp_path / "m" / "model.json").read_text())["class"] == "SeasonalNaive"


# --- what is refused -----------------------------------------------------------------------------------------------


class Number(int):
    """A subclass: its extra behaviour would be lost."""


@pytest.mark.parametrize(
    "value",
    [
        print,
        lambda: 0,
        object(),
        {1, 2},
        b"bytes",
        1j,
        int,
        Number(3),
        np.array([1, None], dtype=object),
        np.array([("a", 1)], dtype=[("n", "U1"), ("v", "i4")]),
        np.ma.masked_array([1.0], mask=[True]),
        np.longdouble(1),
        pd.interval_range(0, 2),
        pd.Series([object()]),
        torch.ones(2).to_sparse(),
        Mine,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_plain_data_is_refused_by_name(value, tmp_path):
    model = Mine()
    model.odd_ = {"deep": [0, value]}
    with pytest.raises(TypeError, match=r"Mine cannot be saved: learned/odd_/deep/1"):
        model.save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_structure_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(TypeError, match="holds itself"):
        Encoder().value(loop, ())


def test_only_models_can_be_saved(tmp_path):
    with pytest.raises(TypeError, match="get_params"):
        storage.save({"a": 1}, tmp_path / "m")


def test_a_folder_that_is_no_saved_model_is_never_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds notes\.txt"):
        storage.save(Mine(), tmp_path)
    with pytest.raises(FileExistsError, match="is a file"):
        storage.save(Mine(), tmp_path / "notes.txt")
    storage.save(Mine(), tmp_path / "m")
    (tmp_path / "m" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds notes\.txt"):
        storage.save(Mine(), tmp_path / "m")
    (tmp_path / "empty").mkdir()
    storage.save(Mine(), tmp_path / "empty")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("moment", ["mkdir", "open", "open second", "rename", "rename second"])
def test_an_interrupted_save_leaves_the_old_model_usable(tmp_path, monkeypatch, moment):
    storage.save(Mine(horizon=1), tmp_path / "m")
    name, _, second = moment.partition(" ")
    calls = []
    original = getattr(storage.Path, name)

    def stop(self, *args, **kwargs):
        calls.append(self)
        if not second or len(calls) == 2:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(storage.Path, name, stop)
        with pytest.raises(KeyboardInterrupt):
            storage.save(Mine(horizon=2), tmp_path / "m")
    assert storage.load(tmp_path / "m", classes=OWN).horizon == 1
    storage.save(Mine(horizon=3), tmp_path / "m")
    assert storage.load(tmp_path / "m", classes=OWN).horizon == 3
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_save_killed_between_its_two_renames_leaves_the_old_model_loadable(tmp_path):
    storage.save(Mine(horizon=1), tmp_path / "m")
    (tmp_path / "m").rename(tmp_path / ".m.previous")
    assert storage.load(tmp_path / "m", classes=OWN).horizon == 1


# --- folders that cannot be read -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    model = Mine()
    model.weights_ = np.arange(10.0)
    model.save(tmp_path / "m")
    return tmp_path / "m"


def rewrite(folder, **changes):
    page = json.loads((folder / "model.json").read_text()) | changes
    (folder / "model.json").write_text(json.dumps({k: v for k, v in page.items() if v is not ...}))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no saved model at .*nowhere"):
        storage.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(JobError, match=f"{name} is missing"):
        storage.load(folder, classes=OWN)


def test_damaged_files_are_named(folder):
    raw = (folder / "arrays.safetensors").read_bytes()
    (folder / "arrays.safetensors").write_bytes(raw[:-3])
    with pytest.raises(JobError, match=r"arrays\.safetensors .*checksum"):
        storage.load(folder, classes=OWN)
    (folder / "model.json").write_text("{")
    with pytest.raises(JobError, match="not readable JSON"):
        storage.load(folder, classes=OWN)
    (folder / "model.json").write_text("[1]")
    with pytest.raises(JobError, match="names no format"):
        storage.load(folder, classes=OWN)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 3, "tsformers": "9.0"}, r"format 3 of tsformers 9\.0.*update"),
        ({"learned": ...}, "lacks learned"),
        ({"class": "Nobody"}, r"no forecaster is called 'Nobody'.*classes="),
        ({"params": {"no_such_setting": 1}}, "no_such_setting"),
        ({"learned": {"w_": {"$": "code", "v": "print(1)"}}}, "'code' is no kind of value"),
        ({"learned": {"w_": {"$": "array", "at": "elsewhere", "dtype": "<f8"}}}, "elsewhere"),
        ({"learned": {"w_": {"$": "record", "class": "Popen", "v": {}}}}, "Popen"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(folder, changes, message):
    rewrite(folder, **changes)
    with pytest.raises(JobError, match=message):
        storage.load(folder, classes=OWN)


def test_storage_loads_neither_torch_nor_pickle_models():
    code = "import sys, tsformers.storage; print([m for m in ('torch', 'gluonts', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
