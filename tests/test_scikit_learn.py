"""scikit-learn's own tools wrap our estimators: clone, nested settings, pipelines, searches, tags."""

import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn import model_selection
from sklearn.base import clone, is_clusterer
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline as OuterPipeline
from sklearn.pipeline import make_pipeline

import tsformers as tsf
from tsformers.catalog import CLUSTERERS, FORECASTERS, MODELS, PREPROCESSORS
from tsformers.evaluation.run_identity import describe
from tsformers.testing import make_frame

H = 3
NAIVE = tsf.SeasonalNaive(horizon=H, season_length=7, seed=0)
SMALL = {"max_steps": 2, "context_length": 7, "batch_size": 4}
CLUSTERING = {
    "MixSeq": tsf.MixSeq(2, backbone="ar", seed=0),
    "ByFeatures": tsf.ByFeatures(KMeans(2, random_state=0), order=1),
}
MADE = {
    **{name: getattr(tsf, name)(horizon=H) for name in FORECASTERS},
    **{name: getattr(tsf, name)() for name in PREPROCESSORS},
    "Bounded": tsf.Bounded(lower=-1000.0),
    **CLUSTERING,
    "Coreset": tsf.Coreset(20, seed=0),
    "Pipeline": tsf.Pipeline([tsf.Scale()], NAIVE),
    "Clustered": tsf.Clustered(CLUSTERING["ByFeatures"], NAIVE),
    "Auto": tsf.Auto(horizon=H, models=["Theta"], time_limit=None),
    "Ensemble": tsf.Ensemble([NAIVE, tsf.Theta(horizon=H)]),
    "Conformal": tsf.Conformal(NAIVE, windows=3),
    "AnomalyDetector": tsf.AnomalyDetector(NAIVE, calibration=12),
}
pytestmark = pytest.mark.filterwarnings(r"ignore:Conformal\(:tsformers.DataWarning")  # of few windows


@pytest.fixture
def frame():
    return make_frame(n_series=4, rows=60)


def last_rows_out(frame, folds=2):
    """A split of scikit-learn: the rows after a cutoff, a horizon of each series, are the test rows."""
    after = frame.groupby("unique_id").cumcount(ascending=False).to_numpy()
    for k in range(folds):
        yield np.flatnonzero(after >= H * (k + 1)), np.flatnonzero((after >= H * k) & (after < H * (k + 1)))


def minus_crps(model, test, y=None):
    """A scorer: what the fitted model forecasts from its end, against the rows that follow."""
    scores = tsf.score(model.predict(n_samples=20, seed=0), test).set_index("metric")["value"]
    return -scores["crps"]


def test_all_public_estimators_are_tried_here():
    assert set(MADE) == {*FORECASTERS, *MODELS}


@pytest.mark.parametrize("model", MADE.values(), ids=MADE.keys())
def test_every_estimator_is_cloned_with_its_settings(model):
    twin = clone(model)
    assert twin is not model
    assert describe(twin) == describe(model)
    for name, value in model.get_params(deep=True).items():
        if not hasattr(value, "get_params") and not isinstance(value, list):
            assert repr(twin.get_params(deep=True)[name]) == repr(value)


@pytest.mark.parametrize("model", MADE.values(), ids=MADE.keys())
def test_every_fit_takes_a_second_argument_that_is_none(model, frame):
    assert [*inspect.signature(model.fit).parameters][1] == "y"
    settings = {name: value for name, value in SMALL.items() if name in model.get_params()}
    model = clone(model).set_params(**settings)
    frame = frame.assign(y=frame["y"].round()) if getattr(model, "counts", False) else frame
    if type(model).__name__ in ("REDSDS", "AutocorrelatedErrors"):
        return  # slow, or learned with a network only; the signature is enough
    if isinstance(model, tsf.AnomalyDetector):
        model.set_params(p_value="predictive", control=tsf.fdr.LORD(0.1, decay=0.9))
    data = tsf.Panel.from_frame(frame) if type(model).__name__ in PREPROCESSORS else frame
    assert model.fit(data, None) is model


@pytest.mark.parametrize("model", CLUSTERING.values(), ids=CLUSTERING.keys())
def test_clusterers_are_clusterers_and_fit_and_predict_at_once(model, frame):
    assert is_clusterer(model)
    labels = clone(model).fit_predict(frame, None)
    pd.testing.assert_frame_equal(labels, clone(model).fit(frame).labels_)
    assert list(labels.columns) == ["unique_id", "cluster"]
    assert not is_clusterer(NAIVE)
    assert set(CLUSTERERS) - {"Coreset"} == set(CLUSTERING)  # a coreset weighs series and has no clusters


