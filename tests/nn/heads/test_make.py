"""Heads recover the laws that the data came from, and speak in the right units."""

import importlib.util

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.distributions import Gamma, Normal, Poisson

from tsformers.nn.heads.distributions import Quantiles, Rescaled
from tsformers.nn.heads.make import HEADS, make_head
from tsformers.nn.heads.quantile import LEVELS, QuantileHead


def fitted(head, y, *, location=None, scale=None, steps=200):
    """The head's law after maximising the likelihood of draws ``y`` (n,), features being constant."""
    features = torch.ones(1, 1, 4)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = -head(features, location, scale).log_prob(y[:, None, None]).mean()
        loss.backward()
        optimiser.step()
    return head(features, location, scale)


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_the_normal_head_recovers_mean_and_deviation():
    y = 3 + 0.5 * torch.randn(1000)
    law = fitted(make_head("normal", 4, 1), y)
    assert law.mean.item() == pytest.approx(y.mean().item(), abs=0.01)
    assert law.stddev.item() == pytest.approx(y.std().item(), abs=0.01)


def test_the_student_head_recovers_centre_and_spread_and_sees_the_heavy_tail():
    y = 1 + 2 * torch.distributions.StudentT(3.0).sample((1000,))
    law = fitted(make_head("student_t", 4, 1), y)
    assert law.loc.item() == pytest.approx(1, abs=0.1)
    assert law.scale.item() == pytest.approx(2, abs=0.15)
    assert 2 < law.df.item() < 4.5


def test_the_count_head_recovers_mean_and_variance_in_the_units_of_the_counts():
    r, mean, scale = 4.0, 12.0, torch.full((1, 1, 1), 8.0)
    counts = torch.distributions.NegativeBinomial(r, probs=torch.tensor(mean / (mean + r))).sample((1000,))
    law = fitted(make_head("negative_binomial", 4, 1), counts / 8, scale=scale)
    assert law.mean.item() * 8 == pytest.approx(counts.mean().item(), rel=0.02)
    assert law.base.variance.item() == pytest.approx(mean + mean**2 / r, rel=0.1)
    draws = law.sample((50,)) * 8
    assert torch.equal(draws, draws.round())


def test_the_quantile_head_recovers_the_quantiles():
    levels = (0.1, 0.5, 0.8, 0.95)
    y = torch.distributions.Exponential(1.0).sample((1000,))
    law = fitted(QuantileHead(4, 1, levels), y, steps=300)
    expected = torch.quantile(y, torch.tensor(levels))
    assert torch.allclose(law.values.flatten(), expected, atol=0.08)


@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([LEVELS, (0.5,), (0.2, 0.9), (0.01, 0.02, 0.5)]))
@settings(max_examples=40, deadline=None)
def test_quantiles_never_cross_whatever_the_weights_and_features(seed, channels, levels):
    torch.manual_seed(seed)
    head = QuantileHead(5, channels, levels)
    nn.init.normal_(head.project.weight, std=20)
    law = head(10 * torch.randn(3, 4, 5), torch.randn(3, 4, channels))
    assert law.values.shape == (3, 4, channels, len(levels))
    assert bool((law.values.diff(dim=-1) >= 0).all())


def test_the_quantile_head_begins_as_the_standard_normal_law():
    law = QuantileHead(3, 2)(torch.zeros(1, 1, 3))
    expected = Normal(0.0, 1.0).icdf(torch.tensor(LEVELS))
    assert torch.allclose(law.values[0, 0], expected.expand(2, -1), atol=1e-5)
    assert law.levels[law.levels.index(0.5)] == 0.5


def test_draws_from_quantiles_have_these_quantiles():
    values = torch.tensor([0.0, 1.0, 5.0])
    law = Quantiles((0.2, 0.5, 0.8), values.view(1, 1, 1, 3))
    draws = law.sample((10000,)).flatten()
    assert torch.allclose(torch.quantile(draws, torch.tensor([0.2, 0.5, 0.8])), values, atol=0.1)
    assert law.mean.item() == pytest.approx(0.35 * 0 + 0.3 * 1 + 0.35 * 5)


@pytest.mark.parametrize("likelihood", HEADS)
def test_location_moves_the_law(likelihood):
    head = make_head(likelihood, 4, 2)
    features, scale = torch.randn(3, 5, 4), torch.ones(3, 1, 2)
    low, high = head(features, torch.zeros(3, 5, 2), scale), head(features, torch.full((3, 5, 2), 2.0), scale)
    moved = high.mean - low.mean
    assert moved.shape == (3, 5, 2)
    assert bool((moved > 1).all() if likelihood == "negative_binomial" else torch.allclose(moved, torch.tensor(2.0)))


