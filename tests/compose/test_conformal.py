"""Conformal: coverage on later data, groups, few windows, forecasts without width, and the laws of a forecaster."""

import copy
import os
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError

import tsformers as tsf
from tsformers import storage
from tsformers.compose.ensemble import LEVELS
from tsformers.jobs.build import build
from tsformers.testing import check_forecaster, make_frame

HORIZON = 4


class Scaled:
    """A random walk's forecast whose spread is wrong by a factor."""

    def __init__(self, width=0.5, shift=0.0):
        self.width, self.shift, self.horizon = width, shift, HORIZON

    def get_params(self, deep=True):
        return {"width": self.width, "shift": self.shift}

    def set_params(self, **params):
        vars(self).update(params)
        return self

    def fit(self, data, **roles):
        panel = tsf.Panel.from_frame(data, **roles)
        self.panel_ = panel
        return self

    def predict(self, data=None, *, n_samples=100, seed=None, quantiles=None):
        panel = self.panel_ if data is None else self.panel_.like(data)
        rng = np.random.default_rng(seed)
        steps = rng.normal(0, self.width, size=(panel.n_series, n_samples, self.horizon)).cumsum(axis=2)
        last = panel.y[panel.ends - 1][:, None, None]
        values = last + self.shift * np.arange(1, self.horizon + 1) + steps
        return tsf.Forecast(panel.ids, panel.future_times(self.horizon), values, grid=panel.grid, schema=panel.schema)


def walks(n_series, rows, seed, spread=1.0):
    rng = np.random.default_rng(seed)
    y = (spread * np.ones(n_series))[:, None] * rng.normal(size=(n_series, rows)).cumsum(axis=1)
    ids = np.repeat([f"s{i:04d}" for i in range(n_series)], rows)
    return pd.DataFrame({"unique_id": ids, "ds": np.tile(np.arange(rows), n_series), "y": y.ravel()})


def split(frame):
    late = frame["ds"] > frame["ds"].max() - HORIZON
    return frame[~late], frame[late]["y"].to_numpy().reshape(-1, HORIZON)


def covered(forecast, truth, level):
    lower, upper = forecast.interval(level).transpose(1, 0, 2)
    return ((lower <= truth) & (truth <= upper)).mean()


def quietly(model, frame, **roles):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Conformal", category=tsf.DataWarning)
        return model.fit(frame, **roles)