def test_an_ensemble_shows_and_sets_the_settings_of_its_members():
    model = tsf.Ensemble([tsf.SeasonalNaive(horizon=3), tsf.Pipeline([tsf.Scale()], tsf.Theta(horizon=3))])
    shown = model.get_params(deep=True)
    assert shown["models__0__horizon"] == 3
    assert shown["models__0"] is model.models[0]
    assert shown["models__1__forecaster__season_length"] is None
    assert shown["models__1__steps__0__method"] == "standard"
    assert "models__0" not in model.get_params(deep=False)
    model.set_params(models__0__season_length=7, models__1__steps__0__method="robust", weights=[1, 2])
    assert model.models[0].season_length == 7
    assert model.models[1].steps[0].method == "robust"
    assert model.weights == [1, 2]
    before = model.models
    model.set_params(models__0__horizon=5, models__0=tsf.Theta(horizon=3))
    assert (type(model.models[0]), model.models[0].horizon) == (tsf.Theta, 5)
    assert type(before[0]) is tsf.SeasonalNaive  # the caller's list is not changed
    with pytest.raises(ValueError, match=r"no setting 'models__7__horizon'"):
        model.set_params(models__7__horizon=1)
    with pytest.raises(ValueError, match=r"no setting 'models__0__horizont'; did you mean"):
        model.set_params(models__0__horizont=1)


def test_composed_models_show_the_settings_of_their_parts():
    pipeline = tsf.Pipeline([tsf.Scale()], NAIVE)
    assert pipeline.get_params()["forecaster__horizon"] == H
    assert clone(pipeline).set_params(forecaster__horizon=5).horizon == 5
    clustered = tsf.Clustered(CLUSTERING["ByFeatures"], NAIVE)
    assert clustered.get_params()["clusterer__clusterer__n_clusters"] == 2
    assert clone(clustered).set_params(forecaster__season_length=2).forecaster.season_length == 2


def test_run_folders_describe_an_ensemble_as_before():
    texts = describe(tsf.Ensemble([NAIVE], weights=[1]))
    assert sorted(texts) == ["class", "models", "seed", "weights"] or sorted(texts) == ["class", "models", "weights"]


def test_a_pipeline_of_scikit_learn_ends_with_a_forecaster(frame):
    outer = make_pipeline(tsf.Scale(), NAIVE).fit(frame, None)
    scaled = outer.predict(frame)
    inner = clone(NAIVE).fit(tsf.Scale().fit(frame).transform(tsf.Panel.from_frame(frame)))
    np.testing.assert_array_equal(scaled.values, inner.predict().values)
    alone = OuterPipeline([("model", NAIVE)]).fit(frame)
    np.testing.assert_array_equal(alone.predict(frame).values, clone(NAIVE).fit(frame).predict().values)
    assert alone.set_params(model__season_length=2).get_params()["model__season_length"] == 2


@pytest.mark.parametrize("y", [None, "column"])
def test_a_grid_search_finds_the_season(frame, y):
    search = model_selection.GridSearchCV(
        tsf.SeasonalNaive(horizon=H, seed=0),
        {"season_length": [2, 7]},
        scoring=minus_crps,
        cv=[*last_rows_out(frame)],
        error_score="raise",
    )
    search.fit(frame, None if y is None else frame["y"])
    assert search.best_params_ == {"season_length": 7}
    assert search.best_estimator_.predict().ids.tolist() == ["s0", "s1", "s2", "s3"]
    assert search.predict(frame).values.shape[-1] == H


def test_a_random_search_sets_parts_of_composed_models(frame):
    search = model_selection.RandomizedSearchCV(
        tsf.Ensemble([tsf.SeasonalNaive(horizon=H), tsf.Pipeline([tsf.Scale()], tsf.Theta(horizon=H))], seed=0),
        {"models__0__season_length": [2, 7], "models__1__steps__0__method": ["standard", "robust"]},
        n_iter=3,
        scoring=minus_crps,
        cv=[*last_rows_out(frame, 1)],
        random_state=0,
        error_score="raise",
    )
    search.fit(frame)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.models_[0].season_length == 7


def test_cross_validation_of_a_pipeline_of_scikit_learn(frame):
    scores = model_selection.cross_val_score(
        OuterPipeline([("model", tsf.Pipeline([tsf.Scale()], NAIVE))]),
        frame,
        scoring=lambda outer, test: minus_crps(outer[-1], test),
        cv=[*last_rows_out(frame)],
        error_score="raise",
    )
    assert np.isfinite(scores).all()
