"""Linear recurrent units against the golden vectors, and properties of the layer."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

import tsformers.nn.recurrent.scan as scan
from tsformers.nn import LRULayer
from tsformers.nn.recurrent.lru import ring

PARAMETERS = ["nu_log", "theta_log", "gamma_log", "B_re", "B_im", "C_re", "C_im", "D"]


@pytest.fixture(scope="module", params=["lru_T64", "lru_T1000"])
def golden(request, shared):
    """Made by the published pseudocode in float64 and by a plain recurrence, which agree to 9e-15."""
    return np.load(shared / "golden" / "lru" / f"{request.param}.npz")


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    """Either way of computing, on the processor."""
    if request.param == "torch":
        monkeypatch.setattr(scan, "compiled_kernels", lambda: None)
    elif scan.compiled_kernels() is None:
        pytest.skip("numba is not installed")


def filled(golden, dtype):
    layer = LRULayer(*reversed(golden["B_re"].shape)).to(dtype)
    layer.load_state_dict({name: torch.from_numpy(golden[name]) for name in PARAMETERS})
    return layer


def state(golden, name, dtype=torch.float64):
    value = torch.from_numpy(golden[f"{name}_re"] + 1j * golden[f"{name}_im"])
    return value.to(torch.complex64) if dtype == torch.float32 else value


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 3e-6)])
def test_outputs_and_last_states_are_the_golden_ones(golden, path, dtype, tolerance):
    layer, u = filled(golden, dtype), torch.from_numpy(golden["u"]).to(dtype)
    bound = tolerance * np.abs(golden["y"]).max()
    y, last = layer.scan(u)
    np.testing.assert_allclose(y.detach(), golden["y"], rtol=0, atol=bound)
    np.testing.assert_allclose(last.detach(), state(golden, "final_state"), rtol=0, atol=bound)
    y, last = layer.scan(u, state(golden, "x0", dtype))
    np.testing.assert_allclose(y.detach(), golden["y_from_x0"], rtol=0, atol=bound)
    np.testing.assert_allclose(last.detach(), state(golden, "final_state_from_x0"), rtol=0, atol=bound)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-5)])
def test_gradients_are_the_golden_ones(golden, path, dtype, tolerance):
    layer, u = filled(golden, dtype), torch.from_numpy(golden["u"]).to(dtype).requires_grad_()
    y = layer(u)
    loss = (torch.from_numpy(golden["loss_weight"]).to(dtype) * y).sum() + 0.5 * y.square().mean()
    loss.backward()
    assert loss.item() == pytest.approx(float(golden["loss"]), rel=1e-11 if dtype == torch.float64 else 1e-4)
    for name in [*PARAMETERS, "u"]:
        ours, theirs = (u if name == "u" else getattr(layer, name)).grad, golden[f"grad_{name}"]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max(), err_msg=name)


def test_states_on_the_way_are_the_golden_ones(golden):
    layer, u = filled(golden, torch.float64), torch.from_numpy(golden["u"])
    name, every = ("states", 1) if "states_re" in golden else ("states_every50", 50)
    expected, x = state(golden, name), layer.initial_state(len(u))
    for k in range(u.shape[1]):
        y, x = layer.step(u[:, k], x)
        np.testing.assert_allclose(y.detach(), golden["y"][:, k], rtol=0, atol=1e-12 * np.abs(golden["y"]).max())
        if (k + 1) % every == 0:
            np.testing.assert_allclose(x.detach(), expected[:, (k + 1) // every - 1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["disk", "ring", "pathx"])
def test_draws_give_the_published_initialisation(shared, kind):
    golden = np.load(shared / "golden" / "lru" / "init.npz")
    u1, u2 = torch.from_numpy(golden["u1"]), torch.from_numpy(golden["u2"])
    settings = [float(golden[f"{kind}_{name}"]) for name in ("r_min", "r_max", "max_phase")]
    layer = LRULayer(2, 16).double()
    for name, value in zip(PARAMETERS[:3], ring(u1, u2, *settings), strict=True):
        np.testing.assert_allclose(value, golden[f"{kind}_{name}"], rtol=1e-12, atol=1e-12)
        getattr(layer, name).data = value
    expected = golden[f"{kind}_lambda_re"] + 1j * golden[f"{kind}_lambda_im"]
    np.testing.assert_allclose(layer.eigenvalues().detach(), expected, rtol=1e-12, atol=1e-12)


def test_the_spectrum_fills_the_disk_evenly_and_its_ring_only():
    torch.manual_seed(0)
    modulus = LRULayer(1, 20_000).eigenvalues().detach().abs()
    assert float(modulus.square().mean()) == pytest.approx(1 / 2, abs=0.01)
    assert float(modulus.mean()) == pytest.approx(2 / 3, abs=0.01)
    layer = LRULayer(1, 5000, 0.9, 0.999, math.pi / 10)
    lam = layer.eigenvalues().detach()
    modulus, phase = lam.abs(), lam.angle()
    assert 0.9 - 1e-6 <= modulus.min() < 0.91 and 0.998 < modulus.max() <= 0.999 + 1e-6
    assert phase.min() >= 0 and math.pi / 11 < phase.max() <= math.pi / 10 + 1e-6


def test_states_and_readouts_of_white_noise_have_variance_one_at_the_start():
    """5 % is the spread that the specification allows; the first 2,000 steps fill the states."""
    torch.manual_seed(0)
    layer = LRULayer(4, 512, 0.9, 0.99)
    with torch.no_grad():
        lam, inward, outward = layer.matrices()
        b = torch.view_as_complex((torch.randn(1, 10_000, 4) @ inward.T).unflatten(-1, (-1, 2)))
        x = scan.linear_scan(lam, b)[0, 2000:]
        read = torch.view_as_real(x).flatten(1) @ outward.T
    assert float(x.abs().square().mean()) == pytest.approx(1, rel=0.1)
    assert float(read.square().mean()) == pytest.approx(1, rel=0.25)  # of four rows of C only


def test_ten_thousand_steps_are_the_scan():
    torch.manual_seed(0)
    layer, u = LRULayer(3, 16, 0.9, 0.9999).double(), torch.randn(2, 10_000, 3, dtype=torch.float64)
    with torch.no_grad():
        y, last = layer.scan(u)
        x, stepped = layer.initial_state(2), []
        for k in range(u.shape[1]):
            out, x = layer.step(u[:, k], x)
            stepped.append(out)
    torch.testing.assert_close(torch.stack(stepped, dim=1), y, rtol=0, atol=1e-10)
    torch.testing.assert_close(x, last, rtol=0, atol=1e-10)


def test_a_hundred_thousand_steps_in_float32_stay_near_float64():
    torch.manual_seed(0)
    layer, u = LRULayer(3, 16, 0.9, 0.9999), torch.randn(1, 100_000, 3).requires_grad_()
    y = layer(u)
    y.square().mean().backward()
    exact = layer.double()(u.detach().double()).detach()
    # an error eps in |lambda| is an error of eps / (1 - |lambda|) = 6e-8 / 1e-4 in the state
    torch.testing.assert_close(y.double(), exact, rtol=0, atol=1e-3 * float(exact.abs().max()))
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters())


def test_gradients_of_everything_pass_the_check_by_differences():
    torch.manual_seed(0)
    layer = LRULayer(2, 2).double()
    u = torch.randn(2, 5, 2, dtype=torch.float64, requires_grad=True)
    state = torch.randn(2, 2, dtype=torch.complex128, requires_grad=True)
    names, values = zip(*layer.named_parameters(), strict=True)

    def call(u, state, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (u, state))

    assert gradcheck(call, (u, state, *values))
    assert gradgradcheck(call, (u[:1, :3], state[:1], *values))
    assert gradcheck(lambda u, state: layer.scan(u, state)[1], (u, state))


def test_the_modulus_stays_below_one_whatever_the_optimiser_does():
    """In float32, where exp(-exp(nu_log)) alone would round to 1; nothing may become infinite on the way."""
    torch.manual_seed(0)
    layer = LRULayer(2, 8, 0.99, 1.0)
    adam = torch.optim.Adam(layer.parameters(), lr=0.1, fused=True)
    for k in range(1000):
        adam.zero_grad()
        u = torch.randn(2, 8, 2)
        (layer(u) * (torch.randn(2, 8, 2) + (k < 500))).sum().backward()
        adam.step()
    assert all(parameter.isfinite().all() for parameter in layer.parameters())
    with torch.no_grad():
        for extreme in (-100.0, -17.5, 100.0):
            layer.nu_log.fill_(extreme)
            layer.theta_log.fill_(-extreme)
            assert (layer.eigenvalues().abs() < 1).all()
            lam = layer.eigenvalues()
            assert (lam.real.double().square() + lam.imag.double().square() < 1).all()


@pytest.mark.parametrize("extreme", [-100.0, 100.0])
def test_parameters_out_of_all_bounds_give_finite_gradients(extreme):
    layer = LRULayer(2, 3)
    with torch.no_grad():
        layer.nu_log.fill_(extreme)
        layer.theta_log.fill_(extreme)
    layer(torch.randn(1, 20, 2)).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters())


sizes = st.tuples(st.integers(1, 3), st.integers(2, 90), st.integers(0, 99))


def drawn(batch, length, seed):
    torch.manual_seed(seed)
    return LRULayer(3, 6).double().requires_grad_(False), torch.randn(batch, length, 3, dtype=torch.float64)


@settings(deadline=None, max_examples=25)
@given(sizes, st.floats(-5, 5))
def test_the_layer_is_linear(size, factor):
    layer, u = drawn(*size)
    more = torch.randn_like(u)
    torch.testing.assert_close(layer(u + factor * more), layer(u) + factor * layer(more), rtol=1e-10, atol=1e-10)


@settings(deadline=None, max_examples=25)
@given(sizes, st.integers(1, 40))
def test_what_comes_later_gives_the_same_later(size, delay):
    layer, u = drawn(*size)
    late = torch.cat([torch.zeros(len(u), delay, 3, dtype=u.dtype), u], dim=1)
    torch.testing.assert_close(layer(late)[:, delay:], layer(u), rtol=1e-11, atol=1e-11)


def test_a_sequence_in_pieces_trains_like_the_whole():
    """Gradients flow through the carried state."""
    torch.manual_seed(0)
    layer, u = LRULayer(3, 6).double(), torch.randn(2, 50, 3, dtype=torch.float64)
    whole = torch.autograd.grad(layer(u).square().sum(), list(layer.parameters()))
    first, carried = layer.scan(u[:, :20])
    second = layer(u[:, 20:], carried)
    pieces = torch.autograd.grad(first.square().sum() + second.square().sum(), list(layer.parameters()))
    for ours, theirs in zip(pieces, whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_seeded_states_turn_once_a_season_and_their_gamma_fits():
    layer = LRULayer(2, 8)
    before = layer.eigenvalues().detach().clone()
    assert layer.seed_periods([24, 12, 168], harmonics=2) == 5  # 24, 12; 12 again, 6; 168, 84
    lam = layer.eigenvalues().detach()
    np.testing.assert_allclose(2 * math.pi / lam.angle()[:5], [24, 12, 6, 168, 84], rtol=1e-4)
    np.testing.assert_allclose(lam.abs()[:5], 0.999, rtol=1e-6)
    np.testing.assert_allclose(layer.gamma_log.detach().exp()[:5], math.sqrt(1 - 0.999**2), rtol=1e-5)
    torch.testing.assert_close(lam[5:], before[5:])


def test_a_seeded_state_answers_its_season_far_more_than_another():
    layer = LRULayer(1, 1).double().requires_grad_(False)
    layer.seed_periods([24])
    time = torch.arange(4800, dtype=torch.float64)
    size = {p: layer.scan(torch.cos(2 * math.pi * time / p)[None, :, None])[1].abs().item() for p in (24, 23, 30)}
    assert size[24] > 8 * size[23] and size[24] > 20 * size[30]


def test_harmonics_above_half_a_turn_are_left_out():
    layer = LRULayer(1, 8)
    assert layer.seed_periods([7], harmonics=10) == 3
    assert layer.seed_periods([1.5]) == 1


def test_bad_settings_are_refused():
    for r_min, r_max in ((0.5, 0.4), (-0.1, 1.0), (0.0, 1.1), (0.0, 0.0)):
        with pytest.raises(ValueError, match="a ring needs"):
            LRULayer(1, 1, r_min, r_max)
    with pytest.raises(ValueError, match="max_phase is 0"):
        LRULayer(1, 1, max_phase=0.0)
    with pytest.raises(ValueError, match="d_state 0"):
        LRULayer(1, 0)
    with pytest.raises(ValueError, match="d_state is 2"):
        LRULayer(1, 2).seed_periods([24], harmonics=3)
    with pytest.raises(ValueError, match="periods above 1"):
        LRULayer(1, 2).seed_periods([1])


def test_parameters_bear_the_papers_names_and_numbers():
    layer = LRULayer(5, 7)
    assert [name for name, _ in layer.named_parameters()] == PARAMETERS
    assert sum(parameter.numel() for parameter in layer.parameters()) == 3 * 7 + 4 * 7 * 5 + 5
    wanted = {id(getattr(layer, name)) for name in PARAMETERS[:5]}
    assert {id(parameter) for parameter in layer.recurrent_parameters()} == wanted


def test_under_mixed_precision_the_states_stay_in_float32():
    layer, u = LRULayer(3, 6), torch.randn(2, 40, 3)
    with torch.autocast("cpu", torch.bfloat16):
        y, last = layer.scan(u)
        stepped, _ = layer.step(u[:, 0], layer.initial_state(2))
    assert y.dtype == stepped.dtype == torch.float32 and last.dtype == torch.complex64
    torch.testing.assert_close(y, layer(u), rtol=0, atol=0)
