"""SeasonalNaive: its spread, its seasons, and series that were not in the data of fit."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf


def frame_of(y, name="a", freq="h"):
    return pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=len(y), freq=freq), "y": y})


def test_variance_grows_by_one_error_a_season(rng):
    y = np.cumsum(rng.normal(size=(40, 4)), axis=0).ravel()
    model = tsf.SeasonalNaive(horizon=12, season_length=4, seed=0).fit(frame_of(y))
    forecast = model.predict(n_samples=20_000)
    spread = forecast.samples[0].std(axis=0)
    np.testing.assert_allclose(spread, model.errors_[0, 0] * np.sqrt(np.repeat([1, 2, 3], 4)), rtol=0.03)
    np.testing.assert_allclose(forecast.mean[0], np.tile(y[-4:], 3), atol=0.06)


def test_a_season_missing_at_the_end_costs_one_more_error(rng):
    y = np.cumsum(rng.normal(size=(40, 4)), axis=0).ravel()
    y[-4:] = np.nan
    model = tsf.SeasonalNaive(horizon=4, season_length=4, seed=0).fit(frame_of(y).dropna())
    forecast = model.predict(frame_of(np.r_[y[:-1], 5.0]), n_samples=20_000)
    np.testing.assert_allclose(forecast.mean[0, :3], y[-8:-5], atol=0.06)
    ages = forecast.samples[0].std(axis=0) / model.errors_[0, 0]
    np.testing.assert_allclose(ages, np.sqrt([2, 2, 2, 1]), rtol=0.03)


def test_intervals_of_80_percent_hold_80_percent_of_seasonal_random_walks(rng):
    walks = np.cumsum(rng.normal(size=(300, 32, 6)), axis=1).reshape(300, -1)
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(300), 192), "ds": np.tile(np.arange(192), 300), "y": walks.ravel()}
    )
    model = tsf.SeasonalNaive(horizon=12, season_length=6, seed=0).fit(frame[frame.ds < 180])
    lower, upper = np.moveaxis(model.predict(n_samples=400).interval(0.8), 1, 0)
    inside = (walks[:, 180:] >= lower) & (walks[:, 180:] <= upper)
    assert inside.mean() == pytest.approx(0.8, abs=0.03)


def test_new_series_are_forecast_from_their_own_history(rng):
    model = tsf.SeasonalNaive(horizon=3, season_length=4, seed=0).fit(frame_of(rng.normal(size=40)))
    other = frame_of(50 + 10 * rng.normal(size=40), "new")
    direct = tsf.SeasonalNaive(horizon=3, season_length=4, seed=0).fit(other).predict()
    np.testing.assert_array_equal(model.predict(other).samples, direct.samples)


def test_a_known_series_keeps_the_errors_of_fit(rng):
    frame = frame_of(rng.normal(size=40))
    model = tsf.SeasonalNaive(horizon=3, season_length=4, seed=0).fit(frame)
    np.testing.assert_array_equal(model.predict(frame.tail(4)).samples, model.predict().samples)
    longer = pd.concat([frame, frame_of(np.arange(42.0)).tail(2)])
    np.testing.assert_allclose(model.predict(longer).mean[0], [*frame.y.iloc[-2:], 40.0], atol=0.6)


def test_the_season_comes_from_the_frequency():
    y = np.tile(np.arange(24.0), 3)
    model = tsf.SeasonalNaive(horizon=24).fit(frame_of(y))
    assert model.season_ == 24
    np.testing.assert_array_equal(model.predict().median[0], np.arange(24.0))


def test_a_series_shorter_than_a_season_walks_from_its_last_value():
    model = tsf.SeasonalNaive(horizon=2, seed=0).fit(frame_of([1.0, 3.0, 2.0]))
    spread = model.predict(n_samples=20_000).samples[0].std(axis=0)
    np.testing.assert_allclose(spread, np.sqrt([2.5, 5.0]), rtol=0.03)


@pytest.mark.filterwarnings("ignore:183 of 414 series ended")
def test_414_hourly_series_take_less_than_two_seconds(rng):
    lengths = rng.choice([700, 960], 414)
    steps = np.concatenate([np.arange(n) for n in lengths])
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(414), lengths),
            "ds": pd.Timestamp("2020-01-01") + pd.to_timedelta(steps, "h"),
            "y": rng.normal(size=steps.size),
        }
    )
    forecast = tsf.SeasonalNaive(horizon=48, seed=0).fit(frame).predict()
    assert forecast.samples.shape == (414, 100, 48)
