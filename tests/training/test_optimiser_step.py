"""Steps of an optimiser: rates, clipping, and losses that are not finite."""

import math

import pytest
import torch
from torch import nn

from tsformers.training.optimiser_step import Descent


def descent_of(*values, rates=(1.0,), clip=math.inf):
    weights = [nn.Parameter(torch.tensor(value)) for value in values]
    groups = [{"params": [weight], "lr": rate} for weight, rate in zip(weights, rates, strict=True)]
    return weights, Descent(torch.optim.SGD(groups, lr=0.5), clip, "rescale the data")


def test_each_group_keeps_its_share_of_the_rate():
    weights, descent = descent_of(1.0, 1.0, rates=(0.1, 0.2))
    descent.step(weights[0] + weights[1], 0.5)
    assert [weight.item() for weight in weights] == pytest.approx([0.95, 0.9])
    descent.step(weights[0] + weights[1])
    assert [weight.item() for weight in weights] == pytest.approx([0.85, 0.7])


def test_the_gradient_of_all_weights_together_is_clipped():
    weights, descent = descent_of(0.0, 0.0, rates=(1.0, 1.0), clip=1.0)
    descent.step(3 * weights[0] + 4 * weights[1])
    assert [weight.item() for weight in weights] == pytest.approx([-0.6, -0.8])


def test_a_loss_that_is_not_finite_is_an_error_that_names_the_step_and_both_remedies():
    (weight,), descent = descent_of(1.0)
    descent.step(weight * 1.0)
    with pytest.raises(FloatingPointError, match=r"at step 2 .* lower learning_rate \(now 0\.5\), or rescale the data"):
        descent.step(weight * math.nan)
