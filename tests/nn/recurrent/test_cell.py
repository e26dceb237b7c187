"""The promises of all recurrent layers, and the block against its golden vector."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers.nn.recurrent.scan as scan
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
def test_padding_on_the_left_changes_nothing_whatever_stands_in_it(kind):
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
def test_padding_and_state_take_gradients_through(kind):
    cell = build(kind).requires_grad_(True)
    u = draw(2, 70).requires_grad_()
    y, last = cell.scan(u, start=torch.tensor([5, 0]))
    (y[:, 10:].sum() + last.abs().square().sum()).backward()
    assert not u.grad[0, :5].any() and u.grad[0, 5:].any(-1).all()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in cell.parameters())


@pytest.mark.parametrize("gelu", ["tanh", "none"])
@pytest.mark.parametrize("way", ["compiled", "torch", "steps"])
def test_the_block_is_the_golden_one(shared, monkeypatch, gelu, way):
    """Float64; the tanh form is the published code's, the exact one a recomputation."""
    if way == "torch":
        monkeypatch.setattr(scan, "compiled_kernels", lambda: None)
    golden = {name: torch.from_numpy(value) for name, value in np.load(shared / "golden" / "lru" / "block.npz").items()}
    block = RecurrentBlock(LRULayer(6, 8), 6, gelu=gelu).double().eval()
    ours = {
        f"cell.{name[4:]}": value for name, value in golden.items() if name.startswith("lru_") and name != "lru_out"
    }
    ours |= {"norm.weight": golden["norm_scale"], "norm.bias": golden["norm_bias"]}
    ours |= {f"mix.{part}": torch.cat([golden[f"out1_{part}"], golden[f"out2_{part}"]]) for part in ("weight", "bias")}
    block.load_state_dict(ours)
    x, expected = golden["x"], golden["y_tanh_gelu" if gelu == "tanh" else "y_exact_gelu"]
    with torch.no_grad():
        torch.testing.assert_close(block.cell(block.norm(x)), golden["lru_out"], rtol=0, atol=1e-12)
        if way == "steps":
            state, outputs = block.initial_state(len(x)), []
            for k in range(x.shape[1]):
                out, state = block.step(x[:, k], state)
                outputs.append(out)
            y = torch.stack(outputs, dim=1)
        else:
            y = block(x)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)


def test_dropout_acts_while_training_only():
    block, u = RecurrentBlock(LRULayer(4, 6), 4, dropout=0.5), torch.randn(2, 20, 4)
    assert not torch.equal(block(u), block(u))
    block.eval()
    assert torch.equal(block(u), block(u))


def test_a_block_hands_its_cells_recurrent_parameters_on():
    block = RecurrentBlock(LRULayer(4, 6), 4)
    assert [id(p) for p in block.recurrent_parameters()] == [id(p) for p in block.cell.recurrent_parameters()]
    assert GRULayer(4, 6).recurrent_parameters() == []


def test_a_cell_of_another_width_is_refused():
    with pytest.raises(ValueError, match="the cell is 4 wide and d_model is 5"):
        RecurrentBlock(LRULayer(4, 6), 5)


def test_a_stack_learns_one_step_prediction_of_sinusoids_near_its_noise():
    """60 steps on a short task: far below the last value repeated, which every cell must beat."""
    torch.manual_seed(0)
    encode, decode = torch.nn.Linear(1, 16), torch.nn.Linear(16, 1)
    blocks = [RecurrentBlock(LRULayer(16, 16, 0.9, 0.999), 16, dropout=0.0) for _ in range(2)]
    trained = torch.nn.ModuleList([encode, decode, *blocks])
    adam = torch.optim.AdamW(trained.parameters(), lr=1e-2)
    time = torch.arange(129.0)
    for _ in range(120):
        phase = 2 * torch.pi * torch.rand(16, 1)
        x = (torch.sin(2 * torch.pi * time / 12 + phase) + 0.1 * torch.randn(16, 129))[..., None]
        h = encode(x[:, :-1])
        for block in blocks:
            h = block(h)
        wrong = (decode(h) - x[:, 1:])[:, 64:].square().mean()
        adam.zero_grad()
        wrong.backward()
        adam.step()
    repeated = (x[:, :-1] - x[:, 1:])[:, 64:].square().mean()
    assert wrong < 0.25 * repeated
