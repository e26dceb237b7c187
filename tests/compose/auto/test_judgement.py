"""How Auto judges: the share of trained Blends."""

import numpy as np

from tsformers.compose.auto.judgement import with_prior


def test_half_of_the_weight_is_that_of_trained_blends_unless_they_do_much_worse():
    weights, blends = np.array([0.6, 0.4, 0.0, 0.0]), np.array([False, False, True, True])
    found = with_prior(weights, np.array([0.8, 0.9, 0.85, 0.95]), blends)
    np.testing.assert_allclose(found, [0.3, 0.2, 0.25, 0.25])
    np.testing.assert_allclose(with_prior(weights, np.array([0.8, 0.9, 0.85, 1.1]), blends), [0.3, 0.2, 0.5, 0.0])
    np.testing.assert_array_equal(with_prior(weights, np.array([0.5, 0.9, 0.85, 1.1]), blends), weights)
    np.testing.assert_array_equal(with_prior(weights, np.ones(4), np.zeros(4, dtype=bool)), weights)
