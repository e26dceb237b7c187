"""The linear scan against the plain loop, and its properties."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

import tsformers.nn.recurrent.scan as scan
from tsformers.nn import linear_scan

PATHS = ["compiled", "torch"]


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    """Either way of computing, on the processor."""
    if request.param == "torch":
        monkeypatch.setattr(scan, "compiled_kernels", lambda: None)
    elif scan.compiled_kernels() is None:
        pytest.skip("numba is not installed")
    return request.param


def draw(batch, length, width, dtype=torch.complex128, seed=0, r_min=0.0):
    """Factors inside the unit circle, inputs, a state; all want gradients."""
    torch.manual_seed(seed)
    real = torch.float64
    radius = torch.rand(width, dtype=real) * (1 - r_min) + r_min
    a = torch.polar(radius, 6 * torch.rand(width, dtype=real))
    b, initial = torch.randn(batch, length, width, dtype=a.dtype), torch.randn(batch, width, dtype=a.dtype)
    return [x.to(dtype).requires_grad_() for x in (a, b, initial)]


def loop(a, b, initial):
    states, x = [], initial
    for k in range(b.shape[1]):
        x = a * x + b[:, k]
        states.append(x)
    return torch.stack(states, dim=1)


def results(function, inputs):
    """States, and gradients of a random functional of them."""
    x = function(*inputs)
    weight = torch.randn(x.shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(1)).to(x.dtype)
    return [x, *torch.autograd.grad((weight * x).real.sum() + x.abs().square().mean(), inputs)]


# 63 to 65 and 32 to 33 are where blocks and chunks end, 1,100 is two levels of chunks
@pytest.mark.parametrize("length", [1, 2, 32, 33, 63, 64, 65, 129, 1100])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.complex128, 1e-12), (torch.complex64, 1e-5)])
def test_states_and_gradients_are_those_of_the_loop(path, length, dtype, tolerance):
    inputs = draw(3, length, 5, dtype)
    expected = results(loop, [x.detach().to(torch.complex128).requires_grad_() for x in inputs])
    for ours, theirs in zip(results(linear_scan, inputs), expected, strict=True):
        assert ours.dtype == dtype
        torch.testing.assert_close(ours.to(theirs), theirs, rtol=0, atol=tolerance * float(theirs.detach().abs().max()))


def test_gradients_pass_the_check_by_differences(path):
    assert gradcheck(linear_scan, draw(1, 66, 2))
    a, b, _ = draw(2, 5, 3)
    assert gradcheck(linear_scan, (a, b))
    assert gradcheck(lambda a: linear_scan(a, b.detach()), (a,))


def test_second_derivatives_pass_the_check_by_differences(path):
    a, b, initial = draw(2, 4, 2)
    assert gradgradcheck(linear_scan, (a, b, initial))
    assert gradgradcheck(linear_scan, (a, b))


def test_torch_operations_and_compiled_loop_agree_in_float32_over_thousands_of_steps(monkeypatch):
    """Ring 0.9..0.999; the error of either against float64 was measured as 1e-5 of the largest state."""
    inputs = draw(2, 5000, 16, torch.complex64, r_min=0.9)
    exact = results(linear_scan, [x.detach().to(torch.complex128).requires_grad_() for x in inputs])
    compiled = results(linear_scan, inputs)
    monkeypatch.setattr(scan, "compiled_kernels", lambda: None)
    for answer in (compiled, results(linear_scan, inputs)):
        for ours, theirs in zip(answer, exact, strict=True):
            torch.testing.assert_close(ours.to(theirs), theirs, rtol=0, atol=5e-5 * float(theirs.detach().abs().max()))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_threads_share_samples_and_states_without_changing_a_bit(monkeypatch, batch):
    inputs = draw(batch, 150, 70)
    alone = results(linear_scan, inputs)
    monkeypatch.setattr(scan, "THREAD_STATES", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    shared = results(linear_scan, inputs)
    assert torch.equal(alone[0], shared[0]) and torch.equal(alone[2], shared[2])
    torch.testing.assert_close(
        alone[1], shared[1], rtol=1e-13, atol=1e-13
    )  # sums of threads are added in another order


shapes = st.tuples(
    st.integers(1, 3), st.integers(1, 80), st.integers(1, 20), st.just(torch.complex128), st.integers(0, 99)
)


@settings(deadline=None, max_examples=30)
@given(shapes, st.data())
def test_a_sequence_may_be_split_anywhere_and_the_state_carried(shape, data):
    a, b, initial = (x.detach() for x in draw(*shape))
    cut = data.draw(st.integers(1, max(shape[1] - 1, 1)))
    whole, first = linear_scan(a, b, initial), linear_scan(a, b[:, :cut], initial)
    torch.testing.assert_close(first, whole[:, :cut], rtol=0, atol=1e-13)
    if cut < shape[1]:
        torch.testing.assert_close(linear_scan(a, b[:, cut:], first[:, -1]), whole[:, cut:], rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(shapes, st.complex_numbers(max_magnitude=10))
def test_it_is_linear_in_inputs_and_state(shape, factor):
    a, b, initial = (x.detach() for x in draw(*shape))
    _, more, other = (x.detach() for x in draw(*shape[:4], seed=shape[4] + 1))
    joint = linear_scan(a, b + factor * more, initial + factor * other)
    parts = linear_scan(a, b, initial) + factor * linear_scan(a, more, other)
    torch.testing.assert_close(joint, parts, rtol=1e-11, atol=1e-11)


def test_inputs_are_left_alone_whatever_their_layout(path):
    a, b, initial = (x.detach() for x in draw(3, 40, 6))
    kept = [x.clone() for x in (a, b, initial)]
    expected = loop(a.conj(), b, initial)
    turned = b.transpose(0, 1).contiguous().transpose(0, 1)
    torch.testing.assert_close(linear_scan(a.conj(), turned, initial), expected, rtol=1e-12, atol=1e-12)
    assert all(torch.equal(x, y) for x, y in zip((a, b, initial), kept, strict=True))


def test_an_expanded_gradient_is_understood(path):
    a, b, initial = draw(2, 40, 3)
    ours = torch.autograd.grad(linear_scan(a, b, initial).sum().real, (a, b, initial))
    theirs = torch.autograd.grad(loop(a, b, initial).sum().real, (a, b, initial))
    for x, y in zip(ours, theirs, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("a", "b", "initial"),
    [((3,), (2, 5, 4), None), ((4,), (2, 0, 4), None), ((4,), (2, 5, 4), (1, 4)), ((4,), (2, 5, 4), (2, 3))],
)
def test_shapes_that_do_not_fit_are_refused(path, a, b, initial):
    """The compiled loop would read beyond its arrays; the check must not be the type checker's alone."""
    a, b = torch.zeros(a, dtype=torch.complex64), torch.zeros(b, dtype=torch.complex64)
    with pytest.raises(ValueError, match="it needs"):
        scan.scan_states(a, b, None if initial is None else torch.zeros(initial, dtype=torch.complex64))


def test_mixed_and_real_types_are_refused():
    a, b, _ = draw(1, 4, 2)
    with pytest.raises(TypeError, match=r"torch\.complex128, torch\.complex64"):
        linear_scan(a, b.to(torch.complex64))
