"""Cochrane and Orcutt's regression, the origin of fit and rho in turns, against golden vectors and statsmodels."""

from typing import NamedTuple

import numpy as np
import pytest

from tsformers.preprocessing.adjusted_network import summed_up

LARGEST = 0.999  # of rho


class Regression(NamedTuple):
    """A linear regression whose errors follow one another: ``e[t] = rho e[t - 1] + u[t]``."""

    beta: np.ndarray  # (K,)
    rho: float
    path: np.ndarray  # rho of each round


def cochrane_orcutt(
    y: np.ndarray,
    x: np.ndarray,
    *,
    keep_first: bool = False,
    tolerance: float = 1e-12,
    most_rounds: int = 50,
) -> Regression:
    """Least squares with first-order autocorrelated errors, iterated.

    By turns: coefficients by least squares on ``y[t] - rho y[t-1]`` and ``x[t] - rho x[t-1]``, then ``rho`` by least
    squares of each residual on the one before it, until the coefficients stay where they are.

    Source: Cochrane & Orcutt (1949); Prais & Winsten (1954).
    """
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise ValueError("y and x must be finite; drop the rows with missing values, or fill them in")
    if len(y) < x.shape[1] + 2:
        least = x.shape[1] + 2
        raise ValueError(f"{len(y)} rows are too few for {x.shape[1]} coefficients and rho; give {least} or more")
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    path: list[float] = []
    for _ in range(most_rounds):
        path.append(_lag_one(y - x @ beta))
        rows, target = (_differenced(part, path[-1], keep_first) for part in (x, y))
        before, beta = beta, np.linalg.lstsq(rows, target, rcond=None)[0]
        if np.abs(beta - before).max() < tolerance:
            break
    return Regression(beta, path[-1], np.array(path))


def _differenced(part: np.ndarray, rho: float, keep_first: bool) -> np.ndarray:
    """Rows less rho times the one before; the first, which has none before, scaled to the same variance or left out."""
    rest = part[1:] - rho * part[:-1]
    return np.concatenate([np.sqrt(1 - rho**2) * part[:1], rest]) if keep_first else rest


def _lag_one(e: np.ndarray) -> float:
    """Least squares of each error on the one before it, inside (-1, 1)."""
    return float(np.clip(e[1:] @ e[:-1] / max(e[:-1] @ e[:-1], np.finfo(float).tiny), -LARGEST, LARGEST))


@pytest.mark.parametrize("name", ["pos", "neg", "zero"])
@pytest.mark.parametrize(("kind", "keep_first"), [("co", False), ("pw", True)])
def test_regressions_with_autocorrelated_errors_are_those_of_the_reference(shared, name, kind, keep_first):
    golden = np.load(shared / "golden" / "autocorrelated_errors" / "cochrane_orcutt.npz")
    found = cochrane_orcutt(golden[f"{name}_y"], golden["X"], keep_first=keep_first)
    np.testing.assert_allclose(found.rho, golden[f"{name}_{kind}_rho"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.beta, golden[f"{name}_{kind}_beta"], rtol=0, atol=1e-8)
    if kind == "co":
        shorter = min(len(found.path), len(golden[f"{name}_co_rho_path"]))
        np.testing.assert_allclose(found.path[:shorter], golden[f"{name}_co_rho_path"][:shorter], rtol=0, atol=1e-8)


def test_a_regression_beside_that_of_statsmodels(rng):
    from statsmodels.regression.linear_model import GLSAR

    x = np.column_stack([np.ones(2000), rng.normal(size=2000)])
    y = x @ [1.0, -2.0] + summed_up(rng.normal(size=2000), np.array([0.7]), np.zeros(1))
    theirs = GLSAR(y, x, rho=1)
    fitted = theirs.iterative_fit(50)
    found = cochrane_orcutt(y, x)
    assert found.rho == pytest.approx(theirs.rho[0], abs=2e-3)  # theirs divides by another sum of squares
    np.testing.assert_allclose(found.beta, fitted.params, atol=2e-3)


def test_a_regression_says_what_is_wrong_with_its_data():
    with pytest.raises(ValueError, match="finite"):
        cochrane_orcutt(np.array([1.0, np.nan, 2.0, 3.0]), np.ones((4, 1)))
    with pytest.raises(ValueError, match="2 rows are too few for 1 coefficients"):
        cochrane_orcutt(np.ones(2), np.ones((2, 1)))
