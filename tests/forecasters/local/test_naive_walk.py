"""The seasonal random walk beside a slow implementation that reads like the definition."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.counter_rng import keyed_normals, series_keys
from tsformers.forecasters.local.naive_walk import History, naive_errors, naive_samples

VALUE = st.one_of(st.just(np.nan), st.floats(-100, 100).map(lambda x: round(x, 2)))
SERIES = st.lists(VALUE, min_size=1, max_size=30).filter(lambda y: np.isfinite(y).any())


def packed(*series):
    lengths = [len(y) for y in series]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return History(np.concatenate(series).astype(float), offsets, offsets[1:])


def slow_errors(y, lag):
    changes = [y[t] - y[t - lag] for t in range(lag, len(y)) if np.isfinite(y[t]) and np.isfinite(y[t - lag])]
    return np.sqrt(np.mean(np.square(changes))) if changes else np.nan


def slow_path(y, season, horizon, draws):
    """One sample path (H,) of one series, step by step."""
    error = slow_errors(y, season)
    newest = max(t for t in range(len(y)) if np.isfinite(y[t]))
    if np.isnan(error):
        season, error = 1, np.nan_to_num(slow_errors(y, 1))
    path = []
    for step in range(horizon):
        if step >= season:
            path.append(path[step - season] + error * draws[step])
            continue
        row, age = len(y) + step - season, 1
        while row >= 0 and not np.isfinite(y[row]):
            row, age = row - season, age + 1
        base, age = (y[row], age) if row >= 0 else (y[newest], 1)
        path.append(base + np.sqrt(age) * error * draws[step])
    return path


@settings(max_examples=50, deadline=None)
@given(series=st.lists(SERIES, min_size=1, max_size=5), season=st.integers(1, 6), horizon=st.integers(1, 14))
def test_all_series_at_once_are_what_a_loop_over_series_gives(series, season, horizon):
    history = packed(*series)
    errors = naive_errors(history, season)
    expected = [[slow_errors(y, season), slow_errors(y, 1)] for y in series]
    np.testing.assert_allclose(errors, expected, atol=1e-9)
    keys = np.arange(len(series), dtype=np.uint64)
    values = naive_samples(history, season, errors, keys, 3, horizon)
    draws = keyed_normals(keys, 3, horizon)
    slow = [[slow_path(y, season, horizon, draws[i, s]) for s in range(3)] for i, y in enumerate(series)]
    np.testing.assert_allclose(values, slow, atol=1e-8)


def test_rows_after_a_history_are_not_read():
    y = np.array([1.0, 2, 3, 4, 1, 2, 3, 4, 1e9, np.nan])
    cut = History(y, np.array([0, 10]), np.array([8]))
    assert naive_errors(cut, 4)[0, 0] == 0
    np.testing.assert_array_equal(
        naive_samples(cut, 4, naive_errors(cut, 4), series_keys(pd.Index(["a"]), 0), 2, 4)[0, 0], y[:4]
    )
