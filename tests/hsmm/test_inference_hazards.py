"""Hazards of duration distributions and back: exactness, gradients."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from tsformers import hsmm

INF = math.inf

NAMES = ("log_initial", "log_transition", "log_continue", "log_emission")


def log(x):
    with np.errstate(divide="ignore"):
        return np.log(x)


def test_hazards_match_their_definition_and_durations_invert_them(close):
    rho = np.random.default_rng(0).dirichlet(np.ones(12), 5)
    rho[:, :3] = 0
    rho[0, 8:] = 0
    rho /= rho.sum(1, keepdims=True)
    v = hsmm.hazards(torch.tensor(log(rho)))
    later = np.flip(np.cumsum(np.flip(rho, 1), 1), 1)
    with np.errstate(invalid="ignore"):
        close(v.exp(), np.where(later > 0, 1 - rho / later, 0), 1e-12)
    assert (v[:, :3] == 0).all() and (v[:, -1] == -INF).all() and (v[0, 7:] == -INF).all()
    close(hsmm.durations(v).exp(), rho, 1e-12)
    torch.testing.assert_close(hsmm.hazards(hsmm.durations(v)), v, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(hsmm.hazards(torch.tensor(log(rho)) + 7), v, rtol=1e-12, atol=1e-12)


@given(st.lists(st.floats(-300, 300), min_size=1, max_size=12))
def test_durations_invert_hazards_of_any_logits(close, logits):
    x = torch.tensor(logits, dtype=torch.float64)
    close(hsmm.durations(hsmm.hazards(x)), x.log_softmax(0).numpy(), 1e-10)


def test_hazards_are_exact_where_one_minus_a_probability_rounds():
    """exp(-50) of the mass ends at once: v is 1 to rounding, but its logarithm is not 0; and the other way round."""
    v = hsmm.hazards(torch.tensor([-50.0, 0.0]).double())
    assert float(v[0]) == pytest.approx(-math.exp(-50), rel=1e-12)
    assert float(hsmm.durations(v)[0]) == pytest.approx(-50, rel=1e-12)
    assert float(hsmm.hazards(torch.tensor([0.0, -50.0]).double())[0]) == pytest.approx(-50, rel=1e-12)


def test_hazards_and_durations_pass_the_check_by_differences_and_give_impossible_durations_no_gradient(draw):
    logits = torch.randn(2, 5, generator=torch.Generator().manual_seed(0)).double()
    assert gradcheck(lambda x: hsmm.hazards(x)[..., :-1], (logits.clone().requires_grad_(),))
    assert gradcheck(hsmm.durations, (-logits.abs().requires_grad_(),))
    holed = logits.clone()
    holed[:, 0] = holed[0, 3:] = -INF
    holed.requires_grad_()
    parts = draw(2, 9, 2, 5)
    hsmm.log_likelihood(**parts | {"log_continue": hsmm.hazards(holed)}).sum().backward()
    assert holed.grad.isfinite().all() and holed.grad[1, 1:].all()
    assert not holed.grad[:, 0].any() and not holed.grad[0, 3:].any()
    v = hsmm.hazards(holed.detach()).requires_grad_()
    hsmm.durations(v).exp().sum().backward()
    assert v.grad.isfinite().all()
