"""Intermittent: counts in, counts out; their coverage, and what is refused."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers as tsf
from tsformers.messages import message_of

METHODS = ("auto", "croston", "sba", "tsb", "bootstrap")
QUIET = {"seed": 0, "n_jobs": 1, "verbose": False}


def panel_of(rows, freq=1):
    n, t = rows.shape
    times = np.arange(t) if freq == 1 else pd.date_range("2024-01-01", periods=t, freq=freq)
    return pd.DataFrame({"unique_id": np.repeat(np.arange(n), t), "ds": np.tile(times, n), "y": rows.ravel()})


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=1, max_size=25).filter(lambda y: set(y) != {None}),
    st.sampled_from(METHODS),
    st.integers(1, 40),
)
def test_draws_and_all_quantiles_are_counts(y, method, n_samples):
    frame = panel_of(np.array([y], dtype=float))
    model = tsf.Intermittent(horizon=3, method=method, **QUIET).fit(frame, freq=1)
    levels = np.linspace(0, 1, 41)
    asked = model.predict(n_samples=n_samples, quantiles=(0.05, 0.5, 0.95))
    (block,) = model.predict_blocks(n_samples=n_samples)
    for forecast in (model.predict(n_samples=n_samples), asked, block):
        assert forecast.counts
        found = forecast.quantile(levels)
        found = found[np.isfinite(found)]
        assert (found == np.floor(found)).all() and (found >= 0).all()
        table = forecast.to_frame(quantiles=(0.1234, 0.9)).filter(regex="^q").to_numpy()
        assert (table == np.floor(table)).all() and (table >= 0).all()
        assert (forecast.mean >= 0).all()
    np.testing.assert_array_equal(asked.mean, model.predict(n_samples=n_samples).mean)


@pytest.mark.parametrize("method", METHODS)
def test_after_nothing_but_zeros_comes_zero_and_nobody_is_warned(method):
    zeros = np.zeros((2, 20))
    zeros[1, ::3] = np.nan
    forecast = tsf.Intermittent(horizon=4, method=method, **QUIET).fit(panel_of(zeros), freq=1).predict()
    assert not forecast.samples.any() and not forecast.mean.any()


@pytest.mark.parametrize("method", METHODS)
def test_missing_is_not_zero(method, rng):
    y = rng.poisson(2.0, (4, 60)).astype(float)
    holes = np.full((4, 120), np.nan)
    holes[:, 1::2] = y
    full, thin = (tsf.Intermittent(horizon=1, method=method, season_length=1, **QUIET).fit(panel_of(rows), freq=1) for
                  rows in (y, holes))  # fmt: skip
    np.testing.assert_allclose(thin.predict().mean, full.predict().mean)
    filled = tsf.Intermittent(horizon=1, method=method, season_length=1, **QUIET)
    zeros = filled.fit(panel_of(np.nan_to_num(holes)), freq=1).predict().mean
    assert (zeros < 0.7 * full.predict().mean).all()


@pytest.mark.parametrize("value", [-1.0, 2.5])
def test_what_is_no_count_is_refused_with_series_and_row(value, rng):
    frame = panel_of(rng.poisson(2.0, (2, 20)).astype(float), "D")
    frame.loc[27, "y"] = value
    with pytest.raises(tsf.DataError, match=f"series 1 has y = {value:g} at ds = 2024-01-08") as caught:
        tsf.Intermittent(horizon=2, **QUIET).fit(frame)
    assert "tsf.Bounded(lower=0)" in str(caught.value)
    assert "--model Theta --lower 0" in message_of(caught.value, "shell")
    good = frame.assign(y=frame.y.abs().round())
    model = tsf.Intermittent(horizon=2, **QUIET).fit(good)
    with pytest.raises(tsf.DataError, match="series 1 has y"):
        model.predict(frame)


@pytest.mark.parametrize("wrong", [{"method": "holt"}, {"alpha": 0.2}, {"method": "tsb", "alpha": 1.5}])
def test_wrong_settings_are_refused(wrong, rng):
    names = "auto.*croston.*sba.*tsb.*bootstrap" if "alpha" not in wrong else "alpha"
    with pytest.raises(ValueError, match=names):
        tsf.Intermittent(horizon=2, **wrong).fit(panel_of(rng.poisson(2.0, (1, 20)).astype(float)))


KINDS = {
    "rare": lambda rng, shape: rng.poisson(0.2, shape),
    "Poisson": lambda rng, shape: rng.poisson(3.0, shape),
    "often zero": lambda rng, shape: np.where(rng.random(shape) < 0.6, 0, rng.poisson(4.0, shape)),
    "spread": lambda rng, shape: rng.negative_binomial(0.5, 0.5 / 4.5, shape),
    "large": lambda rng, shape: rng.negative_binomial(20, 20 / 520, shape),
}


@pytest.mark.parametrize("missing", [0.0, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_quantiles_cover_what_they_say(kind, missing, rng):
    """P(y < q) <= level <= P(y <= q), within 4 points, for 150 series of 80 rows."""
    y = KINDS[kind](rng, (150, 92)).astype(float)
    actual = y[:, 80:]
    history = y[:, :80].copy()
    history[:, 1:-1][rng.random((150, 78)) < missing] = np.nan
    model = tsf.Intermittent(horizon=12, season_length=1, **QUIET).fit(panel_of(history), freq=1)
    forecast = model.predict(n_samples=200)
    for level in (0.1, 0.25, 0.5, 0.75, 0.9, 0.975):
        found = forecast.quantile(level)[:, 0]
        assert (actual < found).mean() <= level + 0.04, level
        assert (actual <= found).mean() >= level - 0.04, level
    assert forecast.mean.mean() == pytest.approx(actual.mean(), rel=0.15)


def test_sums_over_steps_are_as_wide_as_they_should_be(rng):
    """Rates that differ are known from 12 rows alone: independent draws would cover too little of a year's sum."""
    rates = rng.gamma(2.0, 1.0, (400, 1))
    y = rng.poisson(rates, (400, 36)).astype(float)
    forecast = tsf.Intermittent(horizon=24, season_length=1, **QUIET).fit(panel_of(y[:, :12]), freq=1).predict()
    low, high = np.quantile(forecast.samples.sum(axis=2), (0.1, 0.9), axis=1)
    actual = y[:, 12:].sum(axis=1)
    assert ((actual >= low) & (actual <= high)).mean() == pytest.approx(0.82, abs=0.07)


