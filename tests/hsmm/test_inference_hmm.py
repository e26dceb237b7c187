"""Explicit durations against ordinary HMMs; symmetries and shared parts."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import hsmm

INF = math.inf

NAMES = ("log_initial", "log_transition", "log_continue", "log_emission")


def log(x):
    with np.errstate(divide="ignore"):
        return np.log(x)


def ordinary_hmm(initial, transition, emission):
    """Log-likelihood and posteriors of a plain HMM by normalised products; ``transition`` (T, K, K)."""
    alpha, beta = np.zeros(emission.shape), np.ones(emission.shape)
    total, density = 0.0, np.exp(emission)
    for t in range(len(emission)):
        alpha[t] = density[t] * (initial if t == 0 else alpha[t - 1] @ transition[t])
        total += math.log(alpha[t].sum())
        alpha[t] /= alpha[t].sum()
    for t in range(len(emission) - 1, 0, -1):
        beta[t - 1] = transition[t] @ (density[t] * beta[t])
        beta[t - 1] /= beta[t - 1].sum()
    posterior = alpha * beta
    return total, posterior / posterior.sum(1, keepdims=True)


def test_without_counts_it_is_an_ordinary_hmm(draw, close, path):
    parts = draw(1, 80, 3, 1)
    answer = hsmm.forward_backward(**parts)
    total, posterior = ordinary_hmm(*(parts[n][0].exp().numpy() for n in NAMES[:2]), parts["log_emission"][0].numpy())
    assert float(answer.log_likelihood) == pytest.approx(total, abs=1e-11)
    close(answer.regime[0], posterior, 1e-12)


@pytest.mark.parametrize("counts", [30, 300])
def test_geometric_durations_are_the_hmm_with_that_self_transition_up_to_truncation(close, path, counts):
    stay, jump = np.array([0.9, 0.8]), np.array([[0.0, 1.0], [1.0, 0.0]])
    log_durations = log(1 - stay)[:, None] + np.arange(counts) * log(stay)[:, None]
    emission = np.random.default_rng(0).normal(size=(120, 2))
    answer = hsmm.forward_backward(
        log_initial=torch.tensor([0.5, 0.5]).double().log(),
        log_transition=torch.tensor(log(jump)),
        log_continue=hsmm.hazards(torch.tensor(log_durations)),
        log_emission=torch.tensor(emission),
    )
    moves = np.diag(stay) + (1 - stay)[:, None] * jump
    total, posterior = ordinary_hmm(np.full(2, 0.5), np.broadcast_to(moves, (120, 2, 2)), emission)
    cut_off = 120 * 0.9**counts
    close(answer.regime[0], posterior, max(cut_off, 1e-12))
    assert abs(float(answer.log_likelihood) - total) < max(cut_off, 1e-11)


sizes = st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 4), st.integers(1, 6), st.integers(0, 99))


@settings(deadline=None, max_examples=40)
@given(sizes, st.floats(-500, 500))
def test_densities_in_other_units_shift_the_likelihood_and_nothing_else(draw, size, shift):
    batch, length, regimes, counts, seed = size
    parts = draw(batch, length, regimes, counts, seed)
    answer = hsmm.forward_backward(**parts)
    moved = hsmm.forward_backward(**parts | {"log_emission": parts["log_emission"] + shift})
    torch.testing.assert_close(moved.log_likelihood, answer.log_likelihood + length * shift, rtol=1e-13, atol=1e-11)
    torch.testing.assert_close(moved.regime_count, answer.regime_count, rtol=0, atol=1e-11)


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_regimes_and_samples_may_come_in_any_order(draw, size):
    batch, length, regimes, counts, seed = size
    parts = draw(batch, length, regimes, counts, seed)
    order, rows = torch.randperm(regimes), torch.randperm(batch)
    mixed = {
        "log_initial": parts["log_initial"][rows][:, order],
        "log_transition": parts["log_transition"][rows][:, :, order][..., order],
        "log_continue": parts["log_continue"][rows][:, :, order],
        "log_emission": parts["log_emission"][rows][..., order],
    }
    answer, other = hsmm.forward_backward(**parts), hsmm.forward_backward(**mixed)
    torch.testing.assert_close(other.log_likelihood, answer.log_likelihood[rows], rtol=1e-13, atol=1e-12)
    torch.testing.assert_close(other.regime_count, answer.regime_count[rows][:, :, order], rtol=0, atol=1e-12)


def test_shared_parts_answer_as_if_written_out_and_gather_the_gradients(draw, wanting, path):
    full = draw(3, 20, 3, 4)
    small = {
        "log_initial": full["log_initial"][0],
        "log_transition": full["log_transition"][0, 0],
        "log_continue": full["log_continue"][:1, :1],
        "log_emission": full["log_emission"],
    }
    given = wanting(small)
    written = {
        "log_initial": given["log_initial"].expand(3, 3),
        "log_transition": given["log_transition"].expand(3, 20, 3, 3),
        "log_continue": given["log_continue"].expand(3, 20, 3, 4),
        "log_emission": given["log_emission"],
    }
    answers = hsmm.forward_backward(**given), hsmm.forward_backward(**written)
    for field in ("log_likelihood", "regime", "regime_count", "transition"):
        torch.testing.assert_close(getattr(answers[0], field), getattr(answers[1], field), rtol=1e-14, atol=1e-14)
    slopes = [torch.autograd.grad(answer.log_likelihood.sum(), list(given.values())) for answer in answers]
    for ours, theirs in zip(*slopes, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    assert torch.equal(hsmm.viterbi(**given).regime, hsmm.viterbi(**written).regime)


def test_a_single_series_may_come_without_an_axis_of_samples(draw, path):
    parts = draw(1, 9, 2, 3)
    alone = hsmm.forward_backward(**{name: part[0] for name, part in parts.items()})
    assert torch.equal(alone.regime, hsmm.forward_backward(**parts).regime)
