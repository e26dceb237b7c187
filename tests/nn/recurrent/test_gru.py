"""GRULayer is torch.nn.GRU."""

import torch

from tsformers.nn import GRULayer


def test_outputs_and_states_are_those_of_torch():
    torch.manual_seed(0)
    layer, u = GRULayer(4, 6), torch.randn(2, 9, 4)
    states, last = layer.gru(u)
    outputs, state = layer.scan(u)
    assert torch.equal(outputs, layer.out(states))
    assert torch.equal(state, last[0])


def test_a_step_is_a_sequence_of_one():
    torch.manual_seed(0)
    layer, u = GRULayer(4, 4), torch.randn(2, 4)
    output, state = layer.step(u, layer.initial_state(2))
    assert torch.equal(output, layer(u[:, None])[:, 0])
    assert torch.equal(output, state)  # of equal widths there is no map behind the states
