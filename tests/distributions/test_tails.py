"""Tail probabilities: those of the distribution function inside, and finite logarithms far outside."""

import numpy as np
import pytest

from tsformers.distributions.marginals import Marginals
from tsformers.distributions.tails import log_tails

LEVELS = (0.1, 0.4, 0.9)


def test_both_tails_are_those_of_the_distribution_function(rng):
    marginals, y = Marginals(rng.normal(size=(50, 3)), LEVELS), 2 * rng.normal(size=50)
    upper, lower = log_tails(y, marginals)
    np.testing.assert_allclose(np.exp(lower), marginals.cdf(y), rtol=1e-9)
    np.testing.assert_allclose(np.exp(upper) + np.exp(lower), 1.0, rtol=1e-9)


@pytest.mark.parametrize("levels", [None, LEVELS])
def test_extremes_have_finite_logarithms(levels, rng):
    marginals = Marginals(rng.normal(size=(2, 40 if levels is None else 3)), levels)
    upper, lower = log_tails(np.array([1e9, -1e9]), marginals)
    assert np.isfinite([upper[0], lower[1]]).all() and upper[0] < -50 and lower[1] < -50
