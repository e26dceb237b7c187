"""Differences and regressors that are chosen for a series."""

import numpy as np
import pytest

from tsformers.forecasters.local.arima.preparation import chosen_differences, prepared, sample_of


def without(y):
    return np.empty((len(y), 0))


def test_values_are_centred_and_scaled_bit_for_bit_alike_in_powers_of_two(rng):
    y = rng.normal(50, 3, 40)
    one, other = prepared(y, without(y), 1, 2), prepared(y * 2.0**-30, without(y), 1, 2)
    np.testing.assert_array_equal(one.y, other.y)
    assert one.scale == other.scale * 2.0**30


def test_seasons_of_few_rows_are_not_used():
    y = np.tile([0.0, 1.0, 3.0, 1.0], 9)
    assert chosen_differences(y[:11], 4, 2).season == 1
    assert chosen_differences(y, 4, 2)[1:] == (1, 4)
    assert chosen_differences(np.where(np.arange(36) % 4 < 1, y, np.nan), 4, 2).season == 1


def test_most_differences_count_the_seasonal_one():
    t = np.arange(60.0)
    assert sum(chosen_differences(t**3 / 1e5 + np.tile([0, 5.0, 2, 1], 15), 4, 2)[:2]) == 2


def test_differences_are_those_of_what_the_regressors_leave(rng):
    x = rng.normal(size=(100, 1)).cumsum(axis=0)
    y = 3 * x[:, 0] + rng.normal(size=100)
    assert prepared(y, without(y), 1, 2).differences.d == 1
    assert prepared(y, x, 1, 2).differences.d == 0


def test_a_line_is_no_regressor_of_differences(rng):
    """With one difference the constant is a line already."""
    y, t = rng.normal(size=80).cumsum(), np.arange(80.0)
    x = np.column_stack([t, rng.normal(size=80)])
    data = prepared(y + 0.0 * t, x, 1, 2)
    assert data.standard.kept.tolist() == ([1] if data.differences.d else [0, 1])


def test_a_row_without_its_covariate_is_missing(rng):
    x = rng.normal(size=(50, 1))
    x[7] = np.nan
    data = prepared(rng.normal(size=50), x, 1, 2)
    assert np.isnan(data.y[7]) and np.isfinite(data.x).all()


@pytest.mark.parametrize("gap", [False, True])
def test_the_sample_is_differenced_where_it_is_complete(gap, rng):
    y = np.arange(50.0) + rng.normal(size=50)
    if gap:
        y[20] = np.nan
    sample = sample_of(prepared(y, without(y), 1, 2))
    assert sample.columns.shape == ((2, 50) if gap else (2, 49))
    assert (sample.lags is not None) == gap and (not gap or sample.lags.tolist() == [1.0])


def test_short_random_walks_are_differenced():
    """KPSS alone leaves a sixth of them."""
    walks = np.random.default_rng(0).normal(size=(60, 40)).cumsum(axis=1)
    assert sum(chosen_differences(walk, 1, 2).d == 0 for walk in walks) <= 4


def test_noise_is_not_differenced(rng):
    assert chosen_differences(rng.normal(size=60), 1, 2).d == 0
    assert chosen_differences(rng.normal(size=60), 1, 0).d == 0
