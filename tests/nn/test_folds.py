"""Folds in blocks of time, and ridge regressions without each."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tsformers.nn.folds import LATER, N_FOLDS, FoldMoments, absolute_errors, fold_of_each


@pytest.mark.parametrize(("n", "overlap"), [(100, 3), (40, 8), (11, 1), (300, 0), (5, 24)])
def test_windows_that_are_kept_have_no_target_in_common_with_the_fold_left_out(n, overlap):
    codes = fold_of_each(np.zeros(n, dtype=np.int64), overlap)
    for k in np.unique(codes // 3):
        mine = np.flatnonzero(codes // 3 == k)
        left_out = {*range(3 * k - 1, 3 * k + 4)}
        kept = np.array([i for i in range(n) if codes[i] not in left_out])
        if len(kept) and n >= 6 * overlap:
            assert np.abs(kept[:, None] - mine).min() > overlap
            assert len(kept) >= n - len(mine) - 2 * overlap
    assert (np.diff(codes // 3) >= 0).all() and 2 <= len(np.unique(codes // 3)) <= N_FOLDS


def test_each_series_has_all_folds_whatever_the_order_of_series():
    series = np.array([1, 0] * 50)
    codes = fold_of_each(series, 2)
    for each in (0, 1):
        np.testing.assert_array_equal(codes[series == each], fold_of_each(np.zeros(50, dtype=np.int64), 2))


def sample(n=200, inputs=6, outputs=2, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, inputs))
    return x, x[:, :outputs] + rng.normal(size=(n, outputs)), fold_of_each(np.zeros(n, dtype=np.int64), 3)


def test_the_maps_are_scikit_learns_on_the_rows_that_are_kept():
    x, y, fold = sample()
    moments = FoldMoments()
    for some in (slice(0, 70), slice(70, None)):
        moments.add(x[some], y[some], fold[some])
    unit = np.arange(1.0, 7.0)
    maps = moments.maps(np.array([0.1, 2.0]), unit)
    for i, penalty in enumerate((0.1, 2.0)):
        for k in range(N_FOLDS + 1):
            out = [*range(3 * k - 1, 3 * k + 4)] if k < N_FOLDS else []
            kept = ~np.isin(fold, out)
            z = x[kept] / unit
            alpha = penalty * np.linalg.eigvalsh(z.T @ z).mean()
            peer = Ridge(alpha=alpha, fit_intercept=False).fit(z, y[kept]).coef_.T / unit[:, None]
            np.testing.assert_allclose(maps[i, k], peer, atol=1e-8)


def test_errors_are_those_on_the_fold_left_out():
    x, y, fold = sample()
    moments = FoldMoments()
    moments.add(x, y, fold)
    maps = moments.maps(np.array([0.1, 2.0]))
    squared = moments.squared_errors(maps)
    later = np.full(len(x), LATER)
    absolute = absolute_errors([(x, y, fold), (x, y, later)], maps)
    for k in range(N_FOLDS):
        left = y[fold // 3 == k] - x[fold // 3 == k] @ maps[1, k]
        assert squared[1, k] == pytest.approx((left**2).sum(1).mean())
        np.testing.assert_allclose(absolute[1, k], np.abs(left).mean(0))
    np.testing.assert_allclose(absolute[1, N_FOLDS], np.abs(y - x @ maps[1, N_FOLDS]).mean(0))
