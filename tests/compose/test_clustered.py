"""Clusters of series: one forecaster each, and sums of sums."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans

import tsformers as tsf
from tsformers.compose.clustered import reordered, sum_of_series
from tsformers.testing import check_forecaster, make_frame


def two_kinds(n=6, rows=80, seed=0):
    """Random walks and white noise; walks go up."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n, rows))
    y[::2] = y[::2].cumsum(axis=1) + np.arange(rows) * 0.5
    frame = {"unique_id": np.repeat([f"s{i}" for i in range(n)], rows), "ds": np.tile(np.arange(rows), n)}
    return pd.DataFrame(frame | {"y": y.ravel() + 20})


def naive(**settings):
    return tsf.SeasonalNaive(**{"horizon": 3, "season_length": 1, "seed": 0} | settings)


def by_features(n=2):
    return tsf.ByFeatures(KMeans(n, random_state=0, n_init=4))


def test_clusters_are_found_and_each_series_is_forecast_by_its_own():
    frame = two_kinds()
    model = tsf.Clustered(by_features(), naive()).fit(frame)
    labels = model.labels_["cluster"].to_numpy()
    assert len({*labels[::2]}) == len({*labels[1::2]}) == 1 and labels[0] != labels[1]
    assert len(model.forecasters_) == 2
    alone = naive().fit(frame).predict(seed=1)
    np.testing.assert_array_equal(
        model.predict(seed=1).values, alone.values
    )  # a naive forecast learns nothing of others


def test_the_sum_of_the_clusters_sums_is_the_total():
    frame = two_kinds()
    model = tsf.Clustered(by_features(), naive(), aggregate=True).fit(frame)
    panels = [forecaster.panel_.y for forecaster in model.forecasters_]
    total = frame.groupby("ds")["y"].sum().to_numpy()
    np.testing.assert_allclose(sum(panels), total, rtol=1e-12)
    forecast = model.predict(n_samples=60)
    assert forecast.samples.shape == (1, 60, 3)
    parts = [forecaster.predict(n_samples=60).mean for forecaster in model.forecasters_]
    np.testing.assert_allclose(forecast.mean, sum(parts), rtol=1e-12)


def test_draws_get_the_ranks_of_the_past_and_are_the_same_draws():
    rng = np.random.default_rng(0)
    shock = rng.normal(size=(1, 500, 2))
    moves = shock + 0.1 * rng.normal(size=(3, 500, 2))  # the sums moved together
    values = rng.normal(size=(3, 200, 2))
    ordered = reordered(values, moves)
    np.testing.assert_array_equal(np.sort(ordered, axis=1), np.sort(values, axis=1))
    assert np.corrcoef(ordered[:, :, 0])[0, 1] > 0.9
    assert abs(np.corrcoef(values[:, :, 0])[0, 1]) < 0.2
    assert ordered.sum(0).std() > 1.5 * values.sum(0).std()


def test_clusters_that_move_together_give_a_total_as_uncertain_as_it_is():
    rng = np.random.default_rng(1)
    width = {"past": [], "independent": [], "directly": []}
    for seed in range(12):
        shock = rng.normal(size=120).cumsum()
        y = np.stack([shock, shock]) + 0.05 * rng.normal(size=(2, 120)) + np.array([[100.0], [-30.0]])
        frame = pd.DataFrame(
            {"unique_id": np.repeat(["a", "b"], 120), "ds": np.tile(np.arange(120), 2), "y": y.ravel()}
        )
        total = frame.groupby("ds", as_index=False)["y"].sum().assign(unique_id="total")
        forecasts = {"directly": naive(seed=seed).fit(total).predict(n_samples=400)}
        for coupling in ("past", "independent"):
            model = tsf.Clustered(by_features(), naive(seed=seed), aggregate=True, coupling=coupling).fit(frame)
            forecasts[coupling] = model.predict(n_samples=400)
        for how, forecast in forecasts.items():
            width[how].append(np.diff(forecast.interval(0.8)[0], axis=0).mean())
    mean = {how: np.mean(each) for how, each in width.items()}
    assert mean["past"] == pytest.approx(mean["directly"], rel=0.06)
    assert mean["independent"] < 0.8 * mean["directly"]


def test_a_series_that_comes_later_goes_where_it_belongs():
    model = tsf.Clustered(by_features(), naive()).fit(two_kinds())
    other = two_kinds(n=2, seed=5).replace({"unique_id": {"s0": "walk", "s1": "noise"}})
    assert model.predict(other).ids.tolist() == ["noise", "walk"]
    labels = model.labels_["cluster"]
    assert model.clusterer_.predict(other)["cluster"].tolist() == [labels[1], labels[0]]


def test_a_total_is_of_the_series_of_fit_and_of_one_end():
    frame = two_kinds()
    model = tsf.Clustered(by_features(), naive(), aggregate=True).fit(frame)
    with pytest.raises(tsf.DataError, match="pass all of them"):
        model.predict(frame[frame["unique_id"] != "s0"])
    uneven = frame[(frame["unique_id"] != "s2") | (frame["ds"] < 70)]
    with pytest.raises(tsf.DataError, match="'s2' does not end when the others do"):
        tsf.Clustered(by_features(), naive(), aggregate=True).fit(uneven)


def test_series_that_begin_late_count_as_zero_before():
    frame = two_kinds()
    late = frame[(frame["unique_id"] != "s1") | (frame["ds"] >= 10)]
    model = tsf.Clustered(by_features(), naive(), aggregate=True).fit(late)
    total = sum(forecaster.panel_.y for forecaster in model.forecasters_)
    np.testing.assert_allclose(total, late.groupby("ds")["y"].sum())


def test_a_missing_value_is_imputed_and_with_too_many_the_sum_is_missing():
    y = np.array([[4.0, 4, np.nan, np.nan], [2.0, 2, 2, np.nan], [6.0, 6, 6, 6]])
    started = np.ones((3, 4), dtype=bool)
    np.testing.assert_allclose(sum_of_series(y, started), [12, 12, 12, 12])
    np.testing.assert_allclose(sum_of_series(y[:2], started[:2]), [6, 6, np.nan, np.nan])
    np.testing.assert_allclose(
        sum_of_series(y - 5, started), [-3, -3, np.nan, np.nan]
    )  # no share of what is not positive


def test_the_properties_of_forecasters_hold():
    check_forecaster(tsf.Clustered(tsf.ByFeatures(AgglomerativeClustering(2)), naive(horizon=4)), make_frame(3, 40))


@pytest.mark.parametrize("clusterer", [KMeans(2), tsf.MixSeq, "three"])
def test_what_clusters_no_series_is_refused(clusterer):
    with pytest.raises(TypeError, match="ByFeatures"):
        tsf.Clustered(clusterer, naive()).fit(two_kinds())


def test_an_unknown_coupling_is_refused():
    with pytest.raises(ValueError, match="choose one of 'past', 'independent'"):
        tsf.Clustered(by_features(), naive(), coupling="copula").fit(two_kinds())


def test_fewer_series_than_clusters_are_refused_with_the_reason():
    with pytest.raises(tsf.DataError, match="KMeans refuses 2 series"):
        tsf.Clustered(by_features(5), naive()).fit(two_kinds(n=2))
