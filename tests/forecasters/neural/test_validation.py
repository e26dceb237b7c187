"""Series too short or without a value: what fit and predict refuse, leave out, or shorten the context for."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from tsformers import Linear, storage
from tsformers.errors import DataError
from tsformers.testing import make_frame


def linear(**settings):
    return Linear(**({"context_length": 8, "max_steps": 5, "seed": 0} | settings))


@pytest.fixture(scope="module")
def frame():
    return make_frame()


def test_short_series_are_refused_by_name_or_dropped_with_a_warning(frame):
    short = frame[(frame["unique_id"] != "s1") | (frame["ds"] < "2024-01-06")]
    with pytest.raises(DataError, match=r"1 of 3 series are too short: .* 8 \+ 4 = 12 rows .* 's1' has 5"):
        linear(horizon=4).fit(short)
    with pytest.warns(UserWarning, match="less than 12 rows and are dropped: 's1' has 5"):
        model = linear(horizon=4).fit(short, short="drop")
    assert model.predict().ids.tolist() == ["s0", "s2"]
    with pytest.raises(DataError, match="shorter than the context of 8 rows: 's1' has 5"):
        linear(horizon=4).fit(frame).predict(short)


def stale(frame, name="s2", rows=15):
    """``frame`` with the last values of a series missing."""
    ago = frame.groupby("unique_id").cumcount(ascending=False)
    return frame.assign(y=frame["y"].where((frame["unique_id"] != name) | (ago >= rows)))


def test_a_model_fitted_with_short_drop_leaves_out_what_it_cannot_forecast(frame, tmp_path):
    data = frame[(frame["unique_id"] != "s1") | (frame["ds"] < "2024-01-06")]
    with pytest.warns(UserWarning, match="dropped: 's1' has 5"):
        model = linear(horizon=4).fit(stale(data), short="drop")
    with pytest.warns(UserWarning, match="1 of 2 series are not forecast: .* 8 rows .* but 's2' has no value in them"):
        forecast = model.predict()
    assert forecast.ids.tolist() == ["s0"]
    model.save(tmp_path / "m")
    loaded = storage.load(tmp_path / "m")
    with pytest.warns(UserWarning, match="2 of 3 series .* 's1' has 5 rows, 's2' has no value"):
        again = loaded.predict(stale(data))
    assert again.ids.tolist() == ["s0"]
    assert np.array_equal(again.values, forecast.values)
    gone = frame.assign(y=frame["y"].where(frame["unique_id"] != "s1"))
    with pytest.warns(UserWarning, match="s1"):
        assert model.predict(gone).ids.tolist() == ["s0", "s2"]
    with pytest.raises(DataError, match="'s2' has no value in its last 8 rows"):
        model.predict(stale(frame[frame["unique_id"] == "s2"]))


def test_one_short_series_does_not_silently_shorten_the_context_of_the_others():
    long = make_frame(5, 200, "2h")
    few = make_frame(1, 50, "2h").assign(unique_id="young")
    both = pd.concat([long, few])
    model = linear(horizon=12, context_length=None, max_steps=1)
    assert clone(model).fit(long).context_length_ == 168
    words = "context_length is 26 for all 6 series, not 168, because series 'young' has only 50 rows .* short='drop'"
    with pytest.warns(UserWarning, match=words):
        assert clone(model).fit(both).context_length_ == 26
    with pytest.warns(UserWarning, match="less than 180 rows and are dropped: 'young' has 50"):
        dropped = clone(model).fit(both, short="drop")
    assert dropped.context_length_ == 168
    assert dropped.predict().ids.tolist() == ["s0", "s1", "s2", "s3", "s4"]


@pytest.mark.parametrize("short", ["error", "drop"])
def test_where_most_series_are_short_the_context_is_shortened_for_all(short):
    many = make_frame(5, 50, "h")
    one = make_frame(1, 200, "h").assign(unique_id="old")
    model = linear(horizon=12, context_length=None, max_steps=1).fit(pd.concat([many, one]), short=short)
    assert model.context_length_ == 46 - 24
    assert model.predict().n_series == 6


def test_a_context_without_a_value_is_refused_by_name(frame):
    empty = frame.assign(y=frame["y"].where((frame["unique_id"] != "s2") | (frame["ds"] < "2024-02-15")))
    with pytest.raises(DataError, match="'s2' has no value in its last 8 rows"):
        linear(horizon=4).fit(frame).predict(empty)


@pytest.mark.parametrize(("rows", "horizon", "expected"), [(60, 4, 14), (20, 4, 12), (11, 4, 4), (7, 4, 3)])
def test_the_default_context_suits_horizon_season_and_length(rows, horizon, expected):
    model = linear(horizon=horizon, context_length=None, max_steps=1).fit(make_frame(1, rows))
    assert model.context_length_ == expected
    assert model.context_length is None
