"""The seasonal random walk beside a slow implementation that reads like the definition."""

from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.counter_rng import keyed_normals, series_keys
from tsformers.forecasters.local.naive_walk import History, naive_errors, naive_means, naive_samples, without_pairs

VALUE = st.one_of(st.just(np.nan), st.floats(-100, 100).map(lambda x: round(x, 2)))
SERIES = st.lists(VALUE, min_size=1, max_size=30).filter(lambda y: np.isfinite(y).any())


def packed(*series):
    lengths = [len(y) for y in series]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return History(np.concatenate(series).astype(float), offsets, offsets[1:])


def spread(y, apart):
    """Root mean square of the differences of (early, late, distance), each divided by the root of its distance."""
    squares = [(y[late] - y[early]) ** 2 / distance for early, late, distance in apart]
    return np.sqrt(np.mean(squares)) if squares else np.nan


def slow_errors(y, season):
    """The seasonal error and that of a step, by definition."""
    seen = [t for t in range(len(y)) if np.isfinite(y[t])]
    at = {lag: [(t - lag, t, 1) for t in seen if t - lag in seen] for lag in (1, season)}
    between = [(a, b, b - a) for a, b in pairwise(seen)]
    step = spread(y, at[1])
    step = step if step > 0 else spread(y, between)
    if season == 1:
        return [step, step]
    seasonal = spread(y, at[season])
    if not at[season] or (seasonal == 0 and len(at[season]) < season):
        places = [[t for t in seen if t % season == place] for place in range(season)]
        seasonal = spread(y, [(a, b, (b - a) / season) for place in places for a, b in pairwise(place)])
        seasonal = step if seasonal == 0 else seasonal
    return [seasonal, step]


def slow_path(y, season, horizon, draws):
    """One sample path (H,) of one series, step by step."""
    error, step_error = slow_errors(y, season)
    newest = max(t for t in range(len(y)) if np.isfinite(y[t]))
    first_age = 1.0
    if np.isnan(error):
        error, first_age, season, y = np.nan_to_num(step_error), len(y) - newest, 1, [y[newest]]
        newest = 0
    path = []
    for step in range(horizon):
        if step >= season:
            path.append(path[step - season] + error * draws[step])
            continue
        row, age = len(y) + step - season, first_age
        while row >= 0 and not np.isfinite(y[row]):
            row, age = row - season, age + 1
        base, age = (y[row], age) if row >= 0 else (y[newest], 1)
        path.append(base + np.sqrt(age) * error * draws[step])
    return path


@settings(max_examples=80, deadline=None)
@given(series=st.lists(SERIES, min_size=1, max_size=5), season=st.integers(1, 6), horizon=st.integers(1, 14))
def test_all_series_at_once_are_what_a_loop_over_series_gives(series, season, horizon):
    history = packed(*series)
    errors = naive_errors(history, season)
    np.testing.assert_allclose(errors, [slow_errors(y, season) for y in series], atol=1e-9)
    keys = np.arange(len(series), dtype=np.uint64)
    values = naive_samples(history, season, errors, keys, 3, horizon)
    draws = keyed_normals(keys, 3, horizon)
    draws[:, 2] = 0.0  # the odd draw is the median
    slow = [[slow_path(y, season, horizon, draws[i, s]) for s in range(3)] for i, y in enumerate(series)]
    np.testing.assert_allclose(values, slow, atol=1e-8)
    np.testing.assert_allclose(naive_means(history, season, errors, horizon), np.array(slow)[:, 2], atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(y=SERIES, season=st.integers(1, 6))
def test_only_a_constant_series_or_a_whole_repeated_season_has_no_spread(y, season):
    history = packed(y)
    errors = naive_errors(history, season)
    width = np.ptp(naive_samples(history, season, errors, np.zeros(1, np.uint64), 8, 2), axis=1)
    seen = np.array(y)[np.isfinite(y)]
    repeats = sum(np.isfinite(a) and np.isfinite(b) for a, b in zip(y, y[season:], strict=False)) >= max(season, 2)
    assert (width > 0).all() == (np.ptp(seen) > 0) or (repeats and errors[0, 0] == 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=12), st.integers(2, 9), st.integers(1, 4))
def test_the_median_of_whole_numbers_is_whole(y, n_samples, season):
    history = packed(y)
    errors = naive_errors(history, season)
    values = naive_samples(history, season, errors, np.ones(1, np.uint64), n_samples, 5)
    means = naive_means(history, season, errors, 5)
    np.testing.assert_array_equal(np.median(values, axis=1), means)
    assert not np.signbit(means[means == 0]).any()


def test_rows_after_a_history_are_not_read():
    y = np.array([1.0, 2, 3, 4, 1, 2, 3, 4, 1e9, np.nan])
    cut = History(y, np.array([0, 10]), np.array([8]))
    assert naive_errors(cut, 4)[0, 0] == 0
    np.testing.assert_array_equal(
        naive_samples(cut, 4, naive_errors(cut, 4), series_keys(pd.Index(["a"]), 0), 2, 4)[0, 0], y[:4]
    )


def test_series_without_pairs_are_named_where_they_are_long_enough():
    series = (
        [1.0, np.nan, 2.0, np.nan, 3.0],
        [1.0, 2.0],
        [1.0, np.nan, np.nan, 4.0, 5.0],
        [np.nan, 7.0, np.nan, np.nan],
    )
    assert without_pairs(packed(*series), 1).tolist() == [True, False, False, False]
    assert without_pairs(packed(*series), 3).tolist() == [True, False, False, False]
    assert without_pairs(packed(*series), 2).tolist() == [False, False, True, False]
