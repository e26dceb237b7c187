"""Theta's kernels beside the published formulas in a plain loop, and by their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tsformers.forecasters.local.theta_kernels import (
    ALPHAS,
    dynamic_filter,
    dynamic_fit,
    dynamic_grid,
    dynamic_paths,
    initial_level,
    observed_line,
    smoothed,
    smoothing_weight,
)

SEEDS = st.integers(0, 1000)
FAST = settings(max_examples=25, deadline=None)


def published(y, horizon, alpha, level, theta):
    """One-step means (T + H,) by the recursions of Fiorucci et al. (2016), eqs. 16 to 20; forecasts feed themselves."""
    intercept = slope = mean = 0.0
    means = []
    for t in range(1, len(y) + horizon + 1):
        decay = (1 - alpha) ** (t - 1)
        means.append(level + (1 - 1 / theta) * (decay * intercept + (1 - decay * (1 - alpha)) / alpha * slope))
        value = y[t - 1] if t <= len(y) else means[-1]
        level = alpha * value + (1 - alpha) * level
        slope = ((t - 2) * slope + 6 / t * (value - mean)) / (t + 1) if t > 1 else 0.0
        mean = ((t - 1) * mean + value) / t
        intercept = mean - (t + 1) / 2 * slope
    return np.array(means)


def series(seed, rows=60):
    rng = np.random.default_rng(seed)
    return 50 + np.cumsum(rng.normal(0.3, 1, rows)) + rng.normal(0, rng.uniform(0, 2), rows)


def with_gaps(y, seed, share=0.4):
    holes = np.random.default_rng(seed).random(len(y)) < share
    holes[[0, -1]] = False
    return np.where(holes, np.nan, y)


def dense(y, alpha, level, w):
    """Loss by a dense Gaussian: values are affine in the errors of all rows, and missing rows are left out."""
    rows, seen = len(y), np.flatnonzero(np.isfinite(y))
    covariance = np.eye(rows)
    for t in range(rows):
        covariance[t, :t] = alpha
    covariance[:, 0] = 0.0  # the first value is given
    covariance = (covariance @ covariance.T)[np.ix_(seen[1:], seen[1:])]
    line = np.zeros((rows, 2))
    for t in range(rows):
        before = seen[seen <= t]
        slope = 0.0 if len(before) < 2 else np.polyfit(before + 1, y[before] - y[0], 1)[0]
        line[t] = np.mean(y[before] - y[0]) - slope * np.mean(before + 1), slope
    mean, here = np.zeros(rows), level * (1 - alpha)
    for t in range(1, rows):  # of a history whose errors are all 0 (the lines are data)
        decay = (1 - alpha) ** t
        drift = w * (decay * line[t - 1, 0] + (1 - decay * (1 - alpha)) / alpha * line[t - 1, 1])
        mean[t] = here + drift
        here += alpha * drift
    error = (y - y[0] - mean)[seen[1:]]
    return error @ np.linalg.solve(covariance, error), np.linalg.slogdet(covariance)[1]


@FAST
@given(SEEDS, st.floats(0.1, 0.99), st.floats(1, 20), st.floats(-5, 5))
def test_the_dynamic_filter_follows_the_published_recursions(seed, alpha, theta, level):
    y = series(seed)
    means = published(y - y[0], 7, alpha, level, theta)
    end = dynamic_filter(y, alpha, level, 1 - 1 / theta)
    assert end.squares == pytest.approx(np.sum((y - y[0] - means[:60])[1:] ** 2))
    ahead = dynamic_paths(60, end, alpha, 1 - 1 / theta, np.zeros(1), np.zeros((1, 7)))
    np.testing.assert_allclose(ahead[0], means[60:], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_no_search_over_all_three_parameters_is_better(seed):
    y = series(seed)

    def squares(point):
        return np.sum((y - y[0] - published(y - y[0], 0, point[1], point[0], point[2]))[1:] ** 2)

    alpha, level, w = dynamic_fit(y, 0.1, 0.99)
    ours = dynamic_filter(y, alpha, level, w).squares
    reach = 2 * np.ptp(y)  # an initial level beyond it would serve the first errors alone
    bounds = [(-reach, reach), (0.1, 0.99), (1, 1e10)]
    for start in ([0.0, 0.5, 2.0], [0.9 * level, 0.9 * alpha + 0.05, 1 / (1.0 - 0.9 * w)]):
        theirs = minimize(squares, start, method="Nelder-Mead", bounds=bounds, options={"maxiter": 800}).fun
        assert ours <= theirs * (1 + 1e-9)


@FAST
@given(SEEDS, st.floats(0.1, 0.99), st.floats(0, 1), st.floats(-3, 3))
def test_missing_rows_are_left_out_of_the_likelihood(seed, alpha, w, level):
    y = with_gaps(series(seed, 25), seed)
    end = dynamic_filter(y, alpha, level, w)
    squares, logs = dense(y, alpha, level, w)
    assert (end.squares, end.logs) == (pytest.approx(squares, rel=1e-7), pytest.approx(logs, abs=1e-9))
    plain = smoothed(y, alpha, 0.0)
    squares, logs = dense(y, alpha, 0.0, 0.0)
    assert (plain.squares, plain.logs) == (pytest.approx(squares, rel=1e-7), pytest.approx(logs, abs=1e-9))


@FAST
@given(SEEDS)
def test_the_closed_form_is_the_least_of_many_levels_and_thetas(seed):
    y = with_gaps(series(seed), seed, 0.2)
    alpha, level, w = dynamic_fit(y, 0.1, 0.99)
    best = dynamic_filter(y, alpha, level, w).squares
    reach = 2 * (np.nanmax(y) - np.nanmin(y))
    for change in (-1, -0.1, 0.1, 1):
        assert best <= dynamic_filter(y, alpha, np.clip(level + change, -reach, reach), w).squares * (1 + 1e-12)
        assert best <= dynamic_filter(y, alpha, level, np.clip(w + change, 0, 1)).squares * (1 + 1e-12)
    assert initial_level(y, alpha, w) == pytest.approx(level, abs=1e-6)


@FAST
@given(seed=SEEDS, mix=st.floats(0, 3))
def test_no_weight_of_a_fine_grid_smooths_better(seed, mix):
    rng = np.random.default_rng(seed)
    y = np.cumsum(rng.normal(size=50)) + mix * rng.normal(size=50)
    losses = [smoothed(y, alpha, 0.0).squares for alpha in np.linspace(0, 1, 501)]
    assert smoothed(y, smoothing_weight(y), 0.0).squares <= min(losses) * (1 + 1e-6)


def test_a_line_is_smoothed_with_the_weight_one():
    assert smoothing_weight(np.arange(5.0)) == 1.0
    assert observed_line(np.array([1.0, np.nan, 5.0, 7.0]), 1.0) == pytest.approx((2.0, 6.0, 3))


def test_the_variance_of_draws_is_that_of_their_own_recursion(rng):
    """The draws are linear in the errors: their variance is the sum of squared responses to one error."""
    y = series(3)
    end = dynamic_filter(y, 0.4, 0.0, 0.8)
    pulses = dynamic_paths(60, end, 0.4, 0.8, np.zeros(7), np.vstack([np.zeros(6), np.eye(6)]))
    responses = pulses[1:] - pulses[0]
    draws = dynamic_paths(60, end, 0.4, 0.8, np.zeros(40_000), rng.standard_normal((40_000, 6)))
    np.testing.assert_allclose(draws.std(axis=0), np.sqrt((responses**2).sum(axis=0)), rtol=0.02)
    assert (np.diff(draws.std(axis=0)) > 0).all()


def test_the_grid_is_the_fit_at_its_best_weight_for_every_series():
    packed = [with_gaps(series(seed, rows), seed, 0.1) for seed, rows in enumerate((60, 5, 1, 33))]
    packed[3][:4] = np.nan  # missing at the front
    offsets = np.cumsum([0, *map(len, packed)])
    forecasts, fitted = dynamic_grid(np.concatenate(packed), offsets, 4)
    for y, forecast, (alpha, w, level, sigma) in zip(packed, forecasts, fitted, strict=True):
        y = y[np.flatnonzero(np.isfinite(y))[0] :]
        assert alpha in ALPHAS
        end = dynamic_filter(y, alpha, level - y[0], w)
        np.testing.assert_allclose(
            forecast, y[0] + dynamic_paths(len(y), end, alpha, w, np.zeros(1), np.zeros((1, 4)))[0]
        )
        assert sigma == pytest.approx(np.sqrt(end.squares / max(end.n_errors - 3, 1)), abs=1e-9)
        if len(y) > 20:
            best, best_level, best_w = dynamic_fit(y, 0.02, 0.99)
            found = dynamic_filter(y, best, best_level, best_w)
            excess = end.n_errors * np.log(end.squares) + end.logs - found.n_errors * np.log(found.squares) - found.logs
            assert 0 <= excess < 0.5
    alone = dynamic_grid(packed[0], np.array([0, 60]), 4)[0]
    np.testing.assert_array_equal(alone[0], forecasts[0])


def test_a_series_without_a_value_is_forecast_nowhere():
    forecasts, fitted = dynamic_grid(np.full(3, np.nan), np.array([0, 3]), 2)
    assert np.isnan(forecasts).all() and np.isnan(fitted).all()


@FAST
@given(SEEDS, st.integers(-40, 40), st.floats(-1e4, 1e4))
def test_units_and_origins_do_not_matter(seed, power, origin):
    y = series(seed)
    offsets = np.array([0, 60])
    plain = dynamic_grid(y, offsets, 5)[0]
    np.testing.assert_array_equal(dynamic_grid(y * 2.0**power, offsets, 5)[0], plain * 2.0**power)
    np.testing.assert_allclose(dynamic_grid(y + origin, offsets, 5)[0] - origin, plain, atol=1e-6)