@pytest.mark.parametrize("likelihood", HEADS)
def test_log_prob_and_draws_have_the_shapes_that_networks_expect(likelihood):
    law = make_head(likelihood, 4, 2)(torch.randn(3, 5, 4), torch.randn(3, 5, 2), torch.ones(3, 1, 2))
    assert law.log_prob(torch.ones(3, 5, 2)).shape == (3, 5, 2)
    assert law.sample((7,)).shape == (7, 3, 5, 2)


def test_counts_without_a_scale_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"window\.scale"):
        make_head("negative_binomial", 4, 1)(torch.zeros(1, 1, 4))


@pytest.mark.parametrize("levels", [(), (0.5, 0.1), (0.0, 0.5), (0.5, 1.0), (0.5, 0.5)])
def test_levels_out_of_order_or_range_are_refused(levels):
    with pytest.raises(ValueError, match="rise strictly"):
        QuantileHead(4, 1, levels)


def test_an_unknown_likelihood_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(ValueError, match="normal, squared_error, student_t, negative_binomial, quantile"):
        make_head("poisson", 4, 1)


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


def test_an_object_with_the_interface_of_gluonts_serves_as_a_head():
    scale = torch.full((1, 1, 1), 5.0)
    y = Poisson(torch.tensor(15.0)).sample((1000,)) / 5
    law = fitted(make_head(PoissonOutput(), 4, 1), y, scale=scale)
    assert law.mean.item() * 5 == pytest.approx(15, rel=0.02)
    y = Gamma(3.0, 2.0).sample((1000,))
    assert fitted(make_head(GammaOutput(), 4, 1), y).mean.item() == pytest.approx(1.5, rel=0.05)


def test_such_an_object_gets_features_of_its_own_for_each_channel():
    law = make_head(PoissonOutput(), 4, 3)(torch.randn(2, 5, 4), None, torch.ones(2, 1, 3))
    assert law.sample((7,)).shape == (7, 2, 5, 3)
    assert law.mean[0, 0].unique().numel() == 3


def test_a_law_of_vectors_is_refused():
    class Vector(PoissonOutput):
        def distribution(self, distr_args, loc=None, scale=None):
            return torch.distributions.Independent(Normal(distr_args[0], 1.0), 1)

    with pytest.raises(ValueError, match="single values"):
        make_head(Vector(), 4, 1)(torch.zeros(2, 5, 4))


def test_rescaling_is_a_change_of_units():
    law = Rescaled(Normal(10.0, 2.0), torch.tensor(4.0))
    assert law.mean.item() == pytest.approx(2.5)
    density = law.log_prob(torch.tensor([2.0, 2.5])).exp()
    assert density[1] / density[0] == pytest.approx(np.exp(0.5))


@pytest.mark.skipif(importlib.util.find_spec("lightning") is None, reason="gluonts.torch needs lightning")
def test_gluonts_own_outputs_serve_as_heads():
    from gluonts.torch.distributions import NegativeBinomialOutput, StudentTOutput

    scale = torch.full((3, 1, 2), 4.0)
    for output in (NegativeBinomialOutput(), StudentTOutput()):
        law = make_head(output, 4, 2)(torch.randn(3, 5, 4), None, scale)
        assert law.log_prob(torch.ones(3, 5, 2)).shape == (3, 5, 2)


def test_squared_errors_teach_the_centre_and_what_they_leave_the_deviation_alone(rng):
    torch.manual_seed(0)
    features, centre = torch.randn(64, 5, 4, requires_grad=True), torch.nn.Parameter(torch.randn(64, 5, 2))
    future = torch.from_numpy(rng.normal(size=(64, 5, 2))).float()
    head = make_head("squared_error", 4, 2)
    loss = -head(features, centre).log_prob(future)
    torch.testing.assert_close(loss, (future - centre).square())
    loss.mean().backward()
    torch.testing.assert_close(centre.grad, 2 * (centre.detach() - future) / future.numel())
    assert features.grad is None
    law = torch.distributions.Normal(centre.detach(), head(features, centre).scale)
    wanted = torch.autograd.grad(-law.log_prob(future).mean(), head.deviation.weight)[0]
    torch.testing.assert_close(head.deviation.weight.grad, wanted)
    assert bool((wanted != 0).any())


@pytest.mark.parametrize("n_samples", [1, 2, 7, 40])
def test_draws_around_a_centre_of_squared_errors_come_in_pairs(n_samples):
    torch.manual_seed(0)
    centre = torch.randn(3, 5, 2)
    draws = make_head("squared_error", 4, 2)(torch.randn(3, 5, 4), centre).sample((n_samples,))
    assert draws.shape == (n_samples, 3, 5, 2)
    if n_samples % 2 == 0:
        torch.testing.assert_close(draws.mean(0), centre, rtol=0, atol=1e-5)
    assert bool((draws != centre).all())
