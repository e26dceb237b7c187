"""Values of the closed set come back bit for bit; any other value is refused by name."""

from collections import OrderedDict

import dateutil.tz
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.storage.encoding import Encoder

from .conftest import Mine
from .round_trips import round_trip, same

NATIVE_DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?", "c8", "c16", ">f8", ">i4"]
DTYPES = [*NATIVE_DTYPES, "M8[ns]", "M8[D]", "m8[s]"]
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
    assert same(round_trip(value), value)


@pytest.mark.parametrize(
    "dtype",
    ["float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "int64", "int8", "uint8", "bool", "complex64"],
)
def test_tensors_of_every_type_come_back_bit_for_bit(dtype):
    generator = torch.Generator().manual_seed(0)
    tensor = (torch.rand(3, 2, generator=generator) * 9).to(getattr(torch, dtype))
    for value in (tensor, tensor[0, 0], tensor[:0], tensor.T):
        assert same(round_trip(value), value)
    assert not round_trip(torch.nn.Parameter(torch.ones(2))).requires_grad


def test_a_state_dict_comes_back_loadable():
    torch.manual_seed(0)
    one, other = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    other.load_state_dict(round_trip(one.state_dict()))
    assert same(other.weight.data, one.weight.data)
    assert same(round_trip(OrderedDict(b=1, a=2)), {"b": 1, "a": 2})


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
    back = round_trip(stamp)
    assert back is stamp or (back == stamp and str(back) == str(stamp) and back.unit == stamp.unit)


def test_panels_and_forecasts_come_back():
    frame = pd.DataFrame({"unique_id": ["b", "a", "a"], "ds": [2, 1, 2], "y": [1.0, np.nan, 3.0], "x": [1.0, 2.0, 3.0]})
    panel = Panel.from_frame(frame, freq=1, id_col="unique_id")
    back = round_trip(panel)
    pd.testing.assert_frame_equal(back.to_frame(), panel.to_frame())
    assert back.schema == panel.schema
    forecast = Forecast(pd.Index(["a"]), np.array([[1]]), np.ones((1, 2, 1)), freq=1, schema=Schema(time_col="t"))
    assert same(round_trip(forecast).values, forecast.values)
    assert round_trip(forecast).schema == forecast.schema


class Number(int):
    """A subclass: its extra behaviour would be lost."""


@pytest.mark.parametrize(
    "value",
    [
        print,
        lambda: 0,
        object(),
        {1, 2},
        int,
        Number(3),
        np.array([1, object()], dtype=object),
        np.array([("a", 1)], dtype=[("n", "U1"), ("v", "i4")]),
        np.ma.masked_array([1.0], mask=[True]),
        np.longdouble(1),
        pd.Series([object()]),
        pd.Timestamp("2024", tz=dateutil.tz.tzoffset("here", 3600)),
        pd.date_range("2024", periods=2, tz=dateutil.tz.tzoffset("here", 3600)),
        torch.ones(2).to_sparse(),
        Mine,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_outside_the_set_is_refused_by_name(value, tmp_path):
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
