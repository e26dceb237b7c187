"""A stream of Blend: value by value it is what predict gives, and a snapshot goes on with the same bits."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.testing import make_frame


@pytest.fixture(scope="module")
def model():
    return tsf.Blend(horizon=3, max_steps=0, device="cpu").fit(make_frame(n_series=3, rows=60))


def test_each_step_is_the_first_of_what_predict_gives(model):
    frame, stream = make_frame(n_series=3, rows=60), model.stream()
    ends = frame.groupby("unique_id")["ds"].max()
    for step in range(5):
        value = np.array([10.0 + step, np.nan, 30.0])
        following = stream.update(value)
        rows = pd.DataFrame({"unique_id": ends.index, "ds": ends + pd.Timedelta(days=step + 1), "y": value})
        frame = pd.concat([frame, rows])
        wanted = model.predict(frame)
        np.testing.assert_allclose(following.quantile(wanted.levels), wanted.values[..., 0], rtol=1e-5)
        assert (following.times == wanted.times[:, 0]).all()


def test_what_is_kept_does_not_grow_and_old_rows_are_forgotten():
    short = tsf.Blend(horizon=3, season_length=2, max_steps=0, device="cpu").fit(make_frame(n_series=1, rows=60))
    stream, rng = short.stream(), np.random.default_rng(0)
    size = stream.snapshot()["rows"].size
    values = rng.normal(size=200)
    for value in values:
        following = stream.update(value)
    assert stream.snapshot()["rows"].size == size
    frame = pd.DataFrame({"unique_id": "s0", "ds": pd.date_range("2024-06-01", periods=100), "y": values[100:]})
    wanted = short.predict(frame)
    np.testing.assert_allclose(following.quantile(wanted.levels), wanted.values[..., 0], rtol=1e-5)


def test_a_snapshot_is_resumed_with_the_same_bits(model):
    stream = model.stream()
    saved = stream.snapshot()
    first = stream.update([1.0, 2.0, 3.0]).mean
    np.testing.assert_array_equal(model.stream().restore(saved).update([1.0, 2.0, 3.0]).mean, first)


def test_some_series_can_be_updated_and_unknown_ones_are_named(model):
    stream = model.stream()
    assert stream.update(4.0, ids="s1").ids.tolist() == ["s1"]
    with pytest.raises(tsf.DataError, match="'s9' is not in the stream"):
        stream.update(4.0, ids=["s9"])
    with pytest.raises(tsf.DataError, match="given twice"):
        stream.update([4.0, 5.0], ids=["s1", "s1"])
    with pytest.raises(tsf.DataError, match="infinite"):
        stream.update([np.inf, 1.0, 1.0])
    with pytest.raises(tsf.DataError, match="already"):
        stream.add(make_frame(n_series=1, rows=20))
