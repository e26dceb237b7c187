"""The recurrences of REDSDS: compiled loops against torch, values and gradients."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import tsformers.forecasters.redsds.recurrences as recurrences


def posterior_weights(m=2, r=5, hidden=7):
    torch.manual_seed(0)
    shapes = ((m, r), (r, r), (r, hidden), (hidden,), (hidden, 2 * m), (2 * m,))
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


def test_the_compiled_posterior_is_the_loop_in_torch_and_so_is_its_gradient():
    weights = posterior_weights()
    inputs = torch.randn(3, 6, 5, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(3, 6, 2, dtype=torch.float64)

    def drawn(inputs, *weights):
        return recurrences.posterior_scan(inputs, noise, recurrences.PosteriorWeights(*weights))

    expected = recurrences.posterior_steps(inputs, noise, recurrences.PosteriorWeights(*weights))
    for one, other in zip(drawn(inputs, *weights), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradcheck(drawn, (inputs, *weights))


def test_the_gated_units_are_those_of_torch_and_so_is_their_gradient():
    torch.manual_seed(0)
    ours, theirs = (
        recurrences.BidirectionalGRU(3, 4).double(),
        nn.GRU(3, 4, batch_first=True, bidirectional=True).double(),
    )
    with torch.no_grad():
        for way, end in enumerate(("", "_reverse")):
            part = slice(12 * way, 12 * way + 12)
            getattr(theirs, f"weight_ih_l0{end}").copy_(ours.read.weight[part])
            getattr(theirs, f"bias_ih_l0{end}").copy_(ours.read.bias[part])
            getattr(theirs, f"weight_hh_l0{end}").copy_(ours.weight[way].t())
            getattr(theirs, f"bias_hh_l0{end}").copy_(ours.bias[way])
    values = torch.randn(2, 7, 3, dtype=torch.float64)
    torch.testing.assert_close(ours(values), theirs(values)[0], rtol=1e-12, atol=1e-12)
    gates = torch.randn(2, 5, 12, dtype=torch.float64, requires_grad=True)
    weight, bias = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((4, 12), (12,)))
    torch.testing.assert_close(
        recurrences.gated_scan(gates, weight, bias),
        recurrences.gated_steps(gates, weight, bias),
        rtol=1e-12,
        atol=1e-12,
    )
    assert torch.autograd.gradcheck(recurrences.gated_scan, (gates, weight, bias))


@given(st.integers(1, 6), st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_padding_after_a_sequence_does_not_change_what_is_read_of_it(short, long):
    torch.manual_seed(0)
    units = recurrences.BidirectionalGRU(2, 3).double()
    values = torch.randn(1, max(short, long), 2, dtype=torch.float64)
    padded = units(values, torch.tensor([short]))[:, :short]
    torch.testing.assert_close(padded, units(values[:, :short]), rtol=1e-12, atol=1e-12)
