"""MixSeq("ar"): the clusters it finds, what predict and score answer, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

import tsformers as tsf
from tsformers import simulate
from tsformers.clustering.mixseq.clusterer import MixSeq
from tsformers.clustering.scaled_series import ScaledSeries, read_scaled

TRUTH = np.array([[-0.25, 0.52], [0.34, 0.27], [1.5, -0.75]])


def arma_mixture(n_series, length, seed):
    """A frame of ``n_series`` series of each regime, with whole numbers for ids, and the regime of each."""
    frame = simulate.arma_mixture(n_series, length, seed=seed)
    ids, names = pd.factorize(frame["unique_id"])
    truth = frame["regime"].to_numpy().reshape(len(names), -1)[:, 0]
    return frame[["ds", "y"]].assign(unique_id=ids), truth


@pytest.fixture(scope="module")
def small():
    return arma_mixture(60, 80, seed=0)


@pytest.fixture(scope="module")
def fitted(small):
    return MixSeq(3, backbone="ar", seed=0).fit(small[0])


@pytest.mark.parametrize("scaler", ["mean_abs", "standard", "robust", None])
@pytest.mark.parametrize("own_variance", [True, False])
def test_the_published_mixture_of_arma_series_is_separated(scaler, own_variance):
    frame, truth = arma_mixture(1000, 100, seed=0)
    model = MixSeq(3, backbone="ar", scaler=scaler, own_variance=own_variance, seed=0).fit(frame)
    exact = scaler is None or (own_variance and scaler == "mean_abs")  # else units move with the errors they measure
    assert adjusted_rand_score(truth, model.labels_["cluster"]) >= (0.999 if exact else 0.98)
    found = model.parameters_["coefficients"]
    np.testing.assert_allclose(found[np.argsort(found[:, 0]), :2], TRUTH, atol=0.01 if exact else 0.04)
    assert found.shape[1] == 2 or scaler == "standard", "the order is found too"


def test_units_and_the_order_of_rows_do_not_change_the_clusters(small):
    frame, _ = small
    factor = np.random.default_rng(1).lognormal(0, 2, frame["unique_id"].nunique())
    scaled = frame.assign(y=frame["y"] * factor[frame["unique_id"]])
    for scaler in ("mean_abs", None):
        model = MixSeq(3, backbone="ar", order=2, scaler=scaler, seed=0)
        first, second = (clone(model).fit(each).labels_ for each in (frame, scaled))
        assert adjusted_rand_score(first["cluster"], second["cluster"]) == 1.0 or scaler is None
    shuffled = frame.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(MixSeq(3, backbone="ar", seed=0).fit_predict(shuffled), model_labels(small))


def model_labels(small):
    return MixSeq(3, backbone="ar", seed=0).fit(small[0]).labels_


def test_the_same_seed_gives_the_same_bits(small, fitted):
    again = MixSeq(3, backbone="ar", seed=0).fit(small[0])
    pd.testing.assert_frame_equal(again.predict_proba(), fitted.predict_proba(), check_exact=True)
    pd.testing.assert_frame_equal(fitted.predict_proba(small[0]), fitted.predict_proba(), check_exact=True)


def test_probabilities_sum_to_one_and_labels_are_the_likeliest(small, fitted):
    shares = fitted.predict_proba()
    assert list(shares) == ["unique_id", "cluster_0", "cluster_1", "cluster_2"]
    values = shares.filter(like="cluster").to_numpy()
    np.testing.assert_allclose(values.sum(1), 1, atol=1e-12)
    np.testing.assert_array_equal(values.argmax(1), fitted.labels_["cluster"])
    assert (np.diff(fitted.shares_) <= 0).all(), "the largest cluster is 0"


def test_other_series_are_evaluated_without_a_fit(fitted):
    frame, truth = arma_mixture(40, 80, seed=7)
    assert adjusted_rand_score(truth, fitted.predict(frame)["cluster"]) > 0.97
    table = fitted.score_series(frame)
    assert fitted.score(frame) == pytest.approx(table["elbo"].sum() / table["steps"].sum())
    shuffled = frame.groupby("unique_id")["y"].sample(frac=1, random_state=0).to_numpy()
    assert fitted.score(frame.assign(y=shuffled)) < fitted.score(frame) - 0.1


def test_it_survives_saving(fitted, tmp_path, small):
    fitted.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m", classes={"MixSeq": MixSeq})
    pd.testing.assert_frame_equal(loaded.labels_, fitted.labels_)
    pd.testing.assert_frame_equal(loaded.predict_proba(small[0]), fitted.predict_proba(), check_exact=True)
    assert loaded.get_params() == fitted.get_params()


def test_answers_come_in_the_callers_type_and_names(small):
    polars = pytest.importorskip("polars")
    frame = polars.from_pandas(small[0]).rename({"unique_id": "shop"})
    labels = MixSeq(3, backbone="ar", seed=0).fit_predict(frame, id_col="shop")
    assert isinstance(labels, polars.DataFrame) and labels.columns == ["shop", "cluster"]


def test_series_without_information_go_to_the_largest_cluster_and_are_named(small):
    frame, _ = small
    extra = pd.DataFrame({"unique_id": [900] * 5 + [901] * 2, "ds": [0, 1, 2, 3, 4, 0, 1], "y": [0.0] * 5 + [1.0, 2.0]})
    with pytest.warns(UserWarning, match=r"2 series give no information .*: 900, 901"):
        model = MixSeq(3, backbone="ar", seed=0, order=2).fit(pd.concat([frame, extra]))
    assert model.defaulted_.tolist() == [900, 901]
    shares = model.predict_proba().set_index("unique_id").loc[[900, 901]].to_numpy()
    np.testing.assert_allclose(shares, [model.shares_] * 2)
    assert model.labels_.set_index("unique_id").loc[[900, 901], "cluster"].tolist() == [0, 0]
    with pytest.warns(UserWarning, match="1 series give no information"):
        model.predict(pd.concat([frame, extra.iloc[:5]]))


def test_lengths_may_differ_and_values_may_be_missing(small):
    frame, truth = small
    rng = np.random.default_rng(0)
    kept = frame[frame["ds"] >= rng.integers(0, 30, len(truth))[frame["unique_id"]]].copy()
    kept.loc[rng.random(len(kept)) < 0.05, "y"] = np.nan
    labels = MixSeq(3, backbone="ar", seed=0).fit_predict(kept)
    assert adjusted_rand_score(truth, labels["cluster"]) > 0.9


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be a whole number of 1 or more"),
        ({"n_clusters": []}, "n_clusters must name at least one number"),
        ({"n_clusters": "three"}, "n_clusters must be a whole number of 1 or more"),
        ({"n_clusters": [2, 0]}, r"n_clusters\[1\] must be a whole number of 1 or more"),
        ({"backbone": "lstm"}, "backbone='lstm' is unknown; choose one of"),
        ({"scaler": "max"}, "scaler='max' is unknown; choose one of"),
        ({"order": 0}, "order must be a whole number of 1 or more or None, not 0"),
        ({"n_init": 1.5}, "n_init must be a whole number"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(small, wrong, message):
    with pytest.raises(ValueError, match=message):
        MixSeq(**{"backbone": "ar"} | wrong).fit(small[0])


def test_too_few_series_are_refused(small):
    few = small[0][small[0]["unique_id"] < 2]
    with pytest.raises(tsf.DataError, match=r"3 clusters need as many series with .* there are 2 such series"):
        MixSeq(3, backbone="ar").fit(few)


def test_before_fit_nothing_is_predicted_and_methods_are_known(fitted):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        MixSeq(3).predict()
    with pytest.raises(ValueError, match="method='z' is unknown"):
        fitted.predict(method="z")
    assert clone(MixSeq(3, seed=1)).get_params()["n_clusters"] == 3


def test_a_panel_at_another_frequency_is_refused(small, fitted):
    with pytest.raises(tsf.DataError, match="freq is 2, that of fit 1"):
        fitted.predict(tsf.Panel.from_frame(small[0].assign(ds=small[0]["ds"] * 2), freq=2))
    assert isinstance(read_scaled(tsf.Panel.from_frame(small[0]), None), ScaledSeries)
