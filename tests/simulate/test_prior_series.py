"""Synthetic series of many families."""

import numpy as np

from tsformers.simulate.prior_series import draw


def test_the_same_generator_gives_the_same_bits():
    a, b = (draw(60, np.random.default_rng(3)) for _ in range(2))
    for left, right in zip(a, b, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(a.y, draw(60, np.random.default_rng(4)).y)


def test_all_values_are_finite_and_the_future_stays_within_reach():
    rng = np.random.default_rng(0)
    for _ in range(20):
        drawn = draw(200, rng)
        assert not np.isinf(drawn.y).any() and np.isfinite(drawn.future).all()
        assert drawn.future.shape == (200, drawn.horizon) and drawn.stop[-1] == len(drawn.y)
        for i in range(200):
            y = drawn.y[drawn.first[i] : drawn.stop[i]]
            assert np.isfinite(y).sum() >= 2
            assert np.abs(drawn.future[i]).max() <= 200 * np.nanmax(np.abs(y)) + 1e-6
