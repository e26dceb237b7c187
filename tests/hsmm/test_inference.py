"""Explicit-duration posteriors against golden vectors and enumeration of all paths; gradients."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

import tsformers.hsmm.dispatch as dispatch
from tsformers import hsmm

INF = math.inf

NAMES = ("log_initial", "log_transition", "log_continue", "log_emission")


def log(x):
    with np.errstate(divide="ignore"):
        return np.log(x)


GOLDEN = ("hsmm_T30_K3_D5", "hsmm_T40_K2_D8_dmin4", "hmm_T50_K2_D1", "hsmm_T30_K3_D5_peaky")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", GOLDEN)
def test_posteriors_gradients_and_best_paths_are_the_golden_ones(wanting, close, shared, path, name, dtype):
    """shared/golden/red_sds: a plain HMM over all pairs of regime and count, in float64 without flooring.

    Tolerances are those of its README; log-likelihoods of -3,500 in "peaky" are held to them relative to their size.
    """
    with np.load(shared / "golden" / "red_sds" / f"{name}.npz") as vectors:
        golden = dict(vectors)
    arrays = golden["log_pi"], golden["log_a"], log(golden["v"]), golden["log_b"]
    parts = wanting({n: torch.tensor(x).to(dtype) for n, x in zip(NAMES, arrays, strict=True)})
    answer = hsmm.forward_backward(**parts)
    answer.log_likelihood.sum().backward()
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    relative = 1e-10 if dtype == torch.float64 else 1e-5
    np.testing.assert_allclose(answer.log_likelihood.detach().numpy(), golden["loglik"], rtol=relative)
    close(answer.regime, golden["z_marginal"], tolerance)
    close(answer.regime_count, np.exp(golden["log_gamma"]), tolerance)
    close(answer.transition, golden["grad_log_a"], tolerance)
    close(parts["log_transition"].grad, golden["grad_log_a"], tolerance)
    close(parts["log_initial"].grad, golden["grad_log_pi"], tolerance)
    close(parts["log_emission"].grad, golden["z_marginal"], tolerance)
    assert parts["log_continue"].grad.isfinite().all()
    best = hsmm.viterbi(**parts)
    np.testing.assert_array_equal(best.regime, golden["viterbi_z"])
    np.testing.assert_array_equal(best.count, golden["viterbi_c"])
    np.testing.assert_allclose(best.log_likelihood, golden["viterbi_loglik"], rtol=relative)


def test_the_example_in_fractions_comes_out(close, path):
    """The tiny case of the golden README: p = 6869 / 51200, and alpha_3."""
    v = [[1 / 2, 2 / 5, 0], [9 / 10, 2 / 3, 0]]
    parts = (np.full(2, 1 / 2), np.full((2, 2), 1 / 2), np.array(v), np.array([[0.5, 0.75], [0.5, 0.75], [0.5, 0.25]]))
    answer = hsmm.forward_backward(**{n: torch.tensor(log(x)) for n, x in zip(NAMES, parts, strict=True)})
    p = Fraction(6869, 51200)
    alpha = [[(949, 25600), (13, 1280), (1, 80)], [(949, 51200), (351, 25600), (27, 640)]]
    last = [[float(Fraction(*cell) / p) for cell in row] for row in alpha]
    assert float(answer.log_likelihood) == pytest.approx(math.log(p), abs=1e-14)
    close(answer.regime_count[0, -1], last, 1e-14)


def all_paths(initial, transition, lasting, emission):
    """Log-weight of every possible path ((k, c), ...) of one sample, c from 1."""
    (length, regimes), counts = emission.shape, lasting.shape[2]
    ending = log(-np.expm1(lasting))
    paths = {((k, 1),): initial[k] + emission[0, k] for k in range(regimes)}
    for t in range(1, length):
        longer = {}
        for path, weight in paths.items():
            k, c = path[-1]
            if c < counts:
                longer[*path, (k, c + 1)] = weight + lasting[t, k, c - 1] + emission[t, k]
            for j in range(regimes):
                longer[*path, (j, 1)] = weight + ending[t, k, c - 1] + transition[t, k, j] + emission[t, j]
        paths = {path: weight for path, weight in longer.items() if weight > -INF}
    return {path: weight for path, weight in paths.items() if weight > -INF}


@st.composite
def small_models(draw):
    """Parts of one sample with impossible and certain moves, on scales from ordinary to absurd."""
    length, regimes, counts = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale, holes = draw(st.sampled_from([1.0, 30.0, 2000.0])), draw(st.sampled_from([0.0, 0.2, 0.5]))

    def numbers(*shape):
        x = scale * generator.normal(size=shape)
        x[generator.random(shape) < holes] = -INF
        return x

    initial = numbers(regimes)
    if initial.max() == -INF:
        initial[0] = 0.0
    lasting = -np.abs(numbers(length, regimes, counts))
    lasting[generator.random(lasting.shape) < holes] = 0.0
    return initial, numbers(length, regimes, regimes), lasting, numbers(length, regimes)


@pytest.mark.parametrize("compiled", [True, False])
@settings(deadline=None, max_examples=120)
@given(model=small_models())
def test_all_answers_are_those_of_enumerating_every_path(close, compiled, model):
    """Errors are relative to the largest number given: that is the rounding of sums of such numbers."""
    weights = all_paths(*model)
    parts = {name: torch.tensor(x).requires_grad_() for name, x in zip(NAMES, model, strict=True)}
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(dispatch, "compiled_kernels", lambda kind: None)
        answer, best = hsmm.forward_backward(**parts), hsmm.viterbi(**parts)
        answer.log_likelihood.sum().backward()
        assert all(part.grad.isfinite().all() for part in parts.values())
        if not weights:
            assert answer.log_likelihood == best.log_likelihood == -INF
            assert not answer.regime.any() and not answer.transition.any()
            assert not any(part.grad.any() for part in parts.values())
            assert (best.regime == -1).all()
            return
        drawn = hsmm.sample(**parts, n_samples=20, generator=torch.Generator().manual_seed(0))
    tolerance = 1e-14 * max(np.abs(x[np.isfinite(x)]).max(initial=1.0) for x in model) * len(model[3])
    total, found = np.logaddexp.reduce(list(weights.values())), answer.log_likelihood.item()
    posterior, started = np.zeros(answer.regime_count.shape[1:]), np.zeros(answer.transition.shape[1:])
    for path, weight in weights.items():
        for t, (k, c) in enumerate(path):
            posterior[t, k, c - 1] += math.exp(weight - total)
            if t and c == 1:
                started[t, path[t - 1][0], k] += math.exp(weight - total)
    assert found == pytest.approx(total, abs=tolerance)
    close(answer.regime_count[0], posterior, tolerance)
    close(answer.transition[0], started, tolerance)
    close(answer.regime[0].sum(1), 1.0, 1e-12)
    assert float(best.log_likelihood) == pytest.approx(max(weights.values()), abs=tolerance)
    route = tuple(zip(best.regime[0].tolist(), best.count[0].tolist(), strict=True))
    assert weights[route] == pytest.approx(max(weights.values()), abs=tolerance)
    for z, c in zip(drawn.regime[0].tolist(), drawn.count[0].tolist(), strict=True):
        assert tuple(zip(z, c, strict=True)) in weights


def test_gradients_pass_the_check_by_differences(draw, wanting, path):
    parts = wanting(draw(2, 5, 2, 3))
    held = parts["log_continue"][..., -1:].detach()

    def likelihood(initial, transition, lasting, emission):
        whole = torch.cat([lasting, held], -1)
        return hsmm.log_likelihood(
            log_initial=initial, log_transition=transition, log_continue=whole, log_emission=emission
        )

    lasting = parts["log_continue"][..., :-1].detach().requires_grad_()
    assert gradcheck(likelihood, (parts["log_initial"], parts["log_transition"], lasting, parts["log_emission"]))


@pytest.mark.parametrize("axes", [(1, 1), (1, 6), (3, 1)])
def test_shared_parts_pass_the_check_by_differences(draw, path, axes):
    batch, length = axes
    parts = draw(3, 6, 2, 3)
    initial = parts["log_initial"][:batch].clone().requires_grad_()
    transition = parts["log_transition"][:batch, :length].clone().requires_grad_()
    lasting = parts["log_continue"][:batch, :length].clamp(min=-3).requires_grad_()

    def likelihood(initial, transition, lasting):
        return hsmm.log_likelihood(
            log_initial=initial,
            log_transition=transition,
            log_continue=lasting,
            log_emission=parts["log_emission"],
        )

    assert gradcheck(likelihood, (initial, transition, lasting))


def plain_loop(log_initial, log_transition, log_continue, log_emission):
    """The recursion as it is written, under autograd; impossible cells are -1e30."""
    ending = torch.log(-torch.expm1(log_continue))
    alpha = torch.nn.functional.pad(
        (log_initial + log_emission[:, 0])[..., None], (0, log_continue.shape[3] - 1), value=-1e30
    )
    for t in range(1, log_emission.shape[1]):
        entered = torch.logsumexp(torch.logsumexp(alpha + ending[:, t], 2)[..., None] + log_transition[:, t], 1)
        grown = (alpha + log_continue[:, t])[..., :-1]
        alpha = torch.cat([entered[..., None], grown], 2) + log_emission[:, t, :, None]
    return torch.logsumexp(alpha, (1, 2))


def test_likelihood_and_all_gradients_are_those_of_autograd_through_the_plain_loop(draw, wanting, path):
    drawn = draw(3, 60, 4, 7, scale=3.0)
    drawn["log_continue"].clamp_(min=-20.0)
    ours, theirs = wanting(drawn), wanting(drawn)
    weight = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    mine, plain = hsmm.log_likelihood(**ours), plain_loop(**theirs)
    torch.testing.assert_close(mine, plain, rtol=1e-13, atol=0)
    (weight * mine).sum().backward()
    (weight * plain).sum().backward()
    for name in NAMES:
        torch.testing.assert_close(ours[name].grad, theirs[name].grad, rtol=0, atol=1e-11)


def test_the_gradient_of_the_likelihood_by_emissions_is_the_posterior_of_regimes(draw, wanting, path):
    parts = wanting(draw(2, 50, 3, 6, scale=5.0))
    answer = hsmm.forward_backward(**parts)
    gradients = torch.autograd.grad(answer.log_likelihood.sum(), list(parts.values()))
    assert torch.equal(gradients[3], answer.regime)
    assert torch.equal(gradients[1], answer.transition)
    assert torch.equal(gradients[0], answer.regime_count[:, 0, :, 0])
    assert not (answer.regime.requires_grad or answer.regime_count.requires_grad or answer.transition.requires_grad)
    torch.testing.assert_close(answer.regime_count.sum((2, 3)), torch.ones(2, 50).double(), rtol=0, atol=1e-12)
    entered = answer.regime_count[:, 1:, :, 0]
    torch.testing.assert_close(answer.transition.sum(2)[:, 1:], entered, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_tiny_probability_to_end_leaves_the_gradients_finite(draw, wanting, path, dtype):
    parts = draw(2, 8, 2, 3, dtype=dtype)
    parts["log_continue"][:, 1::2, :, :2] = -torch.finfo(dtype).smallest_normal * 1e-7  # subnormal
    parts["log_continue"][:, 2::2, :, :2] = -1e-30
    parts = wanting(parts)
    hsmm.log_likelihood(**parts).sum().backward()
    assert all(part.grad.isfinite().all() for part in parts.values())
    assert parts["log_continue"].grad[:, 2::2].any()


def test_a_second_derivative_is_refused(draw, wanting):
    parts = wanting(draw(1, 4, 2, 2))
    loss = hsmm.log_likelihood(**parts).square().sum()
    (slope,) = torch.autograd.grad(loss, parts["log_emission"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


@pytest.mark.parametrize("place", ["log_emission", "log_initial"])
def test_impossible_data_give_no_likelihood_and_disturb_no_neighbour(draw, wanting, path, place):
    parts = draw(2, 8, 2, 3)
    if place == "log_emission":
        parts["log_emission"][0, 5] = -INF
    else:
        parts["log_initial"][0] = torch.tensor([0.0, -INF])
        parts["log_emission"][0, 0] = torch.tensor([-INF, 0.0])
    parts = wanting(parts)
    answer = hsmm.forward_backward(**parts)
    answer.log_likelihood.exp().sum().backward()
    assert answer.log_likelihood[0] == -INF and answer.log_likelihood[1] > -INF
    assert not answer.regime_count[0].any()
    assert all(not part.grad[0].any() and part.grad.isfinite().all() for part in parts.values())
    alone = hsmm.forward_backward(**{name: part[1:] for name, part in parts.items()})
    assert torch.equal(answer.regime_count[1:], alone.regime_count)
    best = hsmm.viterbi(**parts)
    assert (best.regime[0] == -1).all() and (best.count[0] == -1).all() and (best.regime[1] >= 0).all()
    with pytest.raises(ValueError, match="sample 0 have probability 0"):
        hsmm.sample(**parts)
