"""Lag-1 regression on neighbours, and errors without the adjustment."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import tsformers as tsf
from tsformers.preprocessing.lag_one import (
    history_means,
    lag_one_regression,
    last_observed,
    neighbours,
    unadjusted_errors,
)


def panel_of(*series):
    frames = [pd.DataFrame({"unique_id": f"s{i}", "ds": range(len(y)), "y": y}) for i, y in enumerate(series)]
    return tsf.Panel.from_frame(pd.concat(frames), freq=1)


def test_neighbours_never_belong_to_two_series():
    panel = panel_of([1.0, 2.0, 3.0], [9.0], [5.0, 6.0])
    later, earlier, owner = neighbours(panel, panel.y)
    assert (later.tolist(), earlier.tolist(), owner.tolist()) == ([2.0, 3.0, 6.0], [1.0, 2.0, 5.0], [0, 0, 2])


def test_each_series_has_its_own_slope_and_one_without_pairs_the_mean_of_all(rng):
    e = rng.normal(size=(2, 500))
    now = np.concatenate([0.5 * e[0], -0.2 * e[1], [np.nan]])
    earlier, owner = np.concatenate([*e, [1.0]]), np.repeat([0, 1, 2], [500, 500, 1])
    found = lag_one_regression(now, earlier, owner, 3, per_series=True)
    np.testing.assert_allclose(found, [0.5, -0.2, 0.15])
    np.testing.assert_allclose(lag_one_regression(now, earlier, owner, 3, per_series=False), [0.15])


@given(st.floats(-0.95, 0.95), st.integers(1, 30))
def test_unadjusted_errors_are_an_autoregression_of_the_innovations(rho, n):
    new = np.random.default_rng(n).normal(size=(n, 2))
    e = unadjusted_errors(new, np.full(2, rho))
    np.testing.assert_allclose(e[1:] - rho * e[:-1], new[1:], atol=1e-10)
    np.testing.assert_allclose(e[0], new[0])


def test_means_and_last_values_are_those_observed():
    panel = panel_of([1.0, np.nan, 3.0, np.nan], [np.nan, 7.0])
    early = panel.until(panel.ends - np.array([0, 1]))
    assert history_means(early).tolist() == [2.0, 0.0] and last_observed(early).tolist() == [3.0, 0.0]
