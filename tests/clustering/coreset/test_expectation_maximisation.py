"""Weighted expectation and maximisation: no step back, a local minimum, and the true clusters."""

import numpy as np

from tsformers.clustering.coreset.expectation_maximisation import climb, fit_var_mixture
from tsformers.clustering.coreset.sensitivities import draw_coreset
from tsformers.clustering.coreset.var_mixture import VARMixture, all_pairs, cluster_objective, moments_of


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


def test_weights_count_like_copies_and_unit_weights_change_nothing():
    x, _ = draw(mixture(), 24, 30)
    pairs, initial = all_pairs(x), np.random.default_rng(0).dirichlet(np.ones(3), 24)
    weights = np.r_[np.full(6, 3.0), np.ones(18)]
    copies = all_pairs(np.concatenate([x, x[:6], x[:6]]))
    one = climb(moments_of(pairs._replace(entity_weight=weights)), initial, (0.0, 0.9), 60)[0]
    other = climb(moments_of(copies), np.concatenate([initial, initial[:6], initial[:6]]), (0.0, 0.9), 60)[0]
    unit = climb(moments_of(pairs), initial, (0.0, 0.9), 60)[0]
    again = climb(moments_of(pairs._replace(time_weight=np.ones(720))), initial, (0.0, 0.9), 60)[0]
    for a, b, c, d in zip(one, other, unit, again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)
        np.testing.assert_allclose(c, d, atol=1e-8)


def test_no_iteration_makes_the_objective_worse_and_decays_keep_their_bounds():
    x, _ = draw(mixture(), 50, 40)
    moments, initial = moments_of(all_pairs(x)), np.random.default_rng(0).dirichlet(np.ones(3), 50)
    values = [climb(moments, initial, (0.3, 0.5), steps)[1] for steps in range(1, 40)]
    assert (np.diff(values) < 1e-7).all() and values[-1] < values[0] - 0.1
    decays = climb(moments, initial, (0.3, 0.5), 40)[0].decays
    assert decays.min() >= 0.3 and decays.max() <= 0.5


def test_the_result_is_a_local_minimum():
    x, _ = draw(mixture(), 60, 40)
    pairs = all_pairs(x)
    found = fit_var_mixture(pairs, 3, seed=0, max_iter=3000)
    best = cluster_objective(found, pairs)
    rng = np.random.default_rng(0)
    for size in (1e-2, 1e-3):
        for _ in range(50):
            push = [size * rng.normal(size=part.shape) for part in found]
            weights = found.weights * np.exp(push[0])
            precisions = found.precisions + found.precisions * (push[2] + push[2].mT)
            decays = np.clip(found.decays + push[3], 0, 0.9)
            other = VARMixture(weights / weights.sum(), found.means + push[1], precisions, decays)
            assert cluster_objective(other, pairs) > best - 1e-5


def test_the_true_clusters_are_found_on_all_data_and_nearly_on_a_coreset():
    truth = VARMixture(
        np.array([0.5, 0.3, 0.2]),
        np.array([[-9.0], [0.0], [9.0]]),
        np.array([[[1.0]], [[4.0]], [[0.5]]]),
        np.array([[0.2], [0.0], [0.3]]),
    )
    x, _ = draw(truth, 600, 100)
    pairs = all_pairs(x)
    whole = fit_var_mixture(pairs, 3, bounds=(0.0, 0.4), seed=0)
    for part, true, tolerance in zip(whole, truth, (0.05, 0.1, 0.2, 0.03), strict=True):
        np.testing.assert_allclose(part, true, atol=tolerance)
    drawn = draw_coreset(pairs, 60, 40, 3, rng=np.random.default_rng(0)).pairs
    small = fit_var_mixture(drawn, 3, bounds=(0.0, 0.4), seed=0)
    np.testing.assert_allclose(small.means, truth.means, atol=0.3)
    assert cluster_objective(small, pairs) - cluster_objective(whole, pairs) < 0.02 * 600
