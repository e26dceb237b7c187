"""Local models from many cutoffs: what ``predict`` gives from each, without a refit, and nothing after it read."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import tsformers as tsf
from tsformers.contracts import Rolling
from tsformers.testing import make_frame

MODELS = [tsf.SeasonalNaive, tsf.HoltWinters, tsf.AutoETS, tsf.Theta, tsf.AutoARIMA]


def _alone(model, frame, back, **asked):
    panel = tsf.Panel.from_frame(frame)
    return model.predict(panel.until(panel.ends - back), **asked).values


@pytest.mark.parametrize("kind", MODELS)
def test_from_each_cutoff_the_answer_is_that_of_predict_bit_for_bit(kind):
    frame = make_frame(rows=50)
    model = kind(horizon=4).fit(frame)
    assert isinstance(model, Rolling)
    backs = np.array([20, 0, 3])
    found = model.predict_at(frame, backs, n_samples=7, seed=1)
    assert found.shape == (3, 3, 7, 4)
    for values, back in zip(found, backs, strict=True):
        np.testing.assert_array_equal(values, _alone(model, frame, back, n_samples=7, seed=1))


def test_counts_are_forecast_from_many_cutoffs_too():
    frame = make_frame(rows=50, counts=True)
    model = tsf.Intermittent(horizon=2).fit(frame)
    found = model.predict_at(frame, np.array([5]), n_samples=6, seed=2)
    np.testing.assert_array_equal(found[0], _alone(model, frame, 5, n_samples=6, seed=2))


def test_no_value_after_a_cutoff_is_read():
    frame = make_frame(rows=50)
    model = tsf.Theta(horizon=4).fit(frame)
    late = frame.groupby("unique_id").cumcount(ascending=False) < 10
    other = frame.assign(y=frame["y"].where(~late, 1e9))
    one, two = (model.predict_at(data, np.array([10]), n_samples=5, seed=1) for data in (frame, other))
    np.testing.assert_array_equal(one, two)


def test_nothing_is_fitted_again(monkeypatch):
    frame = make_frame(rows=50)
    model = tsf.AutoETS(horizon=4).fit(frame)
    monkeypatch.setattr(tsf.AutoETS, "fit_one", lambda *_, **__: pytest.fail("fitted"))
    assert np.isfinite(model.predict_at(frame, np.arange(12), n_samples=5, seed=1)).all()


def test_the_hours_after_a_change_of_clocks_are_those_of_predict():
    times = pd.date_range("2024-03-28", periods=24 * 5, freq="h", tz="Europe/Berlin")
    y = 10 + np.sin(2 * np.pi * times.hour / 24) + np.random.default_rng(0).normal(0, 0.1, len(times))
    frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": y})
    model = tsf.SeasonalNaive(horizon=6).fit(frame)
    found = model.predict_at(frame, np.array([36, 12]), n_samples=5, seed=1)
    for values, back in zip(found, (36, 12), strict=True):
        np.testing.assert_array_equal(values, _alone(model, frame, back, n_samples=5, seed=1))


def test_known_covariates_of_the_rows_after_a_cutoff_are_used():
    rng = np.random.default_rng(0)
    frame = make_frame(n_series=1, rows=60).assign(price=rng.normal(size=60))
    frame["y"] = 3 * frame["price"] + rng.normal(0, 0.1, 60)
    model = tsf.AutoARIMA(horizon=3, season_length=1).fit(frame, known=["price"])
    found = model.predict_at(frame, np.array([5]), n_samples=50, seed=1)[0]
    future = frame.iloc[55:58][["unique_id", "ds", "price"]]
    alone = model.predict(frame.iloc[:55], future=future, n_samples=50, seed=1).values
    np.testing.assert_array_equal(found, alone)
    assert np.abs(found.mean(axis=1)[0] - frame["y"].iloc[55:58]).max() < 0.5
    with pytest.raises(ValueError, match="from 3 to 59"):
        model.predict_at(frame, np.array([2]))


@pytest.mark.parametrize("backs", [[48], [-1], [], [[1]]])
def test_cutoffs_outside_the_series_are_refused(backs):
    frame = make_frame(rows=50)  # the shortest has 48 rows
    model = tsf.SeasonalNaive(horizon=4).fit(frame)
    with pytest.raises(ValueError, match="from 0 to 47"):
        model.predict_at(frame, np.array(backs))


def test_an_unfitted_model_says_so():
    with pytest.raises(NotFittedError):
        tsf.Theta(horizon=4).predict_at(make_frame(), np.array([1]))
