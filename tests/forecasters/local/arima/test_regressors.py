"""Columns of covariates: unit, origin, and what they add."""

import numpy as np

from tsformers.forecasters.local.arima.regressors import independent, standard, standardised


def test_unit_and_origin_of_a_column_change_nothing(rng):
    x, observed = rng.normal(size=(50, 2)), np.ones(50, dtype=bool)
    moved = x * [1e6, 1e-6] + [1e3, -5.0]
    ones = standardised(x, standard(x, observed))
    np.testing.assert_allclose(standardised(moved, standard(moved, observed)), ones, atol=1e-6)


def test_a_column_that_does_not_vary_where_y_is_observed_is_left_out():
    x = np.array([[1.0, 2.0], [1.0, 3.0], [7.0, 4.0]])
    assert standard(x, np.array([True, True, False])).kept.tolist() == [1]
    assert standard(np.full((3, 1), 0.1) * 3, np.ones(3, dtype=bool)).kept.tolist() == []


def test_combinations_of_other_columns_are_left_out(rng):
    a, b = rng.normal(size=(2, 40))
    columns = np.vstack([a, 2 * a + 1, b, a - 3 * b])
    assert independent(columns, np.ones((1, 40))).tolist() == [0, 2]
    assert independent(columns, np.zeros((1, 40))).tolist() == [0, 1, 2]
