"""Forecast distributions beside statsmodels, and the uncertainty of what is not known."""

import numpy as np
import pytest

import tsformers.forecasters.local.arima.polynomial_kernels as polynomials
from tsformers.forecasters.local.arima.forecast import (
    constant_column,
    expanded,
    filtered,
    outlook,
    regression,
)

NONE = (np.zeros(0), np.zeros((0, 0)))


def walk():
    return expanded(np.zeros(0), (0, 0, 0, 0), 1, 0, 1)


@pytest.mark.parametrize(("d", "seasonal_d"), [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0)])
@pytest.mark.parametrize("gaps", [False, True])
def test_means_and_variances_are_those_of_statsmodels(d, seasonal_d, gaps, rng):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    y = rng.normal(size=60).cumsum()
    if gaps:
        y[[12, 30, 31, 55, 58]] = np.nan
    free = np.array([0.4, -0.3, 0.2, 0.5])
    model = expanded(free, (1, 1, 1, 1), d, seasonal_d, 4)
    means, spread = outlook(model, filtered(model, y[None]), *NONE, np.zeros((0, 9)))
    theirs = SARIMAX(y, order=(1, d, 1), seasonal_order=(1, seasonal_d, 1, 4), use_exact_diffuse=True)
    theirs.ssm.tolerance = 0
    parts = polynomials.factors(free, np.ones(4, dtype=int))[:, 0] * [1, -1, 1, -1]
    answer = theirs.filter([*parts, 1.0]).get_forecast(9)
    np.testing.assert_allclose(means, answer.predicted_mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.diag(spread), answer.var_pred_mean, rtol=1e-6)


def test_the_slope_of_a_walk_has_its_textbook_uncertainty(rng):
    steps = rng.normal(1.0, 1.0, 50)
    columns = np.vstack([np.r_[0.0, steps.cumsum()], constant_column(51, 1, 0, 1)])
    found = regression(filtered(walk(), columns))
    assert found.coefficients[0] == pytest.approx(steps.mean())
    assert found.covariance[0, 0] == pytest.approx(1 / 50)
    future = np.arange(51.0, 54.0)[None]
    means, spread = outlook(walk(), filtered(walk(), columns), found.coefficients, found.covariance, future)
    h = np.arange(1, 4)
    np.testing.assert_allclose(means, columns[0, -1] + h * steps.mean())
    np.testing.assert_allclose(np.diag(spread), h + h**2 / 50)


def test_the_mean_of_noise_has_its_textbook_uncertainty(rng):
    y = rng.normal(3.0, 1.0, 40)
    noise = expanded(np.zeros(0), (0, 0, 0, 0), 0, 0, 1)
    history = filtered(noise, np.vstack([y, np.ones(40)]))
    found = regression(history)
    means, spread = outlook(noise, history, found.coefficients, found.covariance, np.ones((1, 2)))
    np.testing.assert_allclose(means, y.mean())
    np.testing.assert_allclose(spread, np.eye(2) + 1 / 40)


def test_coefficients_are_generalised_least_squares(rng):
    x = rng.normal(size=(2, 60))
    y = np.array([2.0, -1.0]) @ x + rng.normal(size=60).cumsum()
    y[10:13] = np.nan
    found = regression(filtered(walk(), np.vstack([y, x])))
    at = np.flatnonzero(np.isfinite(y))
    root = 1 / np.sqrt(np.diff(at))
    dx, dy = np.diff(x[:, at]) * root, np.diff(y[at]) * root
    np.testing.assert_allclose(found.coefficients, np.linalg.lstsq(dx.T, dy, rcond=None)[0])
    np.testing.assert_allclose(found.covariance, np.linalg.inv(dx @ dx.T))
    assert found.used == 56


def test_too_short_a_history_is_named():
    model = expanded(np.zeros(0), (0, 0, 0, 0), 0, 1, 4)
    with pytest.raises(ValueError, match="3 rows are fewer than the differences of the model need"):
        outlook(model, filtered(model, np.arange(3.0)[None]), *NONE, np.zeros((0, 2)))
