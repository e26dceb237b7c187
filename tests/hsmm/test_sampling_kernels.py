"""Paths: draws and best paths."""

import math

import torch

from tsformers import hsmm

INF = math.inf

NAMES = ("log_initial", "log_transition", "log_continue", "log_emission")


def test_with_one_possible_duration_segments_end_on_its_multiples(draw, path):
    parts = draw(2, 23, 3, 5)
    parts["log_continue"] = hsmm.hazards(torch.tensor([-INF, -INF, -INF, 0.0, -INF]).double()).expand(3, 5)
    answer, best = hsmm.forward_backward(**parts), hsmm.viterbi(**parts)
    drawn = hsmm.sample(**parts, n_samples=7, generator=torch.Generator().manual_seed(0))
    expected = torch.arange(23) % 4 + 1
    torch.testing.assert_close(answer.regime_count.sum(2).argmax(2) + 1, expected.expand(2, 23))
    torch.testing.assert_close(answer.regime_count.sum(2).amax(2), torch.ones(2, 23).double())
    assert torch.equal(best.count, expected.expand(2, 23))
    assert torch.equal(drawn.count, expected.expand(2, 7, 23))
    changes = drawn.regime.diff(dim=2).nonzero()[:, 2] + 1
    assert len(changes) and not (changes % 4).any()


def test_frequencies_of_draws_are_posterior_probabilities(draw, path):
    """8,000 draws: a frequency is off by 5 of its standard errors once in a million."""
    parts = draw(2, 6, 3, 4)
    answer = hsmm.forward_backward(**parts)
    drawn = hsmm.sample(**parts, n_samples=8000, generator=torch.Generator().manual_seed(1))
    cells = torch.nn.functional.one_hot(drawn.regime * 4 + drawn.count - 1, 12).double().mean(1)
    expected = answer.regime_count.flatten(2)
    assert ((cells - expected).abs() <= 5 * (expected * (1 - expected) / 8000).sqrt() + 1e-12).all()
    fresh = drawn.count[..., 1:] == 1
    pairs = torch.nn.functional.one_hot(drawn.regime[..., :-1] * 3 + drawn.regime[..., 1:], 9) * fresh[..., None]
    expected = answer.transition[:, 1:].flatten(2)
    assert ((pairs.double().mean(1) - expected).abs() <= 5 * (expected * (1 - expected) / 8000).sqrt() + 1e-12).all()


def test_without_data_draws_are_from_the_prior_and_repeatable(path):
    rho = torch.tensor([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]]).double()
    jump = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).double()
    parts = {
        "log_initial": torch.tensor([0.0, -INF]).double(),
        "log_transition": jump.log(),
        "log_continue": hsmm.hazards(rho.log()),
        "log_emission": torch.zeros(6, 2).double(),
    }
    drawn = hsmm.sample(**parts, n_samples=9000, generator=torch.Generator().manual_seed(0))
    again = hsmm.sample(**parts, n_samples=9000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(drawn.regime, again.regime) and torch.equal(drawn.count, again.count)
    first = (drawn.regime[0] == 1).int().argmax(1)  # regime 0 begins, 1 follows
    shares = torch.bincount(first, minlength=4)[1:] / 9000
    assert ((shares - rho[0]).abs() < 5 * (rho[0] * (1 - rho[0]) / 9000).sqrt()).all()
