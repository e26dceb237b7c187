"""HoltWinters beside statsmodels' ExponentialSmoothing."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf

pytestmark = pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.ConvergenceWarning")


def frame_of(y, freq="QS"):
    return pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2000-01-01", periods=len(y), freq=freq), "y": y})


def seasonal_walk(rng, rows=60):
    return 50 + np.cumsum(rng.normal(size=rows)) + 8 * np.sin(np.arange(rows) * np.pi / 2) + rng.normal(size=rows)


def test_the_mean_of_draws_is_near_the_forecast_of_statsmodels(rng):
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    y = seasonal_walk(rng)
    model = tsf.HoltWinters(horizon=8, seasonal="add", seed=0).fit(frame_of(y))
    expected = ExponentialSmoothing(y, trend="add", damped_trend=True, seasonal="add", seasonal_periods=4).fit()
    np.testing.assert_allclose(model.predict(n_samples=20_000).mean[0], expected.forecast(8), atol=0.8)


def test_the_kind_of_season_has_the_least_aicc(rng):
    rows = np.arange(80)
    shape = np.sin(rows * np.pi / 2)
    model = tsf.HoltWinters(horizon=4)
    assert model.fit_one(20 + rows + 0.4 * (20 + rows) * shape + rng.normal(size=80), 4)["spec"][3] == "mul"
    assert model.fit_one(20 + rows + 8 * shape + rng.normal(size=80), 4)["spec"][3] == "add"
    assert model.fit_one(20 + rows + rng.normal(size=80), 4)["spec"][3] is None
    assert model.fit_one(rows - 40 + 8 * shape + rng.normal(size=80), 4)["spec"][3] == "add"


def test_spread_of_a_multiplicative_season_is_relative(rng):
    rows = np.arange(80)
    shape = np.tile([0.2, 1.8], 40)
    y = (100 + 0 * rows) * shape * (1 + 0.05 * rng.normal(size=80))
    spread = (
        tsf.HoltWinters(horizon=2, season_length=2, seasonal="mul", seed=0).fit(frame_of(y)).predict(n_samples=4000)
    )
    low, high = spread.samples[0].std(axis=0) / spread.mean[0]
    assert low == pytest.approx(high, rel=0.1) and 0.03 < low < 0.08


def test_longer_and_other_histories_are_continued_without_refit(rng):
    y = 50 + np.tile([10.0, -5, 2, -7], 20) + rng.normal(size=80) * 0.1
    frame = frame_of(y)
    model = tsf.HoltWinters(horizon=4, seed=0).fit(frame[:60])
    for part in (frame[:61], frame[:63], frame, frame[40:], frame[57:59], frame[62:63]):
        last = part.index[-1] + 1
        expected = 50 + np.tile([10.0, -5, 2, -7], 2)[last % 4 :][:4]
        np.testing.assert_allclose(model.predict(part).mean[0], expected, atol=1.5)


def test_a_multiplicative_season_of_negative_values_falls_back_and_says_what_to_write(rng):
    with pytest.warns(UserWarning, match="write seasonal='add'"):
        tsf.HoltWinters(horizon=2, seasonal="mul").fit(frame_of(seasonal_walk(rng) - 60))


def test_intervals_of_80_percent_hold_about_80_percent(rng):
    shocks = rng.normal(size=(120, 84))
    y = np.cumsum(0.4 * shocks, axis=1) - 0.4 * shocks + shocks
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(120), 80), "ds": np.tile(np.arange(80), 120), "y": y[:, :80].ravel()}
    )
    model = tsf.HoltWinters(horizon=4, trend=None, seasonal=None, seed=0).fit(frame)
    lower, upper = np.moveaxis(model.predict(n_samples=300).interval(0.8), 1, 0)
    assert ((y[:, 80:] >= lower) & (y[:, 80:] <= upper)).mean() == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trend": "mul"}, "trend='mul' is unknown; choose one of 'add', None"),
        ({"seasonal": "both"}, "seasonal='both' is unknown; choose one of 'add', 'mul', 'auto', None"),
        ({"damped": "yes"}, "damped must be True or False, not 'yes'"),
    ],
)
def test_unknown_parts_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        tsf.HoltWinters(horizon=2, **wrong).fit(frame_of(np.arange(20.0)))


def test_a_season_that_is_not_there_costs_nothing():
    y = np.random.default_rng(8).normal(size=(40, 60)).cumsum(axis=1) + 100
    frame = pd.concat([frame_of(row, "MS").assign(unique_id=f"s{i:02d}") for i, row in enumerate(y[:, :48])])
    errors = []
    for seasonal in ("auto", None):
        model = tsf.HoltWinters(horizon=12, seasonal=seasonal, seed=0, n_jobs=1, verbose=False).fit(frame)
        errors.append(np.abs(model.predict().median - y[:, 48:]).mean())
    assert errors[0] < 1.03 * errors[1]


def test_few_rows_take_a_smaller_model(rng):
    y = seasonal_walk(rng, 12)
    model = tsf.HoltWinters(horizon=4)
    specs = {(spec.trend, spec.damped_trend) for spec in model.specs(y, 4)}
    assert specs == {("add", True), ("add", False), (None, False)}
    assert {(spec.trend, spec.damped_trend) for spec in model.specs(seasonal_walk(rng), 4)} == {("add", True)}
    assert model.fit_one(y, 4)["spec"][1] is None
