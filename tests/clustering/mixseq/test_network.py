"""MixSeq with Transformers: the bound and its training, long series in stretches, and clusters that must not die."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn.metrics import adjusted_rand_score

import tsformers as tsf
import tsformers.clustering.mixseq.training as deep
from tsformers import simulate
from tsformers.clustering.coreset.coreset import Coreset
from tsformers.clustering.mixseq.clusterer import MixSeq
from tsformers.clustering.mixseq.crops import at_random, cut, whole
from tsformers.clustering.mixseq.evidence import elbo
from tsformers.clustering.mixseq.network import LEAST_SPREAD, MixtureNetwork, Sizes, make_crop
from tsformers.clustering.scaled_series import Micro, read_micro
from tsformers.errors import TrainingInterrupted

TINY = {"d_model": 8, "n_layers": 1, "batch_size": 40, "validation_share": 0.0, "verbose": False, "seed": 0}
QUICK = TINY | {"max_epochs": 2, "pretrain_steps": 5}
CPU = torch.device("cpu")


def mixture(n_series, length, seed):
    """A frame of ``n_series`` series of each law, with whole numbers for ids, and the law of each."""
    frame = simulate.arma_mixture(n_series, length, seed=seed)
    ids, names = pd.factorize(frame["unique_id"])
    truth = frame["regime"].to_numpy().reshape(len(names), -1)[:, 0]
    return frame[["ds", "y"]].assign(unique_id=ids), truth


def network(n_clusters=3, length=16, shared=False, seed=0):
    torch.manual_seed(seed)
    return MixtureNetwork(Sizes(n_clusters, length, 8, 1, 2, 3, 0.0, shared)).eval()


def micro_of(*series):
    lengths = np.array([len(each) for each in series])
    stops = np.cumsum(lengths)
    return Micro(np.concatenate(series).astype(float), stops - lengths, stops, np.zeros(len(series), dtype=bool))


def noise(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return micro_of(*(rng.normal(size=length) for length in lengths))


def run(micro, **changes):
    plan = deep.Plan(
        **{"context_length": 16, "d_model": 8, "n_layers": 1, "n_heads": 2, "kernel": 3, "dropout": 0.0}
        | {"shared_embedding": False, "init": "kmeans", "pretrain_steps": 5, "max_epochs": 2, "max_steps": 100}
        | {"batch_size": 8, "learning_rate": 1e-2, "gradient_clip": 1.0, "anneal": False, "temperature": 1.0}
        | {"balance": 0.0, "restarts": 3, "validation_share": 0.0, "device": CPU, "verbose": False}
        | changes
    )
    weight = np.ones(len(micro.starts))
    return deep.Run(network(shared=plan.shared_embedding), micro, weight, 1.0, plan, np.random.default_rng(0))


def test_what_is_minimised_is_minus_the_bound_a_step():
    micro = noise(16, 12, 16)
    training, series = run(micro), np.arange(3)
    judged = deep.judged_by(training.network, micro, 1.0)
    bound = elbo(judged.log_densities, judged.q, np.full(3, 1 / 3))
    loss = training.loss(series, 1.0).item()
    assert loss == pytest.approx(-(bound / judged.steps).mean(), rel=1e-5)
    assert (bound <= judged.line(0, np.ones(3), 0.0).elbo * judged.steps.sum() + 1e9).all()
    exact = elbo(judged.log_densities, judged.bayes, np.full(3, 1 / 3))
    truth = np.log(np.exp(judged.log_densities).mean(1))
    np.testing.assert_allclose(exact, truth, atol=1e-6)
    assert (bound <= truth + 1e-9).all()


@pytest.mark.parametrize(("done", "beta"), [(0.0, 0), (1 / 6, 0.5), (1.0, 1)])
def test_annealing_makes_it_the_bound_in_a_third_of_the_steps(done, beta):
    micro = noise(16, 16)
    training = run(micro, anneal=True, temperature=4.0, balance=2.0)
    log_q = log_softmax(logits(training.network, micro) / 4.0 ** max(0, 1 - 3 * done), axis=1)
    q, steps = np.exp(log_q), 15
    densities = deep.judged_by(training.network, micro, 1.0).log_densities
    kl, mean = (q * (log_q + math.log(3))).sum(1), q.mean(0)
    unused = (mean * (np.log(mean) + math.log(3))).sum()
    expected = -((q * densities).sum(1) / steps - steps ** -float(beta) * kl).mean() + 2.0 * 0.1**done * unused
    assert training.loss(np.arange(2), done).item() == pytest.approx(expected, rel=1e-4)


def logits(net, micro):
    with torch.no_grad():
        return net.logits(cut(micro, whole(micro, 16), 16, 1.0, CPU)).double().numpy()


def test_a_value_has_a_normal_law_made_of_those_before_it():
    net, x = network().double(), torch.randn(1, 15, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    grid = torch.linspace(-30, 30, 6001, dtype=torch.float64)
    many = torch.cat([x.expand(len(grid), -1), grid[:, None]], dim=1)
    before = net.log_densities(make_crop(x, torch.ones_like(x, dtype=torch.bool)))
    density = net.log_densities(make_crop(many, torch.ones_like(many, dtype=torch.bool))) - before
    for each in density:  # what comes before does not depend on the last value, whose law integrates to 1
        assert torch.trapezoid(each.exp(), grid).item() == pytest.approx(1, abs=1e-6)
        bend = each.diff(n=2)
        torch.testing.assert_close(bend, bend.mean().expand_as(bend), rtol=1e-5, atol=1e-9)  # a parabola
        assert bend.mean() < 0 and (-bend.mean() / (grid[1] - grid[0]) ** 2) ** -0.5 > LEAST_SPREAD
    assert (density[0] - density[1]).abs().max() > 1e-3


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4), st.lists(st.integers(2, 60), min_size=1, max_size=5), st.integers(4, 20), st.booleans())
def test_series_of_any_length_are_judged_whole_and_each_value_once(n_clusters, lengths, context, shared):
    micro, net = noise(*lengths), network(n_clusters, context, shared)
    judged = deep.judged_by(net, micro, 1.0)
    np.testing.assert_array_equal(judged.steps, np.array(lengths) - 1)
    np.testing.assert_allclose(judged.q.sum(1), 1, atol=1e-6)
    alone = [deep.judged_by(net, micro.select(np.array([i])), 1.0) for i in range(len(lengths))]
    np.testing.assert_allclose(judged.log_densities, np.concatenate([each.log_densities for each in alone]), rtol=1e-4)
    np.testing.assert_allclose(judged.q, np.concatenate([each.q for each in alone]), atol=1e-5)


def test_a_long_series_is_the_sum_of_its_stretches():
    micro, net = noise(40), network(length=16)
    x = torch.from_numpy(micro.y).float()
    sums, features, steps = torch.zeros(3), torch.zeros(8), 0.0
    for start in (0, 8, 16, 24):
        part, first = x[None, start : start + 16], torch.tensor([8 if start else 0])
        crop = make_crop(part, torch.ones_like(part, dtype=torch.bool), first)
        sums += net.log_densities(crop)[:, 0]
        found, counted = net.features(crop)
        features, steps = features + found[0], steps + counted
    judged = deep.judged_by(net, micro, 1.0)
    np.testing.assert_allclose(judged.log_densities[0], sums.detach(), rtol=1e-4)
    expected = net.named(features[None], steps).softmax(-1)[0]
    np.testing.assert_allclose(judged.q[0], expected.detach(), atol=1e-5)


def test_what_is_missing_says_nothing_and_what_it_stands_for_changes_nothing():
    y = np.random.default_rng(0).normal(size=20)
    y[[0, 1, 7, 8, 15]] = np.nan
    judged = deep.judged_by(network(), micro_of(y), 1.0)
    assert judged.steps[0] == 14, "fifteen are seen, and the first is given"
    spoiled, net = np.where(np.isnan(y), 50.0, y)[:16], network()
    seen = torch.from_numpy(~np.isnan(y[:16]))[None]
    one, other = (torch.from_numpy(each).float()[None] for each in (spoiled, np.nan_to_num(y[:16])))
    first, second = (make_crop(each, seen) for each in (one, other))
    torch.testing.assert_close(net.log_densities(first), net.log_densities(second))
    torch.testing.assert_close(net.logits(first), net.logits(second))


def test_units_shift_densities_by_a_logarithm_a_step():
    micro, net = noise(16, 30), network()
    scaled = micro._replace(y=5 * micro.y)
    one, other = deep.judged_by(net, micro, 1.0), deep.judged_by(net, scaled, 5.0)
    np.testing.assert_allclose(other.log_densities, one.log_densities - one.steps[:, None] * np.log(5), rtol=1e-5)
    np.testing.assert_allclose(other.q, one.q, atol=1e-6)


@pytest.mark.parametrize("shared", [False, True])
def test_other_numbers_for_the_clusters_give_the_same_answers_in_other_columns(shared):
    micro, order, net = noise(16, 9, 30), np.array([2, 0, 1]), network(shared=shared)
    parameters = {"sizes": vars(net.sizes), "unit": 1.0, "weights": net.state_dict()}
    first, second = deep.judge(parameters, micro), deep.judge(deep.permuted(parameters, order), micro)
    np.testing.assert_allclose(second.log_densities, first.log_densities[:, order], rtol=1e-6)
    np.testing.assert_allclose(second.q, first.q[:, order], atol=1e-7)


def test_stretches_lie_inside_their_series():
    micro = noise(50, 10, 17)
    series = np.repeat(np.arange(3), 200)
    found = at_random(micro, series, 16, np.random.default_rng(0))
    lengths = micro.stops - micro.starts
    assert (found.starts >= micro.starts[series]).all()
    assert (np.minimum(found.starts + 16, micro.stops[series]) - found.starts == np.minimum(16, lengths[series])).all()
    assert {0, 34} <= set(found.starts[:200].tolist()) and set(found.starts[400:].tolist()) == {60, 61}


def test_without_remedies_one_component_takes_everything_and_a_warning_says_which_are_dead():
    frame, _ = mixture(40, 50, seed=0)
    broken = {"init": "random", "temperature": 1.0, "balance": 0.0, "restarts": 0, "max_epochs": 25}
    with pytest.warns(UserWarning) as told:
        model = MixSeq(3, **TINY | broken).fit(frame)
    assert model.labels_["cluster"].nunique() == 1
    said = [str(each.message) for each in told]
    assert len(said) == 2 and all(
        "is dead" in text and "raise balance, temperature or restarts" in text for text in said
    )
    assert said[0].startswith("cluster 1 of 3") and said[1].startswith("cluster 2 of 3")
    assert model.history_["entropy"].iloc[-1] < 0.9 * math.log(3)


@pytest.mark.parametrize("remedies", [{}, {"init": "random", "temperature": 1.0, "balance": 0.0}])
def test_each_cluster_lives_with_all_remedies_and_with_restarts_alone(remedies):
    frame, truth = mixture(40, 50, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MixSeq(3, **TINY | {"max_epochs": 40} | remedies).fit(frame)
    assert model.labels_["cluster"].nunique() == 3 and model.history_["entropy"].iloc[-1] > 0.95 * math.log(3)
    assert adjusted_rand_score(truth, model.labels_["cluster"]) > (0.3 if remedies else 0.85)


def test_a_restart_gives_a_dead_cluster_the_series_that_were_fitted_worst():
    rng = np.random.default_rng(0)
    calm, wild = 1 + 0.05 * rng.normal(size=(30, 24)), 3 * rng.normal(size=(10, 24))
    training = run(micro_of(*calm, *wild), batch_size=24)
    with torch.no_grad():
        training.network.name.weight.zero_()
        training.network.name.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    rows = training.micro.starts // 24
    training.pretrain(np.zeros(40, dtype=int), 10, _Bar())
    with torch.no_grad():
        training.network.name.bias.copy_(torch.tensor([4.0, 0.0, 0.0]))
    before = deep.judged_by(training.network, training.micro, 1.0)
    training.revive(_Bar())
    after = deep.judged_by(training.network, training.micro, 1.0)
    assert before.dead(np.ones(40)).tolist() == [1, 2] and training.restarts == 2
    gained = (after.q[:, 1:] - before.q[:, 1:]).sum(1)
    assert gained[rows >= 30].min() > gained[rows < 30].max(), "the wild series are told apart"


class _Bar:
    def update(self):
        pass


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
def test_it_survives_saving_and_judges_others(tmp_path):
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
    check, calls = deep.Run.check, []

    def interrupted(self, step):
        calls.append(step)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return check(self, step)

    monkeypatch.setattr(deep.Run, "check", interrupted)
    with pytest.warns(TrainingInterrupted, match="the best weights so far are kept"):
        model = MixSeq(3, **TINY | {"max_epochs": 20, "pretrain_steps": 5}).fit(frame)
    assert len(model.history_) == 2 and len(model.labels_) == 45


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


def test_weights_of_a_coreset_stand_for_the_series_that_are_left_out():
    frame, truth = mixture(100, 60, seed=2)
    for backbone, least in (("ar", 0.97),):
        model = MixSeq(3, backbone=backbone, coreset=Coreset(1000, 3, n_entities=80, seed=0), seed=0).fit(frame)
        assert adjusted_rand_score(truth, model.labels_["cluster"]) > least
    micro = read_micro(tsf.Panel.from_frame(frame), "mean_abs")
    read, weight = model._read(micro, np.random.default_rng(0))
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
        ({"temperature": 0.5}, "temperature must be a number from 1 to inf, not 0.5"),
        ({"validation_share": 0.9}, "validation_share must be a number from 0 to 0.5"),
        ({"context_length": 0}, "context_length must be a whole number of 1 or more"),
        ({"restarts": -1}, "restarts must be a whole number of 0 or more"),
        ({"device": "abacus"}, "device='abacus' cannot be used"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        MixSeq(3, **wrong).fit(mixture(3, 10, seed=0)[0])


def test_a_loss_that_is_no_number_is_an_error_with_a_remedy():
    training = run(noise(16, 16, 16))
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        training.descend(training.loss(np.arange(3), 1.0) * math.nan, 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_published_mixture_of_arma_series_is_taken_apart(seed):
    frame, truth = mixture(300, 100, seed=seed)
    model = MixSeq(3, seed=seed, verbose=False).fit(frame)
    for method in ("q", "bayes"):
        assert adjusted_rand_score(truth, model.predict(method=method)["cluster"]) >= 0.98
    assert model.history_["entropy"].iloc[-1] > 1.05
