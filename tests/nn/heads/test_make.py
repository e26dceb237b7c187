"""Every head of a likelihood: location, shapes, refused names."""

import pytest
import torch

from tsformers.nn.heads.make import HEADS, make_head


@pytest.mark.parametrize("likelihood", HEADS)
def test_location_shifts_the_distribution(likelihood):
    head = make_head(likelihood, 4, 2)
    features, scale = torch.randn(3, 5, 4), torch.ones(3, 1, 2)
    low, high = head(features, torch.zeros(3, 5, 2), scale), head(features, torch.full((3, 5, 2), 2.0), scale)
    moved = high.mean - low.mean
    assert moved.shape == (3, 5, 2)
    assert bool((moved > 1).all() if likelihood == "negative_binomial" else torch.allclose(moved, torch.tensor(2.0)))


@pytest.mark.parametrize("likelihood", HEADS)
def test_log_prob_and_draws_have_the_shapes_that_networks_expect(likelihood):
    predicted = make_head(likelihood, 4, 2)(torch.randn(3, 5, 4), torch.randn(3, 5, 2), torch.ones(3, 1, 2))
    assert predicted.log_prob(torch.ones(3, 5, 2)).shape == (3, 5, 2)
    assert predicted.sample((7,)).shape == (7, 3, 5, 2)


def test_an_unknown_likelihood_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(ValueError, match="normal, squared_error, student_t, negative_binomial, quantile"):
        make_head("poisson", 4, 1)
