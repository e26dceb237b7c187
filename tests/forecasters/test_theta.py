"""Theta beside statsmodels' ThetaModel, and beside its own formulas of the variance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import tsformers as tsf

METHODS = ("standard", "dynamic")
QUIET = {"seed": 0, "n_jobs": 1, "verbose": False}
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


class NoNoise:
    """A generator without noise: what it draws is the point forecast."""

    def standard_normal(self, shape):
        return np.zeros(shape)


def frame_of(y, freq="QS"):
    return pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2000-01-01", periods=len(y), freq=freq), "y": y})


def panel_of(rows):
    n, t = rows.shape
    return pd.DataFrame({"unique_id": np.repeat(np.arange(n), t), "ds": np.tile(np.arange(t), n), "y": rows.ravel()})


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


def test_half_the_slope_of_a_line_is_continued():
    """By definition; the dynamic method finds the whole slope."""
    y = 5 + 2.0 * np.arange(48)
    steps = np.arange(1, 5)
    half, whole = (
        tsf.Theta(horizon=4, season_length=1, method=method, **QUIET).fit(frame_of(y, "MS")).predict()
        for method in METHODS
    )
    np.testing.assert_allclose(half.mean[0], y[-1] + steps, atol=1e-9)
    np.testing.assert_allclose(whole.mean[0], y[-1] + 2 * steps, atol=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_mean_and_median_are_exact_at_the_default_number_of_draws(method, rng):
    y = 100 + 20 * np.sin(np.arange(96) * np.pi / 6) + np.cumsum(rng.normal(size=96))
    model = tsf.Theta(horizon=18, method=method, **QUIET).fit(frame_of(y, "MS"))
    assert len(model.params_[0]["pattern"]) == 12 and model.params_[0]["multiplies"]
    forecasts = [model.predict(seed=seed) for seed in (1, 2)]
    exact = path(model, y, 12, 18, params=model.params_[0])
    for forecast in forecasts:
        np.testing.assert_allclose(forecast.median[0], exact, rtol=1e-9)
        np.testing.assert_allclose(forecast.mean[0], exact, rtol=1e-9)


def test_variance_follows_smoothing_with_drift(rng):
    y = np.cumsum(rng.normal(size=100)) + rng.normal(size=100)
    model = tsf.Theta(horizon=10, season_length=1, seed=0).fit(frame_of(y))
    params = model.params_[0]
    assert 0.2 < params["alpha"] < 0.9
    expected = params["sigma"] * np.sqrt(1 + np.arange(10) * params["alpha"] ** 2)
    np.testing.assert_allclose(model.predict(n_samples=20_000).samples[0].std(axis=0), expected, rtol=0.03)


def test_standard_errors_of_the_season_widen_the_draws(rng):
    y = 50 + np.tile([5.0, -3, 1, -3], 6) + rng.normal(size=24)
    model = tsf.Theta(horizon=4, seed=0).fit(frame_of(y - y.min() - 1))  # a value below 0: the season is added
    params = model.params_[0]
    assert not params["multiplies"]
    assert (params["pattern_errors"] > 0.1).all()
    variance = params["sigma"] ** 2 * (1 + np.arange(4) * params["alpha"] ** 2) + params["pattern_errors"] ** 2
    np.testing.assert_allclose(model.predict(n_samples=20_000).samples[0].std(axis=0), np.sqrt(variance), rtol=0.03)


@pytest.mark.parametrize("method", METHODS)
def test_a_longer_history_is_continued_without_refit(method, rng):
    season = 10 * np.array([1.0, -0.5, 0.25, -0.75])
    y = 50 + np.tile(season, 20) + rng.normal(size=80) * 0.1
    model = tsf.Theta(horizon=4, seed=0, method=method).fit(frame_of(y[:60]))
    for cut in (61, 63, 80):
        np.testing.assert_allclose(
            model.predict(frame_of(y[:cut])).mean[0], 50 + np.tile(season, 2)[cut % 4 :][:4], atol=1
        )


@pytest.mark.parametrize("method", METHODS)
def test_a_history_that_begins_later_has_the_right_season_position(method, rng):
    y = 50 + np.tile([10.0, -5, 2, -7], 20) + rng.normal(size=80) * 0.1
    frame = frame_of(y)
    model = tsf.Theta(horizon=4, seed=0, method=method).fit(frame)
    np.testing.assert_allclose(model.predict(frame.tail(3)).mean, model.predict().mean, atol=1)


@pytest.mark.parametrize("method", METHODS)
def test_predict_is_predict_of_the_data_of_fit(method, rng):
    data = panel_of(100 + np.cumsum(rng.normal(size=(3, 60)), axis=1)).assign(
        y=lambda d: d.y.where(rng.random(180) > 0.2)
    )
    model = tsf.Theta(horizon=4, method=method, **QUIET).fit(data, freq=1)
    np.testing.assert_array_equal(model.predict().values, model.predict(data).values)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("walks", [True, False])
@pytest.mark.parametrize("missing", ["none", "60 %", "6 of 7"])
def test_intervals_of_80_percent_hold_80_percent_whatever_is_missing(method, walks, missing, rng):
    noise = rng.normal(size=(40, 281 if missing == "6 of 7" else 141))
    y = 100 + (np.cumsum(noise, axis=1) if walks else noise)
    last, rows = y[:, -1:].copy(), y.shape[1]
    if missing == "60 %":
        y[:, 1:-1][rng.random((40, rows - 2)) < 0.6] = np.nan
    if missing == "6 of 7":
        y[:, np.arange(rows) % 7 > 0] = np.nan
    model = tsf.Theta(horizon=5, season_length=1, method=method, **QUIET).fit(panel_of(y), freq=1)
    lower, upper = np.moveaxis(model.predict(n_samples=200).interval(0.8), 1, 0)
    centre, sd = (last, np.sqrt(np.arange(1, 6))) if walks else (100.0, 1.0)
    share = (norm.cdf(upper, centre, sd) - norm.cdf(lower, centre, sd)).mean()
    assert 0.74 <= share <= 0.86


@pytest.mark.parametrize("method", METHODS)
def test_a_gap_before_the_last_rows_widens_what_follows(method, rng):
    y = np.cumsum(rng.normal(size=100)) + rng.normal(size=100)
    model = tsf.Theta(horizon=1, season_length=1, method=method, **QUIET).fit(frame_of(y))
    widths = []
    for gap in (0, 5, 20):
        holes = y.copy()
        holes[99 - gap : 99] = np.nan
        widths.append(np.diff(model.predict(frame_of(holes)).interval(0.8)[0, :, 0])[0])
    assert widths[0] < widths[1] < widths[2]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000), unit=st.floats(1e-9, 1e9), origin=st.floats(-1e4, 1e4), method=st.sampled_from(METHODS)
)
def test_units_and_origins_do_not_matter(seed, unit, origin, method):
    rng = np.random.default_rng(seed)
    y = 30 + np.cumsum(rng.normal(size=60)) + rng.normal(size=60)
    y[5:9] = np.nan
    model = tsf.Theta(horizon=4, season_length=1, method=method, **QUIET)
    plain = model.fit(frame_of(y)).predict().quantile(LEVELS)
    scaled = model.fit(frame_of(y * unit)).predict().quantile(LEVELS) / unit
    moved = model.fit(frame_of(y + origin)).predict().quantile(LEVELS) - origin
    power = model.fit(frame_of(y * 2.0**-30)).predict().quantile(LEVELS)
    np.testing.assert_array_equal(power, plain * 2.0**-30)
    for changed in (scaled, moved):
        assert np.abs(changed - plain).max() < 1e-6 * np.nanstd(y)


def test_a_seasonal_series_is_the_same_in_any_unit(rng):
    month = np.arange(96)
    y = (100 + month) * (1 + 0.2 * np.sin(2 * np.pi * month / 12)) * np.exp(rng.normal(0, 0.04, 96))
    model = tsf.Theta(horizon=6, **QUIET)
    plain = model.fit(frame_of(y, "MS")).predict().quantile(LEVELS)
    for unit in (1e-9, 1e-3, 1e3, 1e9):
        scaled = model.fit(frame_of(y * unit, "MS")).predict().quantile(LEVELS) / unit
        assert np.abs(scaled - plain).max() < 1e-6 * y.std()


@pytest.mark.parametrize("wrong", [{"theta": 0.5}, {"method": "dynamical"}, {"method": "dynamic", "theta": 3.0}])
def test_wrong_settings_are_refused(wrong):
    pattern = "standard.*dynamic" if "method" in wrong else "theta must be a number of 1 or more"
    with pytest.raises(ValueError, match=pattern):
        tsf.Theta(horizon=2, **wrong).fit(frame_of(np.arange(9.0)))


def test_few_observed_rows_fall_back():
    with pytest.warns(UserWarning, match="3 observed rows, Theta needs 4"):
        tsf.Theta(horizon=2, **QUIET).fit(frame_of([1.0, np.nan, 2.0, np.nan, 4.0]))


@pytest.mark.parametrize("method", METHODS)
def test_the_kernels_compile_quickly_and_fit_hundreds_of_series_a_second(method, rng):
    from time import process_time

    data = panel_of(100 + np.cumsum(rng.normal(size=(101, 100)), axis=1))
    model = tsf.Theta(horizon=12, season_length=12, method=method, **QUIET)
    model.fit(data[data.unique_id == 0], freq=1).predict()
    started = process_time()
    model.fit(data[data.unique_id > 0], freq=1).predict()
    assert 100 / (process_time() - started) > 300
