"""Initial states of exponential smoothing on another history than that of fit."""

import numpy as np
import pytest

from tsformers.forecasters.local.seasonal_profile import profile_at
from tsformers.forecasters.local.smoothing_states import candidate_states, prepend_season


def test_initial_states_are_estimated_from_a_line_and_a_season():
    terms = np.array([5.0, -1.0, -4.0, 0.0])
    learned = {"level": 1.0, "slope": 2.0, "seasonals": terms, "seasonal": "add"}
    y = 100 + 3.0 * np.arange(1, 31) + profile_at(terms, 2, 30)
    (_, _, shifted), (level, slope, suggested) = candidate_states(learned, y, 2)
    np.testing.assert_array_equal(shifted, [-4.0, 0.0, 5.0, -1.0])
    np.testing.assert_allclose(suggested, shifted, atol=1e-9)
    assert (level, slope) == pytest.approx((100.0, 3.0))


def test_a_short_history_keeps_the_learned_season():
    learned = {"level": 1.0, "slope": 2.0, "seasonals": np.array([2.0, 0.5]), "seasonal": "mul"}
    _, (level, slope, terms) = candidate_states(learned, np.array([40.0]), 1)
    np.testing.assert_array_equal(terms, [0.5, 2.0])
    assert (level, slope) == (80.0 - 2.0, 2.0)


@pytest.mark.parametrize("kind", ["add", "mul"])
@pytest.mark.parametrize("phi", [1.0, 0.8])
def test_what_is_put_before_a_short_history_leads_to_the_same_states(phi, kind):
    states = (100.0, 2.0, np.array([1.5, 0.5, 1.0]))
    before, (level, slope, _) = prepend_season({"phi": phi, "seasonal": kind}, np.array([7.0]), states)
    assert len(before) == 4 and before[-1] == 7
    for value, term in zip(before[:3], states[2], strict=True):
        slope *= phi
        level += slope
        assert value == pytest.approx(level * term if kind == "mul" else level + term)
    assert (level, slope) == pytest.approx(states[:2])


def test_a_history_longer_than_a_season_is_not_extended():
    y = np.arange(4.0)
    states = (1.0, 2.0, np.zeros(3))
    assert prepend_season({"phi": 1.0, "seasonal": "add"}, y, states)[0] is y
