"""Boxes and starts of exponential smoothing."""

import numpy as np
import pytest

from tsformers.forecasters.local.ets.kernels import LEVEL, PHI, SEASON, SLOPE
from tsformers.forecasters.local.ets.optimiser import evaluate
from tsformers.forecasters.local.ets.states import (
    FAMILY,
    Spec,
    contained,
    first_states,
    model_of,
    natural,
    weight_starts,
)


def test_the_family_holds_all_models_but_explosive_ones():
    assert len(FAMILY) == len(set(FAMILY)) == 15
    assert not any(spec.error == "add" and spec.seasonal == "mul" for spec in FAMILY)


def test_absent_parts_have_no_free_slots():
    y = np.arange(1.0, 25.0)
    columns = {spec: model_of(spec, y, 4).columns.tolist() for spec in FAMILY}
    assert columns[Spec("add", None, False, None)] == [0, LEVEL]
    assert columns[Spec("mul", "add", True, None)] == [0, 1, PHI, LEVEL, SLOPE]
    assert columns[Spec("mul", None, False, "mul")] == [0, 2, LEVEL, SEASON, SEASON + 1, SEASON + 2]
    assert all(model_of(spec, y, 4).m == (4 if spec.seasonal else 1) for spec in FAMILY)


def test_a_place_without_values_has_no_slot():
    y = np.tile([1.0, 2.0, np.nan, 3.0], 5)[:-1]
    model = model_of(Spec("add", None, False, "add"), y[:-1], 4)
    assert model.places.tolist() == [0, 1, 3] and len(model.low) == SEASON + 2


@pytest.mark.parametrize("kind", ["add", "mul"])
def test_the_first_season_is_found_with_a_trend_and_missing_rows(kind):
    t, shape = np.arange(36), np.tile([0.5, 1.5, 0.8, 1.2], 9)
    y = (100 + 2.0 * t) * shape if kind == "mul" else 100 + 2.0 * t + 50 * shape
    y[[3, 8]] = np.nan
    model = model_of(Spec("mul", "add", False, kind), y / 100, 4)
    x = first_states(model, y / 100)
    expected = shape[:3] if kind == "mul" else 0.5 * (shape[:3] - 1)
    np.testing.assert_allclose(x[SEASON:], expected, atol=0.03)


def test_starts_differ_in_the_weights_that_a_model_has():
    y = np.arange(1.0, 25.0)
    for spec in FAMILY:
        model = model_of(spec, y, 4)
        starts = weight_starts(model, first_states(model, y))
        assert len(np.unique(starts, axis=0)) == len(starts) >= 5
        assert (starts >= model.low).all() and (starts <= model.high).all()


def test_a_larger_model_starts_at_the_likelihood_of_a_smaller_one():
    y = np.exp(np.sin(np.arange(24.0))) + 1
    small = model_of(Spec("mul", None, False, None), y, 4)
    x = first_states(small, y)
    x[0] = 0.4
    value = evaluate(y, small, x, np.zeros(4), False).value
    for spec in FAMILY:
        if spec.error == "mul" and not spec.damped_trend:
            large = model_of(spec, y, 4)
            start = contained(large, x, 1)
            assert evaluate(y, large, start, np.zeros(3 + large.m), False).value == pytest.approx(value, abs=1e-9)
    other = contained(model_of(Spec("add", None, False, None), 2 * y + 3, 1), x, 1, 3.0, 2.0)
    assert other[LEVEL] == pytest.approx(2 * x[LEVEL] + 3)
    np.testing.assert_allclose(natural(other), [0.4, 0, 0, 1])
