"""Explicit-duration posteriors against golden vectors, enumeration of all paths, ordinary HMMs, and their laws."""

import math
from fractions import Fraction
from time import process_time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

import tsformers.hsmm.dispatch as hsmm_walks
from tsformers import hsmm

INF = math.inf
NAMES = ("log_initial", "log_transition", "log_continue", "log_emission")
GOLDEN = ("hsmm_T30_K3_D5", "hsmm_T40_K2_D8_dmin4", "hmm_T50_K2_D1", "hsmm_T30_K3_D5_peaky")


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    """Either way of computing, on the processor."""
    if request.param == "torch":
        monkeypatch.setattr(hsmm_walks, "compiled_kernels", lambda kind: None)
    elif hsmm_walks.compiled_kernels("kernels") is None:
        pytest.skip("numba is not installed")
    return request.param


def log(x):
    with np.errstate(divide="ignore"):
        return np.log(x)


def draw(batch, length, regimes, counts, seed=0, scale=1.0, dtype=torch.float64):
    """Four random parts as a dict, each varying with all its axes, counts beyond D impossible."""
    normal = np.random.default_rng(seed).normal
    lasting = -np.logaddexp(0, normal(size=(batch, length, regimes, counts)) - 1)
    lasting[..., -1] = -INF
    logits = normal(size=(batch, length, regimes, regimes))
    arrays = (
        np.log(np.random.default_rng(seed).dirichlet(np.ones(regimes), batch)),
        logits - np.logaddexp.reduce(logits, -1, keepdims=True),
        lasting,
        scale * normal(size=(batch, length, regimes)),
    )
    return {name: torch.tensor(x, dtype=dtype) for name, x in zip(NAMES, arrays, strict=True)}


def wanting(parts):
    return {name: part.clone().requires_grad_() for name, part in parts.items()}


def close(ours, theirs, tolerance):
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", GOLDEN)
def test_posteriors_gradients_and_best_paths_are_the_golden_ones(shared, path, name, dtype):
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


def test_the_example_in_fractions_comes_out(path):
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
def test_all_answers_are_those_of_enumerating_every_path(compiled, model):
    """Errors are relative to the largest number given: that is the rounding of sums of such numbers."""
    weights = all_paths(*model)
    parts = {name: torch.tensor(x).requires_grad_() for name, x in zip(NAMES, model, strict=True)}
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(hsmm_walks, "compiled_kernels", lambda kind: None)
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
    posterior, begun = np.zeros(answer.regime_count.shape[1:]), np.zeros(answer.transition.shape[1:])
    for path, weight in weights.items():
        for t, (k, c) in enumerate(path):
            posterior[t, k, c - 1] += math.exp(weight - total)
            if t and c == 1:
                begun[t, path[t - 1][0], k] += math.exp(weight - total)
    assert found == pytest.approx(total, abs=tolerance)
    close(answer.regime_count[0], posterior, tolerance)
    close(answer.transition[0], begun, tolerance)
    close(answer.regime[0].sum(1), 1.0, 1e-12)
    assert float(best.log_likelihood) == pytest.approx(max(weights.values()), abs=tolerance)
    route = tuple(zip(best.regime[0].tolist(), best.count[0].tolist(), strict=True))
    assert weights[route] == pytest.approx(max(weights.values()), abs=tolerance)
    for z, c in zip(drawn.regime[0].tolist(), drawn.count[0].tolist(), strict=True):
        assert tuple(zip(z, c, strict=True)) in weights


def test_gradients_pass_the_check_by_differences(path):
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
def test_shared_parts_pass_the_check_by_differences(path, axes):
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
        begun = torch.logsumexp(torch.logsumexp(alpha + ending[:, t], 2)[..., None] + log_transition[:, t], 1)
        grown = (alpha + log_continue[:, t])[..., :-1]
        alpha = torch.cat([begun[..., None], grown], 2) + log_emission[:, t, :, None]
    return torch.logsumexp(alpha, (1, 2))


