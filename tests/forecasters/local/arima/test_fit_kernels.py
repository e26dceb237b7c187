"""The optimiser reaches the maximum that statsmodels reaches, from wherever it begins."""

import numpy as np
import pytest

import tsformers.forecasters.local.arima.fit_kernels as kernels
import tsformers.forecasters.local.arima.polynomial_kernels as polynomials


def maximised(free, sizes, season, columns, lags=None):
    free, columns = np.array(free, dtype=float), np.ascontiguousarray(columns)
    rows = columns.shape[1]
    white, slopes = np.zeros((len(columns) + (0 if lags is None else len(lags)), rows)), np.zeros((len(free), rows))
    total, used, _ = kernels.maximised(free, np.array(sizes), season, lags, columns, white, slopes, 100, 1e-12)
    return -0.5 * used * (np.log(2 * np.pi * total / used) + 1), free


def arma(rng, rows, phi=0.6, theta=0.4):
    e = rng.normal(size=rows + 51)
    y = np.zeros(rows + 50)
    for t in range(1, rows + 50):
        y[t] = phi * y[t - 1] + e[t + 1] + theta * e[t]
    return y[50:]


@pytest.mark.parametrize(("sizes", "season"), [((1, 1, 0, 0), 1), ((2, 0, 0, 0), 1), ((1, 0, 0, 1), 4)])
def test_the_maximum_is_not_below_that_of_statsmodels(sizes, season, rng):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    w = arma(rng, 150)
    mine, _ = maximised(np.zeros(sum(sizes)), sizes, season, w[None])
    seasonal = (sizes[2], 0, sizes[3], season if season > 1 else 0)
    theirs = SARIMAX(w, order=(sizes[0], 0, sizes[1]), seasonal_order=seasonal).fit(disp=False, maxiter=200)
    assert mine == pytest.approx(theirs.llf, abs=1e-4)
    assert mine >= theirs.llf - 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_one_maximum_is_reached_from_several_places(seed):
    rng = np.random.default_rng(seed)
    w = arma(rng, 120)
    found = [maximised(start, (1, 1, 0, 0), 1, w[None])[0] for start in ([0, 0], [1, -1], [-1, 1], [0.5, 0.5])]
    assert max(found) - min(found) < 1e-6


def test_coefficients_of_regressors_are_projected_out(rng):
    x = np.vstack([np.ones(100), np.arange(100.0)])
    w = arma(rng, 100) + 5 + 0.3 * np.arange(100)
    alone, free = maximised([0, 0], (1, 1, 0, 0), 1, np.vstack([w, x]))
    again, same = maximised([0, 0], (1, 1, 0, 0), 1, np.vstack([w - 7 + 0.1 * np.arange(100), x * [[3.0], [0.5]]]))
    assert alone == pytest.approx(again, abs=1e-8)
    np.testing.assert_allclose(free, same, atol=1e-6)


def test_the_filter_for_gaps_has_the_maximum_of_the_fast_one(rng):
    y = arma(rng, 80).cumsum()
    fast, free = maximised([0, 0], (1, 1, 0, 0), 1, np.diff(y)[None])
    slow, same = maximised([0, 0], (1, 1, 0, 0), 1, y[None], np.ones(1))
    assert fast == pytest.approx(slow, abs=1e-6)
    np.testing.assert_allclose(free, same, atol=1e-4)


def test_a_bound_is_where_the_maximum_lies_beyond_it(rng):
    w = np.diff(rng.normal(size=100))  # an overdifferenced series: the root of its moving average is 1
    _, free = maximised([0], (0, 1, 0, 0), 1, w[None])
    assert polynomials.factors(free, np.array([0, 1, 0, 0]))[1, 0] > 0.97


def test_columns_are_made_orthogonal():
    white = np.array([[1.0, 2.0, 4.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [0.0, 1.0, 2.0]])
    logs, rank = kernels.project_out(white, 1, 4, 3)
    assert rank == 2
    assert logs == pytest.approx(np.log(3.0) + np.log(2.0))
    np.testing.assert_allclose(white[0], [1 / 6, -1 / 3, 1 / 6], atol=1e-12)
    np.testing.assert_allclose(white[2], 0.0)
