"""Bounded: forecasts keep to bounds, by clipping or by a logarithm; the laws of preprocessors hold."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.messages import message_of
from tsformers.testing import check_preprocessor, make_frame

COUNTS = np.array([0, 2, 0, 5, 1, 0, 3, 1, 0, 0, 4, 0, 2, 6, 0, 1, 3, 0, 0, 2, 1, 5, 0, 0, 1, 2, 0, 4], dtype=float)
STEPS = {
    "clip": lambda: tsf.Bounded(lower=-1e3, upper=1e6),
    "log": lambda: tsf.Bounded(lower=-1e3, method="log"),
    "log of an upper bound": lambda: tsf.Bounded(upper=1e4, method="log"),
    "logit": lambda: tsf.Bounded(lower=-1e3, upper=1e4, method="logit"),
}


def counts(y=COUNTS):
    return pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024-01-01", periods=len(y)), "y": y})


def naive(**settings):
    return tsf.SeasonalNaive(horizon=7, seed=0, **settings)


@pytest.mark.parametrize("name", STEPS)
def test_the_properties_of_preprocessors_hold(name):
    check_preprocessor(STEPS[name]())
    holes = make_frame()
    holes.loc[(holes.index % 7 == 0) & (holes["ds"] < "2024-02-20"), "y"] = np.nan
    check_preprocessor(STEPS[name](), holes)


def test_clip_leaves_the_training_data_and_clips_every_draw():
    panel = tsf.Panel.from_frame(counts())
    assert tsf.Bounded(lower=0).fit(panel).transform(panel) is panel
    free = naive().fit(counts()).predict(n_samples=200, seed=1)
    assert (free.samples < 0).any()
    bound = tsf.Pipeline([tsf.Bounded(lower=0)], naive()).fit(counts()).predict(n_samples=200, seed=1)
    np.testing.assert_array_equal(bound.samples, np.maximum(free.samples, 0))


@pytest.mark.parametrize(
    ("settings", "y"),
    [
        ({"lower": 0, "method": "log"}, np.exp(COUNTS)),
        ({"upper": 2, "method": "log"}, 2 - np.exp(-COUNTS)),
        ({"lower": 0, "upper": 1, "method": "logit"}, (COUNTS + 0.5) / 7),
        ({"lower": 10, "upper": 11, "method": "logit"}, 10 + (COUNTS + 1e-4) / 7),
    ],
)
def test_logarithms_keep_draws_strictly_inside(settings, y):
    draws = tsf.Pipeline([tsf.Bounded(**settings)], naive()).fit(counts(y)).predict(n_samples=500).samples
    assert (draws > settings.get("lower", -np.inf)).all() and (draws < settings.get("upper", np.inf)).all()
    assert np.isfinite(draws).all() and draws.std() > 0


@pytest.mark.parametrize("name", STEPS)
def test_quantiles_stay_quantiles_and_their_tails_keep_to_the_bounds(name):
    panel = tsf.Panel.from_frame(counts(COUNTS + 1))
    held = np.linspace(-2000, 2000, 5)[None, :, None]
    forecast = tsf.Forecast(
        panel.ids, panel.future_times(1), held / (1 if name == "clip" else 500), (0.1, 0.2, 0.5, 0.8, 0.9)
    )
    step = STEPS[name]().fit(panel)
    answer = step.inverse(forecast)
    lower, upper = step.bounds_
    assert answer.levels == forecast.levels
    found = answer.quantile([0, 1e-9, 0.5, 1 - 1e-9, 1])
    assert found.min() >= lower and found.max() <= upper
    assert np.isfinite(answer.mean).all()


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"lower": 0, "method": "log"}, "y=0 of series 'a' at ds=2024-01-01 00:00:00 lies on a bound"),
        ({"lower": 1, "method": "log"}, "y=0 of series 'a' at ds=2024-01-01 00:00:00 lies beyond a bound"),
        ({"upper": 6, "method": "log"}, "y=6 of series 'a' at ds=2024-01-14 00:00:00 lies on a bound"),
        ({"lower": -1, "upper": 5, "method": "logit"}, "y=5 of series 'a' at ds=2024-01-04 00:00:00 lies on a bound"),
    ],
)
def test_values_on_or_beyond_a_bound_are_refused_with_clip_named_and_clip_takes_them(settings, place):
    with pytest.raises(tsf.DataError) as caught:
        tsf.Bounded(**settings).fit(counts())
    assert place in str(caught.value) and "method='clip'" in str(caught.value)
    assert "--method clip" in message_of(caught.value, "shell")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tsf.Bounded(**{**settings, "method": "clip"}).fit(counts())


def test_later_rows_beyond_a_bound_are_refused_too():
    step = tsf.Bounded(lower=-1, method="log").fit(counts())
    with pytest.raises(tsf.DataError, match="y=-2 of series 'a'"):
        step.transform(tsf.Panel.from_frame(counts(COUNTS - 2)))


def test_clip_warns_of_a_history_beyond_the_bound():
    with pytest.warns(
        tsf.DataWarning, match=r"5 values of the history lie beyond lower 0 and upper 3.*y=5 of series 'a'"
    ):
        tsf.Bounded(lower=0, upper=3).fit(counts())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "there is no bound; pass lower=0, upper=1 or both"),
        ({"lower": 1, "upper": 0}, "lower=1 and upper=0 leave no value"),
        ({"lower": 0, "upper": 1, "method": "log"}, "method='log' takes one bound; pass method='logit' for both"),
        ({"lower": 0, "method": "logit"}, "method='logit' takes both bounds; pass method='log' for one"),
        ({"lower": 0, "method": "cut"}, "method"),
    ],
)
def test_settings_without_a_meaning_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        tsf.Bounded(**settings).fit(counts())


def test_a_forecast_too_large_for_a_number_is_refused_by_name():
    panel = tsf.Panel.from_frame(counts(COUNTS + 1))
    step = tsf.Bounded(lower=0, method="log").fit(panel)
    with pytest.raises(tsf.DataError, match=r"series 'a' is too large.*method='clip'"):
        step.inverse(tsf.Forecast(panel.ids, panel.future_times(1), np.full((1, 1, 1), 800.0)))


@pytest.mark.parametrize("name", STEPS)
def test_a_saved_model_keeps_its_bounds(tmp_path, name):
    model = tsf.Pipeline([STEPS[name]()], naive()).fit(counts())
    model.save(tmp_path / "model")
    loaded = tsf.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(seed=3).samples, model.predict(seed=3).samples)
    assert loaded.steps_[0].bounds_ == model.steps_[0].bounds_


def test_backtests_of_job_files_bound_forecasts(tmp_path):
    from tsformers.jobs.job_file import run_job

    counts().to_csv(tmp_path / "counts.csv", index=False)
    (tmp_path / "job.toml").write_text(
        '[data]\nfile = "counts.csv"\n[backtest]\nhorizon = 7\nwindows = 1\nmetrics = ["crps"]\n'
        '[[preprocess]]\nclass = "Bounded"\nlower = 0\n[models.naive]\nclass = "SeasonalNaive"\n'
    )
    forecasts = run_job(tmp_path / "job.toml", out=tmp_path / "run").forecasts
    assert (forecasts.filter(regex=r"^(q|0)").to_numpy() >= 0).all()
