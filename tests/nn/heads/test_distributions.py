"""Rescaled distributions."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from tsformers.nn.heads.distributions import Rescaled


def test_rescaling_is_a_change_of_units():
    predicted = Rescaled(Normal(10.0, 2.0), torch.tensor(4.0))
    assert predicted.mean.item() == pytest.approx(2.5)
    density = predicted.log_prob(torch.tensor([2.0, 2.5])).exp()
    assert density[1] / density[0] == pytest.approx(np.exp(0.5))
