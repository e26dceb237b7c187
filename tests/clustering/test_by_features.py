"""ByFeatures: features of autoregression, trend and season, and any clusterer of scikit-learn on them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans

import tsformers as tsf


def long(y):
    n, rows = y.shape
    columns = {"unique_id": np.repeat([f"s{i}" for i in range(n)], rows), "ds": np.tile(np.arange(rows), n)}
    return pd.DataFrame(columns | {"y": y.ravel()})


def trends_and_seasons(n=8, rows=96, seed=0):
    """Half of the series rise, the others have a season of 12 rows."""
    rng, t = np.random.default_rng(seed), np.arange(rows)
    y = 0.3 * rng.normal(size=(n, rows))
    y[: n // 2] += 0.1 * t
    y[n // 2 :] += 3 * np.sin(2 * np.pi * t / 12)
    return long(y)


def test_strength_of_trend_and_season_separates_series_that_rise_from_seasonal_ones():
    model = tsf.ByFeatures(KMeans(2, random_state=0), period=12).fit(trends_and_seasons())
    labels = model.labels_["cluster"].to_numpy()
    assert len({*labels[:4]}) == len({*labels[4:]}) == 1 and labels[0] != labels[-1]
    features = model.features_
    assert list(features) == ["unique_id", "ar_1", "ar_2", "ar_3", "trend", "season"]
    assert (features["trend"][:4] > features["trend"][4:].max()).all()
    assert (features["season"][4:] > features["season"][:4].max()).all()
    np.testing.assert_allclose(features.iloc[:, 1:].mean(), 0, atol=1e-12)


def test_units_do_not_change_the_features():
    frame = trends_and_seasons()
    factor = np.repeat(np.random.default_rng(1).lognormal(0, 2, 8), 96)
    one, other = (
        tsf.ByFeatures(KMeans(2, random_state=0), period=12).fit(each).features_
        for each in (frame, frame.assign(y=frame["y"] * factor + 7))
    )
    np.testing.assert_allclose(one.iloc[:, 1:], other.iloc[:, 1:], atol=1e-6)


def test_another_series_gets_the_cluster_of_the_nearest_and_a_known_one_keeps_its_own():
    model = tsf.ByFeatures(AgglomerativeClustering(2), period=12).fit(trends_and_seasons())
    later = trends_and_seasons(seed=5).assign(unique_id=lambda frame: "new " + frame["unique_id"])
    expected = model.labels_["cluster"].tolist()
    assert model.predict(later)["cluster"].tolist() == expected
    assert model.predict(trends_and_seasons(seed=6))["cluster"].tolist() == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"order": 0}, "order must be a whole number of 1 or more, not 0"),
        ({"period": 1.5}, "period must be a whole number of 1 or more or None, not 1.5"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        tsf.ByFeatures(KMeans(2), **wrong).fit(trends_and_seasons())


def test_a_class_or_an_object_that_does_not_cluster_is_refused():
    for wrong in (KMeans, "three"):
        with pytest.raises(TypeError, match="object with fit_predict"):
            tsf.ByFeatures(wrong).fit(trends_and_seasons())
