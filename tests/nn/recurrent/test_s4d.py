"""Diagonal state spaces against the convolution and the matrix exponential they are."""

import math

import numpy as np
import pytest
import torch

import tsformers.nn.recurrent.scan as scan
from tsformers.nn import S4DLayer
from tsformers.nn.recurrent.s4d import frequencies


def build(d_model=3, d_state=8, **settings):
    torch.manual_seed(0)
    return S4DLayer(d_model, d_state, **settings).double()


@pytest.mark.parametrize("spectrum", ["lin", "inv", "legs"])
@pytest.mark.parametrize("length", [1, 64, 65, 200])
def test_outputs_are_the_convolution_with_the_held_systems_response(spectrum, length):
    """The kernel of the paper, written out: real systems of both conjugates, held inputs, summed over all lags."""
    layer = build(spectrum=spectrum, dt_max=1.0).requires_grad_(False)
    a = torch.complex(-layer.decay_log.exp(), layer.frequency).numpy()
    c, dt = torch.complex(layer.C_re, layer.C_im).numpy(), layer.dt_log.exp().numpy()[:, None]
    a, c = np.concatenate([a, a.conj()], axis=1), np.concatenate([c, c.conj()], axis=1)
    lags = np.arange(length)
    kernel = np.einsum("dp,dpk->dk", c * (np.exp(dt * a) - 1) / a, np.exp((dt * a)[..., None] * lags))
    assert np.abs(kernel.imag).max() < 1e-12
    u = torch.randn(2, length, 3, dtype=torch.float64)
    expected = np.stack(
        [[np.convolve(u[i, :, d], kernel.real[d])[:length] for d in range(3)] for i in range(2)]
    ).transpose(0, 2, 1)
    np.testing.assert_allclose(layer(u), expected + layer.D.numpy() * u.numpy(), rtol=1e-10, atol=1e-11)


def test_a_constant_input_reaches_the_systems_rest():
    """Zero-order hold is exact for constants: y = 2 Re(-c / a) + D."""
    layer = build(dt_min=0.5, dt_max=1.0).requires_grad_(False)
    rest = 2 * (torch.complex(layer.C_re, layer.C_im) / torch.complex(layer.decay_log.exp(), -layer.frequency)).real
    y = layer(torch.ones(1, 300, 3, dtype=torch.float64))
    torch.testing.assert_close(y[0, -1], rest.sum(1) + layer.D, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("length", [5, 70, 200])
def test_gradients_are_those_of_the_steps_and_of_the_other_path(monkeypatch, length):
    layer, u = build(), torch.randn(2, length, 3, dtype=torch.float64)
    state = torch.randn(2, 3, 4, dtype=torch.complex128)

    def gradients(run):
        begin = state.clone().requires_grad_()
        y, last = run(begin)
        return torch.autograd.grad(y.square().sum() + last.abs().square().sum(), [*layer.parameters(), begin])

    def steps(x):
        outputs = []
        for k in range(length):
            out, x = layer.step(u[:, k], x)
            outputs.append(out)
        return torch.stack(outputs, dim=1), x

    expected = gradients(steps)
    compiled = gradients(lambda x: layer.scan(u, x))
    monkeypatch.setattr(scan, "compiled_kernels", lambda: None)
    for answer in (compiled, gradients(lambda x: layer.scan(u, x))):
        for ours, theirs in zip(answer, expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9 * float(theirs.abs().max()))


def test_thousands_of_steps_in_float32_stay_near_float64():
    torch.manual_seed(0)
    layer, u = S4DLayer(4, 16).requires_grad_(False), torch.randn(1, 20_000, 4)
    y = layer(u)
    exact = layer.double()(u.double())
    torch.testing.assert_close(y.double(), exact, rtol=0, atol=1e-4 * float(exact.abs().max()))


def test_the_spectra_are_the_published_ones():
    np.testing.assert_allclose(frequencies("lin", 3), [0, math.pi, 2 * math.pi], rtol=1e-6)
    np.testing.assert_allclose(frequencies("inv", 2), sorted([4 / math.pi * 3, 4 / math.pi / 3]), rtol=1e-6)
    size = 8
    n = np.arange(size)
    hippo = -np.sqrt(np.outer(2 * n + 1, 2 * n + 1)) * (n[:, None] > n) - np.diag(n + 1.0)
    normal = hippo + np.outer(np.sqrt(n + 0.5), np.sqrt(n + 0.5))
    found = np.linalg.eigvals(normal)
    np.testing.assert_allclose(found.real, -0.5, atol=1e-10)
    np.testing.assert_allclose(frequencies("legs", 4), np.sort(found.imag)[4:], rtol=1e-5)


def test_small_steps_lose_no_digits():
    """(exp(z) - 1) / z at |z| of 1e-6, where the plain difference keeps one digit of float32."""
    layer = S4DLayer(1, 2, dt_min=1e-6, dt_max=1e-6).requires_grad_(False)
    _, entering = layer.discretised(1)
    np.testing.assert_allclose(entering.numpy(), 1e-6, rtol=1e-5)


@pytest.mark.parametrize("extreme", [-200.0, 200.0])
def test_parameters_out_of_all_bounds_give_finite_answers_and_gradients(extreme):
    layer = S4DLayer(2, 4)
    with torch.no_grad():
        layer.dt_log.fill_(extreme)
        layer.decay_log.fill_(-extreme)
    y, last = layer.scan(torch.randn(1, 300, 2))
    (y.sum() + last.abs().sum()).backward()
    assert y.isfinite().all() and all(p.grad.isfinite().all() for p in layer.parameters())


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="d_state is 7"):
        S4DLayer(2, 7)
    with pytest.raises(ValueError, match="0 < dt_min <= dt_max"):
        S4DLayer(2, 8, dt_min=0.2, dt_max=0.1)
    with pytest.raises(ValueError, match="'lin', 'inv' and 'legs'"):
        frequencies("hippo", 4)
