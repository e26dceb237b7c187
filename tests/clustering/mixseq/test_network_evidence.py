"""Evidence of the networks on whole series: stretches, missing values, units, another order of clusters."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.clustering.mixseq.network import MixtureNetwork, Sizes, make_crop
from tsformers.clustering.mixseq.network_evidence import evaluate, evaluate_network, permuted
from tsformers.clustering.scaled_series import ScaledSeries


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


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4), st.lists(st.integers(2, 60), min_size=1, max_size=5), st.integers(4, 20), st.booleans())
def test_series_of_any_length_are_scored_whole_and_each_value_once(n_clusters, lengths, context, shared):
    scaled, net = noise(*lengths), network(n_clusters, context, shared)
    found = evaluate_network(net, scaled, 1.0)
    np.testing.assert_array_equal(found.steps, np.array(lengths) - 1)
    np.testing.assert_allclose(found.q.sum(1), 1, atol=1e-6)
    alone = [evaluate_network(net, scaled.select(np.array([i])), 1.0) for i in range(len(lengths))]
    np.testing.assert_allclose(found.log_densities, np.concatenate([each.log_densities for each in alone]), rtol=1e-4)
    np.testing.assert_allclose(found.q, np.concatenate([each.q for each in alone]), atol=1e-5)


def test_a_long_series_is_the_sum_of_its_stretches():
    scaled, net = noise(40), network(length=16)
    x = torch.from_numpy(scaled.y).float()
    sums, features, steps = torch.zeros(3), torch.zeros(8), 0.0
    for initial in (0, 8, 16, 24):
        part, first = x[None, initial : initial + 16], torch.tensor([8 if initial else 0])
        crop = make_crop(part, torch.ones_like(part, dtype=torch.bool), first)
        sums += net.log_densities(crop)[:, 0]
        found, counted = net.features(crop)
        features, steps = features + found[0], steps + counted
    found = evaluate_network(net, scaled, 1.0)
    np.testing.assert_allclose(found.log_densities[0], sums.detach(), rtol=1e-4)
    expected = net.logits_of(features[None], steps).softmax(-1)[0]
    np.testing.assert_allclose(found.q[0], expected.detach(), atol=1e-5)


def test_missing_values_are_masked_and_their_fill_changes_nothing():
    y = np.random.default_rng(0).normal(size=20)
    y[[0, 1, 7, 8, 15]] = np.nan
    found = evaluate_network(network(), series_of(y), 1.0)
    assert found.steps[0] == 14, "fifteen are observed, and the first is given"
    spoiled, net = np.where(np.isnan(y), 50.0, y)[:16], network()
    observed = torch.from_numpy(~np.isnan(y[:16]))[None]
    one, other = (torch.from_numpy(each).float()[None] for each in (spoiled, np.nan_to_num(y[:16])))
    first, second = (make_crop(each, observed) for each in (one, other))
    torch.testing.assert_close(net.log_densities(first), net.log_densities(second))
    torch.testing.assert_close(net.logits(first), net.logits(second))


def test_units_shift_densities_by_a_logarithm_a_step():
    series, net = noise(16, 30), network()
    larger = series._replace(y=5 * series.y)
    one, other = evaluate_network(net, series, 1.0), evaluate_network(net, larger, 5.0)
    np.testing.assert_allclose(other.log_densities, one.log_densities - one.steps[:, None] * np.log(5), rtol=1e-5)
    np.testing.assert_allclose(other.q, one.q, atol=1e-6)


@pytest.mark.parametrize("shared", [False, True])
def test_other_numbers_for_the_clusters_give_the_same_answers_in_other_columns(shared):
    scaled, order, net = noise(16, 9, 30), np.array([2, 0, 1]), network(shared=shared)
    parameters = {"sizes": vars(net.sizes), "unit": 1.0, "weights": net.state_dict()}
    first, second = evaluate(parameters, scaled), evaluate(permuted(parameters, order), scaled)
    np.testing.assert_allclose(second.log_densities, first.log_densities[:, order], rtol=1e-6)
    np.testing.assert_allclose(second.q, first.q[:, order], atol=1e-7)
