"""Which windows are held out, what they are worth, and how many would do."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tsformers as tsf
from tsformers.compose.held_out import rows_held_out
from tsformers.compose.window_plan import (
    USUAL_CORRELATION,
    WindowPlan,
    expected_error,
    independent_windows,
    plan_windows,
    windows_needed,
)


def panel_of(*lengths):
    return tsf.Panel.from_frame(
        pd.concat(pd.DataFrame({"unique_id": i, "ds": range(n), "y": 1.0}) for i, n in enumerate(lengths))
    )


@given(rows=st.integers(4, 400), horizon=st.integers(1, 30), windows=st.integers(1, 60))
def test_a_third_of_the_rows_is_held_out_at_most_and_windows_overlap_no_more_than_needed(rows, horizon, windows):
    plan = plan_windows(panel_of(rows), horizon, windows, None)
    held = rows_held_out(horizon, plan.windows, plan.stride)
    assert 1 <= plan.windows <= windows and 1 <= plan.stride <= horizon
    assert held <= rows / 3 or plan.windows == 1
    if plan.windows == windows > 1 and plan.stride < horizon:
        assert rows_held_out(horizon, windows, plan.stride + 1) > rows // 3 - windows
    if plan.windows < windows:
        assert plan.stride == 1 and plan.windows == plan.room


def test_windows_of_many_series_lie_no_further_back_than_needed():
    strides = [plan_windows(panel_of(*[300] * n), 12, 20, None).stride for n in (1, 20, 150, 600)]
    assert strides[0] == 4 and strides[-1] == 1 and strides == sorted(strides, reverse=True)


def test_a_stride_that_is_given_leaves_the_windows_as_asked():
    plan = plan_windows(panel_of(30), 4, 20, 4)
    assert (plan.windows, plan.stride) == (20, 4)


def test_series_that_would_keep_less_than_half_of_their_rows_are_left_out():
    plan = plan_windows(panel_of(60, 60, 60, 29, 30), 6, 10, None)
    assert rows_held_out(6, plan.windows, plan.stride) == 15
    assert plan.series.tolist() == [0, 1, 2, 4]
    assert plan_windows(panel_of(5, 5), 4, 20, None).series.tolist() == [0, 1]


def test_independent_windows_count_one_by_one():
    pit = np.random.default_rng(0).uniform(size=(40, 1, 3))
    np.testing.assert_allclose(independent_windows(pit, stride=3), 40.0)
    np.testing.assert_allclose(independent_windows(pit, stride=1), [40, 1 + 39 / 2, 1 + 39 / 3])


def test_series_that_err_together_count_as_one_and_others_nearly_by_themselves():
    rng = np.random.default_rng(1)
    alike = np.repeat(rng.uniform(size=(60, 1, 2)), 50, axis=1)
    apart = rng.uniform(size=(60, 50, 2))
    assert independent_windows(alike, 2).max() < 1.1 * 60
    assert independent_windows(apart, 2).min() > 0.5 * 60 * 50


def test_one_window_is_worth_what_panels_usually_are():
    pit = np.random.default_rng(2).uniform(size=(1, 400, 1))
    assert independent_windows(pit, 1)[0] == pytest.approx(400 / (1 + 399 * USUAL_CORRELATION))


def test_missing_values_count_for_nothing():
    pit = np.random.default_rng(3).uniform(size=(10, 4, 2))
    pit[:, :, 1] = np.nan
    pit[5:, :, 0] = np.nan
    found = independent_windows(pit, 2)
    assert found[1] == 0 and found[0] <= 5 * 4
    np.testing.assert_array_equal(independent_windows(np.full((3, 2, 2), np.nan), 1), [0, 0])


def test_the_error_of_coverage_falls_with_windows_to_two_points_at_the_number_needed():
    plan = WindowPlan(20, 4, np.arange(1), 500)
    for miss, weight in ((0.0, 200.0), (0.2, 200.0), (0.2, 5.0)):
        needed = windows_needed(plan, 20.0, miss, weight)
        assert float(expected_error(needed, miss, weight)) == pytest.approx(0.02, abs=2e-5)
        assert float(expected_error(needed - 20, miss, weight)) > 0.02
    assert windows_needed(plan, 1e6, 0.0, 200.0) == 20
