"""SeasonalNaive beside a slow implementation that reads like the definition."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import tsformers as tsf
from tsformers.counter_rng import keyed_normals, series_keys
from tsformers.forecasters.local.naive_walk import History, naive_errors, naive_samples

VALUE = st.one_of(st.just(np.nan), st.floats(-100, 100).map(lambda x: round(x, 2)))
SERIES = st.lists(VALUE, min_size=1, max_size=30).filter(lambda y: np.isfinite(y).any())


def packed(*series):
    lengths = [len(y) for y in series]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return History(np.concatenate(series).astype(float), offsets, offsets[1:])


def slow_errors(y, lag):
    changes = [y[t] - y[t - lag] for t in range(lag, len(y)) if np.isfinite(y[t]) and np.isfinite(y[t - lag])]
    return np.sqrt(np.mean(np.square(changes))) if changes else np.nan


def slow_path(y, season, horizon, draws):
    """One sample path (H,) of one series, step by step."""
    error = slow_errors(y, season)
    newest = max(t for t in range(len(y)) if np.isfinite(y[t]))
    if np.isnan(error):
        season, error = 1, np.nan_to_num(slow_errors(y, 1))
    path = []
    for step in range(horizon):
        if step >= season:
            path.append(path[step - season] + error * draws[step])
            continue
        row, age = len(y) + step - season, 1
        while row >= 0 and not np.isfinite(y[row]):
            row, age = row - season, age + 1
        base, age = (y[row], age) if row >= 0 else (y[newest], 1)
        path.append(base + np.sqrt(age) * error * draws[step])
    return path


@settings(max_examples=50, deadline=None)
@given(series=st.lists(SERIES, min_size=1, max_size=5), season=st.integers(1, 6), horizon=st.integers(1, 14))
def test_all_series_at_once_are_what_a_loop_over_series_gives(series, season, horizon):
    history = packed(*series)
    errors = naive_errors(history, season)
    expected = [[slow_errors(y, season), slow_errors(y, 1)] for y in series]
    np.testing.assert_allclose(errors, expected, atol=1e-9)
    keys = np.arange(len(series), dtype=np.uint64)
    values = naive_samples(history, season, errors, keys, 3, horizon)
    draws = keyed_normals(keys, 3, horizon)
    slow = [[slow_path(y, season, horizon, draws[i, s]) for s in range(3)] for i, y in enumerate(series)]
    np.testing.assert_allclose(values, slow, atol=1e-8)


def test_rows_after_a_history_are_not_read():
    y = np.array([1.0, 2, 3, 4, 1, 2, 3, 4, 1e9, np.nan])
    cut = History(y, np.array([0, 10]), np.array([8]))
    assert naive_errors(cut, 4)[0, 0] == 0
    np.testing.assert_array_equal(
        naive_samples(cut, 4, naive_errors(cut, 4), series_keys(pd.Index(["a"]), 0), 2, 4)[0, 0], y[:4]
    )


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


def test_unseen_series_are_forecast_from_their_own_history(rng):
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


def test_keyed_draws_are_standard_normal_and_unrelated():
    draws = keyed_normals(series_keys(pd.Index(range(200)), 0), 50, 20)
    assert stats.kstest(draws.ravel(), "norm").pvalue > 0.01
    correlation = np.corrcoef(draws[:, :25].reshape(200, -1)) - np.eye(200)
    assert np.abs(correlation).max() < 5 / np.sqrt(500)
    lagged = np.corrcoef(draws[..., 1:].ravel(), draws[..., :-1].ravel())[0, 1]
    assert abs(lagged) < 4 / np.sqrt(draws.size)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 10])
def test_draws_come_in_antithetic_pairs_so_that_mean_and_median_are_exact(n_samples):
    draws = keyed_normals(series_keys(pd.Index(["a", "b"]), 0), n_samples, 4)
    assert draws.shape == (2, n_samples, 4)
    pairs = n_samples // 2
    assert np.array_equal(draws[:, :pairs], -draws[:, pairs : 2 * pairs])
    assert (draws != 0).all()


def test_keys_differ_by_id_and_by_seed_alone():
    ids = pd.Index(["a", "b", "c"])
    keys = series_keys(ids, 1)
    assert len(set(keys)) == 3
    np.testing.assert_array_equal(series_keys(ids[[2, 0]], 1), keys[[2, 0]])
    assert not (series_keys(ids, 2) == keys).any()
    assert not (series_keys(ids, None) == series_keys(ids, None)).any()


def test_unlike_types_of_ids_are_all_welcome():
    for ids in (pd.Index([1, 2]), pd.CategoricalIndex(["x", "y"]), pd.to_datetime(["2024-01-01", "2024-01-02"])):
        assert len(set(series_keys(ids, 0))) == 2
