"""AutoETS beside statsmodels' ETSModel."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.forecasters.local.ets.states import Spec

pytestmark = pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.ConvergenceWarning")


def frame_of(y, freq="QS"):
    return pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2000-01-01", periods=len(y), freq=freq), "y": y})


def seasonal_walk(rng, rows=60, season=4, level=50.0):
    shape = np.sin(np.arange(rows) * 2 * np.pi / season)
    return level + np.cumsum(rng.normal(size=rows)) + 8 * shape + rng.normal(size=rows)


def test_the_mean_of_draws_is_near_the_forecast_of_statsmodels(rng):
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    y = seasonal_walk(rng, 80, level=0.0)
    model = tsf.AutoETS(horizon=8, seed=0).fit(frame_of(y))
    spec = Spec(*model.params_[0]["spec"])
    expected = ETSModel(y, **spec._asdict(), seasonal_periods=4).fit(disp=False)
    np.testing.assert_allclose(model.predict(n_samples=20_000).mean[0], expected.forecast(8), atol=0.15)


def test_longer_and_other_histories_are_continued_without_refit(rng):
    y = 50 + np.tile([10.0, -5, 2, -7], 20) + rng.normal(size=80) * 0.1
    frame = frame_of(y)
    model = tsf.AutoETS(horizon=4, seed=0).fit(frame[:60])
    for part in (frame[:61], frame[:63], frame, frame[40:], frame[57:59], frame[62:63]):
        last = part.index[-1] + 1
        expected = 50 + np.tile([10.0, -5, 2, -7], 2)[last % 4 :][:4]
        np.testing.assert_allclose(model.predict(part).mean[0], expected, atol=1.5)
    shifted = frame.assign(y=frame.y + 100)[1:]  # begins elsewhere: states are fitted to it
    np.testing.assert_allclose(model.predict(shifted).mean, model.predict(frame).mean + 100, atol=3)


def test_intervals_of_80_percent_hold_about_80_percent(rng):
    shocks = rng.normal(size=(50, 84))
    y = np.cumsum(0.4 * shocks, axis=1) - 0.4 * shocks + shocks
    frame = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(50), 80), "ds": np.tile(np.arange(80), 50), "y": y[:, :80].ravel()}
    )
    lower, upper = np.moveaxis(
        tsf.AutoETS(horizon=4, seed=0, n_jobs=1).fit(frame).predict(n_samples=300).interval(0.8), 1, 0
    )
    assert ((y[:, 80:] >= lower) & (y[:, 80:] <= upper)).mean() == pytest.approx(0.8, abs=0.08)


def test_an_unknown_criterion_is_refused():
    with pytest.raises(ValueError, match="criterion='cv' is unknown; choose one of 'aicc', 'aic', 'bic'"):
        tsf.AutoETS(horizon=2, criterion="cv").fit(frame_of(np.arange(20.0)))


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_other_criteria_choose_by_themselves(criterion, rng):
    y = seasonal_walk(rng, 40)
    assert tsf.AutoETS(horizon=2, criterion=criterion).fit_one(y, 4)["criterion"] < np.inf
