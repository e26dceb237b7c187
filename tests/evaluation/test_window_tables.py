"""One window: the forecast is checked, ordered and scored."""

import numpy as np
import pandas as pd
import pytest

from tsformers.data.forecast import Forecast
from tsformers.evaluation.rolling import backtest

from .conftest import Walk, frame, same


def test_the_crps_of_steps_averages_to_the_crps_score_and_mae_belongs_to_the_forecast():
    result = backtest(Walk(), frame(), windows=2, metrics=["crps", "coverage_80"], quantiles=(0.1, 0.5, 0.9))
    keys = ["unique_id", "cutoff"]
    steps, scores = result.forecasts, result.scores.set_index(["metric", *keys])["value"]
    pd.testing.assert_series_equal(steps.groupby(keys)["crps"].mean(), scores["crps"].sort_index(), check_names=False)
    inside = (steps["y"] >= steps["q0.1"]) & (steps["y"] <= steps["q0.9"])
    covered = inside.groupby([steps[key] for key in keys]).mean()
    pd.testing.assert_series_equal(covered, scores["coverage_80"].sort_index(), check_names=False)
    assert steps["pit"].between(0, 1).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.select([0, 1]), "lacks series 's2'"),
        (lambda f: Forecast(f.ids, f.times[:, :3], f.values[:, :, :3]), "3 steps"),
        (lambda f: Forecast(f.ids, f.times + 1, f.values), "begins at 37; .* comes 36"),
    ],
)
def test_a_forecast_of_something_else_is_a_failure(spoil, message):
    class Odd(Walk):
        def predict(self, data=None, **options):
            return spoil(super().predict(data, **options))

    result = backtest(Odd(), frame(), windows=1)
    assert len(result.failures) == 1
    assert result.failures["error"].str.contains(message).all(), result.failures["error"][0]


def test_models_that_forecast_quantiles_are_scored_too():
    class Levels(Walk):
        def predict(self, data=None, *, n_samples=100, seed=None, **rest):
            held = super().predict(data, n_samples=n_samples, seed=seed)
            return Forecast(held.ids, held.times, held.quantile((0.1, 0.5, 0.9)), levels=(0.1, 0.5, 0.9))

    result = backtest(Levels(), frame(), windows=2, metrics=["crps"])
    assert np.isfinite(result.scores["value"]).all() and result.forecasts["pit"].between(0, 1).all()
    mean = result.forecasts.groupby(["unique_id", "cutoff"])["crps"].mean().to_numpy()
    assert mean == pytest.approx(result.scores.sort_values(["unique_id", "cutoff"])["value"].to_numpy())


def test_missing_actuals_are_not_scored_and_other_scores_stay_finite():
    df = frame((40,))
    df.loc[38, "y"] = np.nan
    result = backtest(Walk(), df, windows=1)
    assert np.isnan(result.forecasts["crps"]).sum() == 1
    assert np.isfinite(result.scores["value"]).all()


def test_forecasts_in_another_order_of_series_are_put_in_order():
    class Backwards(Walk):
        def predict(self, data=None, **options):
            return super().predict(data, **options).select([2, 1, 0])

    same(backtest({"m": Walk()}, frame(), windows=1), backtest({"m": Backwards()}, frame(), windows=1))
