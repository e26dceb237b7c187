"""Ensembles: the mean of quantiles, and the properties of every forecaster."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tsformers as tsf
from tsformers.testing import check_forecaster, make_frame


def naive(**settings):
    return tsf.SeasonalNaive(horizon=3, **settings)


def test_the_properties_of_forecasters_hold():
    check_forecaster(tsf.Ensemble([naive(), tsf.Theta(horizon=3)], weights=[1, 2], seed=0))


def test_quantiles_are_the_weighted_mean_of_the_members():
    frame, levels = make_frame(), [0.1, 0.5, 0.9]
    members = [naive(seed=1), naive(season_length=1, seed=2)]
    both = tsf.Ensemble(members, weights=[1, 3]).fit(frame).predict().quantile(levels)
    one, other = (member.fit(frame).predict().quantile(levels) for member in members)
    np.testing.assert_allclose(both, 0.25 * one + 0.75 * other, rtol=1e-12)


def test_an_ensemble_of_one_model_with_any_weight_is_that_model():
    frame = make_frame()
    alone = naive(seed=1).fit(frame).predict().median
    np.testing.assert_allclose(tsf.Ensemble([naive(seed=1)], weights=[7]).fit(frame).predict().median, alone)


def test_members_stay_as_they_were():
    model = naive()
    tsf.Ensemble([model]).fit(make_frame())
    with pytest.raises(NotFittedError):
        model.predict()
    assert clone(tsf.Ensemble([model])).models[0] is not model


@pytest.mark.parametrize(
    ("models", "weights", "message"),
    [
        ([], None, "at least one model"),
        ([naive(), tsf.SeasonalNaive(horizon=4)], None, r"one horizon, not \[3, 4\]"),
        ([naive(), naive()], [1], "2 numbers"),
        ([naive(), naive()], [1, -1], "0 or more"),
        ([naive(), naive()], [0, 0], "0 or more"),
    ],
)
def test_what_is_no_ensemble_is_refused(models, weights, message):
    with pytest.raises(ValueError, match=message):
        tsf.Ensemble(models, weights=weights).fit(make_frame())


def test_an_ensemble_can_be_backtested_and_has_only_the_series_that_all_members_forecast():
    frame = make_frame(n_series=2, rows=60)
    stub = frame[frame["unique_id"] == "s0"].tail(5).assign(unique_id="stub")
    deep = tsf.Autoformer(horizon=3, context_length=14, max_steps=2, d_model=8, n_heads=2, d_ff=8, seed=0)
    with pytest.warns(UserWarning, match="stub"):
        model = tsf.Ensemble([naive(), deep]).fit(pd.concat([frame, stub]), short="drop")
    assert model.predict().ids.tolist() == ["s0", "s1"]
    summary = tsf.backtest({"both": tsf.Ensemble([naive(), tsf.Theta(horizon=3)])}, frame, windows=2).summary()
    assert np.isfinite(summary["crps"]).all()
