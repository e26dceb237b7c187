"""Paths of exponential smoothing beside the analytic variance, and their sign."""

import numpy as np
import pytest

from tsformers.forecasters.local.draws import normals
from tsformers.forecasters.local.ets.simulation import paths

RNG = np.random.default_rng(0)


def drawn(states, weights, sigma, relative=False, multiplies=False, m=1, horizon=8, n=40_000):
    starts, shared = np.tile(np.array(states, float), (n, 1)), np.tile(np.array(weights, float), (n, 1))
    return paths(starts, 0, m, relative, multiplies, shared, sigma, normals(np.random.default_rng(1), n, horizon))


def test_without_noise_paths_are_the_point_forecast():
    values = drawn([10, 2, 1, -1], [0.5, 0.1, 0.1, 0.9], 0.0, m=2, horizon=3, n=2)
    np.testing.assert_allclose(values[0], [10 + 1.8 + 1, 10 + 1.8 + 1.62 - 1, 10 + 1.8 + 1.62 + 1.458 + 1])
    values = drawn([10, 0, 1.5, 0.5], [0.5, 0.1, 0.1, 1.0], 0.0, True, True, 2, 3, 2)
    np.testing.assert_allclose(values[0], [15, 5, 15])


def test_mean_is_exact_and_variance_analytic_for_additive_models():
    alpha, beta, phi, h = 0.4, 0.1, 0.9, np.arange(1, 8)
    values = drawn([10, 1, 0], [alpha, beta, 0, phi], 2.0)
    rise = np.cumsum(phi ** np.arange(1, 9))
    np.testing.assert_allclose(values.mean(axis=0), 10 + rise, atol=1e-9)
    effects = alpha + beta * np.cumsum(phi**h)  # of an error on the value h steps later
    expected = 2.0 * np.sqrt(np.r_[1, 1 + np.cumsum(effects**2)])
    np.testing.assert_allclose(values.std(axis=0), expected, rtol=0.02)


@pytest.mark.parametrize("multiplies", [False, True])
def test_relative_errors_cannot_change_the_sign(multiplies):
    states = [0.5, -0.2, 1.4, 0.6] if multiplies else [0.5, -0.2, 0.3, -0.3]
    values = drawn(states, [0.9, 0.5, 0.1, 1.0], 0.6, True, multiplies, 2, 40, 2000)
    assert (values > 0).all()


def test_relative_errors_scale_with_the_level():
    small, large = (drawn([level, 0, 1], [0.3, 0, 0, 1], 0.1, True, True, n=4000) for level in (1.0, 1000.0))
    np.testing.assert_allclose(large, 1000 * small)
