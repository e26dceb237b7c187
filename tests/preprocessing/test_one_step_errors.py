"""One-step errors are forecast from the rows before them alone; the report is that of statsmodels."""

import numpy as np
import pytest

import tsformers as tsf
from tsformers.preprocessing.one_step_errors import autocorrelation_report, one_step_errors, whiteness
from tsformers.testing import make_frame


def test_errors_of_a_naive_forecast_are_the_differences():
    panel = tsf.Panel.from_frame(make_frame(n_series=2, rows=40).dropna())
    naive = tsf.SeasonalNaive(horizon=2, season_length=1, seed=0).fit(panel)

    def predict(past, n_samples):
        found = naive.predict(past, n_samples=2)
        last = past.y[past.ends - 1]
        values = np.broadcast_to(last[:, None, None], found.values.shape)
        return tsf.Forecast(found.ids, found.times, values, freq=found.freq, schema=found.schema)

    errors = one_step_errors(predict, panel, 2)
    for i in range(2):
        y = panel.y[panel.offsets[i] : panel.ends[i]]
        np.testing.assert_allclose(errors.values[:, i], np.diff(y)[-len(errors.values) :])


def test_white_errors_pass_and_autocorrelated_ones_do_not(rng):
    from statsmodels.stats.diagnostic import acorr_ljungbox

    white = rng.normal(size=60)
    walk = white.cumsum()
    found = whiteness(np.column_stack([white, walk, np.full(60, np.nan)]))
    assert found.n.tolist() == [60, 60, 0] and np.isnan(found.lag_one[2])
    assert found.p_value[0] > 0.01 and found.p_value[1] < 1e-6
    expected = acorr_ljungbox(walk - walk.mean(), lags=[10])["lb_pvalue"].iloc[0]
    assert found.p_value[1] == pytest.approx(expected)
    report = autocorrelation_report(white[:, None], walk[:, None])
    assert report["lag1_after"][0] == found.lag_one[0] and report["lag1_before"][0] == found.lag_one[1]
