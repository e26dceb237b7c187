"""Explanations of Blend: weights that sum to one, and the forecasts that they weigh."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.testing import make_frame


@pytest.fixture(scope="module")
def model():
    return tsf.Blend(horizon=4, max_steps=0, device="cpu").fit(make_frame(n_series=3, rows=60))


def test_each_step_has_the_weights_of_all_available_bases(model):
    found = model.explain()
    assert found.columns.tolist() == ["unique_id", "ds", "base", "weight", "forecast"]
    np.testing.assert_allclose(found.groupby(["unique_id", "ds"])["weight"].sum(), 1.0, rtol=1e-5)
    assert (found.groupby(["unique_id", "ds"]).size() > 10).all()
    last = found[found["base"] == "last"].groupby("unique_id")["forecast"].first()
    wanted = make_frame(n_series=3, rows=60).groupby("unique_id")["y"].last()
    pd.testing.assert_series_equal(last, wanted, check_names=False)


def test_the_weighted_mean_is_near_the_median(model):
    found = model.explain()
    mean = (found["weight"] * found["forecast"]).groupby([found["unique_id"], found["ds"]]).sum().to_numpy()
    median = model.predict().median.ravel()
    spread = np.ptp(model.predict().interval(0.5), axis=1).ravel()
    assert (np.abs(mean - median) < 1.5 * spread).all()


def test_other_series_are_explained_under_the_names_of_the_caller():
    frame = make_frame(n_series=2, rows=60).rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    roles = {"id_col": "shop", "time_col": "day", "target_col": "sales"}
    model = tsf.Blend(horizon=4, max_steps=0, device="cpu").fit(frame, **roles)
    assert model.explain(frame).columns.tolist()[:2] == ["shop", "day"]


def test_the_picture_has_a_panel_for_each_series_that_is_asked_for(model):
    assert [axes.get_title(loc="left") for axes in model.plot_weights(ids=["s2", "s0"]).axes] == ["s2", "s0"]
    with pytest.raises(ValueError, match="s9"):
        model.plot_weights(ids=["s9"])
