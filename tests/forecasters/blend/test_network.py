"""The network of Blend: weights of what is available, quantiles that cannot cross, covariates that start at zero."""

import numpy as np
import pytest
import torch

from tsformers.forecasters.blend.network import CLAMP, Batch, BlendNetwork
from tsformers.nn.heads.quantile import LEVELS


def batch(n=5, horizon=3, features=4, bases=3, past=0, known=0, seed=0):
    torch.manual_seed(seed)
    shapes = (n, features), (n, horizon, bases), (n, bases), (n, horizon, 4), (n, past), (n, horizon, known)
    parts = Batch(*(torch.randn(shape) for shape in shapes))
    available = torch.ones(n, bases, dtype=torch.bool)
    available[0, 1:] = False
    return parts._replace(available=available)


def trained(network):
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.3 * torch.randn(weight.shape))
    return network


def test_a_base_that_is_not_available_has_no_weight_and_no_influence():
    network, one = trained(BlendNetwork(4, 3)), batch()
    found = network(one)
    assert (found.weights[0, :, 1:] == 0).all()
    torch.testing.assert_close(found.weights.sum(-1), torch.ones(5, 3))
    other = one._replace(bases=torch.where(one.available[:, None], one.bases, 99.0))
    torch.testing.assert_close(network(other), found)


def test_quantiles_rise_and_before_training_lie_around_the_mean_of_the_bases():
    found = BlendNetwork(4, 3)(batch())
    assert (found.quantiles.diff(dim=-1) > 0).all()
    middle = found.quantiles[1:, :, LEVELS.index(0.5)]
    torch.testing.assert_close(middle, batch().bases[1:].mean(-1), rtol=0, atol=1e-5)


def test_covariates_change_nothing_before_training_and_something_after_it():
    one, other = batch(past=2, known=1), batch(past=2, known=1)
    other = other._replace(past=other.past + 3, known=other.known - 2)
    network = BlendNetwork(4, 3, 2, 1)
    torch.testing.assert_close(network(one), network(other))
    assert not torch.allclose(trained(network)(one).quantiles, network(other).quantiles)


def test_the_loss_is_twice_the_pinball_loss_of_observed_steps_cut_off_at_a_largest_one():
    network, one = trained(BlendNetwork(4, 3)), batch()
    target = torch.randn(5, 3)
    target[2, 1:] = torch.nan
    quantiles = network(one).quantiles.detach().numpy().astype(np.float64)
    gap = target.numpy()[..., None] - quantiles
    pinball = 2 * np.maximum(np.array(LEVELS) * gap, (np.array(LEVELS) - 1) * gap)
    wanted = np.nanmean(pinball.mean(-1), axis=1)
    torch.testing.assert_close(
        network.loss(one, target).detach().double(), torch.from_numpy(wanted), rtol=1e-5, atol=1e-6
    )
    assert network.loss(one, torch.full((5, 3), 1e9)).max().item() == pytest.approx(CLAMP)
