"""One pass of exponential smoothing beside plain loops, statsmodels and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.forecasters.local.ets.kernels import (
    BETA,
    GAMMA,
    LEVEL,
    PHI,
    SEASON,
    SLOPE,
    admissible,
    fill_gains,
    gains_of,
    natural_weights,
    smooth,
)
from tsformers.forecasters.local.ets.optimiser import evaluate
from tsformers.forecasters.local.ets.states import FAMILY, Spec, first_states, model_of

M = 4
FRACTION = st.floats(0.02, 0.95)


def series(seed, n=40):
    rng = np.random.default_rng(seed)
    return np.exp(np.cumsum(rng.normal(0, 0.04, n))) * (1 + 0.3 * np.tile([1.0, -1.0, 0.5, -0.5], n // M))


def point(spec, y, alpha=0.4, beta=0.3, gamma=0.2, phi=0.9):
    """A model and slots inside its box."""
    model = model_of(spec, y, M)
    x = first_states(model, y)
    x[:4] = alpha, beta * (spec.trend is not None), gamma * (spec.seasonal is not None), phi if spec.damped_trend else 1
    x[SLOPE] = 0.01 * (spec.trend is not None)
    return model, x


def deviance(y, model, x):
    return evaluate(y, model, x, np.zeros(3 + model.m), bool(np.isnan(y).any())).value


def plain_loglik(y, spec, x):
    """The textbook's recursions, in words of the textbook."""
    alpha, beta, gamma, phi = natural_weights(x)
    level, slope = x[LEVEL], x[SLOPE]
    neutral = 1.0 if spec.seasonal == "mul" else 0.0
    season = [*x[SEASON:], M * neutral - x[SEASON:].sum()] if spec.seasonal else [neutral]
    errors, sizes = [], []
    for value in y:
        line, s = level + phi * slope, season.pop(0)
        mu = line * s if spec.seasonal == "mul" else line + s
        error = value - mu if spec.error == "add" else (value - mu) / mu
        size = 1.0 if spec.error == "add" else mu
        if spec.seasonal == "mul":
            level, slope, s = line * (1 + alpha * error), phi * slope + beta * line * error, s * (1 + gamma * error)
        else:
            level, slope, s = line + alpha * size * error, phi * slope + beta * size * error, s + gamma * size * error
        season.append(s)
        errors.append(error)
        sizes.append(size)
    n, errors = len(y), np.array(errors)
    return -0.5 * n * (np.log(2 * np.pi * np.mean(errors**2)) + 1) - np.log(sizes).sum()


def statsmodels_loglik(y, spec, x):
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    alpha, beta, gamma, phi = natural_weights(x)
    neutral = M if spec.seasonal == "mul" else 0
    model = ETSModel(
        y, **spec._asdict(), seasonal_periods=M if spec.seasonal else None, initialization_method="known",
        initial_level=x[LEVEL], initial_trend=x[SLOPE] if spec.trend else None,
        initial_seasonal=[*x[SEASON:], neutral - x[SEASON:].sum()] if spec.seasonal else None,
    )  # fmt: skip
    weights = [alpha, *([beta] if spec.trend else []), *([gamma] if spec.seasonal else [])]
    return model.smooth([*weights, *([phi] if spec.damped_trend else [])]).llf


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(FAMILY), FRACTION, FRACTION, FRACTION, st.floats(0.8, 0.98), st.integers(0, 99))
def test_the_likelihood_is_that_of_plain_loops_and_of_statsmodels(spec, alpha, beta, gamma, phi, seed):
    y = series(seed)
    model, x = point(spec, y, alpha, beta, gamma, phi)
    ours = -0.5 * deviance(y, model, x)
    if np.isfinite(ours):
        assert ours == pytest.approx(plain_loglik(y, spec, x), abs=1e-8)
        if spec.seasonal == "mul":  # statsmodels divides by the new level there, the taxonomy and R by the old one
            x[GAMMA] = 0.0
        assert -0.5 * deviance(y, model, x) == pytest.approx(statsmodels_loglik(y, spec, x), abs=1e-6)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("spec", FAMILY, ids=str)
