"""Dynamic Theta with its weight averaged over a grid, beside the model written out row by row."""

import importlib.util

import numpy as np
import pytest

from tsformers.forecasters.blend.bases.dynamic_theta import ALPHAS, LEAST_WEIGHT, dynamic_theta


def forecast(d, horizon):
    path = np.empty(horizon)
    dynamic_theta(np.asarray(d, float), np.empty((2, len(d))), path)
    return path


def line_at(history):
    """Intercept and slope of the least-squares line, times from 1."""
    if len(history) == 1:
        return history[0], 0.0
    slope, intercept = np.polyfit(np.arange(1, len(history) + 1), history, 1)
    return intercept, slope


def errors_of(y, alpha, level, w):
    """One-step errors from row 1 on of Fiorucci et al., section 3.2, with the lines of the past, and the last level."""
    q, errors = 1 - alpha, []
    level = alpha * y[0] + q * level
    for t in range(1, len(y)):
        a, b = line_at(y[:t])
        errors.append(y[t] - level - w * (q**t * a + (1 - q ** (t + 1)) / alpha * b))
        level = alpha * y[t] + q * level
    return np.array(errors), level


def fitted(y, alpha, reach):
    """Level and w of least squares, level within ``reach`` of 0 and w in [0, 1], by the corners of a quadratic form."""
    base = errors_of(y, alpha, 0.0, 0.0)[0]
    p, h = base - errors_of(y, alpha, 1.0, 0.0)[0], base - errors_of(y, alpha, 0.0, 1.0)[0]
    level, w = np.linalg.lstsq(np.stack([p, h], 1), base, rcond=None)[0]
    if abs(level) <= reach and 0 <= w <= 1:
        return level, w
    sides = [(np.clip((p @ base - w * (p @ h)) / (p @ p), -reach, reach), w) for w in (0.0, 1.0)]
    sides += [(level, np.clip((h @ base - level * (p @ h)) / (h @ h), 0, 1)) for level in (reach, -reach)]
    return min(sides, key=lambda side: ((base - side[0] * p - side[1] * h) ** 2).sum())


def written_out(y, horizon):
    z = y - y[0]
    paths, losses = [], []
    for alpha in ALPHAS:
        level, w = fitted(z, alpha, 2 * np.ptp(z))
        errors, last = errors_of(z, alpha, level, w)
        losses.append((errors**2).sum())
        history = list(z)
        for _ in range(horizon):
            (a, b), t = line_at(history), len(history)
            history.append(last + w * ((1 - alpha) ** t * a + (1 - (1 - alpha) ** (t + 1)) / alpha * b))
            last = alpha * history[-1] + (1 - alpha) * last
        paths.append(history[len(z) :])
    shares = np.maximum((min(losses) / np.array(losses)) ** (len(z) / 2) - LEAST_WEIGHT, 0)
    return y[0] + np.average(paths, axis=0, weights=shares)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("slope", [-1.0, 0.0, 0.5])
def test_the_average_is_that_of_the_model_written_out(seed, slope):
    rng = np.random.default_rng(seed)
    y = 10 + slope * np.arange(25) + np.cumsum(rng.normal(size=25)) + rng.normal(size=25)
    np.testing.assert_allclose(forecast(y, 7), written_out(y, 7), rtol=1e-8, atol=1e-8)


def test_a_line_goes_on_and_a_constant_stays():
    np.testing.assert_allclose(forecast(3.0 + 2.0 * np.arange(30), 5), 3.0 + 2.0 * np.arange(30, 35), rtol=1e-3)
    np.testing.assert_array_equal(forecast([4.0] * 9, 3), 4.0)
    np.testing.assert_array_equal(forecast([4.0], 3), 4.0)


def test_missing_rows_leave_a_line_a_line():
    y = 3.0 + 2.0 * np.arange(30)
    y[[3, 4, 17, 28, 29]] = np.nan
    np.testing.assert_allclose(forecast(y, 5), 3.0 + 2.0 * np.arange(30, 35), rtol=2e-2)


@pytest.mark.skipif(importlib.util.find_spec("statsforecast") is None, reason="statsforecast is not installed")
@pytest.mark.parametrize("seed", range(3))
def test_it_is_near_the_optimised_model_of_statsforecast(seed):
    from statsforecast.models import DynamicOptimizedTheta

    rng = np.random.default_rng(seed)
    y = 100 + np.arange(80.0) + np.cumsum(rng.normal(size=80))
    theirs = DynamicOptimizedTheta(season_length=1).forecast(y, h=6)["mean"]
    assert np.abs(forecast(y, 6) - theirs).max() < 0.5 * np.abs(np.diff(y)).mean()
