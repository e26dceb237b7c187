"""A daily season keeps its hours when clocks change."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.forecasters.local.wall_clock import on_wall_clock, wall_steps


def daily(first, days, freq="h", tz="Europe/Berlin", ids="a"):
    """A daily pattern of the local hour, with a little noise."""
    times = pd.date_range(first, pd.Timestamp(first) + pd.Timedelta(days=days), freq=freq, tz=tz, inclusive="left")
    hour = np.asarray(times.hour + times.minute / 60)
    y = 100 + 30 * np.sin(2 * np.pi * hour / 24) + 20 * np.sin(4 * np.pi * hour / 24)
    frame = pd.DataFrame({"unique_id": ids, "ds": times, "y": y})
    return frame.assign(y=frame.y + np.random.default_rng(0).normal(0, 1, len(frame)))


@pytest.mark.parametrize("first", ["2024-03-17", "2024-10-13"])
@pytest.mark.parametrize("freq", ["h", "30min"])
@pytest.mark.parametrize("name", ["SeasonalNaive", "Theta"])
def test_a_change_of_clocks_in_the_history_does_not_spoil_the_season(first, freq, name):
    frame = daily(first, 22, freq)
    cut = frame.ds < frame.ds.iloc[-1].normalize() - pd.Timedelta(days=1)
    horizon = int((~cut).sum())
    forecast = getattr(tsf, name)(horizon=horizon, seed=0).fit(frame[cut]).predict()
    assert np.abs(forecast.median[0] - frame.y[~cut]).max() < 12
    low, high = forecast.interval(0.8)[0]
    assert (high - low).max() < 25


@pytest.mark.parametrize("first", ["2024-03-17", "2024-10-13"])
def test_a_change_of_clocks_in_the_horizon_does_not_shift_the_forecast(first):
    frame = daily(first, 17)
    change = 14 * 24 - 12  # the clocks change in the night after
    forecast = tsf.SeasonalNaive(horizon=36, seed=0).fit(frame[:change]).predict()
    assert forecast.times.shape == (1, 36)
    assert np.abs(forecast.median[0] - frame.y[change : change + 36]).max() < 12
    np.testing.assert_allclose(forecast.mean, forecast.median, rtol=1e-12)
    blocks = tsf.Theta(horizon=36, seed=0).fit(frame[:change])
    quantiles = blocks.predict(quantiles=[0.1, 0.5])
    np.testing.assert_array_equal(quantiles.quantile(0.5), blocks.predict().quantile(0.5))


def test_a_zone_without_a_change_changes_nothing():
    frame = daily("2024-06-01", 10)
    plain = frame.assign(ds=frame.ds.dt.tz_localize(None))
    for model in (tsf.SeasonalNaive(horizon=30, seed=0), tsf.Theta(horizon=30, seed=0)):
        expected = model.fit(plain).predict().samples
        np.testing.assert_array_equal(model.fit(frame).predict().samples, expected)


def test_skipped_hours_are_missing_and_repeated_ones_averaged():
    spring = pd.date_range("2024-03-31", periods=5, freq="h", tz="Europe/Berlin")
    panel = tsf.Panel.from_frame(pd.DataFrame({"ds": spring, "y": np.arange(5.0)}))
    np.testing.assert_array_equal(on_wall_clock(panel).y, [0, 1, np.nan, 2, 3, 4])
    autumn = pd.date_range("2024-10-27", periods=5, freq="h", tz="Europe/Berlin")
    panel = tsf.Panel.from_frame(pd.DataFrame({"ds": autumn, "y": np.arange(5.0)}))
    np.testing.assert_array_equal(on_wall_clock(panel).y, [0, 1, 2.5, 4])


def test_a_forecast_from_within_the_repeated_hour_has_all_its_steps():
    autumn = pd.date_range("2024-10-26", periods=28, freq="h", tz="Europe/Berlin")
    for rows in (26, 27, 28):
        panel = tsf.Panel.from_frame(pd.DataFrame({"ds": autumn[:rows], "y": np.arange(rows) % 24.0}))
        steps = wall_steps(panel, on_wall_clock(panel), 3)
        assert (steps >= 0).all() and (np.diff(steps) <= 1).all()
        assert tsf.SeasonalNaive(horizon=3).fit(panel).predict().samples.shape == (1, 100, 3)


def test_other_histories_of_the_same_series_are_aligned_with_the_season_of_fit():
    frame = daily("2024-03-17", 22)
    model = tsf.Theta(horizon=24, seed=0).fit(frame[: 10 * 24])
    later = model.predict(frame[5 * 24 : 16 * 24 - 1])
    expected = frame.y[16 * 24 - 1 : 17 * 24 - 1]
    assert np.abs(later.median[0] - expected).max() < 12


@pytest.mark.parametrize("freq", ["D", "7h", "ME"])
def test_other_steps_are_left_as_they_are(freq):
    times = pd.date_range("2024-03-01", periods=60, freq=freq, tz="Europe/Berlin")
    assert on_wall_clock(tsf.Panel.from_frame(pd.DataFrame({"ds": times, "y": np.arange(60.0)}))) is None
