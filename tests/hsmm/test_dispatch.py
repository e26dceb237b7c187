"""Compiled kernels and torch operations: the same answers, threads, long series, cost."""

import math
from time import process_time

import numpy as np
import pytest
import torch

import tsformers.hsmm.dispatch as dispatch
from tsformers import hsmm

INF = math.inf

NAMES = ("log_initial", "log_transition", "log_continue", "log_emission")


def log(x):
    with np.errstate(divide="ignore"):
        return np.log(x)


def test_kernels_and_torch_operations_agree_in_float32_on_wide_densities(draw, monkeypatch):
    parts = draw(2, 300, 4, 12, scale=30.0, dtype=torch.float32)
    exact = hsmm.forward_backward(**{name: part.double() for name, part in parts.items()})
    answers = [hsmm.forward_backward(**parts)]
    monkeypatch.setattr(dispatch, "compiled_kernels", lambda kind: None)
    answers.append(hsmm.forward_backward(**parts))
    for answer in answers:
        assert answer.regime.dtype == answer.log_likelihood.dtype == torch.float32
        torch.testing.assert_close(answer.log_likelihood.double(), exact.log_likelihood, rtol=1e-6, atol=0)
        torch.testing.assert_close(answer.regime_count.double(), exact.regime_count, rtol=0, atol=1e-4)


def test_threads_share_the_batch_without_changing_a_bit(draw, wanting, monkeypatch):
    parts = wanting(draw(5, 40, 3, 6))
    once, best = hsmm.forward_backward(**parts), hsmm.viterbi(**parts)
    monkeypatch.setattr(dispatch, "THREAD_CELLS", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    again = hsmm.forward_backward(**parts)
    assert torch.equal(once.regime_count, again.regime_count)
    assert torch.equal(once.log_likelihood, again.log_likelihood)
    assert torch.equal(best.regime, hsmm.viterbi(**parts).regime)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-6)])
def test_a_hundred_thousand_steps_neither_underflow_nor_drift(close, dtype, tolerance):
    """Against normalised products of the pairs of regime and count, 6 of them, in float64."""
    generator = np.random.default_rng(0)
    v = np.array([[0.9, 0.5, 0.0], [0.6, 0.8, 0.0]])
    jump = np.array([[0.1, 0.9], [0.7, 0.3]])
    emission = (-100 + 3 * generator.normal(size=(100_000, 2))).astype(np.float32)
    moves = np.zeros((2, 3, 2, 3))
    for k in range(2):
        for c in range(3):
            moves[k, c, :, 0] = (1 - v[k, c]) * jump[k]
            if c < 2:
                moves[k, c, k, c + 1] = v[k, c]
    moves, alpha, total = moves.reshape(6, 6), np.array([0.5, 0, 0, 0.5, 0, 0]), 0.0
    for t, row in enumerate(np.repeat(emission.astype(np.float64), 3, axis=1)):
        alpha = np.exp(row - row.max()) * (alpha @ moves if t else alpha)
        total += math.log(alpha.sum()) + row.max()
        alpha /= alpha.sum()
    arrays = np.full(2, 0.5), jump, v
    parts = {name: torch.tensor(log(x)).to(dtype) for name, x in zip(NAMES[:3], arrays, strict=True)}
    answer = hsmm.forward_backward(**parts, log_emission=torch.tensor(emission).to(dtype))
    assert float(answer.log_likelihood) == pytest.approx(total, rel=tolerance)
    close(answer.regime_count[0, -1].flatten(), alpha, 100 * tolerance)
    close(answer.regime[0].sum(1), 1.0, tolerance)
    assert math.isfinite(float(hsmm.viterbi(**parts, log_emission=torch.tensor(emission).to(dtype)).log_likelihood))


def test_cost_grows_no_faster_than_durations(draw, wanting):
    """From D = 50 to 100 at K = 3, processor time, the best of several: the allowance is for a busy machine."""

    def seconds(counts):
        parts = wanting(draw(8, 400, 3, counts))
        times = []
        for _ in range(8):
            began = process_time()
            hsmm.forward_backward(**parts).log_likelihood.sum().backward()
            times.append(process_time() - began)
        return min(times)

    seconds(50)
    assert seconds(100) < 3 * seconds(50)