@pytest.mark.parametrize(("width", "shift"), [(0.5, 0.0), (1.0, 0.0), (2.0, 0.0), (1.0, 0.4)])
def test_coverage_of_later_data_is_within_two_points_where_windows_are_enough(width, shift):
    train, (later, truth) = walks(400, 90, seed=1), split(walks(5000, 8, seed=2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # enough: not a word
        model = tsf.Conformal(Scaled(width, shift), seed=0).fit(train)
    forecast, raw = model.predict(later), model.forecaster_.predict(later, n_samples=200, seed=0)
    for level in (0.8, 0.95):
        assert abs(covered(forecast, truth, level) - level) < 0.02
    assert (width, shift) == (1.0, 0.0) or abs(covered(raw, truth, 0.8) - 0.8) > 0.03
    table = model.coverage_.set_index("nominal")
    assert (table["recalibrated"] - table.index).abs().max() < 0.02
    assert abs(table["raw"][0.8] - covered(raw, truth, 0.8)) < 0.03


@pytest.mark.skipif(not os.environ.get("TSFORMERS_DATA"), reason="TSFORMERS_DATA names no folder of data")
@pytest.mark.parametrize(
    ("name", "model", "wrong"),
    [
        ("aus_tourism_quarterly", tsf.SeasonalNaive, 0.03),
        ("m3_other", tsf.SeasonalNaive, 0.03),
    ],
)
def test_coverage_of_real_windows_by_maps_of_the_other_windows_is_within_two_points(name, model, wrong):
    try:
        frame = tsf.load_dataset(name)
    except OSError:
        pytest.skip("the data are not here")
    table = quietly(tsf.Conformal(model(horizon=4), windows=20, seed=0), frame).coverage_.set_index("nominal")
    assert (table["recalibrated"] - table.index).abs().max() < 0.02
    assert (table["raw"] - table.index).abs().max() > wrong


def test_the_laws_of_forecasters_hold():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Conformal", category=tsf.DataWarning)
        check_forecaster(tsf.Conformal(tsf.SeasonalNaive(horizon=4), windows=3))
        check_forecaster(tsf.Conformal(tsf.Theta(horizon=4), windows=3, seed=0))


def test_quantiles_asked_for_are_those_of_the_23():
    model = quietly(tsf.Conformal(tsf.Theta(horizon=4), seed=0), make_frame())
    whole = model.predict()
    assert whole.levels == LEVELS
    np.testing.assert_array_equal(model.predict(quantiles=(0.9, 0.33)).values, whole.quantile([0.33, 0.9]))


def test_units_do_not_matter():
    frame = make_frame()
    one, other = (
        quietly(tsf.Conformal(tsf.SeasonalNaive(horizon=4), seed=0), frame.assign(y=a * frame["y"] + b)).predict()
        for a, b in ((1.0, 0.0), (1e-3, 5.0))
    )
    np.testing.assert_allclose(other.values, 1e-3 * one.values + 5.0, rtol=1e-9)


def test_groups_have_maps_of_their_own():
    narrow, wide = walks(300, 64, seed=2, spread=2.0), walks(300, 64, seed=3, spread=0.5)
    wide["unique_id"] = "w" + wide["unique_id"]
    frame = pd.concat([narrow, wide])
    train, truth = split(frame)
    kind = pd.DataFrame({"unique_id": frame["unique_id"].unique()})
    kind["kind"] = kind["unique_id"].str[0]
    ways = [
        ("kind", {"static": kind}),
        (lambda name: name[0], {}),
        ({name: name[0] for name in kind["unique_id"]}, {}),
    ]
    answers = []
    for by, roles in ways:
        model = quietly(tsf.Conformal(Scaled(1.0), windows=10, by=by, seed=0), train, **roles)
        assert list(model.level_maps_) == ["s", "w"]
        answers.append(model.predict())
    for other in answers[1:]:
        np.testing.assert_array_equal(answers[0].values, other.values)
    for part in (slice(0, 300), slice(300, 600)):
        assert abs(covered(answers[0].select(np.arange(600)[part]), truth[part], 0.8) - 0.8) < 0.03
    pooled = quietly(tsf.Conformal(Scaled(1.0), windows=10, seed=0), train).predict()
    assert covered(pooled.select(np.arange(300)), truth[:300], 0.8) < 0.72


def test_a_joined_id_column_makes_groups_and_new_series_of_a_known_group_get_its_map():
    rng = np.random.default_rng(4)
    rows = [(shop, item) for shop in "ns" for item in range(100)]
    spread = {"n": 3.0, "s": 0.3}
    frame = pd.concat(
        pd.DataFrame({"shop": s, "item": i, "ds": range(60), "y": spread[s] * rng.normal(size=60).cumsum()})
        for s, i in rows
    )
    model = quietly(tsf.Conformal(Scaled(1.0), by="shop", seed=0), frame, id_col=["shop", "item"])
    assert list(model.level_maps_) == ["n", "s"]
    new = frame[frame["item"] < 2].assign(item=lambda part: part["item"] + 1000)
    width = np.diff(model.predict(new).interval(0.8), axis=1)[:, 0, 0]
    known = np.diff(model.predict(frame[frame["item"] < 2]).interval(0.8), axis=1)[:, 0, 0]
    np.testing.assert_allclose(width, known, rtol=0.3)
    assert width[:2].min() > 3 * width[2:].max()


def test_a_series_without_a_group_gets_the_map_of_all():
    frame = walks(60, 64, seed=5)
    model = quietly(tsf.Conformal(Scaled(), by={"s0000": "first"}, seed=0), frame)
    alone = quietly(tsf.Conformal(Scaled(), seed=0), frame)
    np.testing.assert_array_equal(model.predict().values[1:], alone.predict().values[1:])


def test_a_group_that_there_is_not_is_refused_before_any_fit(monkeypatch):
    monkeypatch.setattr(Scaled, "fit", lambda *_, **__: pytest.fail("fitted"))
    with pytest.raises(ValueError, match="names no groups of series; give a static or id column"):
        tsf.Conformal(Scaled(), by="region").fit(walks(3, 40, seed=0))


def test_it_says_how_many_windows_would_do_and_they_do():
    frame = walks(40, 400, seed=6)
    with pytest.warns(tsf.DataWarning, match=r"two points need windows=\d+") as caught:
        tsf.Conformal(Scaled(), windows=3, seed=0).fit(frame)
    said = int(str(caught[0].message).rpartition("windows=")[2])
    assert 5 < said < 60
    assert f"--set windows={said}" in caught[0].message.message.text("shell")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tsf.Conformal(Scaled(), windows=2 * said, seed=0).fit(frame)


def test_one_short_series_is_forecast_and_the_warning_says_what_it_is_worth():
    frame = walks(1, 30, seed=7)
    with pytest.warns(tsf.DataWarning, match=r"7 held-out windows of 1 series, 1 row apart \(20 were asked for"):
        model = tsf.Conformal(Scaled(), seed=0).fit(frame)
    assert (model.windows_, model.stride_) == (7, 1) and model.independent_windows_ < 7
    raw = model.forecaster_.predict(n_samples=200, seed=0).interval(0.8)
    width = np.diff(model.predict().interval(0.8), axis=1) / np.diff(raw, axis=1)
    assert np.isfinite(width).all() and width.min() > 0.8 and width.max() < 4


def test_no_series_long_enough_for_one_window_is_refused():
    with pytest.raises(tsf.DataError, match=r"1 held-out windows of 4 rows.*the longest has 5 rows"):
        tsf.Conformal(Scaled()).fit(walks(2, 5, seed=0))
    with pytest.raises(tsf.DataError, match="20 held-out windows of 4 rows, 4 rows apart, cover 80 rows"):
        tsf.Conformal(Scaled(), stride=4).fit(walks(2, 60, seed=0))


def test_forecasts_without_width_are_named_and_stay_so():
    frame = walks(40, 60, seed=8)
    frame["y"] += 100
    dead = frame["unique_id"] < "s0010"
    frame.loc[dead, "y"] = np.where(frame.loc[dead, "ds"] < 30, 7.0, 9.0 + frame.loc[dead, "ds"])

    class Sometimes(Scaled):
        def predict(self, data=None, **asked):
            forecast = super().predict(data, **asked)
            flat = np.asarray(forecast.ids) < "s0010"
            values = np.where(flat[:, None, None], 7.0, forecast.values)
            return tsf.Forecast(forecast.ids, forecast.times, values, grid=forecast.grid)

    with pytest.warns(tsf.DataWarning) as caught:
        model = tsf.Conformal(Sometimes(1.0), seed=0).fit(frame)
    assert any(
        "10 of 40 series ('s0000', 's0001', 's0002', 's0003', 's0004', ...) have no width" in str(w.message)
        for w in caught
    )
    values = model.predict().values
    assert (values[:10] == 7).all() and np.ptp(values[10:], axis=1).min() > 0
    assert np.abs(model.level_map_.mapped - LEVELS).max() < 0.05  # of the others alone


def test_forecasts_that_no_level_reaches_are_said_and_stay_finite():
    frame = walks(100, 90, seed=9)
    with pytest.warns(tsf.DataWarning, match="of the held-out values lie beyond all quantiles of the forecast"):
        model = tsf.Conformal(Scaled(1e-4), seed=0).fit(frame)
    assert np.isfinite(model.predict().values).all()


def test_counts_stay_counts():
    frame = make_frame(n_series=5, rows=80, counts=True)
    model = quietly(tsf.Conformal(tsf.Intermittent(horizon=3), seed=0), frame)
    forecast = model.predict()
    assert forecast.counts and (forecast.values == np.rint(forecast.values)).all() and (forecast.values >= 0).all()


def test_bounds_stay_bounds():
    frame = make_frame(n_series=4, rows=60)
    inner = tsf.Pipeline([tsf.Bounded(lower=0, upper=60)], tsf.SeasonalNaive(horizon=3))
    forecast = quietly(tsf.Conformal(inner, seed=0), frame).predict()
    assert forecast.support == (0.0, 60.0) and forecast.quantile([0.0, 1.0]).max() <= 60


KINDS = {
    "ensemble": lambda: tsf.Ensemble([tsf.SeasonalNaive(horizon=3), tsf.Theta(horizon=3)]),
    "clustered": lambda: tsf.Clustered(tsf.ByFeatures(KMeans(2, random_state=0, n_init=3)), tsf.Theta(horizon=3)),
    "neural": lambda: tsf.Linear(horizon=3, context_length=14, max_steps=3, seed=0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_forecaster_is_recalibrated_saved_and_loaded(kind, tmp_path):
    frame = make_frame(n_series=4, rows=70)
    model = quietly(tsf.Conformal(KINDS[kind](), windows=4, seed=0, by=dict.fromkeys(["s0", "s1"], "a")), frame)
    forecast = model.predict()
    assert forecast.levels == LEVELS and (np.diff(forecast.values, axis=1) >= 0).all()
    model.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict().values, forecast.values)
    np.testing.assert_array_equal(loaded.level_map_.mapped, model.level_map_.mapped)
    assert list(loaded.level_maps_) == ["a"]
    pd.testing.assert_frame_equal(loaded.coverage_, model.coverage_)


def test_it_can_stand_inside_others_and_be_backtested():
    frame = make_frame(rows=70)
    inside = tsf.Ensemble([tsf.Conformal(tsf.Theta(horizon=3), seed=0), tsf.SeasonalNaive(horizon=3)])
    quietly(inside, frame).predict()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Conformal", category=tsf.DataWarning)
        result = tsf.backtest({"c": tsf.Conformal(tsf.SeasonalNaive(horizon=3))}, frame, windows=2, refit=True)
    assert not len(result.failures) and np.isfinite(result.summary()["crps"]).all()


def test_known_covariates_are_handed_on():
    rng = np.random.default_rng(0)
    frame = make_frame(n_series=1, rows=80).assign(price=rng.normal(size=80))
    frame["y"] = 3 * frame["price"] + rng.normal(0, 0.1, 80)
    model = tsf.Conformal(tsf.AutoARIMA(horizon=3, season_length=1), windows=5, seed=0)
    quietly(model, frame[:77], known=["price"])
    found = model.predict(future=frame[77:][["unique_id", "ds", "price"]])
    assert np.abs(found.median[0] - frame["y"][77:]).max() < 0.6
    other = model.predict(frame[:70], future=frame[70:73][["unique_id", "ds", "price"]])
    assert np.abs(other.median[0] - frame["y"][70:73]).max() < 0.6


def test_rows_are_taken_in_without_a_refit():
    frame = make_frame(rows=60)
    late = frame.groupby("unique_id").cumcount(ascending=False) < 2
    model = quietly(tsf.Conformal(tsf.Theta(horizon=3), seed=0), frame[~late])
    mapped = model.level_map_.mapped.copy()
    expected = model.predict(frame).values
    np.testing.assert_array_equal(model.update(frame[late]).predict().values, expected)
    np.testing.assert_array_equal(model.level_map_.mapped, mapped)
    with pytest.raises(TypeError, match="Scaled cannot take in rows after fit; pass the longer series to predict"):
        quietly(tsf.Conformal(Scaled(), seed=0), frame[~late]).update(frame[late])


def test_the_chart_shows_both():
    model = quietly(tsf.Conformal(Scaled(), seed=0), walks(20, 60, seed=0))
    (axes,) = model.plot().axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["raw", "recalibrated"]


def test_the_callers_forecaster_stays_as_it_was():
    inner = tsf.Theta(horizon=3)
    quietly(tsf.Conformal(inner, seed=0), make_frame())
    with pytest.raises(NotFittedError):
        inner.predict()


@pytest.mark.parametrize("wrong", [tsf.Theta, "theta", None])
def test_what_is_no_forecaster_is_refused(wrong):
    with pytest.raises(TypeError, match="Conformal wraps a forecaster"):
        tsf.Conformal(wrong).fit(make_frame())


@pytest.mark.parametrize("settings", [{"windows": 0}, {"stride": 0}, {"seed": -1}, {"windows": 2.5}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises((ValueError, TypeError), match=next(iter(settings))):
        tsf.Conformal(tsf.Theta(horizon=3), **settings).fit(make_frame())


def test_a_copy_does_not_change_the_original():
    model = quietly(tsf.Conformal(Scaled(), seed=0), walks(5, 60, seed=0))
    before = model.predict().values
    copy.deepcopy(model).forecaster_.width = 9.0
    np.testing.assert_array_equal(model.predict().values, before)
    assert storage.save is tsf.Conformal.save


def test_a_job_file_builds_one():
    model = build("Conformal", {"forecaster": {"class": "Theta"}, "windows": 8}, place="x", defaults={"horizon": 4})
    assert (model.horizon, model.windows, type(model.forecaster)) == (4, 8, tsf.Theta)
