"""Coresets: unbiased on average, the objective against its formula, and clusters found on a part."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tsformers as tsf
from tsformers.clustering.coreset.coreset import Coreset
from tsformers.clustering.coreset.expectation_maximisation import fit_var_mixture
from tsformers.clustering.coreset.sensitivities import draw_coreset
from tsformers.clustering.coreset.var_mixture import VARMixture, all_pairs, cluster_objective
from tsformers.clustering.scaled_series import read_scaled


def mixture(n_clusters=3, width=2, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.uniform(0.3, 1, (n_clusters, width, width)) + np.eye(width)
    weights = rng.dirichlet(np.full(n_clusters, 5.0))
    decays = rng.uniform(0.2, 0.8, (n_clusters, width))
    return VARMixture(weights, 3 * rng.normal(size=(n_clusters, width)), root @ root.mT, decays)


def draw(truth, n, length, seed=0):
    rng = np.random.default_rng(seed)
    label = rng.choice(len(truth.weights), n, p=truth.weights)
    errors = np.einsum(
        "ntd,nde->nte",
        rng.normal(size=(n, length, truth.means.shape[1])),
        np.linalg.cholesky(np.linalg.inv(truth.precisions)).mT[label],
    )
    for t in range(1, length):
        errors[:, t] += truth.decays[label] * errors[:, t - 1]
    return truth.means[label][:, None] + errors, label


def brute_force(truth, pairs):
    """The formula, one value at a time."""
    psi = np.zeros((len(pairs.lengths), len(truth.weights)))
    for i, value, before, weight in zip(*pairs[:4], strict=True):
        for cluster in range(len(truth.weights)):
            v = value - truth.means[cluster]
            if not np.isnan(before).any():
                v = v - truth.decays[cluster] * (before - truth.means[cluster])
            psi[i, cluster] += weight * v @ truth.precisions[cluster] @ v
    width = truth.means.shape[1]
    constant = np.sqrt(np.linalg.det(truth.precisions)) * (2 * np.pi) ** (-width / 2)
    inside = truth.weights * constant * np.exp(-psi / (2 * pairs.lengths[:, None]))
    return -(pairs.entity_weight * np.log(inside.sum(1))).sum()


@pytest.mark.parametrize("width", [1, 2, 3])
def test_the_objective_is_the_formula_on_all_data_and_on_a_coreset(width):
    truth = mixture(width=width)
    pairs = all_pairs(draw(truth, 20, 15)[0])
    assert cluster_objective(truth, pairs) == pytest.approx(brute_force(truth, pairs), rel=1e-10)
    part = draw_coreset(pairs, 8, 4, 3, rng=np.random.default_rng(0)).pairs
    assert cluster_objective(truth, part) == pytest.approx(brute_force(truth, part), rel=1e-10)


def test_a_coreset_of_everything_with_unit_weights_has_the_objective_of_everything():
    truth = mixture()
    pairs = all_pairs(draw(truth, 30, 20)[0])
    order = np.random.default_rng(0).permutation(len(pairs.entity))
    mixed = pairs._replace(**{name: getattr(pairs, name)[order] for name in ("entity", "value", "before")})
    assert cluster_objective(truth, mixed) == pytest.approx(cluster_objective(truth, pairs), rel=1e-12)


@pytest.mark.parametrize("normalise", [False, True])
def test_weights_sum_to_the_numbers_of_series_and_values_on_average(normalise):
    pairs = all_pairs(draw(mixture(width=1), 40, 25)[0])
    rng, entities, times = np.random.default_rng(0), [], []
    for _ in range(100 if normalise else 2000):
        found = draw_coreset(pairs, 12, 10, 3, normalise=normalise, rng=rng).pairs
        entities.append(found.entity_weight.sum())
        times.append(np.bincount(found.entity, found.time_weight).mean())
    assert np.mean(entities) == pytest.approx(40, rel=0.01)
    assert np.mean(times) == pytest.approx(25, rel=0.01)
    assert (np.std(entities) < 1e-9) == normalise


def test_without_normalising_the_time_averages_and_sums_over_entities_have_no_bias():
    x = draw(mixture(width=2), 30, 20)[0]
    pairs, rng = all_pairs(x), np.random.default_rng(0)
    own = np.square(x).sum(2)  # any function of a value will do
    found = np.zeros((800, 2))
    for k in range(800):
        drawn = draw_coreset(pairs, 10, 6, 3, rng=rng)
        part = drawn.pairs
        sums = np.bincount(part.entity, part.time_weight * np.square(part.value).sum(1))
        exact = own.sum(1)[drawn.entities]
        found[k] = (part.entity_weight * sums).sum(), ((sums - exact) / exact).mean()
    error = found.std(0) / np.sqrt(len(found))
    assert abs(found[:, 0].mean() - own.sum()) < 4 * error[0]
    assert abs(found[:, 1].mean()) < 4 * error[1]


def frame(n=60, length=30, seed=0):
    y = np.random.default_rng(seed).normal(size=(n, length)) + np.repeat([0.0, 8.0], n // 2)[:, None]
    columns = {"unique_id": np.repeat(np.arange(n), length), "ds": np.tile(np.arange(length), n), "y": y.ravel()}
    return pd.DataFrame(columns)


def test_of_a_frame_it_keeps_ids_times_values_and_weights():
    data = frame().sample(frac=1, random_state=0)
    data.loc[(data["unique_id"] == 3) & (data["ds"] % 2 == 0), "y"] = np.nan
    coreset = Coreset(400, 2, n_entities=200, seed=0).fit(data)
    table = coreset.times_
    assert list(table) == ["unique_id", "ds", "y", "previous", "entity_weight", "time_weight"]
    joined = table.merge(data, on=["unique_id", "ds"], suffixes=("", "_true"))
    assert len(joined) == len(table) and (joined["y"] == joined["y_true"]).all()
    before = table.assign(ds=table["ds"] - 1).merge(data, on=["unique_id", "ds"], how="left", suffixes=("", "_true"))
    pd.testing.assert_series_equal(before["previous"], before["y_true"], check_names=False)
    assert table.loc[table["unique_id"] == 3, "previous"].isna().all() and (table["unique_id"] == 3).any()
    assert not table.duplicated(["unique_id", "ds"]).any()
    weights = table.groupby("unique_id")["entity_weight"].first()
    np.testing.assert_allclose(weights, coreset.entities_["weight"])
    assert coreset.ids_.tolist() == coreset.entities_["unique_id"].tolist() and coreset.n_series_ == 60


def test_as_arrays_it_has_the_objective_of_its_frame():
    data, truth = frame(), mixture(2, 1)
    coreset = Coreset(300, 2, seed=1).fit(data)
    pairs, table = coreset.pairs(), coreset.times_
    assert cluster_objective(truth, pairs) == pytest.approx(brute_force(truth, pairs), rel=1e-10)
    assert (pairs.lengths == 30).all() and len(pairs.value) == len(table)
    everything = Coreset(10**6, 2, n_entities=3000, n_times=3000, normalise=True, seed=0).fit(data).pairs()
    assert len(everything.value) == 1800, "so many draws find every value"
    full = cluster_objective(truth, all_pairs(data["y"].to_numpy().reshape(60, 30, 1)))
    assert cluster_objective(truth, everything) == pytest.approx(full, rel=0.05)


def test_the_same_seed_gives_the_same_coreset_and_it_survives_saving(tmp_path):
    first, second = (Coreset(200, 2, seed=5).fit(frame()) for _ in range(2))
    pd.testing.assert_frame_equal(first.times_, second.times_, check_exact=True)
    assert not first.times_.equals(Coreset(200, 2, seed=6).fit(frame()).times_)
    first.save(tmp_path / "c")
    loaded = tsf.load(tmp_path / "c", classes={"Coreset": Coreset})
    pd.testing.assert_frame_equal(loaded.times_, first.times_)
    for one, other in zip(loaded.pairs(), first.pairs(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert clone(first).get_params() == first.get_params()


def test_coresets_of_disjoint_series_are_united_and_of_shared_ones_refused():
    data, truth = frame(), mixture(2, 1)
    parts = [Coreset(200, 2, seed=k).fit(data[data["unique_id"] % 2 == k]) for k in range(2)]
    union = parts[0].merged(parts[1])
    each = [cluster_objective(truth, part.pairs()) for part in parts]
    assert cluster_objective(truth, union.pairs()) == pytest.approx(sum(each), rel=1e-12)
    assert union.n_series_ == 60
    with pytest.raises(tsf.DataError, match="is in both coresets"):
        union.merged(parts[0])


def test_series_without_spread_or_with_one_value_are_drawn_like_others():
    data = pd.DataFrame({"unique_id": [0, 0, 0, 1, 2, 2], "ds": [0, 1, 2, 0, 0, 1], "y": [0.0, 0, 0, 4, 1, 2]})
    coreset = Coreset(300, 3, seed=0).fit(data, freq=1)
    assert np.isfinite(coreset.times_.drop(columns="previous").to_numpy()).all() and len(coreset.ids_) == 3
    scaled = read_scaled(tsf.Panel.from_frame(data, freq=1), None)
    chosen, weight = Coreset(300, 3).draw_entities(scaled, np.random.default_rng(0))
    assert chosen.tolist() == [0, 1, 2] and weight.sum() == pytest.approx(3, rel=0.3)


def test_answers_come_in_the_callers_type():
    polars = pytest.importorskip("polars")
    assert isinstance(Coreset(50, 2, seed=0).fit(polars.from_pandas(frame())).to_frame(), polars.DataFrame)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"n_clusters": 1.5}, {"n_times": -1}, {"n_entities": True}])
def test_settings_out_of_range_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be a whole number of 1 or more"):
        Coreset(**wrong).fit(frame())
    with pytest.raises(NotFittedError):
        Coreset().pairs()
    with pytest.raises(ValueError, match="2 entities are too few for 3 clusters"):
        fit_var_mixture(all_pairs(np.zeros((2, 3, 1))), 3)
