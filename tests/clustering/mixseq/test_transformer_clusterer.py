"""MixSeq with Transformers: it separates mixtures, keeps its clusters, and gives the same bits again."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

import tsformers as tsf
import tsformers.clustering.mixseq.training as deep
from tsformers import simulate
from tsformers.clustering.coreset.coreset import Coreset
from tsformers.clustering.mixseq.clusterer import MixSeq
from tsformers.clustering.scaled_series import read_scaled
from tsformers.errors import TrainingInterrupted
from tsformers.storage.former_format import convert_model

TINY = {"d_model": 8, "n_layers": 1, "batch_size": 40, "validation_share": 0.0, "verbose": False, "seed": 0}
QUICK = TINY | {"max_epochs": 2, "pretrain_steps": 5}


def mixture(n_series, length, seed):
    """A frame of ``n_series`` series of each regime, with whole numbers for ids, and the regime of each."""
    frame = simulate.arma_mixture(n_series, length, seed=seed)
    ids, names = pd.factorize(frame["unique_id"])
    truth = frame["regime"].to_numpy().reshape(len(names), -1)[:, 0]
    return frame[["ds", "y"]].assign(unique_id=ids), truth


def test_without_remedies_one_component_holds_all_series_and_a_warning_names_the_collapsed():
    frame, _ = mixture(40, 50, seed=0)
    broken = {"init": "random", "temperature": 1.0, "balance": 0.0, "restarts": 0, "max_epochs": 25}
    with pytest.warns(UserWarning) as caught:
        model = MixSeq(3, **TINY | broken).fit(frame)
    assert model.labels_["cluster"].nunique() == 1
    messages = [str(each.message) for each in caught]
    assert len(messages) == 2 and all(
        "has collapsed" in text and "raise balance, temperature or restarts" in text for text in messages
    )
    assert messages[0].startswith("cluster 1 of 3") and messages[1].startswith("cluster 2 of 3")
    assert model.history_["entropy"].iloc[-1] < 0.9 * math.log(3)


@pytest.mark.parametrize("remedies", [{}, {"init": "random", "temperature": 1.0, "balance": 0.0}])
def test_each_cluster_keeps_mass_with_all_remedies_and_with_restarts_alone(remedies):
    frame, truth = mixture(40, 50, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MixSeq(3, **TINY | {"max_epochs": 40} | remedies).fit(frame)
    assert model.labels_["cluster"].nunique() == 3 and model.history_["entropy"].iloc[-1] > 0.95 * math.log(3)
    assert adjusted_rand_score(truth, model.labels_["cluster"]) > (0.3 if remedies else 0.85)


def test_the_same_seed_gives_the_same_bits_and_the_callers_randomness_is_left_alone():
    frame, _ = mixture(15, 30, seed=1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second, third = (MixSeq(3, **QUICK | {"seed": seed}).fit(frame) for seed in (3, 3, 4))
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])
    pd.testing.assert_frame_equal(first.predict_proba(), second.predict_proba(), check_exact=True)
    assert not first.predict_proba().equals(third.predict_proba())
    history = ["step", "loss", "elbo", "kl", "entropy", "seconds"]
    assert list(first.history_) == history
    pd.testing.assert_frame_equal(first.history_.drop(columns="seconds"), second.history_.drop(columns="seconds"))


@pytest.mark.filterwarnings("ignore:cluster")
def test_it_survives_saving_and_evaluates_other_series(tmp_path):
    frame, _ = mixture(15, 30, seed=1)
    model = MixSeq(3, **QUICK, coreset=Coreset(60, 3, n_entities=40, seed=1)).fit(frame)
    model.save(tmp_path / "m")
    loaded = tsf.load(tmp_path / "m", classes={"MixSeq": MixSeq, "Coreset": Coreset})
    for method in ("q", "bayes"):
        pd.testing.assert_frame_equal(loaded.predict(method=method), model.predict(method=method))
        others = [each.predict_proba(frame, method=method) for each in (loaded, model)]
        pd.testing.assert_frame_equal(others[0], model.predict_proba(method=method))
        pd.testing.assert_frame_equal(others[0], others[1], check_exact=True)
    assert loaded.score(frame) == model.score(frame)
    assert str(loaded.get_params()["coreset"]) == str(model.coreset)


@pytest.mark.filterwarnings("ignore:cluster")
def test_ctrl_c_keeps_the_best_so_far(monkeypatch):
    frame, _ = mixture(15, 30, seed=1)
    check, calls = deep.Training.check, []

    def interrupted(self, step, losses):
        calls.append(step)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return check(self, step, losses)

    monkeypatch.setattr(deep.Training, "check", interrupted)
    with pytest.warns(TrainingInterrupted, match="the best weights so far are kept"):
        model = MixSeq(3, **TINY | {"max_epochs": 20, "pretrain_steps": 5}).fit(frame)
    assert len(model.history_) == 3 and len(model.labels_) == 45


@pytest.mark.filterwarnings("ignore:cluster")
@pytest.mark.parametrize(
    "settings",
    [
        {"shared_embedding": True},
        {"init": "ar", "dropout": 0.1},
        {"anneal": True, "kernel": 1, "validation_share": 0.2},
        {"context_length": 12, "scaler": None, "max_epochs": None, "max_steps": 4},
        {"n_clusters": 1},
        {"n_clusters": [1, 2]},
        {"coreset": Coreset(100, 3, n_entities=60)},
    ],
)
def test_every_setting_makes_probabilities(settings):
    frame, _ = mixture(15, 30, seed=1)
    frame = frame.drop(frame.index[5:20])
    model = MixSeq(**{"n_clusters": 3} | QUICK | settings).fit(frame)
    shares = model.predict_proba().filter(like="cluster").to_numpy()
    assert shares.shape == (45, model.n_clusters_)
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
    assert np.isfinite(model.history_.to_numpy()).all()
    if model.selection_ is not None:
        assert model.selection_["chosen"].sum() == 1 and (model.selection_["standard_error"] >= 0).all()


def test_weights_of_a_coreset_represent_the_series_left_out():
    frame, truth = mixture(100, 60, seed=2)
    for backbone, least in (("ar", 0.97),):
        model = MixSeq(3, backbone=backbone, coreset=Coreset(1000, 3, n_entities=80, seed=0), seed=0).fit(frame)
        assert adjusted_rand_score(truth, model.labels_["cluster"]) > least
    scaled = read_scaled(tsf.Panel.from_frame(frame), "mean_abs")
    read, weight = model.training_series(scaled, np.random.default_rng(0))
    assert len(read.starts) < 80 and weight.mean() == pytest.approx(1) and weight.std() > 0


def test_the_variance_of_all_is_that_within_clusters_and_that_of_their_means():
    frame, truth = mixture(200, 60, seed=0)
    y = frame["y"].to_numpy().reshape(600, 60)
    labels = MixSeq(3, backbone="ar", seed=0).fit(frame).labels_["cluster"].to_numpy()
    for groups in (truth, labels):
        members = [y[groups == k] for k in range(3)]
        share = np.array([len(each) for each in members]) / 600
        within = sum(p * each.var(0) for p, each in zip(share, members, strict=True))
        between = sum(p * (each.mean(0) - y.mean(0)) ** 2 for p, each in zip(share, members, strict=True))
        np.testing.assert_allclose(within + between, y.var(0), atol=1e-10)
        assert (within <= y.var(0) + 1e-12).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"d_model": 6, "n_heads": 4}, "d_model=6 cannot be split into n_heads=4"),
        ({"init": "zeros"}, "init='zeros' is unknown; choose one of 'kmeans', 'ar', 'random'"),
        ({"temperature": 0.5}, "temperature must be a number of 1 or more or None, not 0.5"),
        ({"validation_share": 0.9}, "validation_share must be a number from 0 to 0.5"),
        ({"context_length": 0}, "context_length must be a whole number of 1 or more"),
        ({"restarts": -1}, "restarts must be a whole number of 0 or more"),
        ({"device": "abacus"}, "device='abacus' cannot be used"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        MixSeq(3, **wrong).fit(mixture(3, 10, seed=0)[0])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_published_mixture_of_arma_series_is_separated(seed):
    frame, truth = mixture(300, 100, seed=seed)
    model = MixSeq(3, seed=seed, verbose=False).fit(frame)
    for method in ("q", "bayes"):
        assert adjusted_rand_score(truth, model.predict(method=method)["cluster"]) >= 0.98
    assert model.history_["entropy"].iloc[-1] > 1.05


def test_a_model_of_the_former_format_is_converted():
    weights = {"components.embed.map.weight": 1, "law.weight": 2, "name.bias": 3}
    _, learned = convert_model("MixSeq", {}, {"parameters_": {"sizes": {}, "unit": 1.0, "weights": weights}})
    today = {"components.embed.map.weight": 1, "to_distribution.weight": 2, "to_logits.bias": 3}
    assert learned["parameters_"]["weights"] == today
    of_ar = {"parameters_": {"weights": [0.5, 0.5], "centre": 0.0}}
    assert convert_model("MixSeq", {}, of_ar) == ({}, of_ar)
