"""Negative binomial head."""

import pytest
import torch

from tsformers.nn.heads.make import make_head


def test_the_count_head_recovers_mean_and_variance_in_the_units_of_the_counts(fitted):
    r, mean, scale = 4.0, 12.0, torch.full((1, 1, 1), 8.0)
    counts = torch.distributions.NegativeBinomial(r, probs=torch.tensor(mean / (mean + r))).sample((1000,))
    predicted = fitted(make_head("negative_binomial", 4, 1), counts / 8, scale=scale)
    assert predicted.mean.item() * 8 == pytest.approx(counts.mean().item(), rel=0.02)
    assert predicted.base.variance.item() == pytest.approx(mean + mean**2 / r, rel=0.1)
    draws = predicted.sample((50,)) * 8
    assert torch.equal(draws, draws.round())


def test_counts_without_a_scale_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"window\.scale"):
        make_head("negative_binomial", 4, 1)(torch.zeros(1, 1, 4))
