"""AutocorrelatedErrors: the rho it finds with and without gradients, its report, and what it refuses."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import tsformers as tsf
from tsformers.data.forecast import Forecast
from tsformers.preprocessing.adjusted_network import summed_up
from tsformers.preprocessing.autocorrelated_errors import AutocorrelatedErrors
from tsformers.testing import check_preprocessor, make_frame


@pytest.mark.parametrize("per_series", [False, True])
def test_the_properties_of_preprocessors_hold_for_it_alone(per_series):
    check_preprocessor(AutocorrelatedErrors(per_series=per_series))
    check_preprocessor(AutocorrelatedErrors(per_series=per_series), make_frame(5, 30, freq=1), horizon=11)


def correlated(rho, rows=700, n_series=2, seed=0):
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(n_series, rows))
    season = 3 * np.sin(2 * np.pi * np.arange(rows) / 12)
    y = season + summed_up(u, np.full((n_series, 1), rho), np.zeros((n_series, 1)))
    return pd.concat([pd.DataFrame({"unique_id": f"s{i}", "ds": range(rows), "y": y[i]}) for i in range(n_series)])


def test_a_network_without_inputs_learns_the_rho_of_its_errors():
    class Season(nn.Module):
        levels = None

        def __init__(self):
            super().__init__()
            self.level = nn.Parameter(torch.zeros(1))

        def loss(self, window):
            return (window.future - self.level).square().mean((1, 2))

        def sample(self, window, n_samples):
            return self.level.expand(len(window.past), n_samples, *window.future.shape[1:])

    class Flat(tsf.Linear):
        def build(self, channels, past_x, known_x, calendar):
            return Season()

    frame = correlated(0.8).assign(y=lambda df: df["y"] - 3 * np.sin(2 * np.pi * df["ds"] / 12))
    flat = Flat(horizon=1, context_length=8, max_steps=400, scaler=None, seed=0, verbose=False)
    step = AutocorrelatedErrors()
    step.fit_with(tsf.Panel.from_frame(frame), flat)
    assert 0.72 < step.rho_ < 0.86
    report = step.report_
    assert (report["lag1_before"] > 0.5).all() and (report["lag1_after"].abs() < 0.3).all()
    assert (report["ljung_box_before"] < 1e-3).all() and (report["ljung_box_after"] > 1e-3).all()


def test_alternation_finds_the_rho_of_a_forecaster_without_gradients():
    class Season:
        """The mean of each place in the season, whatever came last."""

        horizon = 3

        def fit(self, data, **roles):
            panel = tsf.Panel.from_frame(data)
            places = pd.Series(panel.times % 12)
            self.means_ = pd.Series(panel.y).groupby(places).mean().to_numpy()
            self.panel_ = panel
            return self

        def predict(self, data=None, *, n_samples=100, seed=None, **_):
            panel = self.panel_ if data is None else data
            times = panel.future_times(3)
            values = np.repeat(self.means_[times % 12][:, None], n_samples, axis=1)
            return Forecast(panel.ids, times, values, freq=1)

    frame = correlated(0.8)
    model = tsf.Pipeline([AutocorrelatedErrors()], Season()).fit(frame)
    step = model.steps_[0]
    assert 0.65 < step.rho_ < 0.92
    last = frame.groupby("unique_id")["y"].last().to_numpy()
    means = Season().fit(tsf.Panel.from_frame(frame)).means_
    expected = means[700 % 12] + step.rhos_ * (last - means[699 % 12])  # the last error, faded by one step
    np.testing.assert_allclose(model.predict().mean[:, 0], expected, atol=0.15)


def test_each_series_may_have_its_own_rho():
    frame = pd.concat([correlated(0.8).query("unique_id == 's0'"), correlated(-0.5).query("unique_id == 's1'")])
    step = AutocorrelatedErrors(per_series=True).fit(
        frame.assign(y=lambda df: df["y"] - 3 * np.sin(2 * np.pi * df["ds"] / 12))
    )
    assert step.rho_["s0"] == pytest.approx(0.8, abs=0.08)
    assert step.rho_["s1"] == pytest.approx(-0.5, abs=0.08)


def test_autocorrelation_that_is_left_is_a_warning():
    rows = np.arange(400)
    y = np.sin(rows / 3) + 0.01 * np.random.default_rng(0).normal(size=400)
    frame = pd.DataFrame({"unique_id": "a", "ds": rows, "y": y})
    with pytest.warns(UserWarning, match="still autocorrelated after the adjustment"):
        tsf.Pipeline([AutocorrelatedErrors()], tsf.SeasonalNaive(horizon=2, season_length=1, seed=0)).fit(frame)


def test_counts_cannot_be_differenced():
    frame = make_frame().assign(y=lambda df: df["y"].round())
    model = tsf.LRU(horizon=2, likelihood="negative_binomial", scaler="mean_abs", max_steps=1)
    with pytest.raises(ValueError, match=r"differences of counts are no counts.*student_t"):
        tsf.Pipeline([AutocorrelatedErrors()], model).fit(frame)


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"ahead": "steps"}, "ahead='steps' is unknown; choose one of 'faded', 'summed'"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"most_rounds": 0}, "most_rounds"),
        ({"inputs": False}, "torch"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings_, words):
    with pytest.raises(ValueError, match=words):
        tsf.Pipeline([AutocorrelatedErrors(**settings_)], tsf.SeasonalNaive(horizon=2)).fit(make_frame())


def test_quantiles_become_draws_before_they_are_summed_up():
    frame = make_frame()
    step = AutocorrelatedErrors().fit(frame)
    panel = tsf.Panel.from_frame(frame)
    forecast = tsf.SeasonalNaive(horizon=3, seed=0).fit(step.transform(panel)).predict()
    held = replace(forecast, values=forecast.quantile([0.1, 0.5, 0.9]), levels=(0.1, 0.5, 0.9))
    answer = step.inverse(held)
    assert answer.samples.shape == (3, 200, 3)
    ours = answer.interval(0.8)
    np.testing.assert_allclose(ours[:, :, 0], step.inverse(forecast).interval(0.8)[:, :, 0], atol=0.5)


@pytest.mark.filterwarnings("ignore:one-step errors are still autocorrelated")
def test_a_network_wrapped_in_it_is_stored_and_training_is_resumed(tmp_path):
    frame = make_frame()
    lru = tsf.LRU(horizon=3, context_length=12, d_model=8, d_state=8, max_steps=3, seed=0, verbose=False)
    model = tsf.Pipeline([AutocorrelatedErrors(per_series=True)], lru).fit(frame)
    model.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(seed=1).values, model.predict(seed=1).values)
    pd.testing.assert_series_equal(loaded.steps_[0].rho_, model.steps_[0].rho_)
    fitted = loaded.forecaster_
    fitted.fit(tsf.Panel.from_frame(frame), warm_start=True, wrap=AutocorrelatedErrors(per_series=True))
    assert fitted.history_["step"].iloc[-1] == 6
    with pytest.raises(ValueError, match="AutocorrelatedErrors"):
        fitted.fit(tsf.Panel.from_frame(frame), warm_start=True)
    with pytest.raises(ValueError, match="stream"):
        fitted.stream()


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 100.0), st.floats(-50.0, 50.0))
def test_units_do_not_change_rho(factor, shift):
    frame = correlated(0.6, rows=120)
    mine = AutocorrelatedErrors().fit(frame).rho_
    assert AutocorrelatedErrors().fit(frame.assign(y=factor * frame["y"] + shift)).rho_ == pytest.approx(mine, abs=1e-9)


def _walks(factors):
    rng = np.random.default_rng(3)
    y = np.cumsum(rng.normal(size=(len(factors), 90)), axis=1) + 50
    return [
        pd.DataFrame({"unique_id": f"s{i}", "ds": range(90), "y": factor * one})
        for i, (factor, one) in enumerate(zip(factors, y, strict=True))
    ]


def _quantiles(model, frame, data=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(frame).predict(data, n_samples=60, seed=1).quantile((0.1, 0.5, 0.9))


@pytest.mark.parametrize("kind", ["SeasonalNaive", "Theta"])
@pytest.mark.parametrize("tolerance", [1e-3, 0.2, 1.0])
def test_the_forecast_is_that_of_the_same_data(kind, tolerance):
    """The forecaster is fitted under the rho that is kept, whenever the alternation ends."""
    frame = pd.concat(_walks((1.0, 1.0))).assign(y=lambda df: df["y"] + 1e4)
    model = tsf.Pipeline([AutocorrelatedErrors(tolerance=tolerance)], getattr(tsf, kind)(horizon=3, season_length=1))
    np.testing.assert_allclose(_quantiles(model, frame), _quantiles(model, frame, frame), rtol=0, atol=1e-8)


def test_a_local_forecast_does_not_depend_on_other_series():
    model = tsf.Pipeline([AutocorrelatedErrors()], tsf.SeasonalNaive(horizon=3, season_length=1))
    for factor in (1e10, 5e12):
        huge, small = _walks((factor, 1.0))
        alone = _quantiles(model, small)
        for other in (huge, huge.iloc[60:], huge.assign(y=huge["ds"] % 7 * 1.0)):
            np.testing.assert_allclose(_quantiles(model, pd.concat([other, small]))[1:], alone, rtol=0, atol=1e-9)


def test_one_rho_for_all_is_asked_for():
    frame = pd.concat(_walks((1.0, 3.0)))
    model = tsf.Pipeline([AutocorrelatedErrors(per_series=False)], tsf.SeasonalNaive(horizon=3, season_length=1))
    _quantiles(model, frame)
    assert model.steps_[0].rhos_ is None
    together = AutocorrelatedErrors().fit(frame)
    assert together.rhos_.shape == (2,) and together.rho_ == together.rhos_.mean()


def test_units_and_origins_of_pipelines_change_nothing():
    (frame,) = _walks((1.0,))
    model = tsf.Pipeline([AutocorrelatedErrors()], tsf.SeasonalNaive(horizon=3, season_length=1))
    mine = _quantiles(model, frame)
    for unit in (2.0**-30, 2.0**30):
        assert np.array_equal(_quantiles(model, frame.assign(y=frame["y"] * unit)), mine * unit)
    for origin in (-1e4, 1e4):
        np.testing.assert_allclose(_quantiles(model, frame.assign(y=frame["y"] + origin)) - origin, mine, atol=1e-7)
