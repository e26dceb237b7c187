"""Operations of the passes in torch."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tsformers.hsmm.torch_ops import log1mexp, shares


@given(st.floats(-700, -1e-300))
def test_log1mexp_is_exact_at_both_ends(x):
    expected = math.log(-math.expm1(x)) if x > -0.6931 else math.log1p(-math.exp(x))
    assert float(log1mexp(torch.tensor(x, dtype=torch.float64))) == pytest.approx(expected, rel=1e-14)


def test_log1mexp_of_certainty_is_impossible_and_has_no_gradient():
    x = torch.zeros(1, requires_grad=True)
    value = log1mexp(x)
    assert value == -torch.inf
    value.exp().sum().backward()
    assert x.grad == 0


def test_shares_of_impossible_cells_are_zeros():
    share, total = shares(torch.full((2, 3), -torch.inf), 1)
    assert not share.any() and (total == -torch.inf).all()
