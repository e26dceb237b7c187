"""Greedy weights: they sum to one, find the best mean, and stay near equal where windows are few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tsformers.compose.auto.weights import Scored, greedy_weights, losses_of, scores_of
from tsformers.scoring.quantile import weighted_quantile_loss

LEVELS = np.array([0.1, 0.5, 0.9])


def cells(y):
    size = np.full(len(y), 1 / np.abs(y).sum())
    return Scored(y, size, np.full(len(y), 1 / len(y)), LEVELS)


@settings(max_examples=40, deadline=None)
@given(arrays(float, (3, 8, 3), elements=st.floats(-5, 5)), st.integers(1, 500))
def test_weights_are_a_distribution_and_no_worse_than_the_start(candidates, n_windows):
    candidates = np.sort(candidates, axis=2)
    scored = cells(np.linspace(1, 2, 8))
    reference = losses_of(candidates[:1], scored)[0] + 0.1
    weights = greedy_weights(candidates, scored, reference, n_windows)
    assert weights.sum() == pytest.approx(1) and (weights >= 0).all()
    mixed = scores_of(losses_of(np.tensordot(weights, candidates, axes=1)[None], scored), reference)[0]
    alone = scores_of(losses_of(candidates, scored), reference)
    assert mixed <= alone.max() * (1 + 1e-6) + 0.02  # 0.02: what trimming small weights may cost


def test_the_loss_is_the_weighted_quantile_loss():
    rng = np.random.default_rng(0)
    y, quantiles = rng.normal(size=20), np.sort(rng.normal(size=(20, 3)), axis=1)
    found = losses_of(quantiles[None], cells(y))[0, 0]
    assert found == pytest.approx(float(weighted_quantile_loss(y, quantiles, LEVELS)), rel=1e-12)


def test_with_few_windows_weights_are_near_equal_and_with_many_they_follow_the_scores():
    rng = np.random.default_rng(1)
    y = rng.normal(10, 1, size=400)
    good, fair = y[:, None] + 0.5 * (LEVELS - 0.5), y[:, None] + 0.55 * (LEVELS - 0.5)
    candidates, scored = np.stack([good, fair]), cells(y)
    few, many = (greedy_weights(candidates, scored, np.ones(2), n)[0] for n in (1, 10_000))
    assert 0.5 < few < 0.55 and many > 0.95
