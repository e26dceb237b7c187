"""Pipelines: every preprocessor before every forecaster, from frames, from job files, and back from a folder."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError

import tsformers as tsf
from tsformers.catalog import FORECASTERS
from tsformers.testing import check_forecaster, make_frame

QUICK = {
    "Autoformer": {"context_length": 14, "max_steps": 2, "d_model": 8, "n_heads": 2, "d_ff": 8, "batch_size": 8},
    "LRU": {"context_length": 14, "max_steps": 2, "d_model": 8, "d_state": 8, "batch_size": 8},
    "REDSDS": {"context_length": 14, "max_steps": 2, "batch_size": 8},
    "Linear": {"max_steps": 2, "batch_size": 8},
    "AutoARIMA": {"season_length": 1},
    "AutoETS": {"season_length": 1},
    "HoltWinters": {"season_length": 1},
    "Auto": {"models": ["Theta"], "time_limit": None, "season_length": 1},
}
STEPS = {
    "scale": [tsf.Scale("robust")],
    "average": [tsf.TrendSeasonalDecomposition(remove="both")],
    "stl": [tsf.TrendSeasonalDecomposition("stl")],
    "mstl": [tsf.TrendSeasonalDecomposition("mstl", [3, 7])],
    "errors": [tsf.AutocorrelatedErrors(most_rounds=1)],
    "errors of each": [tsf.AutocorrelatedErrors(per_series=True, most_rounds=1)],
    "all": [tsf.Scale(), tsf.TrendSeasonalDecomposition(remove="both"), tsf.AutocorrelatedErrors(most_rounds=1)],
}
CLUSTERERS = {
    "mixseq": tsf.MixSeq(2, backbone="ar", seed=0, verbose=False),
    "features": tsf.ByFeatures(KMeans(2, random_state=0)),
}
pytestmark = pytest.mark.filterwarnings("ignore:one-step errors are still autocorrelated", "ignore:cluster")


def quick(name, **more):
    settings = {"horizon": 4, "seed": 0, **QUICK.get(name, {}), **more}
    return getattr(tsf, name)(**settings)


@pytest.mark.parametrize("name", [name for name in FORECASTERS if name != "Intermittent"])
@pytest.mark.parametrize("steps", STEPS)
def test_any_preprocessor_goes_before_any_forecaster(steps, name):
    frame = make_frame(n_series=2, rows=40)
    model = tsf.Pipeline(STEPS[steps], quick(name))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*falls? back", category=UserWarning)
        forecast = model.fit(frame).predict(n_samples=20)
    assert forecast.times.shape == (2, 4)
    later = make_frame(n_series=2, rows=45)
    assert np.isfinite(model.predict(later, n_samples=20).values).all()
    level = frame.groupby("unique_id")["y"].mean().to_numpy()
    assert (np.abs(forecast.median.mean(axis=1) - level) < 8).all()  # in the caller's units


@pytest.mark.parametrize("name", FORECASTERS)
@pytest.mark.parametrize("clusterer", CLUSTERERS)
@pytest.mark.parametrize("aggregate", [False, True])
def test_any_clusterer_goes_before_any_forecaster(clusterer, aggregate, name):
    frame = make_frame(n_series=4, rows=44, counts=name == "Intermittent")
    frame = frame[frame["ds"] <= frame.groupby("unique_id")["ds"].transform("max").min()]
    model = tsf.Clustered(CLUSTERERS[clusterer], quick(name), aggregate=aggregate)
    forecast = model.fit(frame).predict(n_samples=20)
    assert list(forecast.ids) == (["total"] if aggregate else ["s0", "s1", "s2", "s3"])
    level = frame.groupby("unique_id")["y"].mean()
    expected = level.sum() if aggregate else level.to_numpy()
    assert (np.abs(forecast.median.mean(axis=1) - expected) < 0.3 * expected).all()


def test_counts_stay_counts_behind_a_bound_and_are_refused_when_scaled():
    frame = make_frame(n_series=2, rows=40, counts=True)
    model = tsf.Pipeline([tsf.Bounded(lower=0, upper=16)], quick("Intermittent"))
    forecast = model.fit(frame[frame["y"] <= 16]).predict(n_samples=51)
    levels = np.linspace(0, 1, 37)
    for one in (forecast, model.predict(n_samples=51, quantiles=(0.1, 0.77))):
        found = one.quantile(levels)
        assert one.counts and (found == found.round()).all() and found.min() >= 0 and found.max() <= 16
    with pytest.raises(tsf.DataError, match=r"Intermittent forecasts counts.* but series 's0' has y = -?0\."):
        tsf.Pipeline([tsf.Scale()], quick("Intermittent")).fit(frame)


@pytest.mark.parametrize("steps", ["scale", "average", "errors", "all"])
def test_the_properties_of_forecasters_hold_for_pipelines(steps):
    check_forecaster(tsf.Pipeline(STEPS[steps], quick("SeasonalNaive")), make_frame(n_series=2, rows=40))
    check_forecaster(tsf.Pipeline(STEPS[steps], quick("Linear")), make_frame(n_series=2, rows=40))


def test_without_steps_it_is_its_forecaster():
    frame = make_frame()
    alone = quick("Linear").fit(frame).predict(seed=1)
    np.testing.assert_array_equal(tsf.Pipeline([], quick("Linear")).fit(frame).predict(seed=1).values, alone.values)


def test_steps_and_forecaster_stay_as_they_were():
    step, forecaster = tsf.Scale(), quick("SeasonalNaive")
    model = tsf.Pipeline([step], forecaster)
    model.fit(make_frame())
    assert not hasattr(step, "scale_") and not hasattr(forecaster, "panel_")
    assert clone(model).steps[0] is not step
    with pytest.raises(NotFittedError):
        clone(model).predict()


def test_covariates_and_statics_go_through():
    frame = make_frame(n_series=2, rows=60)
    frame["price"] = np.sin(np.arange(len(frame)))
    frame["y"] += 5 * frame["price"]
    static = pd.DataFrame({"unique_id": ["s0", "s1"], "size": [1.0, 2.0]})
    last = frame.groupby("unique_id")["ds"].max()
    future = pd.concat(
        [pd.DataFrame({"unique_id": i, "ds": pd.date_range(last[i], periods=5)[1:], "price": 0.0}) for i in last.index]
    )
    model = tsf.Pipeline([tsf.Scale(), tsf.AutocorrelatedErrors()], quick("LRU")).fit(
        frame, known=["price"], static=static
    )
    assert model.predict(future=future).horizon == 4
    np.testing.assert_array_equal(
        model.predict(frame, future=future, seed=1).values, model.predict(future=future, seed=1).values
    )
    with pytest.raises(tsf.DataError, match="price"):
        model.predict(frame)


def test_a_backtest_of_a_pipeline_does_not_look_ahead(tmp_path):
    frame = make_frame(n_series=2, rows=70)
    changed = frame.assign(y=np.where(frame["ds"] > "2024-03-01", 1e3, frame["y"]))  # after the first two windows
    models = {"both": tsf.Pipeline(STEPS["all"], quick("SeasonalNaive"))}
    a, b = (tsf.backtest(models, each, windows=4, step=4, seed=0).forecasts for each in (frame, changed))
    early = a["cutoff"] <= pd.Timestamp("2024-03-01")
    assert 0 < early.sum() < len(a)
    pd.testing.assert_frame_equal(
        a[early].drop(columns=["y", "pit", "crps"], errors="ignore"),
        b[early].drop(columns=["y", "pit", "crps"], errors="ignore"),
    )


def test_a_detector_watches_through_a_pipeline():
    frame = make_frame(n_series=2, rows=90)
    history, rest = frame[frame["ds"] < "2024-03-01"], frame[frame["ds"] >= "2024-03-01"]
    rest = rest.assign(y=np.where(rest["ds"] == "2024-03-10", 500.0, rest["y"]))
    pipeline = tsf.Pipeline([tsf.TrendSeasonalDecomposition()], quick("SeasonalNaive", season_length=1, horizon=1))
    detector = tsf.AnomalyDetector(pipeline, tsf.fdr.LORD(alpha=0.1, decay=0.99), p_value="predictive", verbose=False)
    found = detector.fit(history).detect(rest)
    assert found.loc[found["y"] == 500.0, "anomaly"].all()
    assert found["anomaly"].sum() <= 5


def test_everything_is_stored_and_comes_back(tmp_path):
    frame = make_frame(n_series=4, rows=44)
    for k, steps in enumerate(STEPS.values()):
        model = tsf.Pipeline(steps, quick("Theta", horizon=3)).fit(frame)
        model.save(tmp_path / str(k))
        np.testing.assert_array_equal(
            tsf.load(tmp_path / str(k)).predict(frame, seed=1).values, model.predict(frame, seed=1).values
        )
    for name, clusterer in CLUSTERERS.items():
        model = tsf.Clustered(clusterer, quick("Theta", horizon=3)).fit(frame)
        model.save(tmp_path / name)
        loaded = tsf.load(tmp_path / name)
        np.testing.assert_array_equal(loaded.predict(frame, seed=1).values, model.predict(frame, seed=1).values)
        pd.testing.assert_frame_equal(loaded.labels_, model.labels_)


@pytest.mark.parametrize(
    ("steps", "forecaster", "words"),
    [
        ([tsf.Scale], quick("Theta"), r"write Scale\(\)"),
        ([KMeans(2)], quick("Theta"), "KMeans.* is none"),
        ([tsf.Scale()], tsf.Ensemble([quick("Theta")]).predict, "lacks horizon"),
        ([tsf.Scale()], tsf.Theta, "lacks horizon"),
        ([tsf.Scale()], tsf.Scale(), "lacks horizon"),
        (tsf.Scale(), quick("Theta"), "steps a list"),
    ],
)
def test_what_is_no_pipeline_is_refused(steps, forecaster, words):
    with pytest.raises(TypeError, match=words):
        tsf.Pipeline(steps, forecaster).fit(make_frame())


def test_series_that_are_too_short_are_dropped_on_the_way():
    frame = make_frame(n_series=2, rows=60)
    stub = frame[frame["unique_id"] == "s0"].tail(5).assign(unique_id="stub")
    model = tsf.Pipeline([tsf.Scale(), tsf.TrendSeasonalDecomposition()], quick("LRU"))
    with pytest.warns(UserWarning, match="stub"):
        model.fit(pd.concat([frame, stub]), short="drop")
    assert model.predict().ids.tolist() == ["s0", "s1"]