def test_gradients_are_those_of_finite_differences(spec, gaps):
    y = series(1)
    if gaps:
        y[[3, 4, 5, 11, 20, 33]] = np.nan
    model, x = point(spec, y)
    gradient = evaluate(y, model, x, np.zeros(3 + model.m), gaps).gradient
    for column, slot in enumerate(model.columns):
        step = np.zeros(len(x))
        step[slot] = 1e-5
        expected = (deviance(y, model, x + step) - deviance(y, model, x - step)) / 2e-5
        assert gradient[column] == pytest.approx(expected, abs=1e-4 * np.abs(gradient).max())


def test_without_gaps_the_gains_are_the_weights():
    y = series(2)
    model, x = point(Spec("add", "add", True, "add"), y)
    gains, spread, after = np.empty((len(y), 3)), np.empty(len(y)), np.empty(3 + M)
    fill_gains(y, M, x, np.zeros(3 + M), gains, spread, after)
    np.testing.assert_allclose(gains, np.tile(natural_weights(x)[:3], (len(y), 1)), atol=1e-15)
    np.testing.assert_array_equal(spread, 1.0)
    np.testing.assert_allclose(after, 0.0, atol=1e-15)
    np.testing.assert_array_equal(gains_of(y, model, x, np.zeros(3 + M), False).gains[0], gains[0])


@pytest.mark.parametrize("damped", [False, True])
def test_gaps_are_filtered_as_by_the_full_kalman_filter(damped):
    y = np.cumsum(np.random.default_rng(3).normal(size=30)) + 10
    y[[4, 5, 6, 12, 20, 21]] = np.nan
    model, x = point(Spec("add", "add", damped, None), y)
    alpha, beta, _, phi = natural_weights(x)
    move, w, g = np.array([[1, phi], [0, phi]]), np.array([1, phi]), np.array([alpha, beta])
    state, cov, squares, logs = x[[LEVEL, SLOPE]], np.zeros((2, 2)), [], []
    for value in y:
        error, v = value - w @ state, w @ cov @ w + 1
        gain = (move @ cov @ w + g) / v
        state, cov = move @ state, move @ cov @ move.T + np.outer(g, g)
        if np.isfinite(value):
            state, cov = state + gain * error, cov - v * np.outer(gain, gain)
            squares.append(error**2 / v)
            logs.append(np.log(v))
    expected = len(squares) * (np.log(2 * np.pi * np.mean(squares)) + 1) + sum(logs)
    found = evaluate(y, model, x, np.zeros(4), True)
    assert found.value == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(found.states[:2], state, atol=1e-10)
    np.testing.assert_allclose(found.variances[:3], cov[[0, 0, 1], [0, 1, 1]], atol=1e-12)


def test_a_model_with_relative_errors_cannot_pass_zero():
    y = np.array([1.0, 0.9, 0.8, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    model, x = point(Spec("mul", "add", False, None), y, alpha=0.01, beta=0.0)
    x[LEVEL], x[SLOPE] = 1.0, -0.2
    by = gains_of(y, model, x, np.zeros(4), False)
    assert smooth(y, model, x, by).total == np.inf


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([4, 7, 12]), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.8, 0.9, 1.0]))
def test_weights_are_admissible_where_old_errors_do_not_grow(m, alpha, beta, gamma, phi):
    x = np.array([alpha, beta, gamma, phi])
    alpha, beta, gamma, phi = natural_weights(x)
    move, w, g = np.zeros((2 + m, 2 + m)), np.zeros(2 + m), np.zeros(2 + m)
    move[:2, :2], w[:2], g[:3] = [[1, phi], [0, phi]], [1, phi], [alpha, beta, gamma]
    move[2, -1] = w[-1] = 1.0
    move[3:, 2:-1] = np.eye(m - 1)
    greatest = np.abs(np.linalg.eigvals(move - np.outer(g, w))).max()
    if abs(greatest - 1) > 1e-4:
        assert admissible(x, m) == (greatest < 1)


def test_a_season_with_a_constant_slope_is_admissible():
    for alpha in (0.0, 0.3, 1.0):
        for gamma in (0.0, 0.5, 1.0):
            x = np.array([alpha, 0.0, gamma, 1.0])
            assert admissible(x, 12) and x[BETA] == 0 and x[GAMMA] == gamma and x[PHI] == 1
