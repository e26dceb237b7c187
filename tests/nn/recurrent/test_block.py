"""The recurrent block against its golden vector; dropout, parameters, learning."""

import numpy as np
import pytest
import torch

import tsformers.nn.recurrent.scan as scan
from tsformers.nn import GRULayer, LRULayer, RecurrentBlock


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


def test_a_block_has_the_recurrent_parameters_of_its_cell():
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
