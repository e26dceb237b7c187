"""Held-out windows: the cutoffs, what the model may see, and every kind of forecaster."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

import tsformers as tsf
from tsformers.compose import held_out as module
from tsformers.compose.ensemble import LEVELS
from tsformers.compose.held_out import held_out, rows_held_out
from tsformers.testing import make_frame


def naive(**settings):
    return tsf.SeasonalNaive(horizon=3, **settings)


def panel_of(frame, **roles):
    return tsf.Panel.from_frame(frame, **roles)


def test_truths_and_forecasts_are_those_of_a_model_cut_by_hand():
    frame = make_frame(rows=50)
    panel = panel_of(frame)
    held = held_out(tsf.Theta(horizon=3), panel, 4, stride=2, seed=1)
    assert held.values.shape == (4, 3, len(LEVELS), 3) and held.ids.equals(panel.ids)
    first = rows_held_out(3, 4, 2)
    model = tsf.Theta(horizon=3).fit(panel.until(panel.ends - first))
    for k, back in enumerate((9, 7, 5, 3)):
        by_hand = model.predict(panel.until(panel.ends - back), n_samples=200, seed=1, quantiles=LEVELS)
        np.testing.assert_array_equal(held.values[k], by_hand.values)
        rows = (panel.ends - back)[:, None] + np.arange(3)
        np.testing.assert_array_equal(held.truth[k], panel.y[rows])


def test_no_row_after_the_first_cutoff_is_learned_from_and_no_row_after_a_cutoff_is_read():
    frame = make_frame(rows=50)
    late = frame.groupby("unique_id").cumcount(ascending=False) < 3
    other = frame.assign(y=frame["y"].where(~late, -1e6))
    one, two = (held_out(tsf.AutoETS(horizon=3), panel_of(data), 3, seed=1) for data in (frame, other))
    np.testing.assert_array_equal(one.values, two.values)
    assert (two.truth[-1] == -1e6).all() and (two.truth[:-1] == one.truth[:-1]).all()


MODELS = {
    "pipeline": lambda: tsf.Pipeline([tsf.TrendSeasonalDecomposition(period=7)], naive()),
    "ensemble": lambda: tsf.Ensemble([naive(), tsf.Theta(horizon=3)]),
    "clustered": lambda: tsf.Clustered(tsf.ByFeatures(KMeans(2, random_state=0, n_init=3)), naive()),
    "neural": lambda: tsf.LRU(horizon=3, context_length=14, max_steps=2, seed=0),
    "multivariate": lambda: tsf.Linear(horizon=3, context_length=14, max_steps=2, seed=0, multivariate=True),
}


@pytest.mark.parametrize("name", MODELS)
def test_any_forecaster_is_held_out(name):
    frame = make_frame(rows=60)
    if name == "multivariate":
        frame = frame[frame["ds"] <= frame.groupby("unique_id")["ds"].max().min()]
    held = held_out(MODELS[name](), panel_of(frame), 3, seed=0)
    assert np.isfinite(held.values).all() and np.isfinite(held.truth).all()
    assert (np.diff(held.values, axis=2) >= 0).all()
    assert np.abs(np.median(held.values, axis=2) - held.truth).mean() < 6


def test_the_models_own_class_needs_no_settings():
    class Last:
        horizon = 2

        def fit(self, data, **roles):
            return self

        def predict(self, data=None, *, n_samples=100, seed=None):
            last = data.y[data.ends - 1]
            return tsf.Forecast(data.ids, data.future_times(2), np.tile(last[:, None, None], (1, n_samples, 2)))

    held = held_out(Last(), panel_of(make_frame(rows=20)), 2)
    assert np.isfinite(held.values).all()


def test_known_covariates_of_the_future_rows_are_passed():
    rng = np.random.default_rng(0)
    frame = make_frame(n_series=1, rows=60).assign(price=rng.normal(size=60))
    frame["y"] = 3 * frame["price"] + rng.normal(0, 0.1, 60)
    held = held_out(tsf.AutoARIMA(horizon=3, season_length=1), panel_of(frame, known=["price"]), 3, seed=0)
    assert np.abs(held.values[:, :, LEVELS.index(0.5)] - held.truth).max() < 0.6


def test_series_too_short_are_left_out_and_missing_values_are_no_truths():
    frame = make_frame(n_series=2, rows=40)
    frame.loc[frame.index[39], "y"] = np.nan
    stub = pd.DataFrame({"unique_id": "t", "ds": pd.date_range("2024-01-01", periods=7), "y": np.arange(7.0)})
    held = held_out(naive(), panel_of(pd.concat([frame, stub])), 2, seed=0)
    assert held.ids.tolist() == ["s0", "s1"] and np.isfinite(held.values).all()
    assert np.argwhere(np.isnan(held.truth)).tolist() == [[1, 0, 2]]


def test_series_too_short_for_the_model_are_left_out_without_a_word():
    frame = make_frame(n_series=2, rows=60)
    stub = frame[frame["unique_id"] == "s0"].tail(14).assign(unique_id="stub")
    model = tsf.Linear(horizon=3, context_length=14, max_steps=2, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        held = held_out(model, panel_of(pd.concat([frame, stub])), 2, seed=0)
    assert np.isnan(held.values[:, 2]).all() and np.isfinite(held.values[:, :2]).all()


def test_what_cannot_be_held_out_is_refused():
    frame = make_frame(rows=20)
    with pytest.raises(tsf.DataError, match="cover 60 rows, and no series has 2 values before them; the longest"):
        held_out(naive(), panel_of(frame), 20)
    total = tsf.Clustered(tsf.ByFeatures(KMeans(2, random_state=0, n_init=3)), naive(), aggregate=True)
    even = frame[frame["ds"] <= frame.groupby("unique_id")["ds"].max().min()]
    with pytest.raises(tsf.DataError, match="forecasts 'total', which is none of the series"):
        held_out(total, panel_of(even), 2)
    with pytest.raises(ValueError, match="1 or more; got 0 and 3"):
        held_out(naive(), panel_of(frame), 0)


def test_the_model_stays_as_it_was():
    model = naive()
    held_out(model, panel_of(make_frame(rows=40)), 2)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_of_very_large_panels_every_few_series_are_forecast_and_all_learned_from(monkeypatch):
    panel = panel_of(make_frame(n_series=5, rows=40))
    whole = held_out(naive(), panel, 2, seed=0)
    monkeypatch.setattr(module, "MOST_VALUES", 2 * 3 * 3)
    fitted = []
    monkeypatch.setattr(tsf.SeasonalNaive, "fit", _noting(tsf.SeasonalNaive.fit, fitted))
    held = held_out(naive(), panel, 2, seed=0)
    assert held.ids.tolist() == ["s0", "s2", "s4"] and fitted == [5]
    np.testing.assert_array_equal(held.values, whole.values[:, ::2])
    np.testing.assert_array_equal(held.truth, whole.truth[:, ::2])
    even = panel.until(panel.offsets[:-1] + 36)
    together = tsf.Linear(horizon=3, context_length=14, max_steps=2, seed=0, multivariate=True)
    assert np.isfinite(held_out(together, even, 2, seed=0).values).all()


def _noting(fit, fitted):
    def noted(self, data, **roles):
        fitted.append(data.n_series)
        return fit(self, data, **roles)

    return noted
