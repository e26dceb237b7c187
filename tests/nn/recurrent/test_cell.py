"""The contract of all recurrent layers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.nn import GRULayer, LRULayer, RecurrentBlock, S4DLayer

CELLS = {
    "lru": lambda: LRULayer(4, 6),
    "s4d": lambda: S4DLayer(4, 6),
    "gru": lambda: GRULayer(4, 6),
    "gru of equal width": lambda: GRULayer(4, 4),
    "lru block": lambda: RecurrentBlock(LRULayer(4, 6), 4),
    "s4d block": lambda: RecurrentBlock(S4DLayer(4, 6), 4),
    "gru block": lambda: RecurrentBlock(GRULayer(4, 6), 4),
}


def build(kind, seed=0):
    torch.manual_seed(seed)
    return CELLS[kind]().double().eval().requires_grad_(False)


def draw(batch, length):
    return torch.randn(batch, length, 4, dtype=torch.float64)


close = {"rtol": 1e-11, "atol": 1e-12}


@pytest.mark.parametrize("kind", CELLS)
@settings(deadline=None, max_examples=12)
@given(st.integers(1, 3), st.integers(1, 150), st.integers(0, 150), st.integers(0, 99))
def test_scan_steps_and_scans_of_pieces_agree(kind, batch, length, cut, seed):
    cell, u = build(kind, seed), draw(batch, length)
    y, last = cell.scan(u)
    state, outputs = cell.initial_state(batch), []
    assert state.dtype == last.dtype and state.shape == last.shape and not state.any()
    for k in range(length):
        out, state = cell.step(u[:, k], state)
        outputs.append(out)
    torch.testing.assert_close(torch.stack(outputs, dim=1), y, **close)
    torch.testing.assert_close(state, last, **close)
    if 0 < cut < length:
        first, state = cell.scan(u[:, :cut])
        second, state = cell.scan(u[:, cut:], state)
        torch.testing.assert_close(torch.cat([first, second], dim=1), y, **close)
        torch.testing.assert_close(state, last, **close)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("length", [40, 130])
def test_no_output_depends_on_later_inputs(kind, length):
    cell, u = build(kind), draw(2, length)
    changed = u.clone()
    changed[:, 27:] = draw(2, length - 27)
    torch.testing.assert_close(cell(changed)[:, :27], cell(u)[:, :27], rtol=0, atol=1e-13)
    assert (cell(changed)[:, 27:] - cell(u)[:, 27:]).abs().amin(-1).max() > 1e-3


@pytest.mark.parametrize("kind", CELLS)
def test_padding_on_the_left_changes_nothing_whatever_its_values(kind):
    layers, starts = [build(kind, seed) for seed in (0, 1)], [0, 3, 70, 99]
    u, start = draw(4, 100), torch.tensor(starts)
    h, states = u, []
    for layer in layers:
        h, state = layer.scan(h, start=start)
        states.append(state)
    for i, begin in enumerate(starts):
        expected = u[i : i + 1, begin:]
        for layer, state in zip(layers, states, strict=True):
            expected, last = layer.scan(expected)
            torch.testing.assert_close(state[i : i + 1], last, **close)
        torch.testing.assert_close(h[i : i + 1, begin:], expected, **close)


@pytest.mark.parametrize("kind", CELLS)
def test_padding_after_a_carried_state_is_refused(kind):
    cell = build(kind)
    with pytest.raises(ValueError, match="both given"):
        cell.scan(draw(2, 5), cell.initial_state(2), torch.tensor([0, 1]))


@pytest.mark.parametrize("kind", CELLS)
def test_gradients_pass_through_padding_and_state(kind):
    cell = build(kind).requires_grad_(True)
    u = draw(2, 70).requires_grad_()
    y, last = cell.scan(u, start=torch.tensor([5, 0]))
    (y[:, 10:].sum() + last.abs().square().sum()).backward()
    assert not u.grad[0, :5].any() and u.grad[0, 5:].any(-1).all()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in cell.parameters())
