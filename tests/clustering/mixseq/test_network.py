"""The networks of MixSeq: the distribution of a value given those before it."""

import pytest
import torch

from tsformers.clustering.mixseq.network import LEAST_SPREAD, MixtureNetwork, Sizes, make_crop


def network(n_clusters=3, length=16, shared=False, seed=0):
    torch.manual_seed(seed)
    return MixtureNetwork(Sizes(n_clusters, length, 8, 1, 2, 3, 0.0, shared)).eval()


def test_a_value_has_a_normal_distribution_given_those_before_it():
    net, x = network().double(), torch.randn(1, 15, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    grid = torch.linspace(-30, 30, 6001, dtype=torch.float64)
    many = torch.cat([x.expand(len(grid), -1), grid[:, None]], dim=1)
    before = net.log_densities(make_crop(x, torch.ones_like(x, dtype=torch.bool)))
    density = net.log_densities(make_crop(many, torch.ones_like(many, dtype=torch.bool))) - before
    for each in density:  # what comes before does not depend on the last value, whose density integrates to 1
        assert torch.trapezoid(each.exp(), grid).item() == pytest.approx(1, abs=1e-6)
        bend = each.diff(n=2)
        torch.testing.assert_close(bend, bend.mean().expand_as(bend), rtol=1e-5, atol=1e-9)  # a parabola
        assert bend.mean() < 0 and (-bend.mean() / (grid[1] - grid[0]) ** 2) ** -0.5 > LEAST_SPREAD
    assert (density[0] - density[1]).abs().max() > 1e-3
