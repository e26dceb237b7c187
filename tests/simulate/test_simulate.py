"""Every simulation: repeatable frames, latent columns, refused sizes."""

import numpy as np
import pandas as pd
import pytest

from tsformers import simulate

GENERATORS = {
    "bouncing_ball": (simulate.bouncing_ball, ["position", "velocity"]),
    "three_mode": (simulate.three_mode, ["x0", "x1", "count"]),
    "switching_autoregression": (simulate.switching_autoregression, ["expected", "count"]),
}


def wide(frame, column):
    return frame[column].to_numpy().reshape(frame.unique_id.nunique(), -1)


@pytest.mark.parametrize("name", GENERATORS)
def test_one_seed_is_one_frame_and_latent_columns_are_only_added(name):
    generate, extra = GENERATORS[name]
    frame, again, other = generate(12, 30, seed=3), generate(12, 30, seed=3), generate(12, 30, seed=4)
    pd.testing.assert_frame_equal(frame, again, check_exact=True)
    assert not frame.y.equals(other.y)
    latent = generate(12, 30, seed=np.random.default_rng(3), latent=True)
    assert latent.columns.tolist() == ["unique_id", "ds", "y", "regime", *extra]
    pd.testing.assert_frame_equal(latent[frame.columns], frame, check_exact=True)
    assert frame.unique_id.nunique() == 12 and frame.regime.dtype == frame.ds.dtype == np.int64
    pd.testing.assert_frame_equal(frame, frame.sort_values(["unique_id", "ds"], kind="stable"))
    assert (wide(frame, "ds") == np.arange(30)).all()


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize(("n_series", "length"), [(0, 5), (5, 0)])
def test_empty_sizes_are_refused(name, n_series, length):
    with pytest.raises(ValueError, match="both must be at least 1"):
        GENERATORS[name][0](n_series, length)
