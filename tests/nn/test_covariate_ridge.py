"""The ridge regression of windows with known covariates."""

import numpy as np
import pytest

from tsformers.nn.covariate_ridge import CovariateRidge, Windows
from tsformers.nn.folds import fold_of_each

LENGTH, HORIZON = 24, 6


def windows_of(y, known, step=1):
    first = np.arange(0, len(y) - LENGTH - HORIZON + 1, step)
    at = first[:, None] + np.arange(LENGTH + HORIZON)
    folds = fold_of_each(np.zeros(len(at), dtype=np.int64), -(-HORIZON // step))
    return Windows(y[at][:, :LENGTH], y[at][:, LENGTH:], known[at], folds, np.ones(len(at)))


def walk(n, rho, rng):
    steps, x = rng.normal(size=n), np.zeros(n)
    for i in range(1, n):
        x[i] = rho * x[i - 1] + np.sqrt(1 - rho**2) * steps[i]
    return x


def series(n=1500, useful=True, seed=0):
    """Autocorrelated errors, plus the square of a column where it is useful."""
    rng = np.random.default_rng(seed)
    x, error = walk(n, 0.9, rng), 0.3 * walk(n, 0.8, rng)
    return useful * x**2 + error, np.stack([x, rng.integers(0, 2, n)], axis=1)


def mean_error(ridge, some):
    return np.abs(ridge.predict(some.past, some.known) - some.future).mean()


def test_a_column_with_a_curved_effect_takes_most_of_the_error_away():
    y, known = series()
    train, test = windows_of(y[:1000], known[:1000]), windows_of(y[1000:], known[1000:])
    ridge = CovariateRidge().fit([train])
    assert ridge.errors.mean() < 0.6 * ridge.plain_errors.mean()
    assert mean_error(ridge, test) < 0.6 * mean_error(
        CovariateRidge().fit([train._replace(known=0 * train.known)]), test
    )
    still = known - known  # what the effect was is known: with the column at rest, what is left is the error alone
    assert np.abs(ridge.response(known) - ridge.response(still) - known[:, 0] ** 2).mean() < 0.25


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_useless_columns_are_left_out_and_the_answer_is_that_of_the_past_alone(seed):
    y, known = series(useful=False, seed=seed)
    train = windows_of(y, known)
    ridge, plain = CovariateRidge().fit([train]), CovariateRidge().fit([train._replace(known=0 * train.known)])
    assert ridge.features is None and not ridge.response(known).any()
    np.testing.assert_array_equal(ridge.predict(train.past, train.known), plain.predict(train.past, train.known))


def test_the_calendar_alone_is_learned_too():
    rng = np.random.default_rng(0)
    hour = np.arange(2000) % 24
    weekday = np.arange(2000) // 24 % 7
    y = np.cos(2 * np.pi * hour / 24) * (weekday < 5) + 0.2 * rng.normal(size=2000)
    clock = np.stack([hour / 23, weekday / 6, 0 * hour, np.arange(2000) // 24 % 365 / 365], axis=1) - 0.5
    train, test = windows_of(y[:1500], clock[:1500]), windows_of(y[1500:], clock[1500:])
    ridge = CovariateRidge(calendar=4).fit([train])
    assert ridge.features is not None
    assert mean_error(ridge, test) < 0.9 * mean_error(
        CovariateRidge().fit([train._replace(known=0 * train.known)]), test
    )


def test_batches_and_later_windows():
    y, known = series()
    whole = windows_of(y[:1000], known[:1000])
    parts = [Windows(*(part[i : i + 100] for part in whole)) for i in range(0, len(whole.past), 100)]
    later = windows_of(y[1000:], known[1000:], step=HORIZON)
    one, many = CovariateRidge().fit([whole], [later]), CovariateRidge().fit(parts, [later])
    np.testing.assert_allclose(
        one.predict(whole.past, whole.known), many.predict(whole.past, whole.known), rtol=0.02, atol=0.02
    )
    assert not np.array_equal(one.errors, CovariateRidge().fit([whole]).errors)  # they are one more fold


def test_a_level_changes_nothing_and_single_precision_hardly_does():
    y, known = series()
    train = windows_of(y, known)
    ridge = CovariateRidge().fit([train])
    np.testing.assert_allclose(
        ridge.predict(train.past + 50.0, train.known), ridge.predict(train.past, train.known) + 50.0, atol=1e-9
    )
    short = Windows(*(part.astype(np.float32) for part in train[:3]), train.fold, train.scale)
    np.testing.assert_allclose(
        CovariateRidge().fit([short]).predict(train.past, train.known),
        ridge.predict(train.past, train.known),
        atol=1e-3,
    )


def test_without_a_window_it_refuses():
    with pytest.raises(ValueError, match="no window"):
        CovariateRidge().fit([])


def test_constant_series_and_constant_columns_are_handled():
    some = Windows(
        np.ones((9, 4)), np.ones((9, 2)), np.ones((9, 6, 1)), fold_of_each(np.zeros(9, dtype=np.int64), 2), np.ones(9)
    )
    np.testing.assert_array_equal(CovariateRidge().fit([some]).predict(some.past, some.known), 1.0)
    varied = some._replace(known=np.random.default_rng(0).normal(size=(9, 6, 1)))
    np.testing.assert_allclose(CovariateRidge().fit([varied]).predict(varied.past, varied.known), 1.0)
