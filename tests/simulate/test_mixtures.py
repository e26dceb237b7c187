"""Mixtures of autoregressions."""

import numpy as np
import pandas as pd
import pytest

from tsformers import simulate


def wide(frame, column):
    return frame[column].to_numpy().reshape(frame.unique_id.nunique(), -1)


def test_each_series_of_a_mixture_follows_one_autoregression_throughout():
    frame = simulate.arma_mixture(400, 100, seed=0)
    pd.testing.assert_frame_equal(frame, simulate.arma_mixture(400, 100, seed=0), check_exact=True)
    y, regime = wide(frame, "y"), wide(frame, "regime")
    assert (regime == np.repeat(np.arange(3), 400)[:, None]).all()
    for k, truth in enumerate([(-0.25, 0.52), (0.34, 0.27), (1.5, -0.75)]):
        mine = y[regime[:, 0] == k]
        lags = np.stack([mine[:, 1:-1].ravel(), mine[:, :-2].ravel()], axis=1)
        found, square, *_ = np.linalg.lstsq(lags, mine[:, 2:].ravel(), rcond=None)
        np.testing.assert_allclose(found, truth, atol=0.02)
        assert (square[0] / len(lags)) ** 0.5 == pytest.approx(0.27, rel=0.01)
    assert y[:, :2].std() == pytest.approx(0.5, rel=0.05)
    with pytest.raises(ValueError, match=r"noise is -1 and start 0.5; both must be 0 or more"):
        simulate.arma_mixture(1, 5, noise=-1)
