"""Objects with the interface of GluonTS as heads."""

import importlib.util

import pytest
import torch
from torch import nn
from torch.distributions import Gamma, Normal, Poisson

from tsformers.nn.heads.make import make_head


class Projected(nn.Module):
    def __init__(self, width, n):
        super().__init__()
        self.linear = nn.Linear(width, n)

    def forward(self, features):
        return self.linear(features).unbind(-1)


class PoissonOutput:
    """The smallest object with GluonTS's interface; the support is checked."""

    args_dim = {"rate": 1}  # noqa: RUF012

    def get_args_proj(self, in_features):
        return Projected(in_features, 1)

    def distribution(self, distr_args, loc=None, scale=None):
        return Poisson(nn.functional.softplus(distr_args[0]) * scale, validate_args=True)


class GammaOutput(PoissonOutput):
    def get_args_proj(self, in_features):
        return Projected(in_features, 2)

    def distribution(self, distr_args, loc=None, scale=None):
        shape, rate = (nn.functional.softplus(part) for part in distr_args)
        return Gamma(shape, rate / scale, validate_args=True)


def test_an_object_with_the_interface_of_gluonts_serves_as_a_head(fitted):
    scale = torch.full((1, 1, 1), 5.0)
    y = Poisson(torch.tensor(15.0)).sample((1000,)) / 5
    predicted = fitted(make_head(PoissonOutput(), 4, 1), y, scale=scale)
    assert predicted.mean.item() * 5 == pytest.approx(15, rel=0.02)
    y = Gamma(3.0, 2.0).sample((1000,))
    assert fitted(make_head(GammaOutput(), 4, 1), y).mean.item() == pytest.approx(1.5, rel=0.05)


def test_such_an_object_has_features_of_its_own_for_each_channel():
    predicted = make_head(PoissonOutput(), 4, 3)(torch.randn(2, 5, 4), None, torch.ones(2, 1, 3))
    assert predicted.sample((7,)).shape == (7, 2, 5, 3)
    assert predicted.mean[0, 0].unique().numel() == 3


def test_distributions_of_vectors_are_refused():
    class Vector(PoissonOutput):
        def distribution(self, distr_args, loc=None, scale=None):
            return torch.distributions.Independent(Normal(distr_args[0], 1.0), 1)

    with pytest.raises(ValueError, match="single values"):
        make_head(Vector(), 4, 1)(torch.zeros(2, 5, 4))


@pytest.mark.skipif(importlib.util.find_spec("lightning") is None, reason="gluonts.torch needs lightning")
def test_gluonts_own_outputs_serve_as_heads():
    from gluonts.torch.distributions import NegativeBinomialOutput, StudentTOutput

    scale = torch.full((3, 1, 2), 4.0)
    for output in (NegativeBinomialOutput(), StudentTOutput()):
        predicted = make_head(output, 4, 2)(torch.randn(3, 5, 4), None, scale)
        assert predicted.log_prob(torch.ones(3, 5, 2)).shape == (3, 5, 2)
