"""Student t head."""

import pytest
import torch

from tsformers.nn.heads.make import make_head


def test_the_student_head_recovers_centre_and_spread_and_the_heavy_tail(fitted):
    y = 1 + 2 * torch.distributions.StudentT(3.0).sample((1000,))
    predicted = fitted(make_head("student_t", 4, 1), y)
    assert predicted.loc.item() == pytest.approx(1, abs=0.1)
    assert predicted.scale.item() == pytest.approx(2, abs=0.15)
    assert 2 < predicted.df.item() < 4.5
