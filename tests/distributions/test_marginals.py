"""Marginals: what draws and quantiles say of one value, and what is refused."""

import numpy as np
import pytest

from tsformers.distributions.marginals import Marginals


def test_the_expected_value_is_the_mean_of_draws_and_the_median_of_quantiles():
    values = np.array([[0.0, 1.0, 5.0]])
    assert Marginals(values).expected == 2.0
    assert Marginals(values, (0.2, 0.5, 0.8)).expected == 1.0


def test_a_point_forecast_is_the_expected_value_and_has_no_width():
    marginals = Marginals(np.array([[3.0]]), (0.5,))
    assert marginals.expected == 3.0
    assert marginals.interval(0.9) == (3.0, 3.0)


def test_the_order_of_draws_does_not_matter_and_the_callers_array_is_left_alone():
    draws = np.array([[3.0, 1.0, 2.0]])
    assert np.array_equal(Marginals(draws).values, Marginals(np.sort(draws)).values)
    assert draws.tolist() == [[3.0, 1.0, 2.0]]


def test_rows_are_taken_in_the_order_asked():
    marginals = Marginals(np.array([[1.0, 2.0], [3.0, 4.0]]), (0.25, 0.75))
    taken = marginals.take(np.array([1, 0, 1]))
    assert taken.expected.tolist() == [3.5, 1.5, 3.5]
    assert taken.levels == marginals.levels


def test_a_row_with_a_missing_draw_is_missing_and_changes_no_other():
    marginals = Marginals(np.array([[np.nan, 1.0, 2.0], [0.0, 1.0, 2.0]]))
    assert np.isnan(marginals.expected).tolist() == [True, False]
    assert np.isnan(marginals.quantile(0.9)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "levels", "reason"),
    [
        (np.zeros(3), None, "one row"),
        (np.zeros((2, 0)), None, "one row"),
        (np.zeros((2, 2)), (0.5,), "2 columns"),
        (np.zeros((2, 2)), (0.5, 0.4), "increasing"),
        (np.zeros((2, 2)), (0.0, 0.4), "inside"),
    ],
)
def test_values_and_levels_that_do_not_fit_are_refused(values, levels, reason):
    with pytest.raises(ValueError, match=reason):
        Marginals(values, levels)


def test_a_coverage_of_one_is_refused():
    with pytest.raises(ValueError, match="coverage"):
        Marginals(np.zeros((1, 2))).interval(1.0)
