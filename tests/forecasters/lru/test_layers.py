"""Cells of LRU before training."""

import math

import numpy as np
import pytest

import tsformers as tsf
from tsformers.forecasters.lru.layers import make_cell


def sizes_of(**settings):
    """Sizes with the defaults of LRU."""
    return tsf.LRU(horizon=4, **settings).sizes()


def test_some_states_are_initialised_at_the_seasonal_frequencies():
    layer = make_cell(sizes_of(d_model=4, d_state=32, periods=(24.0, 168.0)), 336)
    found = layer.eigenvalues()[:8]
    wanted = [2 * math.pi * j / period for period in (24, 168) for j in range(1, 5)]
    np.testing.assert_allclose(found.angle().detach(), wanted, rtol=1e-5)
    np.testing.assert_allclose(found.abs().detach(), 0.999, rtol=1e-5)


@pytest.mark.parametrize(("context", "low", "high"), [(200, 0.5, 0.99), (201, 0.9, 0.999)])
def test_longer_contexts_have_longer_memories_before_training(context, low, high):
    size = make_cell(sizes_of(d_state=400), context).eigenvalues().abs()
    assert low <= size.min() < low + 0.05 * (high - low) + 0.01 and high - 0.01 < size.max() <= high
    chosen = make_cell(sizes_of(d_state=400, r_min=0.2, r_max=0.3), context).eigenvalues().abs()
    assert chosen.min() >= 0.2 and chosen.max() <= 0.3
