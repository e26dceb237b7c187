"""Networks whose forward pass gives a distribution."""

import torch

from tsformers.data.windows import Window
from tsformers.forecasters.neural import DistributionNetwork
from tsformers.testing import make_window


def test_missing_targets_never_reach_a_distribution_that_refuses_them():
    class Positive(DistributionNetwork):
        def forward(self, window):
            return torch.distributions.Exponential(torch.ones(4, 4, 1), validate_args=True)

    window = make_window(4, 8, 4)
    window = window._replace(future=torch.where(window.future_observed, window.future.abs() + 0.1, -5.0))
    loss = Positive().loss(window)
    expected = (window.future * window.future_observed).sum(dim=(1, 2)) / window.future_observed.sum(dim=(1, 2))
    assert torch.allclose(loss, expected)


def test_windows_of_the_contract_have_no_scale():
    assert Window._fields[:7] == ("past", "past_observed", "past_x", "future", "future_observed", "future_x", "series")
    assert make_window().scale is None
