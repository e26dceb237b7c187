"""Laws of every local model: what is asked twice, in another unit, order or company, has one answer."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf

QUIET = {"horizon": 4, "seed": 0, "n_jobs": 1, "verbose": False}
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MODELS = {
    "AutoETS": tsf.AutoETS(**QUIET),
    "AutoARIMA": tsf.AutoARIMA(**QUIET),
    "HoltWinters": tsf.HoltWinters(**QUIET),
    "Theta": tsf.Theta(**QUIET),
    "SeasonalNaive": tsf.SeasonalNaive(**QUIET),
}
ADDITIVE = {  # y + b has the quantiles of y, plus b: up to so many standard deviations
    "AutoARIMA": (tsf.AutoARIMA(**QUIET), 0.02),
    "HoltWinters, additive": (tsf.HoltWinters(**QUIET, seasonal="add"), 0.02),
    "HoltWinters, level": (tsf.HoltWinters(**QUIET, seasonal=None, trend=None), 0.02),
    "Theta, no season": (tsf.Theta(**QUIET, season_length=1), 1e-6),
    "SeasonalNaive": (tsf.SeasonalNaive(**QUIET), 1e-6),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def frame(y, name, freq="MS", start="2015-01-01"):
    times = pd.date_range(start, periods=len(y), freq=freq)
    return pd.DataFrame({"unique_id": name, "ds": times, "y": np.asarray(y, dtype=float)})


@pytest.fixture(scope="module")
def months():
    """A trend with a multiplicative season, a walk far from zero, noise around zero, some of it missing."""
    rng, month = np.random.default_rng(0), np.arange(72)
    wave = 1 + 0.2 * np.sin(2 * np.pi * month / 12)
    y = [
        (100 + month) * wave * np.exp(rng.normal(0, 0.04, 72)),
        300 + np.cumsum(rng.normal(0, 3, 72)),
        rng.normal(0, 2, 72) + 3 * np.cos(2 * np.pi * month / 12),
    ]
    data = pd.concat([frame(row, name) for row, name in zip(y, "abc", strict=True)], ignore_index=True)
    data.loc[data.index[rng.choice(np.arange(146, 210), 5, replace=False)], "y"] = np.nan
    return data


def quantiles(model, data, **asked):
    """(N, Q, H) quantiles after ``data``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(data).predict(n_samples=200, **asked).quantile(LEVELS)


def deviations(data):
    return data.groupby("unique_id").y.std().to_numpy()[:, None, None]


@each_model
def test_predict_is_predict_of_the_data_of_fit(model, months):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(months)
        np.testing.assert_array_equal(fitted.predict(months).values, fitted.predict().values)


@each_model
def test_a_longer_gap_at_the_end_is_forecast_across(model, months):
    """The forecast after missing last rows is that of the later steps, where nothing was refitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = type(model)(**QUIET | {"horizon": 6}).fit(months)
        whole = fitted.predict(n_samples=2000).quantile(LEVELS)[:, :, 2:]
        last = months.groupby("unique_id").ds.max().iloc[0]
        ahead = pd.date_range(last, periods=3, freq="MS")[1:]
        gap = pd.concat([pd.DataFrame({"unique_id": name, "ds": ahead, "y": np.nan}) for name in "abc"])
        later = type(model)(**QUIET).fit(months)
        late = later.predict(pd.concat([months, gap], ignore_index=True), n_samples=2000).quantile(LEVELS)
    spread = (whole[:, -1] - whole[:, 0])[:, None]
    assert (np.abs(late - whole) / spread).max() < 0.1


@each_model
@pytest.mark.parametrize("power", [-30, -10, 10, 30])
def test_a_unit_that_is_a_power_of_two_changes_no_digit(model, months, power):
    unit = 2.0**power
    before, after = quantiles(model, months), quantiles(model, months.assign(y=months.y * unit))
    np.testing.assert_allclose(after / unit, before, rtol=0, atol=1e-9 * deviations(months).min())


@each_model
@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e3, 1e9])
def test_a_decimal_unit_changes_nothing_that_is_seen(model, months, unit):
    before, after = quantiles(model, months), quantiles(model, months.assign(y=months.y * unit))
    assert (np.abs(after / unit - before) / deviations(months)).max() <= 1e-3


@pytest.mark.parametrize(("model", "within"), ADDITIVE.values(), ids=ADDITIVE)
@pytest.mark.parametrize("origin", [-10_000.0, 10_000.0])
def test_the_origin_does_not_matter_to_additive_models(model, within, months, origin):
    before, after = quantiles(model, months), quantiles(model, months.assign(y=months.y + origin))
    assert (np.abs(after - origin - before) / deviations(months)).max() <= within


@each_model
@pytest.mark.parametrize("size", [1e-8, 1e10, 5e12])
def test_a_series_has_one_forecast_alone_and_beside_others_of_any_size(model, months, size):
    alone = months[months.unique_id == "a"]
    beside = [alone.assign(unique_id=name, y=alone.y * size + size) for name in ("0", "z")]
    company = pd.concat([beside[0], alone, beside[1]], ignore_index=True)
    np.testing.assert_array_equal(quantiles(model, company)[1], quantiles(model, alone)[0])


@each_model
def test_the_order_of_rows_and_series_does_not_matter(model, months):
    before = quantiles(model, months)
    shuffled = months.sample(frac=1, random_state=1)
    np.testing.assert_array_equal(quantiles(model, shuffled), before)
    renamed = months.assign(unique_id=months.unique_id.map({"a": "z", "b": "b", "c": "a"}))
    np.testing.assert_array_equal(quantiles(model, renamed)[1], before[1])


@each_model
def test_the_part_of_a_panel_has_the_forecasts_of_the_whole(model, months):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(months)
        whole = fitted.predict().values
        np.testing.assert_array_equal(fitted.predict(months[months.unique_id != "b"]).values, whole[[0, 2]])
        summary = fitted.predict(quantiles=LEVELS)
        np.testing.assert_allclose(summary.values, fitted.predict().quantile(LEVELS), rtol=1e-12)


@each_model
def test_rows_that_are_left_out_are_rows_that_are_missing(model, months):
    """A frame without the rows, and one with NaN in them."""
    np.testing.assert_array_equal(quantiles(model, months.dropna()), quantiles(model, months))


@each_model
def test_two_seeds_differ_by_less_than_a_fiftieth_of_the_forecasts_deviation(model, months):
    """The mean at each step; the median of skewed paths in the root mean square."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(months)
        first, second = (fitted.predict(seed=seed) for seed in (1, 2))
    deviation = fitted.predict(n_samples=2000).samples.std(axis=1)
    assert (np.abs(first.mean - second.mean) / deviation).max() < 0.02
    assert np.sqrt(np.mean(((first.median - second.median) / deviation) ** 2, axis=1)).max() < 0.02


@each_model
def test_new_rows_one_by_one_are_new_rows_at_once_and_the_whole_history(model, months):
    months = months.dropna()
    rest = months[months.ds >= "2020-06-01"]
    first = months[months.ds < "2020-06-01"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, at_once, by_row = (type(model)(**QUIET).fit(first) for _ in range(3))
        wanted = before.predict(months).values
        at_once.update(rest)
        for _, rows in rest.groupby("ds"):
            by_row.update(rows)
        scale = deviations(months)
        assert (np.abs(at_once.predict().values - wanted) / scale).max() <= 1e-6
        assert (np.abs(by_row.predict().values - wanted) / scale).max() <= 1e-6
    assert str(at_once.params_) == str(before.params_)
