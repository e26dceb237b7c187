"""Level x shape by its own laws, its gate, and its arithmetic beside numpy."""

import numpy as np
import pytest

from tsformers.forecasters.blend.bases.level_shape import level_path, level_shape, likely_power, rank_one, shares
from tsformers.forecasters.blend.bases.ridge import PENALTIES, invert, ridge_weights

SHAPE = np.array([1.0, 3.0, 4.0, 2.0])


def forecast(y, horizon, periods=(4, 0)):
    path = np.full(horizon, np.nan)
    found = level_shape(np.asarray(y, float), periods, path)
    return path if found else None


def test_rank_one_data_of_one_level_are_forecast_exactly():
    np.testing.assert_allclose(forecast(np.tile(SHAPE, 6), 10), np.tile(SHAPE, 3)[:10], rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_rank_one_data_of_any_levels_keep_their_shape_exactly(seed):
    levels = np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.2, 12)))
    found = forecast(np.outer(levels, SHAPE).ravel(), 12).reshape(3, 4)
    np.testing.assert_allclose(found / found.sum(1, keepdims=True), np.tile(SHAPE / 10, (3, 1)), rtol=1e-9)


def test_missing_rows_of_rank_one_data_change_next_to_nothing():
    y = np.tile(SHAPE, 8)
    y[[0, 5, 6, 17, 30]] = np.nan
    np.testing.assert_allclose(forecast(y, 8), np.tile(SHAPE, 2), rtol=1e-6)


def test_an_incomplete_first_period_is_left_out():
    y = np.tile(SHAPE, 6)
    np.testing.assert_allclose(forecast(np.r_[[99.0, 3.0], y], 8), forecast(y, 8), rtol=1e-9)


def test_a_growing_level_goes_on_growing_and_a_level_that_returns_returns():
    growing = forecast(np.outer(1.1 ** np.arange(20), SHAPE).ravel(), 4).sum() / (10 * 1.1**19)
    assert 1.05 < growing < 1.12
    swinging = np.where(np.arange(30) % 2, 14.0, 6.0)
    assert forecast(np.outer(swinging, SHAPE).ravel(), 4).sum() < 0.9 * 140


def test_without_a_season_there_is_no_answer():
    rng = np.random.default_rng(0)
    walks = [forecast(50 + np.cumsum(rng.normal(size=96)), 4) for _ in range(20)]
    assert sum(path is not None for path in walks) <= 2
    assert forecast(np.tile(SHAPE, 6), 4, periods=(1, 0)) is None
    assert forecast(np.tile(SHAPE, 2), 4) is None
    assert forecast(np.full(40, np.nan), 4) is None
    assert forecast(np.zeros(40), 4) is None


def test_the_likelier_of_two_periods_is_taken():
    week = np.random.default_rng(1).uniform(1, 9, 28)
    y = np.tile(week, 8)
    np.testing.assert_allclose(forecast(y, 40, periods=(4, 28)), np.tile(week, 2)[:40], rtol=1e-8)


def test_values_below_zero_are_moved_up():
    np.testing.assert_allclose(forecast(np.tile(SHAPE - 3, 9), 8), np.tile(SHAPE - 3, 2), atol=1e-9)


def test_the_rank_one_fit_is_the_leading_singular_pair():
    rng = np.random.default_rng(2)
    matrix = np.outer(rng.uniform(5, 6, 9), SHAPE) + rng.normal(0, 0.1, (9, 4))
    shape, levels = np.empty(4), np.empty(9)
    gain = rank_one(matrix.ravel(), 4, 0.0, shape, levels)
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    np.testing.assert_allclose(np.outer(levels, shape), s[0] * np.outer(u[:, 0], v[0]), rtol=1e-6)
    rest, flat = (s[1:] ** 2).sum(), ((matrix - matrix.mean(1, keepdims=True)) ** 2).sum()
    assert gain == pytest.approx(np.log(rest / flat) + 3 * np.log(36) / 36, rel=1e-6)
    assert shares(matrix.ravel(), 0.0, shape, levels)
    np.testing.assert_allclose(levels, matrix.sum(1), rtol=1e-12)
    wanted = np.sort(matrix / matrix.sum(1, keepdims=True), axis=0)[2:-2].mean(0)
    np.testing.assert_allclose(shape, wanted / wanted.sum(), rtol=1e-12)


def columns_of(z, lag):
    t = np.arange(1 + lag, len(z))
    lags = [z[t - lag] - z[t - lag - 1]] if lag else [0.0 * t]
    return np.stack([np.ones(len(t)), t, -z[t - 1], *lags], 1), z[t] - z[t - 1]


@pytest.mark.parametrize("lag", [0, 5])
def test_ridge_weights_average_penalties_by_leave_one_out_errors(lag):
    z = np.cumsum(np.random.default_rng(4).normal(size=40)) + np.sin(np.arange(40) * 2 * np.pi / 5)
    x, steps = columns_of(z, lag)
    n = len(steps)
    means, deviations = x.mean(0), x.std(0)
    means[0], deviations[0] = 0, 1
    standard = np.divide(x - means, deviations, out=np.zeros_like(x), where=deviations > 0)

    def fit(rows, penalty):
        a = standard[rows]
        return np.linalg.solve(a.T @ a + n * penalty * np.eye(4), a.T @ steps[rows])

    every = np.arange(n)
    errors = [sum((steps[i] - standard[i] @ fit(every != i, a)) ** 2 for i in every) for a in PENALTIES]
    shares_of = np.exp(-np.array(errors) / min(errors))
    fits = np.average([fit(every, a) for a in PENALTIES], axis=0, weights=shares_of)
    found = ridge_weights(z, np.ones(40, dtype=bool), lag)
    np.testing.assert_allclose(x @ found, standard @ fits, rtol=1e-6, atol=1e-8)


def test_a_holiday_in_one_period_does_not_change_the_shape():
    matrix = np.outer(np.full(12, 10.0), SHAPE)
    matrix[9] = [40.0, 0.0, 0.0, 60.0]
    shape, levels = np.empty(4), np.empty(12)
    rank_one(matrix.ravel(), 4, 0.0, shape, levels)
    assert shares(matrix.ravel(), 0.0, shape, levels)
    np.testing.assert_allclose(shape, SHAPE / 10, rtol=1e-12)


def test_a_matrix_is_inverted():
    a = np.random.default_rng(0).normal(size=(5, 9))
    gram = a @ a.T
    inverse = gram.copy()
    invert(inverse)
    np.testing.assert_allclose(inverse @ gram, np.eye(5), atol=1e-9)


def test_the_power_of_log_normal_levels_is_near_zero_and_of_normal_ones_near_one():
    rng = np.random.default_rng(0)
    assert likely_power(np.exp(rng.normal(0, 1, 300))) < 0.1
    assert likely_power(np.maximum(rng.normal(1, 0.3, 300), 0.05)) > 0.7


def test_levels_stay_within_their_range_beyond_the_greatest():
    levels = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    path = np.empty(300)
    assert level_path(levels, 0, path)
    assert path.max() <= 64 + 63 + 1e-9 and path.min() >= 0
    assert not level_path(np.array([1.0, np.nan, 2.0]), 0, path)
