"""The same numbers as GluonTS, on random inputs with missing values: metric by metric, and score() as a whole."""

import numpy as np
import pandas as pd
import pytest

from tsformers import scoring
from tsformers.data.forecast import Forecast
from tsformers.scoring.table import score

pytestmark = [
    pytest.mark.usefixtures("needs_gluonts"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
AXES = [None, 0, 1]
SEASON = 3


@pytest.fixture
def case(rng):
    """What happened, with gaps and a zero; forecasts; histories with gaps; and GluonTS's form of all that."""
    shape = (6, 8)
    y = np.round(rng.normal(size=shape) * 3, 1)
    y[rng.random(shape) < 0.2], y[0, 0] = np.nan, 0.0
    history = rng.normal(size=(6, 30)) * 3
    history[rng.random(history.shape) < 0.1] = np.nan
    names = ("mean", "0.025", "0.1", "0.5", "0.9", "0.975", "naive_2")
    made = dict(zip(names, np.sort(rng.normal(size=(7, *shape)) * 3, axis=0)[[2, 0, 1, 3, 4, 5, 6]], strict=True))
    made["0.5"][0, 0] = 0.0
    from gluonts.ev.ts_stats import seasonal_error

    scale = seasonal_error(np.ma.masked_invalid(history), seasonality=SEASON, time_axis=-1)
    data = {"label": np.ma.masked_invalid(y), "seasonal_error": np.asarray(scale), **made}
    return y, history, made, data


def theirs(metric, data, axis):
    return np.ma.filled(metric(axis=axis).update(data).get(), np.nan)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize(
    ("ours", "name", "point"),
    [
        (scoring.mse, "MSE", "mean"),
        (scoring.rmse, "RMSE", "mean"),
        (scoring.nrmse, "NRMSE", "mean"),
        (scoring.mae, "MAE", "0.5"),
        (scoring.mape, "MAPE", "0.5"),
        (scoring.smape, "SMAPE", "0.5"),
        (scoring.nd, "ND", "0.5"),
    ],
)
def test_point_scores(case, ours, name, point, axis):
    from gluonts.ev import metrics

    y, _, made, data = case
    expected = theirs(getattr(metrics, name)(), data, axis)
    np.testing.assert_allclose(ours(y, made[point], axis), expected, rtol=1e-12)


@pytest.mark.parametrize("axis", AXES)
def test_scores_relative_to_the_history(case, axis):
    from gluonts.ev import metrics

    y, history, made, data = case
    mase = scoring.mase(y, made["0.5"], history, SEASON, axis)
    np.testing.assert_allclose(mase, theirs(metrics.MASE(), data, axis), rtol=1e-12)
    msis = scoring.msis(y, made["0.025"], made["0.975"], history, SEASON, axis=axis)
    np.testing.assert_allclose(msis, theirs(metrics.MSIS(), data, axis), rtol=1e-12)
    owa = scoring.owa(y, made["0.5"], made["naive_2"], history, SEASON, axis)
    np.testing.assert_allclose(owa, theirs(metrics.OWA(), data, axis), rtol=1e-12)


@pytest.mark.parametrize("axis", AXES)
def test_scores_of_quantiles(case, axis):
    from gluonts.ev import metrics

    y, _, made, data = case
    levels = (0.1, 0.5, 0.9)
    q = np.stack([made[str(level)] for level in levels], axis=-1)
    for k, level in enumerate(levels):
        one = scoring.weighted_quantile_loss(y, q[..., k], level, axis)
        np.testing.assert_allclose(one, theirs(metrics.WeightedSumQuantileLoss(q=level), data, axis), rtol=1e-12)
        below = scoring.coverage(y, -np.inf, q[..., k], axis)
        np.testing.assert_allclose(below, theirs(metrics.Coverage(q=level), data, axis), rtol=1e-12)
        loss = np.nansum(scoring.quantile_loss(y, q[..., k], level), axis=axis)
        np.testing.assert_allclose(loss, theirs(metrics.SumQuantileLoss(q=level), data, axis), rtol=1e-12)
    expected = theirs(metrics.MeanWeightedSumQuantileLoss(quantile_levels=levels), data, axis)
    np.testing.assert_allclose(scoring.weighted_quantile_loss(y, q, levels, axis), expected, rtol=1e-12)
    by_crps = np.nansum(scoring.crps_quantiles(y, q, levels), axis=axis) / np.nansum(np.abs(y), axis=axis)
    np.testing.assert_allclose(by_crps, expected, rtol=1e-12)


OURS = {
    "mse": "MSE",
    "mase": "MASE",
    "mape": "MAPE",
    "smape": "sMAPE",
    "msis": "MSIS",
    "nd": "ND",
}


def test_the_whole_table_of_an_evaluator(rng):
    """201 draws: there GluonTS's nearest draw is our interpolated quantile at all levels used."""
    from gluonts.evaluation import Evaluator

    n, horizon, past = 4, 6, 40
    stamps = pd.date_range("2024-01-01", periods=past + horizon, freq="D")
    values = rng.normal(10, 3, (n, past + horizon))
    values[0, past + 1] = np.nan
    ids = pd.Index([f"s{i}" for i in range(n)])
    frame = pd.DataFrame({"unique_id": ids.repeat(len(stamps)), "ds": np.tile(stamps, n), "y": values.ravel()})
    forecast = Forecast(ids, np.tile(stamps[past:], (n, 1)), rng.normal(10, 3, (n, 201, horizon)), freq="D")
    names = [*OURS, "mae", "wql", "quantile_0.9"]
    table = score(forecast, frame, frame, names, by="unique_id", season_length=7)
    ours = table.pivot(index="unique_id", columns="metric", values="value")

    truth = [pd.Series(row, index=stamps.to_period("D")) for row in values]
    evaluator = Evaluator(quantiles=[k / 10 for k in range(1, 10)], seasonality=7, num_workers=0)
    _, expected = evaluator(truth, forecast.to_gluonts())
    for name, column in OURS.items():
        np.testing.assert_allclose(ours[name], expected[column].astype(float), rtol=1e-9, err_msg=name)
    scored = np.array([horizon - 1, *[horizon] * (n - 1)])
    np.testing.assert_allclose(ours["mae"], expected["abs_error"] / scored, rtol=1e-9)
    np.testing.assert_allclose(ours["quantile_0.9"], expected["QuantileLoss[0.9]"] / scored, rtol=1e-9)
    weighted = sum(expected[f"QuantileLoss[{k / 10}]"] for k in range(1, 10)) / 9 / expected["abs_target_sum"]
    np.testing.assert_allclose(ours["wql"], weighted, rtol=1e-9)
