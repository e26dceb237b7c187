"""What the search looks at where the exact likelihood of all rows is too slow."""

import numpy as np
import pytest

from tsformers.forecasters.local.arima.differences import difference_lags
from tsformers.forecasters.local.arima.fits import Order, Sample, exact_fit
from tsformers.forecasters.local.arima.reduction import filled, is_long, lagged, reduced
from tsformers.forecasters.local.arima.search import Limits, best_fits


def hours(rng, rows, missing):
    y = rng.normal(size=rows).cumsum() * 0.3 + 3 * np.sin(np.arange(rows) * 2 * np.pi / 24)
    y[1:-1][rng.random(rows - 2) < missing] = np.nan
    return Sample(np.vstack([y, np.arange(rows)]), difference_lags(0, 1, 24), 24, 1, int(np.isfinite(y).sum()))


def test_cheap_samples_are_searched_as_they_are(rng):
    sample = hours(rng, 100, 0.1)
    assert not is_long(sample) and reduced(sample) is sample


def test_long_complete_ones_by_their_last_rows(rng):
    sample = Sample(rng.normal(size=(2, 50_000)), None, 24, 1, 50_024)
    assert is_long(sample)
    searched = reduced(sample)
    np.testing.assert_array_equal(searched.columns, sample.columns[:, -searched.columns.shape[1] :])
    assert not is_long(searched) and searched.rows == searched.columns.shape[1]


@pytest.mark.parametrize("rows", [600, 6000])
def test_gaps_of_long_ones_are_filled_in(rows, rng):
    sample = hours(rng, rows, 0.1)
    searched = reduced(sample)
    assert searched.lags is None and np.isfinite(searched.columns).all()
    assert searched.filled == np.isnan(sample.columns[0, -(searched.columns.shape[1] + 24) :]).sum()


def test_values_are_filled_in_by_what_a_model_expects():
    t = np.arange(120.0)
    y = 0.5 * t + np.tile([3.0, -1.0, -2.0, 0.0], 30) + np.random.default_rng(0).normal(size=120) * 0.01
    gaps = np.where(t % 7 == 3, np.nan, y)
    lags = difference_lags(0, 1, 4)
    made = filled(Sample(np.vstack([gaps, t]), lags, 4, 1, int(np.isfinite(gaps).sum())), lags)
    np.testing.assert_allclose(made.columns[0], y[4:] - y[:-4], atol=0.1)


def test_filled_values_do_not_count_as_observed(rng):
    sample = hours(rng, 600, 0.2)
    searched, order = reduced(sample), Order(1, 0, 0, 1, False)
    exact, quick = (exact_fit(one, order, [np.zeros(2)]) for one in (sample, searched))
    n, k = sample.rows - 24, 3
    assert quick.aicc + 2 * quick.loglik == pytest.approx(2 * k * n / (n - k - 1))
    assert exact.aicc + 2 * exact.loglik == pytest.approx(2 * k * n / (n - k - 1))
    np.testing.assert_allclose(np.tanh(quick.free), np.tanh(exact.free), atol=0.15)


def test_the_models_found_are_fitted_to_what_was_observed(rng):
    sample = hours(rng, 300, 0.1)
    best = best_fits(sample, reduced(sample), Limits(1, 1, 2))[0]
    again = exact_fit(sample, best.order, [best.free])
    assert best.loglik == pytest.approx(again.loglik, abs=0.01)


def test_differences_are_taken_by_their_weights(rng):
    y = rng.normal(size=(2, 30))
    np.testing.assert_allclose(lagged(y, difference_lags(1, 1, 4)), np.diff(y[:, 4:] - y[:, :-4]), atol=1e-12)