def test_likelihood_and_all_gradients_are_those_of_autograd_through_the_plain_loop(path):
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


def test_the_gradient_of_the_likelihood_by_emissions_is_the_posterior_of_regimes(path):
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
def test_a_chance_to_end_too_small_for_its_odds_leaves_the_gradients_finite(path, dtype):
    parts = draw(2, 8, 2, 3, dtype=dtype)
    parts["log_continue"][:, 1::2, :, :2] = -torch.finfo(dtype).smallest_normal * 1e-7  # subnormal
    parts["log_continue"][:, 2::2, :, :2] = -1e-30
    parts = wanting(parts)
    hsmm.log_likelihood(**parts).sum().backward()
    assert all(part.grad.isfinite().all() for part in parts.values())
    assert parts["log_continue"].grad[:, 2::2].any()


def test_there_is_no_second_derivative_and_it_says_so():
    parts = wanting(draw(1, 4, 2, 2))
    loss = hsmm.log_likelihood(**parts).square().sum()
    (slope,) = torch.autograd.grad(loss, parts["log_emission"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


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


def test_without_counts_it_is_an_ordinary_hmm(path):
    parts = draw(1, 80, 3, 1)
    answer = hsmm.forward_backward(**parts)
    total, posterior = ordinary_hmm(*(parts[n][0].exp().numpy() for n in NAMES[:2]), parts["log_emission"][0].numpy())
    assert float(answer.log_likelihood) == pytest.approx(total, abs=1e-11)
    close(answer.regime[0], posterior, 1e-12)


@pytest.mark.parametrize("counts", [30, 300])
def test_geometric_durations_are_the_hmm_with_that_self_transition_but_for_those_cut_off(path, counts):
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


def test_with_one_possible_duration_segments_end_on_its_multiples(path):
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


sizes = st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 4), st.integers(1, 6), st.integers(0, 99))


@settings(deadline=None, max_examples=40)
@given(sizes, st.floats(-500, 500))
def test_densities_in_other_units_shift_the_likelihood_and_nothing_else(size, shift):
    batch, length, regimes, counts, seed = size
    parts = draw(batch, length, regimes, counts, seed)
    answer = hsmm.forward_backward(**parts)
    moved = hsmm.forward_backward(**parts | {"log_emission": parts["log_emission"] + shift})
    torch.testing.assert_close(moved.log_likelihood, answer.log_likelihood + length * shift, rtol=1e-13, atol=1e-11)
    torch.testing.assert_close(moved.regime_count, answer.regime_count, rtol=0, atol=1e-11)


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_regimes_and_samples_may_come_in_any_order(size):
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


def test_shared_parts_answer_as_if_written_out_and_gather_the_gradients(path):
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


def test_a_single_series_may_come_without_an_axis_of_samples(path):
    parts = draw(1, 9, 2, 3)
    alone = hsmm.forward_backward(**{name: part[0] for name, part in parts.items()})
    assert torch.equal(alone.regime, hsmm.forward_backward(**parts).regime)


def test_both_ways_of_computing_agree_in_float32_on_wide_densities(monkeypatch):
    parts = draw(2, 300, 4, 12, scale=30.0, dtype=torch.float32)
    exact = hsmm.forward_backward(**{name: part.double() for name, part in parts.items()})
    answers = [hsmm.forward_backward(**parts)]
    monkeypatch.setattr(hsmm_walks, "compiled_kernels", lambda kind: None)
    answers.append(hsmm.forward_backward(**parts))
    for answer in answers:
        assert answer.regime.dtype == answer.log_likelihood.dtype == torch.float32
        torch.testing.assert_close(answer.log_likelihood.double(), exact.log_likelihood, rtol=1e-6, atol=0)
        torch.testing.assert_close(answer.regime_count.double(), exact.regime_count, rtol=0, atol=1e-4)


