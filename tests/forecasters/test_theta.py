"""Theta beside statsmodels' ThetaModel, and beside its own formula of the variance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers as tsf
from tsformers.forecasters.theta import (
    classical_season,
    is_seasonal,
    one_step_errors,
    seasonal_pattern,
    smoothing_weight,
)


class NoNoise:
    """A generator without noise: what it draws is the point forecast."""

    def standard_normal(self, shape):
        return np.zeros(shape)


def frame_of(y, freq="QS"):
    return pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2000-01-01", periods=len(y), freq=freq), "y": y})


def path(model, y, season, horizon, start=0, params=None):
    params = params or model.fit_one(y, season)
    return model.simulate(params, y, start, horizon, 1, NoNoise())[0]


@pytest.mark.parametrize("theta", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("kind", ["walk", "noise", "trend"])
def test_point_forecasts_are_those_of_statsmodels(kind, theta, rng):
    from statsmodels.tsa.forecasting.theta import ThetaModel

    noise = rng.normal(size=80)
    y = 50 + {"walk": np.cumsum(noise), "noise": noise, "trend": 0.5 * np.arange(80) + np.cumsum(noise) + noise}[kind]
    expected = ThetaModel(y, deseasonalize=False, period=1).fit().forecast(8, theta=theta)
    np.testing.assert_allclose(path(tsf.Theta(horizon=8, theta=theta), y, 1, 8), expected, rtol=1e-3)


@pytest.mark.parametrize("level", [40.0, 0.0])
@pytest.mark.parametrize("season", [4, 7, 12])
def test_seasonal_point_forecasts_are_those_of_statsmodels(season, level, rng):
    from statsmodels.tsa.forecasting.theta import ThetaModel

    y = level + 8 * np.sin(np.arange(90) * 2 * np.pi / season) + np.cumsum(rng.normal(size=90)) * 0.3
    expected = ThetaModel(y, period=season).fit().forecast(2 * season)
    np.testing.assert_allclose(path(tsf.Theta(horizon=8), y, season, 2 * season), expected, rtol=2e-3, atol=2e-2)


@pytest.mark.parametrize("model", ["additive", "multiplicative"])
@pytest.mark.parametrize("season", [4, 5, 12])
def test_the_classical_season_is_that_of_statsmodels(season, model, rng):
    from statsmodels.tsa.seasonal import seasonal_decompose

    y = 20 + 5 * np.sin(np.arange(61) * 2 * np.pi / season) + rng.normal(size=61)
    expected = seasonal_decompose(y, model=model, period=season).seasonal[:season]
    np.testing.assert_allclose(classical_season(y, season, model == "multiplicative"), expected)


def test_the_season_is_removed_only_where_there_is_one(rng):
    noise = rng.normal(size=120)
    assert not is_seasonal(noise, 12)
    assert is_seasonal(noise + 3 * np.sin(np.arange(120) * 2 * np.pi / 12), 12)
    assert seasonal_pattern(noise, 12)[0].tolist() == [0.0]
    assert seasonal_pattern(10 + 5 * np.sin(np.arange(23) * 2 * np.pi / 12), 12)[0].tolist() == [
        0.0
    ]  # below two seasons


def test_variance_follows_smoothing_with_drift(rng):
    y = np.cumsum(rng.normal(size=100)) + rng.normal(size=100)
    model = tsf.Theta(horizon=10, season_length=1, seed=0).fit(frame_of(y))
    params = model.params_[0]
    assert 0.2 < params["alpha"] < 0.9
    expected = params["sigma"] * np.sqrt(1 + np.arange(10) * params["alpha"] ** 2)
    np.testing.assert_allclose(model.predict(n_samples=20_000).samples[0].std(axis=0), expected, rtol=0.03)


def test_errors_follow_the_recursion(rng):
    y, alpha, drift = rng.normal(size=20), 0.3, 0.7
    level, slow = y[0], []
    for value in y[1:]:
        slow.append(value - level - drift)
        level += drift + alpha * slow[-1]
    np.testing.assert_allclose(one_step_errors(y, alpha, drift), slow)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), mix=st.floats(0, 3))
def test_no_weight_of_a_fine_grid_smooths_better(seed, mix):
    rng = np.random.default_rng(seed)
    y = np.cumsum(rng.normal(size=50)) + mix * rng.normal(size=50)
    losses = [np.sum(one_step_errors(y, alpha, 0.0) ** 2) for alpha in np.linspace(0, 1, 501)]
    assert np.sum(one_step_errors(y, smoothing_weight(y), 0.0) ** 2) <= min(losses) * (1 + 1e-6)


def test_a_longer_history_is_continued_without_refit(rng):
    season = 10 * np.array([1.0, -0.5, 0.25, -0.75])
    y = 50 + np.tile(season, 20) + rng.normal(size=80) * 0.1
    model = tsf.Theta(horizon=4, seed=0).fit(frame_of(y[:60]))
    for cut in (61, 63, 80):
        np.testing.assert_allclose(
            model.predict(frame_of(y[:cut])).mean[0], 50 + np.tile(season, 2)[cut % 4 :][:4], atol=1
        )


def test_a_history_that_begins_later_has_the_right_season_position(rng):
    y = 50 + np.tile([10.0, -5, 2, -7], 20) + rng.normal(size=80) * 0.1
    frame = frame_of(y)
    model = tsf.Theta(horizon=4, seed=0).fit(frame)
    np.testing.assert_allclose(model.predict(frame.tail(3)).mean, model.predict().mean, atol=1)


def test_a_long_season_is_removed_as_its_latest_profile(rng):
    pattern = 5 * np.sin(np.arange(52) * 2 * np.pi / 52)
    y = 10 + np.tile(pattern, 5)[:-9] + rng.normal(size=251) * 0.2
    model = tsf.Theta(horizon=9, seed=0).fit(frame_of(y, "W"))
    np.testing.assert_allclose(model.predict().mean[0], 10 + pattern[-9:], atol=0.8)


def test_intervals_of_80_percent_hold_about_80_percent(rng):
    shocks = rng.normal(size=(200, 126))
    levels = np.cumsum(0.4 * shocks, axis=1) - 0.4 * shocks
    y = 20 + levels + shocks
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(200), 120), "ds": np.tile(np.arange(120), 200), "y": y[:, :120].ravel()}
    )
    lower, upper = np.moveaxis(tsf.Theta(horizon=6, seed=0).fit(frame).predict(n_samples=400).interval(0.8), 1, 0)
    assert ((y[:, 120:] >= lower) & (y[:, 120:] <= upper)).mean() == pytest.approx(0.8, abs=0.05)


def test_theta_below_one_is_refused():
    with pytest.raises(ValueError, match="theta must be a number of 1 or more"):
        tsf.Theta(horizon=2, theta=0.5).fit(frame_of(np.arange(9.0)))
