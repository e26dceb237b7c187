"""Branchless exponentials against numpy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tsformers.hsmm.exponentials import exponential, one_less


@given(st.floats(-708, 709))
def test_exponentials_are_those_of_numpy(x):
    assert abs(exponential(x) - np.exp(x)) <= 2e-15 * np.exp(x)


@given(st.floats(-800, -1e-12))
def test_one_less_keeps_the_digits_near_zero(x):
    assert abs(one_less(x) + np.expm1(x)) <= 2e-15 * abs(np.expm1(x))


def test_below_the_smallest_normal_number_the_answers_are_zero_and_one():
    assert exponential(-709.0) == 0.0 and one_less(-709.0) == 1.0
