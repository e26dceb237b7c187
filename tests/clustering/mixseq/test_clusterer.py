"""Mixtures of autoregressions as clusterers: what they find, their laws, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

import tsformers as tsf
from tsformers import simulate
from tsformers.clustering.mixseq.ar_mixture import ARMixture, judge, lag_moments, learn, permuted
from tsformers.clustering.mixseq.ar_mixture import Plan as ARPlan
from tsformers.clustering.mixseq.clusterer import MixSeq
from tsformers.clustering.mixseq.evidence import elbo, kl, posterior
from tsformers.clustering.scaled_series import Micro, read_micro

TRUTH = np.array([[-0.25, 0.52], [0.34, 0.27], [1.5, -0.75]])


def arma_mixture(n_series, length, seed):
    """A frame of ``n_series`` series of each law, with whole numbers for ids, and the law of each."""
    frame = simulate.arma_mixture(n_series, length, seed=seed)
    ids, names = pd.factorize(frame["unique_id"])
    truth = frame["regime"].to_numpy().reshape(len(names), -1)[:, 0]
    return frame[["ds", "y"]].assign(unique_id=ids), truth


def long(y):
    n, length = y.shape
    columns = {"unique_id": np.repeat(np.arange(n), length), "ds": np.tile(np.arange(length), n), "y": y.ravel()}
    return pd.DataFrame(columns)


def micro_of(y):
    return read_micro(tsf.Panel.from_frame(long(y)), None)


@pytest.fixture(scope="module")
def small():
    return arma_mixture(60, 80, seed=0)


@pytest.fixture(scope="module")
def fitted(small):
    return MixSeq(3, backbone="ar", seed=0).fit(small[0])


@pytest.mark.parametrize("scaler", ["mean_abs", "standard", "robust", None])
@pytest.mark.parametrize("own_variance", [True, False])
def test_the_published_mixture_of_arma_series_is_taken_apart(scaler, own_variance):
    frame, truth = arma_mixture(1000, 100, seed=0)
    model = MixSeq(3, backbone="ar", scaler=scaler, own_variance=own_variance, seed=0).fit(frame)
    exact = scaler is None or (own_variance and scaler == "mean_abs")  # else units move with the errors they measure
    assert adjusted_rand_score(truth, model.labels_["cluster"]) >= (0.999 if exact else 0.98)
    found = model.parameters_["coefficients"]
    np.testing.assert_allclose(found[np.argsort(found[:, 0]), :2], TRUTH, atol=0.01 if exact else 0.04)
    assert found.shape[1] == 2 or scaler == "standard", "the order is found too"


def test_the_number_of_clusters_is_found_on_series_kept_from_the_fit(small):
    model = MixSeq(backbone="ar", seed=0).fit(small[0])
    assert model.n_clusters_ == 3
    table = model.selection_
    assert table["n_clusters"].tolist() == [1, 2, 3, 4, 5, 6, 8] and table["chosen"].sum() == 1
    assert MixSeq([1, 2], backbone="ar", seed=0).fit(small[0]).n_clusters_ == 2


def test_a_series_is_what_it_is_whatever_its_unit_and_its_place(small):
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


def test_other_series_are_judged_without_a_fit(fitted):
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


def test_answers_come_in_the_callers_type_and_terms(small):
    polars = pytest.importorskip("polars")
    frame = polars.from_pandas(small[0]).rename({"unique_id": "shop"})
    labels = MixSeq(3, backbone="ar", seed=0).fit_predict(frame, id_col="shop")
    assert isinstance(labels, polars.DataFrame) and labels.columns == ["shop", "cluster"]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5), st.integers(0, 2**31))
def test_the_bound_is_below_the_evidence_and_touches_it_at_the_posterior(n_clusters, seed):
    rng = np.random.default_rng(seed)
    log_densities = rng.normal(0, 30, (7, n_clusters))
    prior, q = rng.dirichlet(np.ones(n_clusters)), rng.dirichlet(np.full(n_clusters, 0.3), 7)
    truth = np.array([logsumexp(row, b=prior) for row in log_densities])
    assert (elbo(log_densities, q, prior) <= truth + 1e-9).all()
    exact, evidence = posterior(log_densities, prior)
    np.testing.assert_allclose(evidence, truth, atol=1e-9)
    np.testing.assert_allclose(elbo(log_densities, exact, prior), truth, atol=1e-6)
    assert (kl(q, prior) >= -1e-12).all()


@pytest.mark.parametrize("own_variance", [True, False])
def test_densities_are_those_of_the_formula(own_variance):
    rng = np.random.default_rng(0)
    y, mixture = rng.normal(size=(3, 12)), example(own_variance)
    judged = judge(mixture._asdict(), micro_of(y))
    for i in range(3):
        for k in range(2):
            errors = [
                y[i, t] - mixture.constants[k] - mixture.coefficients[k] @ [y[i, t - 1], y[i, t - 2]]
                for t in range(2, 12)
            ]
            square = np.square(errors).sum()
            if own_variance:  # the integral of the normal density over ds / s, on a fine grid of log s
                log_s = np.linspace(-12, 12, 20001)
                each = -5 * np.log(2 * np.pi) - 5 * log_s - square / (2 * np.exp(log_s))
                expected = logsumexp(each) + np.log(log_s[1] - log_s[0])
            else:
                variance = mixture.variances[k]
                expected = -5 * np.log(2 * np.pi * variance) - square / (2 * variance)
            assert judged.log_densities[i, k] == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(judged.elbo, logsumexp(judged.log_densities, b=mixture.weights, axis=1), atol=1e-6)


def example(own_variance, floor=0.0):
    parts = [np.array(part) for part in ([0.3, 0.7], [0.1, -0.2], [[0.5, -0.3], [0.9, 0.0]], [0.4, 2.0])]
    return ARMixture(*parts, own_variance, floor, 0.0)


@pytest.mark.parametrize("own_variance", [True, False])
def test_other_numbers_for_the_clusters_give_the_same_answers_in_other_columns(own_variance):
    micro, order = micro_of(np.random.default_rng(0).normal(size=(5, 12))), np.array([1, 0])
    mixture = example(own_variance)._asdict()
    first, second = judge(mixture, micro), judge(permuted(mixture, order), micro)
    np.testing.assert_allclose(second.q, first.q[:, order], atol=1e-12)
    np.testing.assert_allclose(second.elbo, first.elbo, atol=1e-12)


@pytest.mark.parametrize("own_variance", [True, False])
def test_no_iteration_makes_the_mixture_less_likely(own_variance):
    y = np.random.default_rng(0).normal(size=(40, 30)).cumsum(1)
    plan = ARPlan(2, own_variance, 1, 60, False)
    _, progress = learn(micro_of(y), np.ones(40), 3, plan, np.random.default_rng(0))
    assert len(progress) > 5 and (np.diff([line.elbo for line in progress]) > -1e-9).all()


def test_moments_skip_what_has_a_gap_among_its_lags():
    y = np.array([[1.0, 2.0, np.nan, 3.0, 5.0, 8.0]])
    sums = lag_moments(micro_of(y), 2, centre=0.0).sums[0]
    z = np.array([1.0, 8.0, 5.0, 3.0])  # the only value with both its lags
    np.testing.assert_allclose(sums, np.outer(z, z))


def test_one_cluster_is_least_squares():
    y = np.random.default_rng(0).normal(size=(4, 50)).cumsum(1)
    plan = ARPlan(1, False, 1, 50, False)
    parameters, _ = learn(micro_of(y), np.ones(4), 1, plan, np.random.default_rng(0))
    rows = np.column_stack([np.ones(4 * 49), y[:, :-1].ravel()])
    expected, square, *_ = np.linalg.lstsq(rows, y[:, 1:].ravel(), rcond=None)
    mixture = ARMixture(**parameters)
    constant = mixture.constants[0] + mixture.centre * (1 - mixture.coefficients[0].sum())
    np.testing.assert_allclose([constant, mixture.coefficients[0, 0]], expected, atol=1e-6)
    assert mixture.variances[0] == pytest.approx(square[0] / len(rows), rel=1e-6)


def test_weights_count_like_copies():
    y = np.random.default_rng(0).normal(size=(12, 40)).cumsum(1)
    weight = np.array([3.0] * 3 + [1.0] * 9)
    start = np.random.default_rng(1).dirichlet(np.ones(2), 12)
    found = [
        climb(y, weight, start),
        climb(np.concatenate([y, y[:3], y[:3]]), np.ones(18), np.r_[start, start[:3], start[:3]]),
    ]
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def climb(y, weight, start):
    from tsformers.clustering.mixseq.ar_mixture import fit_ar_mixture

    moments = lag_moments(micro_of(y), 1, centre=0.0)
    *_, (mixture, _, _) = fit_ar_mixture(moments, weight, 2, iter([start]), 30)
    return mixture[:4]


def test_series_that_say_nothing_go_to_the_largest_cluster_and_are_named(small):
    frame, _ = small
    extra = pd.DataFrame({"unique_id": [900] * 5 + [901] * 2, "ds": [0, 1, 2, 3, 4, 0, 1], "y": [0.0] * 5 + [1.0, 2.0]})
    with pytest.warns(UserWarning, match=r"2 series say nothing .*: 900, 901"):
        model = MixSeq(3, backbone="ar", seed=0, order=2).fit(pd.concat([frame, extra]))
    assert model.defaulted_.tolist() == [900, 901]
    shares = model.predict_proba().set_index("unique_id").loc[[900, 901]].to_numpy()
    np.testing.assert_allclose(shares, [model.shares_] * 2)
    assert model.labels_.set_index("unique_id").loc[[900, 901], "cluster"].tolist() == [0, 0]
    with pytest.warns(UserWarning, match="1 series say nothing"):
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
        ({"n_clusters": 0}, "n_clusters must be whole numbers of 1 or more"),
        ({"n_clusters": []}, "n_clusters must be whole numbers"),
        ({"n_clusters": "three"}, "n_clusters must be whole numbers"),
        ({"backbone": "lstm"}, "backbone='lstm' is unknown; choose one of"),
        ({"scaler": "max"}, "scaler='max' is unknown; choose one of"),
        ({"order": 0}, "order must be a whole number of 1 or more, not 0"),
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
    with pytest.raises(tsf.DataError, match="2 series are too few to compare numbers of clusters"):
        MixSeq(backbone="ar").fit(few)


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
    assert isinstance(read_micro(tsf.Panel.from_frame(small[0]), None), Micro)