def test_a_season_that_is_there_is_used(rng):
    busy = np.array([1.0, 1, 2, 3, 5, 9, 0.2])
    y = rng.poisson(busy[np.arange(147) % 7], (3, 147)).astype(float)
    model = tsf.Intermittent(horizon=7, **QUIET).fit(panel_of(y[:, :140], "D"))
    np.testing.assert_allclose(model.predict().mean, np.tile(busy, (3, 1)), atol=1.2, rtol=0.35)
    later = panel_of(y, "D").iloc[:, :]
    shifted = model.predict(later[later.ds >= later.ds.iloc[60]])
    np.testing.assert_allclose(shifted.mean, np.tile(busy, (3, 1)), atol=1.5, rtol=0.4)
    none = tsf.Intermittent(horizon=7, **QUIET).fit(panel_of(rng.poisson(2.0, (30, 140)).astype(float), "D"))
    assert (none.scales_ == 1).all(axis=1).mean() > 0.9


def test_a_new_series_is_learned_from_its_own_history(rng):
    y = rng.poisson(1.5, (3, 60)).astype(float)
    frame = panel_of(y)
    model = tsf.Intermittent(horizon=3, **QUIET).fit(frame[frame.unique_id < 2], freq=1)
    np.testing.assert_array_equal(
        model.predict(frame).values, tsf.Intermittent(horizon=3, **QUIET).fit(frame, freq=1).predict().values
    )


@pytest.mark.parametrize("method", METHODS)
def test_predict_is_predict_of_the_data_of_fit_and_seeds_reorder_alone(method, rng):
    frame = panel_of(rng.poisson(0.7, (3, 50)).astype(float))
    model = tsf.Intermittent(horizon=4, method=method, **QUIET).fit(frame, freq=1)
    forecast, other = model.predict(), model.predict(frame, seed=9)
    np.testing.assert_array_equal(forecast.values, model.predict(frame).values)
    np.testing.assert_array_equal(forecast.quantile([0.1, 0.5, 0.9]), other.quantile([0.1, 0.5, 0.9]))
    assert (forecast.values != other.values).any()


@pytest.mark.skipif(not os.environ.get("TSFORMERS_DATA"), reason="TSFORMERS_DATA names no folder of data")
@pytest.mark.filterwarnings("ignore:.*ended long before", "ignore:.*fall back", "ignore:.*have no two values")
def test_car_parts_are_forecast_better_than_by_the_last_season_or_theta():
    """Of 2,674 spare parts every 20th, the last year; in WQL over the deciles and in MASE."""
    data = tsf.load_dataset("carparts")[["unique_id", "ds", "y"]].dropna()
    data = data[data.unique_id.isin(data.unique_id.unique()[::20])]
    after = data.groupby("unique_id").cumcount(ascending=False)
    head, tail = data[after >= 12], data[after < 12]
    levels = np.arange(1, 10) / 10
    found = {}
    for name in ("Intermittent", "SeasonalNaive", "Theta"):
        forecast = getattr(tsf, name)(horizon=12, **QUIET).fit(head).predict()
        actual = tail.set_index("unique_id").y.groupby(level=0).apply(np.array)
        y = np.stack([actual[name] for name in forecast.ids])
        loss = tsf.scoring.quantile_loss(y, forecast.quantile(levels), levels, axis=1)
        found[name] = float(np.sum(loss) / np.abs(y).sum())
    assert found["Intermittent"] < 0.85 * min(found["SeasonalNaive"], found["Theta"])


def test_thousands_of_series_are_forecast_a_second(rng):
    from time import process_time

    frame = panel_of(rng.poisson(0.5, (1000, 60)).astype(float))
    model = tsf.Intermittent(horizon=12, season_length=1, **QUIET)
    model.fit(frame[frame.unique_id < 2], freq=1).predict()
    panel = tsf.Panel.from_frame(frame, freq=1)
    started = process_time()
    model.fit(panel).predict()
    assert process_time() - started < 4
