"""The log mean absolute change of a window."""

import torch

from tsformers.nn.change import SMALLEST_CHANGE, log_mean_change


def test_it_is_the_logarithm_of_the_mean_absolute_change_and_finite_for_constants():
    past = torch.tensor([[[0.0, 5.0], [3.0, 5.0], [1.0, 5.0], [1.0, 5.0]]])
    expected = (torch.tensor([[[5 / 4, 0.0]]]) + SMALLEST_CHANGE).log()
    torch.testing.assert_close(log_mean_change(past), expected)
