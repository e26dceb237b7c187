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


WHOLE = [(3, [13.0, 0.0, -2.0] * 4 + [1.0]), (7, [*range(13, 41)]), (1, [4.0, 9.0, 0.0, 12.0, 0.0])]


@pytest.mark.parametrize("n_samples", [50, 100, 101])
@pytest.mark.parametrize(("season", "y"), WHOLE)
def test_mean_and_median_are_the_values_of_the_last_season(season, y, n_samples):
    forecast = tsf.SeasonalNaive(horizon=4, season_length=season, seed=0).fit(frame_of(y)).predict(n_samples=n_samples)
    expected = np.resize(y[-season:], 4)
    summary = forecast.to_frame()
    for found in (forecast.mean[0], forecast.median[0], summary["mean"].to_numpy(), summary["q0.5"].to_numpy()):
        assert found.tolist() == expected.tolist()
    assert not np.signbit(forecast.mean[forecast.mean == 0]).any()


def test_quantiles_in_blocks_have_the_exact_mean(rng):
    model = tsf.SeasonalNaive(horizon=3, season_length=1, seed=0).fit(frame_of([4.0, 9.0, 7.0]))
    assert model.predict(quantiles=(0.1, 0.9), n_samples=11).mean.tolist() == [[7.0, 7.0, 7.0]]
    assert [block.mean.tolist() for block in model.predict_blocks()] == [[[7.0, 7.0, 7.0]]]


@pytest.mark.parametrize(("kept", "low", "high"), [((0, 2, 4), 6, 25), (None, 6, 60)])
def test_a_series_without_neighbouring_rows_has_a_width(kept, low, high):
    """Mondays, Wednesdays and Fridays of a daily grid, and every ninth row, of a walk with steps of 5."""
    walk = 100 + np.cumsum(np.random.default_rng(8).normal(0, 5, 82))
    rows = np.arange(82)
    y = np.where(rows % 9 == 0 if kept is None else np.isin(rows % 7, kept), walk, np.nan)
    with pytest.warns(
        UserWarning, match="no two values one row apart; their spread is that of values at other"
    ) as caught:
        model = tsf.SeasonalNaive(horizon=3, season_length=1, seed=0).fit(frame_of(y, freq="D"))
    assert "'a'" in str(caught[0].message)
    lower, upper = model.predict(n_samples=500).interval(0.8)[0]
    assert low < (upper - lower)[0] < high


def test_the_spread_of_thinned_walks_is_that_of_their_steps(rng):
    walks = np.cumsum(rng.normal(size=(200, 271)), axis=1)
    walks[:, np.arange(271) % 9 > 0] = np.nan
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(200), 271), "ds": np.tile(np.arange(271), 200), "y": walks.ravel()}
    )
    with pytest.warns(UserWarning, match="200 of 200 series"):
        model = tsf.SeasonalNaive(horizon=1, season_length=1, seed=0).fit(frame, freq=1)
    assert np.sqrt((model.errors_**2).mean()) == pytest.approx(1.0, abs=0.03)


def test_a_hundred_thousand_series_are_drawn_in_array_operations(rng):
    from time import process_time

    n, rows = 20_000, 30
    y = rng.normal(size=(n, rows))
    y[rng.random(y.shape) < 0.1] = np.nan
    y[:, -1] = 1.0
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(n), rows), "ds": np.tile(np.arange(rows), n), "y": y.ravel()}
    )
    panel = tsf.Panel.from_frame(frame, freq=1)
    started = process_time()
    forecast = tsf.SeasonalNaive(horizon=4, season_length=7, seed=0).fit(panel).predict(n_samples=20)
    assert len(forecast) == n
    assert process_time() - started < 2.0  # 0.1 ms a series; a loop over series takes ten times that
