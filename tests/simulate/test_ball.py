"""The bouncing ball."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from tsformers import simulate


def wide(frame, column):
    return frame[column].to_numpy().reshape(frame.unique_id.nunique(), -1)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(1, 20), st.floats(0.05, 0.9))
def test_a_ball_keeps_its_speed_and_reverses_only_beyond_a_wall(seed, low, width, share):
    high, fastest = low + width, share * width
    frame = simulate.bouncing_ball(20, 120, low=low, high=high, max_speed=fastest, noise=0.0, latent=True, seed=seed)
    y, x, v = (wide(frame, column) for column in ("y", "position", "velocity"))
    assert (y == x).all()
    assert (np.abs(v) == np.abs(v[:, :1])).all() and (np.abs(v) <= fastest).all()
    np.testing.assert_array_equal(x[:, 1:], x[:, :-1] + v[:, :-1])
    assert (wide(frame, "regime") == (v >= 0)).all()
    beyond = ((x > high) & (np.roll(v, 1, 1) > 0)) | ((x < low) & (np.roll(v, 1, 1) < 0))
    np.testing.assert_array_equal(np.sign(v[:, 1:]) != np.sign(v[:, :-1]), beyond[:, 1:])
    assert (x >= low - fastest).all() and (x <= high + fastest).all()
    tenths = (x[:, 0] - low) / width * 10
    np.testing.assert_allclose(tenths, np.rint(tenths), atol=1e-9)
    assert tenths.min() > -0.5 and tenths.max() < 9.5


def test_balls_are_of_the_kind_in_the_shared_data(shared):
    """200 balls of 100 and 150 steps there; ours 1,000. Distributions by Kolmogorov and Smirnov, moments by eye."""
    theirs = pd.read_parquet(shared / "data" / "segmentation" / "bouncing_ball.parquet")
    theirs = theirs.rename(columns={"state": "regime"})[lambda frame: frame.ds < 100]
    ours = simulate.bouncing_ball(1000, 100, seed=0)
    figures = []
    for frame in (theirs, ours):
        y, regime = wide(frame, "y"), wide(frame, "regime")
        steady = (regime[:, 2:] == regime[:, 1:-1]) & (regime[:, 1:-1] == regime[:, :-2])
        figures.append(
            {
                "speed": np.abs((y[:, 20] - y[:, 0]) / 20)[(regime[:, :20] == regime[:, :1]).all(1)],
                "start": y[:, 0],
                "share": regime.mean(1),
                "noise": np.diff(y, 2, axis=1)[steady].std() / np.sqrt(6),
                "range": (y.min(), y.max()),
            }
        )
    for name in ("speed", "start", "share"):
        assert ks_2samp(figures[0][name], figures[1][name]).pvalue > 0.001, name
    assert figures[0]["noise"] == pytest.approx(figures[1]["noise"], rel=0.03)
    np.testing.assert_allclose(figures[0]["range"], figures[1]["range"], atol=0.3)
    assert figures[1]["noise"] == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("settings", [{"low": 10.0}, {"max_speed": 0.0}, {"max_speed": 11.0}, {"noise": -1.0}])
def test_impossible_balls_are_refused(settings):
    with pytest.raises(ValueError, match="they must be low < high"):
        simulate.bouncing_ball(2, 10, **settings)