def test_threads_share_the_batch_without_changing_a_bit(monkeypatch):
    parts = wanting(draw(5, 40, 3, 6))
    once, best = hsmm.forward_backward(**parts), hsmm.viterbi(**parts)
    monkeypatch.setattr(hsmm_walks, "THREAD_CELLS", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    again = hsmm.forward_backward(**parts)
    assert torch.equal(once.regime_count, again.regime_count)
    assert torch.equal(once.log_likelihood, again.log_likelihood)
    assert torch.equal(best.regime, hsmm.viterbi(**parts).regime)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-6)])
def test_a_hundred_thousand_steps_neither_underflow_nor_drift(dtype, tolerance):
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


def test_cost_grows_no_faster_than_durations():
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


@pytest.mark.parametrize("place", ["log_emission", "log_initial"])
def test_impossible_data_give_no_likelihood_and_disturb_no_neighbour(path, place):
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


def test_draws_come_as_often_as_the_posterior_says(path):
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


def test_without_data_draws_are_of_the_prior_and_the_seed_decides_them(path):
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


def test_hazards_of_a_distribution_are_its_definition_and_come_back():
    rho = np.random.default_rng(0).dirichlet(np.ones(12), 5)
    rho[:, :3] = 0
    rho[0, 8:] = 0
    rho /= rho.sum(1, keepdims=True)
    v = hsmm.hazards(torch.tensor(log(rho)))
    later = np.flip(np.cumsum(np.flip(rho, 1), 1), 1)
    with np.errstate(invalid="ignore"):
        close(v.exp(), np.where(later > 0, 1 - rho / later, 0), 1e-12)
    assert (v[:, :3] == 0).all() and (v[:, -1] == -INF).all() and (v[0, 7:] == -INF).all()
    close(hsmm.durations(v).exp(), rho, 1e-12)
    torch.testing.assert_close(hsmm.hazards(hsmm.durations(v)), v, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(hsmm.hazards(torch.tensor(log(rho)) + 7), v, rtol=1e-12, atol=1e-12)


@given(st.lists(st.floats(-300, 300), min_size=1, max_size=12))
def test_hazards_of_any_logits_come_back_as_their_probabilities(logits):
    x = torch.tensor(logits, dtype=torch.float64)
    close(hsmm.durations(hsmm.hazards(x)), x.log_softmax(0).numpy(), 1e-10)


def test_hazards_are_exact_where_a_difference_from_one_would_vanish():
    """exp(-50) of the mass ends at once: v is 1 to rounding, but its logarithm is not 0; and the other way round."""
    v = hsmm.hazards(torch.tensor([-50.0, 0.0]).double())
    assert float(v[0]) == pytest.approx(-math.exp(-50), rel=1e-12)
    assert float(hsmm.durations(v)[0]) == pytest.approx(-50, rel=1e-12)
    assert float(hsmm.hazards(torch.tensor([0.0, -50.0]).double())[0]) == pytest.approx(-50, rel=1e-12)


def test_hazards_and_durations_pass_the_check_by_differences_and_give_impossible_durations_no_gradient():
    logits = torch.randn(2, 5, generator=torch.Generator().manual_seed(0)).double()
    assert gradcheck(lambda x: hsmm.hazards(x)[..., :-1], (logits.clone().requires_grad_(),))
    assert gradcheck(hsmm.durations, (-logits.abs().requires_grad_(),))
    holed = logits.clone()
    holed[:, 0] = holed[0, 3:] = -INF
    holed.requires_grad_()
    parts = draw(2, 9, 2, 5)
    hsmm.log_likelihood(**parts | {"log_continue": hsmm.hazards(holed)}).sum().backward()
    assert holed.grad.isfinite().all() and holed.grad[1, 1:].all()
    assert not holed.grad[:, 0].any() and not holed.grad[0, 3:].any()
    v = hsmm.hazards(holed.detach()).requires_grad_()
    hsmm.durations(v).exp().sum().backward()
    assert v.grad.isfinite().all()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("log_initial", lambda x: x[:, :1], r"log_initial has shape \(2, 1\).*\(B, K\).*K = 3"),
        ("log_initial", lambda x: x[0, 0], "log_initial has shape"),
        ("log_transition", lambda x: x[:, :4], r"log_transition has shape \(2, 4, 3, 3\).*T = 6"),
        ("log_transition", lambda x: x[..., :2], "log_transition has shape"),
        ("log_transition", lambda x: x[0, 0, 0], "log_transition has shape"),
        ("log_continue", lambda x: x[:, :, :2], r"log_continue has shape \(2, 6, 2, 4\).*\(B, T, K, D\)"),
        ("log_continue", lambda x: x[..., :0], "log_continue has shape"),
        ("log_emission", lambda x: x[0, 0], "log_emission has shape"),
        ("log_emission", lambda x: torch.cat([x, x[:1]]), r"log_continue has shape \(2, 6, 3, 4\).*B = 3"),
        ("log_emission", lambda x: x[:, :1], r"log_continue has shape \(2, 6, 3, 4\).*T = 1"),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(name, change, message):
    parts = draw(2, 6, 3, 4)
    with pytest.raises(ValueError, match=message):
        hsmm.forward_backward(**parts | {name: change(parts[name])})


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("log_emission", (1, 2, 0), math.nan, r"log_emission is nan at \(1, 2, 0\)"),
        ("log_emission", (1, 0, 0), INF, r"log_emission is inf at \(1, 0, 0\)"),
        ("log_initial", (0, 1), math.nan, r"log_initial is nan at \(0, 1\)"),
        ("log_transition", (1, 3, 0, 2), math.nan, r"log_transition is nan at \(1, 3, 0, 2\)"),
        ("log_continue", (0, 4, 1, 2), 0.25, r"log_continue is 0.25 at \(0, 4, 1, 2\).*at most 0"),
        ("log_continue", (0, 4, 1, 2), math.nan, "log_continue is nan"),
        ("log_initial", (1,), -INF, "log_initial of sample 1 is -inf for all regimes"),
    ],
)
def test_numbers_that_are_no_logarithms_of_probabilities_are_refused_with_their_place(name, place, value, message):
    parts = draw(2, 6, 3, 4)
    parts[name][place] = value
    for function in (hsmm.forward_backward, hsmm.log_likelihood, hsmm.viterbi, hsmm.sample):
        with pytest.raises(ValueError, match=message):
            function(**parts)


