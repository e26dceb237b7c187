"""AnomalyDetector and its forecaster: when it predicts, from what, and that any will do."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

import tsformers as tsf
from tsformers.anomaly import AnomalyDetector
from tsformers.errors import DataError

from .conftest import EXTREME, at, fit_silently, history, same


@dataclass(kw_only=True, repr=False, eq=False)
class Spy(BaseEstimator):
    """Says the last value, and keeps every panel that it was shown."""

    horizon: int
    multivariate: bool = False

    def fit(self, panel, **_):
        self.panels_, self.panel_ = [], panel
        return self

    def predict(self, panel, *, n_samples, seed, **_):
        self.panels_.append(panel)
        last = np.nan_to_num([np.r_[0.0, y[np.isfinite(y)]][-1] for y in np.split(panel.y, panel.offsets[1:-1])])
        drawn = last[:, None, None] + np.random.default_rng(seed).normal(size=(panel.n_series, n_samples, self.horizon))
        return tsf.Forecast(panel.ids, panel.future_times(self.horizon), drawn, freq=panel.freq, schema=panel.schema)


def spied(frame=None, calibration=0, **chosen):
    own = {key: chosen.pop(key) for key in ("horizon", "multivariate") if key in chosen}
    detector = AnomalyDetector(Spy(**({"horizon": 4} | own)), **(EXTREME | {"context_length": 20} | chosen))
    fit_silently(detector.set_params(calibration=calibration), history() if frame is None else frame)
    detector.forecaster_.panels_.clear()
    return detector, detector.forecaster_.panels_


def test_all_series_are_forecast_in_one_batch_every_refresh_rows():
    detector, panels = spied(refresh=3)
    detector.detect(history(3, 12, at(1).isoformat()))
    assert [panel.n_series for panel in panels] == [3] * 4
    assert detector.counts["refreshes"] == 4
    assert all((panel.lengths == 20).all() for panel in panels)


def test_a_forecast_reaches_no_further_than_its_horizon():
    detector, panels = spied(refresh=100, horizon=4)
    detector.detect(history(3, 12, at(1).isoformat()))
    assert len(panels) == 3


def test_the_forecaster_gets_what_came_before_and_nothing_else():
    detector, panels = spied(contamination="keep")
    later = history(3, 5, at(1).isoformat(), seed=3)
    later.loc[7, "y"] = np.nan
    detector.detect(later)
    for step, panel in enumerate(panels):
        known = pd.concat([history(), later[later["ds"] < at(step + 1)]])
        truth = tsf.Panel.from_frame(known, freq="h").tail(20)
        assert_array_equal(panel.y, truth.y)
        assert_array_equal(panel.times, truth.times)
        assert_array_equal(panel.offsets, truth.offsets)


def test_past_covariates_travel_with_the_rows():
    frame, later = (
        part.assign(load=np.arange(len(part)) / 7) for part in (history(), history(3, 4, at(1).isoformat()))
    )
    detector, panels = spied(frame)
    detector.detect(later)
    truth = tsf.Panel.from_frame(pd.concat([frame, later[later["ds"] < at(4)]])).tail(20)
    assert_array_equal(panels[-1].past, truth.past)
    with pytest.raises(DataError, match="the rows have no column 'load'"):
        detector.detect(later.drop(columns="load"))


def test_contexts_of_a_multivariate_forecaster_end_together():
    detector, panels = spied(multivariate=True)
    rows = [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("a", 3), ("b", 3), ("c", 3), ("b", 2), ("c", 5)]
    decisions = detector.update_many([{"unique_id": i, "ds": at(k), "y": 0.0} for i, k in rows])
    assert [d.status for d in decisions] == ["tested"] * 7 + ["late", "tested"]
    assert panels
    for panel in panels:
        assert len(set(panel.times[panel.ends - 1])) == 1


@pytest.mark.parametrize(
    "model",
    [
        tsf.Linear(horizon=4, context_length=16, max_steps=5, seed=0),
        tsf.Ensemble([tsf.SeasonalNaive(horizon=4), tsf.SeasonalNaive(horizon=4, season_length=1)]),
        tsf.Theta(horizon=4, seed=0, n_jobs=1),
    ],
    ids=lambda model: type(model).__name__,
)
def test_any_forecaster_of_the_package_will_do(model, tmp_path):
    made = fit_silently(AnomalyDetector(model, **EXTREME, refresh=3, calibration=6), history())
    later = history(3, 9, at(1).isoformat(), seed=5)
    later.loc[13, "y"] = 500.0
    rows = later.sort_values("ds", kind="stable").to_dict("records")
    initial = made.state
    alone = [made.update(row) for row in rows]
    assert [d.unique_id for d in alone if d.anomaly and d.y == 500.0] == ["b"]
    made.state = initial
    assert same(alone[:10], made.update_many(rows[:10]))
    made.save(tmp_path / "d")
    assert same(alone[10:], tsf.load(tmp_path / "d").update_many(rows[10:]))


def test_a_forecaster_that_is_fitted_already_is_used_as_it_is():
    model = tsf.SeasonalNaive(horizon=3, seed=0).fit(history())
    made = fit_silently(AnomalyDetector(model, **EXTREME), history(), prefit=True)
    assert made.forecaster_ is model
