"""Columns of an answer never take the name of the caller's id or time column: refused before the work, by name."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

import tsformers as tsf
from tsformers.data.dataframes import Schema, check_answer_columns
from tsformers.messages import message_of


def frame(id_col="unique_id", time_col="ds", n=40):
    """Three series that differ."""
    ids, times = np.repeat(list("abc"), n), np.tile(pd.date_range("2024-01-01", periods=n), 3)
    y = np.random.default_rng(0).normal(size=3 * n) + np.repeat([0.0, 1.0, 2.0], n) * np.tile(np.arange(n), 3)
    return pd.DataFrame({id_col: ids, time_col: times, "y": y})


def test_other_names_pass():
    check_answer_columns(Schema(), ["mean", "q0.1"], "the forecast")


def test_the_message_names_columns_and_a_remedy_that_works():
    with pytest.raises(tsf.DataError) as caught:
        check_answer_columns(Schema(id_col="mean", time_col="q0.5"), ["mean", "q0.5"], "the forecast")
    for words in ("'mean' and 'q0.5'", "df.rename(columns={'mean': 'mean_', 'q0.5': 'q0.5_'})"):
        assert words in str(caught.value)
    shell = message_of(caught.value, "shell")
    assert "'mean_' and 'q0.5_' in the file's header" in shell and "df" not in shell
    data = frame("mean", "q0.5").rename(columns={"mean": "mean_", "q0.5": "q0.5_"})  # what the message says
    answer = tsf.SeasonalNaive(horizon=2, seed=0).fit(data, id_col="mean_", time_col="q0.5_").predict().to_frame()
    assert list(answer)[:3] == ["mean_", "q0.5_", "mean"]


@pytest.mark.parametrize("role", ["id_col", "time_col"])
@pytest.mark.parametrize("name", ["trend", "seasonal", "remainder"])
def test_decompose_refuses(role, name):
    with pytest.raises(tsf.DataError, match=f"column '{name}' of the data"):
        tsf.TrendSeasonalDecomposition().decompose(frame(**{role: name}), **{role: name})


def test_decompose_refuses_the_names_of_its_own_periods_alone():
    parts = tsf.TrendSeasonalDecomposition(method="mstl", period=[4, 7], n_jobs=1, verbose=False)
    assert "seasonal" in parts.decompose(frame("seasonal"), id_col="seasonal")
    with pytest.raises(tsf.DataError, match="column 'seasonal_7' of the data"):
        parts.decompose(frame("seasonal_7"), id_col="seasonal_7")


@pytest.mark.parametrize("method", ["kmeans", "ar", "coreset"])
def test_clusterers_refuse_before_they_fit(method):
    model = {
        "kmeans": lambda: tsf.ByFeatures(KMeans(2)),
        "ar": lambda: tsf.MixSeq(2, backbone="ar", seed=0),
        "coreset": lambda: tsf.Coreset(size=10, n_clusters=2, seed=0),
    }[method]()
    name = "weight" if method == "coreset" else "cluster"
    with pytest.raises(tsf.DataError, match=f"column '{name}' of the data"):
        model.fit(frame(name), id_col=name)
    assert not hasattr(model, "panel_")


def test_probabilities_refuse():
    model = tsf.MixSeq(2, backbone="ar", seed=0).fit(frame("cluster_1"), id_col="cluster_1")
    with pytest.raises(tsf.DataError, match="column 'cluster_1' of the data"):
        model.predict_proba()


@pytest.mark.filterwarnings("ignore:20 calibration scores")
def test_a_detector_refuses_the_names_of_decisions():
    detector = tsf.AnomalyDetector(tsf.SeasonalNaive(horizon=1, season_length=1, seed=0), calibration=20)
    detector.fit(frame(time_col="level").assign(level=np.tile(np.arange(40), 3)), time_col="level")
    with pytest.raises(tsf.DataError, match="column 'level' of the data"):
        detector.detect(pd.DataFrame({"whatever": []}))


@pytest.mark.parametrize("name", ["metric", "value"])
def test_scores_refuse_where_they_show_ids(name):
    data = frame(name)
    forecast = tsf.SeasonalNaive(horizon=2, seed=0).fit(data, id_col=name).predict()
    with pytest.raises(tsf.DataError, match=f"column '{name}' of the data"):
        tsf.score(forecast, pd.DataFrame({"whatever": []}), by="unique_id", metrics=["mae"])
