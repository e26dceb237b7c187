"""Last observation carried forward."""

import torch

from tsformers.nn import carry_forward


def test_gaps_hold_the_last_observed_value_and_the_beginning_the_first():
    values = torch.tensor([0.0, 3.0, 0.0, 5.0, 0.0]).view(1, 5, 1)
    observed = torch.tensor([False, True, False, True, False]).view(1, 5, 1)
    assert carry_forward(values, observed).flatten().tolist() == [3.0, 3.0, 3.0, 5.0, 5.0]


def test_channels_are_filled_apart_and_one_without_values_stays():
    values = torch.tensor([[1.0, 7.0], [0.0, 8.0], [2.0, 9.0]])[None]
    observed = torch.tensor([[True, False], [False, False], [True, False]])[None]
    filled = carry_forward(values, observed)
    assert filled[0, :, 0].tolist() == [1.0, 1.0, 2.0]
    assert torch.equal(filled[0, :, 1], torch.full((3,), 7.0))


def test_complete_windows_are_returned_as_they_are():
    values = torch.randn(2, 4, 3)
    assert carry_forward(values, torch.ones(2, 4, 3, dtype=torch.bool)) is values
