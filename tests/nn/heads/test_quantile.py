"""Quantile heads."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.distributions import Normal

from tsformers.nn.heads.distributions import Quantiles
from tsformers.nn.heads.quantile import LEVELS, QuantileHead


def test_the_quantile_head_recovers_the_quantiles(fitted):
    levels = (0.1, 0.5, 0.8, 0.95)
    y = torch.distributions.Exponential(1.0).sample((1000,))
    predicted = fitted(QuantileHead(4, 1, levels), y, steps=300)
    expected = torch.quantile(y, torch.tensor(levels))
    assert torch.allclose(predicted.values.flatten(), expected, atol=0.08)


@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([LEVELS, (0.5,), (0.2, 0.9), (0.01, 0.02, 0.5)]))
@settings(max_examples=40, deadline=None)
def test_quantiles_never_cross_whatever_the_weights_and_features(seed, channels, levels):
    torch.manual_seed(seed)
    head = QuantileHead(5, channels, levels)
    nn.init.normal_(head.project.weight, std=20)
    predicted = head(10 * torch.randn(3, 4, 5), torch.randn(3, 4, channels))
    assert predicted.values.shape == (3, 4, channels, len(levels))
    assert bool((predicted.values.diff(dim=-1) >= 0).all())


def test_the_quantile_head_before_training_is_the_standard_normal_distribution():
    predicted = QuantileHead(3, 2)(torch.zeros(1, 1, 3))
    expected = Normal(0.0, 1.0).icdf(torch.tensor(LEVELS))
    assert torch.allclose(predicted.values[0, 0], expected.expand(2, -1), atol=1e-5)
    assert predicted.levels[predicted.levels.index(0.5)] == 0.5


def test_draws_from_quantiles_have_these_quantiles():
    values = torch.tensor([0.0, 1.0, 5.0])
    predicted = Quantiles((0.2, 0.5, 0.8), values.view(1, 1, 1, 3))
    draws = predicted.sample((10000,)).flatten()
    assert torch.allclose(torch.quantile(draws, torch.tensor([0.2, 0.5, 0.8])), values, atol=0.1)
    assert predicted.mean.item() == pytest.approx(0.35 * 0 + 0.3 * 1 + 0.35 * 5)


@pytest.mark.parametrize("levels", [(), (0.5, 0.1), (0.0, 0.5), (0.5, 1.0), (0.5, 0.5)])
def test_levels_out_of_order_or_range_are_refused(levels):
    with pytest.raises(ValueError, match="rise strictly"):
        QuantileHead(4, 1, levels)
