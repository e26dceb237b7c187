"""Learning-rate schedules: where they rise, fall and halve."""

import numpy as np
import pytest

from tsformers.training.schedule import rate_at


def test_the_learning_rate_rises_and_falls():
    rates = [rate_at(step, 100, "cosine", 10) for step in range(100)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert np.all(np.diff(rates[5:]) < 0)
    assert rates[-1] < 1e-3
    assert rate_at(50, 100, "constant", 10) == 1


def test_halving_begins_after_two_whole_epochs():
    rates = [rate_at(step, 50, "halving", 10) for step in range(50)]
    assert rates == [1] * 20 + [0.5] * 10 + [0.25] * 10 + [0.125] * 10
