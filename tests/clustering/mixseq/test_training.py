"""Training of MixSeq's networks: the loss against its formula, and restarts of collapsed clusters."""

import math

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

import tsformers.clustering.mixseq.training as deep
from tsformers.clustering.mixseq.crops import cut, whole
from tsformers.clustering.mixseq.evidence import elbo
from tsformers.clustering.mixseq.network import MixtureNetwork, Sizes
from tsformers.clustering.mixseq.network_evidence import evaluate_network
from tsformers.clustering.scaled_series import ScaledSeries

CPU = torch.device("cpu")


def network(n_clusters=3, length=16, shared=False, seed=0):
    torch.manual_seed(seed)
    return MixtureNetwork(Sizes(n_clusters, length, 8, 1, 2, 3, 0.0, shared)).eval()


def series_of(*series):
    lengths = np.array([len(each) for each in series])
    stops = np.cumsum(lengths)
    return ScaledSeries(np.concatenate(series).astype(float), stops - lengths, stops, np.zeros(len(series), dtype=bool))


def noise(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return series_of(*(rng.normal(size=length) for length in lengths))


def run(scaled, **changes):
    plan = deep.Plan(
        **{"context_length": 16, "d_model": 8, "n_layers": 1, "n_heads": 2, "kernel": 3, "dropout": 0.0}
        | {"shared_embedding": False, "init": "kmeans", "pretrain_steps": 5, "max_epochs": 2, "max_steps": 100}
        | {"batch_size": 8, "learning_rate": 1e-2, "gradient_clip": 1.0, "anneal": False, "temperature": 1.0}
        | {"balance": 0.0, "restarts": 3, "validation_share": 0.0, "device": CPU, "verbose": False}
        | changes
    )
    weight = np.ones(len(scaled.starts))
    return deep.Training(network(shared=plan.shared_embedding), scaled, weight, 1.0, plan, np.random.default_rng(0))


def test_what_is_minimised_is_minus_the_bound_a_step():
    scaled = noise(16, 12, 16)
    training, series = run(scaled), np.arange(3)
    found = evaluate_network(training.network, scaled, 1.0)
    bound = elbo(found.log_densities, found.q, np.full(3, 1 / 3))
    loss = training.loss(series, 1.0).item()
    assert loss == pytest.approx(-(bound / found.steps).mean(), rel=1e-5)
    assert (bound <= found.row(0, np.ones(3), 0.0).elbo * found.steps.sum() + 1e9).all()
    exact = elbo(found.log_densities, found.bayes, np.full(3, 1 / 3))
    truth = np.log(np.exp(found.log_densities).mean(1))
    np.testing.assert_allclose(exact, truth, atol=1e-6)
    assert (bound <= truth + 1e-9).all()


@pytest.mark.parametrize(("done", "beta"), [(0.0, 0), (1 / 6, 0.5), (1.0, 1)])
def test_annealing_reaches_the_bound_in_a_third_of_the_steps(done, beta):
    scaled = noise(16, 16)
    training = run(scaled, anneal=True, temperature=4.0, balance=2.0)
    log_q = log_softmax(logits(training.network, scaled) / 4.0 ** max(0, 1 - 3 * done), axis=1)
    q, steps = np.exp(log_q), 15
    densities = evaluate_network(training.network, scaled, 1.0).log_densities
    kl, mean = (q * (log_q + math.log(3))).sum(1), q.mean(0)
    unused = (mean * (np.log(mean) + math.log(3))).sum()
    expected = -((q * densities).sum(1) / steps - steps ** -float(beta) * kl).mean() + 2.0 * 0.1**done * unused
    assert training.loss(np.arange(2), done).item() == pytest.approx(expected, rel=1e-4)


def logits(net, scaled):
    with torch.no_grad():
        return net.logits(cut(scaled, whole(scaled, 16), 16, 1.0, CPU)).double().numpy()


def test_a_restart_gives_a_collapsed_cluster_the_series_that_were_fitted_worst():
    rng = np.random.default_rng(0)
    calm, wild = 1 + 0.05 * rng.normal(size=(30, 24)), 3 * rng.normal(size=(10, 24))
    training = run(series_of(*calm, *wild), batch_size=24)
    with torch.no_grad():
        training.network.to_logits.weight.zero_()
        training.network.to_logits.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    rows = training.scaled.starts // 24
    training.pretrain(np.zeros(40, dtype=int), 10, Bar())
    with torch.no_grad():
        training.network.to_logits.bias.copy_(torch.tensor([4.0, 0.0, 0.0]))
    before = evaluate_network(training.network, training.scaled, 1.0)
    training.restart_collapsed(Bar())
    after = evaluate_network(training.network, training.scaled, 1.0)
    assert before.collapsed(np.ones(40)).tolist() == [1, 2] and training.restarts == 2
    gained = (after.q[:, 1:] - before.q[:, 1:]).sum(1)
    assert gained[rows >= 30].min() > gained[rows < 30].max(), "the wild series are caught apart"


class Bar:
    def update(self):
        pass


def test_a_loss_that_is_not_finite_is_an_error_with_a_remedy():
    training = run(noise(16, 16, 16))
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        training.descend(training.loss(np.arange(3), 1.0) * math.nan, 1e-3)
