"""AutoETS and HoltWinters: exact in any unit, sane on odd data, with the coverage that they say, on few rows too."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf

KINDS = [tsf.AutoETS, tsf.HoltWinters]
QUIET = {"seed": 0, "n_jobs": 1, "verbose": False}
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
EMPTY_WINTER = np.array([0.2, 0.4, 0.8, 1, 1.6, 2, 2.2, 1.8, 1.2, 0.6, 0, 0])
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def frame(rows):
    return pd.concat(
        [pd.DataFrame({"unique_id": f"s{i:03d}", "ds": np.arange(len(y)), "y": y}) for i, y in enumerate(rows)]
    )


def forecast(kind, rows, horizon=6, season=1, n_samples=200, **settings):
    model = kind(horizon=horizon, season_length=season, **QUIET, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame(rows), freq=1)
        return model.predict(n_samples=n_samples), model


def monthly(seed=0, rows=96):
    rng, t = np.random.default_rng(seed), np.arange(rows)
    wave = np.sin(2 * np.pi * t / 12)
    return [
        (100 + t) * (1 + 0.2 * wave) * np.exp(rng.normal(0, 0.04, rows)),
        300 + np.cumsum(rng.normal(0, 3, rows)),
        rng.normal(0, 2, rows) + 3 * wave,
    ]


@each_kind
def test_powers_of_two_change_no_bit(kind):
    before, _ = forecast(kind, monthly(), season=12)
    for power in (-30, 10):
        after, _ = forecast(kind, [y * 2.0**power for y in monthly()], season=12)
        np.testing.assert_array_equal(after.samples, before.samples * 2.0**power)


@each_kind
def test_decimal_units_change_nothing_that_is_seen(kind):
    before, _ = forecast(kind, monthly(), season=12)
    sd = np.array([y.std() for y in monthly()])[:, None, None]
    for unit in (1e-9, 1e-3, 1e3, 1e9):
        after, _ = forecast(kind, [y * unit for y in monthly()], season=12)
        assert np.abs((after.quantile(LEVELS) / unit - before.quantile(LEVELS)) / sd).max() < 1e-3


@pytest.mark.parametrize("settings", [{"seasonal": "add"}, {"seasonal": None, "trend": None}])
def test_the_origin_does_not_matter_to_additive_models(settings):
    before, _ = forecast(tsf.HoltWinters, monthly(), season=12, **settings)
    sd = np.array([y.std() for y in monthly()])[:, None, None]
    for origin in (-10_000, 10_000):
        after, _ = forecast(tsf.HoltWinters, [y + origin for y in monthly()], season=12, **settings)
        assert np.abs((after.quantile(LEVELS) - origin - before.quantile(LEVELS)) / sd).max() < 0.02


@each_kind
def test_predict_is_predict_of_the_same_data_before_and_after_update(kind):
    rows = monthly()
    rows[1][[5, 6, 40]] = np.nan
    _, model = forecast(kind, [y[:90] for y in rows], season=12)
    np.testing.assert_array_equal(model.predict(frame([y[:90] for y in rows])).samples, model.predict().samples)
    longer = frame(rows)
    updated = model.update(longer[longer.ds >= 90]).predict()
    np.testing.assert_array_equal(updated.samples, model.predict(longer).samples)


@each_kind
def test_a_saved_model_forecasts_alike(kind, tmp_path):
    _, model = forecast(kind, monthly(), season=12)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(tsf.load(tmp_path / "model").predict().samples, model.predict().samples)


@each_kind
@pytest.mark.parametrize(("start", "slope", "pattern"), [(5, 2, [0]), (1000, -3, [0]), (50, 2, [5, -3, 1, -3])])
def test_a_line_is_continued(kind, start, slope, pattern):
    t = np.arange(52)
    y = start + slope * t + np.tile(pattern, 52)[:52]
    found, _ = forecast(kind, [y[:48]], 4, len(pattern))
    np.testing.assert_allclose(found.median[0], y[48:], atol=0.06 * 4 * abs(slope))
    low, high = found.interval(0.8)[0]
    assert (high - low).max() < abs(slope)


@each_kind
def test_a_season_alone_is_continued(kind):
    y = 100 + np.tile([5.0, -3.0, 1.0, -3.0], 13)
    found, _ = forecast(kind, [y[:48]], 4, 4)
    np.testing.assert_allclose(found.median[0], y[48:], atol=1e-4)


@each_kind
@pytest.mark.parametrize("rows", range(1, 10))
def test_few_rows_are_forecast_near_them(kind, rows):
    y = np.random.default_rng(rows).normal(20, 1, rows)
    found, model = forecast(kind, [y], season=4)
    assert bool(model.fallbacks_) == (rows < 4)
    assert found.median.min() > 15 and found.median.max() < 25 and np.isfinite(found.samples).all()
    assert found.interval(0.9).min() > 0 and found.interval(0.9).max() < 40


@each_kind
@pytest.mark.parametrize("least", [0.5, 1.0, 0.0])
def test_an_event_in_an_empty_month_does_not_explode(kind, least):
    rng, month = np.random.default_rng(1), np.arange(96)
    pattern = EMPTY_WINTER[month % 12]
    y = np.maximum(np.round(500 * (1 + month / 100) * pattern * np.exp(rng.normal(0, 0.1, 96))), least)
    y[58] = 300
    found, _ = forecast(kind, [y], 12, 12, 400)
    assert found.interval(0.9).min() > -2 * y.max() and found.interval(0.9).max() < 5 * y.max()


@each_kind
def test_growth_by_a_thousand_stays_positive(kind):
    rng, month = np.random.default_rng(0), np.arange(96)
    pattern = np.maximum(EMPTY_WINTER, 0.1)
    y = 1000 ** (month / 95) * pattern[month % 12] * np.exp(rng.normal(0, 0.1, 96))
    found, _ = forecast(kind, [y], 8, 12, 400)
    assert found.median.min() > 0 and found.interval(0.9).max() < 5 * y.max()


@each_kind
@pytest.mark.parametrize("walk", [False, True])
@pytest.mark.parametrize("missing", ["most", "six in seven"])
def test_missing_rows_leave_the_coverage(kind, walk, missing):
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(24, 286))
    truth = 100 + (np.cumsum(noise, axis=1) if walk else noise)
    y = truth[:, :281].copy()
    if missing == "most":
        y[:, 1:-1][rng.random((24, 279)) < 0.6] = np.nan
    else:
        y[:, np.arange(281) % 7 > 0] = np.nan
    found, _ = forecast(kind, y, 5)
    low, high = found.interval(0.8)[:, 0], found.interval(0.8)[:, 1]
    if walk:  # the probability under what is known at the end
        from scipy.stats import norm

        sd = np.sqrt(np.arange(1, 6))
        share = (norm.cdf((high - y[:, -1:]) / sd) - norm.cdf((low - y[:, -1:]) / sd)).mean()
    else:
        share = ((low <= truth[:, 281:]) & (truth[:, 281:] <= high)).mean()
    assert 0.68 <= share <= 0.92


def simulated(kind, rng, n=26):
    """A series of one of the models."""
    e, y = rng.normal(size=n), np.empty(n)
    level, slope, season = 100.0, {"slope": 0.5, "fading": 2.0}.get(kind, 0.0), rng.normal(0, 3, 4)
    for t in range(n):
        fading = (0.9 if kind == "fading" else 1.0) * slope
        error = e[t] * (1.0 if kind != "relative" else 0.1 * level)
        y[t] = level + fading + error + (season[t % 4] if kind == "season" else 0.0)
        level, slope = level + fading + 0.4 * error, fading + 0.1 * error * (kind in ("slope", "fading"))
        season[t % 4] += 0.1 * error
    return y


@each_kind
@pytest.mark.parametrize("process", ["level", "slope", "fading", "season", "relative"])
def test_intervals_keep_their_share_on_twenty_rows_of_each_process(kind, process):
    rng = np.random.default_rng(7)
    y = np.array([simulated(process, rng) for _ in range(80)])
    found, _ = forecast(kind, y[:, :20], 6, 4 if process == "season" else 1)
    low, high = found.interval(0.8)[:, 0], found.interval(0.8)[:, 1]
    assert 0.68 <= ((low <= y[:, 20:]) & (y[:, 20:] <= high)).mean() <= 0.92


@each_kind
def test_two_seeds_have_nearly_one_median(kind):
    one, model = forecast(kind, monthly(), season=12)
    other = model.predict(seed=9)
    deviation = one.samples.std(axis=1)
    assert np.abs((one.median - other.median) / deviation).max() < 0.06
    assert np.abs((one.mean - other.mean) / deviation).max() < 0.02


@each_kind
def test_threads_give_the_same_numbers(kind):
    rows = monthly() * 4
    one = kind(horizon=4, season_length=12, **QUIET).fit(frame(rows), freq=1).predict()
    two = kind(horizon=4, season_length=12, **QUIET | {"n_jobs": 2}).fit(frame(rows), freq=1).predict()
    np.testing.assert_array_equal(one.samples, two.samples)
