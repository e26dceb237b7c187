"""LateErrors: calibration rows learned block by block leave the state that learning them at once would."""

import numpy as np
import pandas as pd
import pytest

import tsformers.data.blocks.forecast_blocks as blocks_module
import tsformers.forecasters.local.base as local_base
from tsformers import AnomalyDetector, SeasonalNaive, Theta
from tsformers.data.panel import Panel


def frame_of(lengths=(90, 61, 90, 40), seed=0):
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame({"unique_id": f"s{k}", "ds": 100 - length + np.arange(length), "y": rng.normal(size=length)})
        for k, length in enumerate(lengths)
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[rng.random(len(frame)) < 0.05, "y"] = np.nan
    return frame


def fitted(frame, forecaster, **settings):
    settings = {"refresh": 3, "n_samples": 20, "verbose": False} | settings
    return AnomalyDetector(forecaster, **settings).fit(frame, freq=1)


def same(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return [same(one[name], other[name]) for name in one]
    return np.testing.assert_array_equal(one, other) if isinstance(one, np.ndarray) else one == other


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [SeasonalNaive, Theta])
@pytest.mark.parametrize("p_value", ["conformal", "predictive"])
def test_blocks_of_any_size_leave_the_same_state(monkeypatch, kind, p_value):
    whole = fitted(frame_of(), kind(horizon=5, verbose=False, n_jobs=1), p_value=p_value).state
    monkeypatch.setattr(blocks_module, "NUMBERS_AT_ONCE", 1)
    monkeypatch.setattr(local_base, "NUMBERS_AT_ONCE", 1)  # one series a block
    same(whole, fitted(frame_of(), kind(horizon=5, verbose=False, n_jobs=1), p_value=p_value).state)


@pytest.mark.filterwarnings("ignore")
def test_errors_are_those_of_forecasts_from_what_was_known_before():
    """A score is the error from the median over half the width of the central 80% interval of ConformalP's docs."""
    frame, model = frame_of((60,)), SeasonalNaive(horizon=5, season_length=1, verbose=False)
    detector = fitted(frame, model, calibration=6, refresh=5, n_samples=400)
    panel = Panel.from_frame(frame, freq=1)
    expected = []
    for number, first in enumerate((54, 59), start=1):
        known = panel.until(np.array([first]))
        forecast = detector.forecaster_.predict(known, n_samples=400, seed=number)
        low, middle, high = forecast.quantile((0.1, 0.5, 0.9))[0]
        truth = panel.y[first : first + 5]
        expected += ((truth - middle[: len(truth)]) / ((high - low) / 2)[: len(truth)]).tolist()
    scores = detector.state["p_value"]["scores"][0]
    found, expected = scores[~np.isnan(scores)], np.array(expected)
    np.testing.assert_allclose(found, expected[~np.isnan(expected)], rtol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_fit_keeps_no_forecast_and_the_first_rows_make_the_same_one_again():
    frame = frame_of((60, 60))
    detector = fitted(frame, SeasonalNaive(horizon=5, verbose=False), refresh=5)
    assert "forecast" not in detector.snapshot()
    assert detector.state["forecast"]["values"].shape == (5, 2, 20)
    again = fitted(frame, SeasonalNaive(horizon=5, verbose=False), refresh=5)
    rows = pd.DataFrame({"unique_id": ["s0", "s1"], "ds": [100, 100], "y": [0.1, 9.0]})
    pd.testing.assert_frame_equal(again.detect(rows), detector.detect(rows))
