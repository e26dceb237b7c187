"""Antithetic normal numbers, and many paths reduced to few."""

import numpy as np
import pytest

from tsformers.forecasters.local.draws import normals, stratified


@pytest.mark.parametrize("n", [1, 2, 5, 512])
def test_rows_mirror_each_other(n):
    rows = normals(np.random.default_rng(0), n, 3)
    assert rows.shape == (n, 3)
    np.testing.assert_array_equal(rows[: n // 2], -rows[n // 2 : 2 * (n // 2)])


@pytest.mark.parametrize("n_samples", [1, 2, 7, 100, 101, 512])
def test_the_marginals_are_the_quantiles_of_all_paths(n_samples):
    paths = np.exp(normals(np.random.default_rng(1), 512, 4).cumsum(axis=1))
    few = stratified(paths, n_samples)
    at = (np.arange(n_samples) + 0.5) / n_samples
    np.testing.assert_allclose(np.sort(few, axis=0), np.quantile(paths, at, axis=0, method="hazen"), rtol=1e-12)


@pytest.mark.parametrize("n_samples", [50, 100, 101])
def test_mean_and_median_of_a_symmetric_distribution_are_exact(n_samples):
    paths = 3 + normals(np.random.default_rng(2), 512, 4).cumsum(axis=1)
    few = stratified(paths, n_samples)
    np.testing.assert_allclose(few.mean(axis=0), 3, atol=1e-12)
    np.testing.assert_allclose(np.median(few, axis=0), 3, atol=1e-12)


def test_the_order_of_draws_keeps_the_dependence_over_time():
    paths = normals(np.random.default_rng(3), 2000, 20).cumsum(axis=1)
    few = stratified(paths, 400)
    np.testing.assert_allclose(np.corrcoef(few.T), np.corrcoef(paths.T), atol=0.12)
    assert np.diff(few, axis=1).std() == pytest.approx(1.0, abs=0.1)


def test_as_many_draws_as_paths_are_the_paths():
    paths = np.arange(6.0).reshape(3, 2)
    assert stratified(paths, 3) is paths