def test_what_is_not_read_at_the_first_step_may_hold_anything(path):
    parts = draw(2, 6, 3, 4)
    expected = hsmm.forward_backward(**parts)
    parts["log_transition"][:, 0] = math.nan
    parts["log_continue"][:, 0] = math.nan
    parts = wanting(parts)
    answer = hsmm.forward_backward(**parts)
    answer.log_likelihood.sum().backward()
    assert torch.equal(answer.regime_count, expected.regime_count)
    assert all(not parts[name].grad[:, 0].any() for name in ("log_transition", "log_continue"))


def test_other_misuse_is_refused():
    parts = draw(2, 6, 3, 4)
    with pytest.raises(TypeError, match=r"torch\.float32, torch\.float64"):
        hsmm.forward_backward(**parts | {"log_initial": parts["log_initial"].float()})
    with pytest.raises(ValueError, match="n_samples is 0"):
        hsmm.sample(**parts, n_samples=0)
    with pytest.raises(ValueError, match="one duration must be possible"):
        hsmm.hazards(torch.full((3,), -INF))
    with pytest.raises(ValueError, match="one duration must be possible"):
        hsmm.hazards(torch.tensor([0.0, math.nan]))
    with pytest.raises(ValueError, match="positive"):
        hsmm.durations(torch.tensor([0.1, -1.0]))
