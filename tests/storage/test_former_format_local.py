"""Local models that earlier versions saved are fitted again when they are loaded, wherever they stand."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import tsformers as tsf
from tsformers.testing import make_frame

SAVED = Path(__file__).resolve().parents[1] / "fixed_point" / "saved"
QUIET = {"n_jobs": 1, "verbose": False, "seed": 0}
AGAIN = "saved by an earlier version and was fitted again"
FITTED_AGAIN = {
    "HoltWinters": ["HoltWinters"],
    "AutoETS": ["AutoETS"],
    "AutoARIMA": ["AutoARIMA"],
    "Theta": ["Theta"],
    "Pipeline": ["Theta"],
    "Pipeline_adjusted_local": ["Theta"],
    "Clustered_sum": ["Theta", "Theta"],
    "SeasonalNaive": [],
    "Ensemble": [],
    "Clustered": [],
    "detector": [],
    "detector_conformal": [],
}  # folder in ``saved``: the local models in it of which a warning is given


def loaded(folder):
    """The model, and the warnings of loading it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = tsf.load(folder)
    return model, [str(entry.message) for entry in caught]


def older(folder):
    """Take the mark of today's local models out of a saved model."""

    def without_mark(value):
        if isinstance(value, dict):
            return {key: without_mark(part) for key, part in value.items() if key != "periods_"}
        return [without_mark(part) for part in value] if isinstance(value, list) else value

    page = folder / "model.json"
    page.write_text(json.dumps(without_mark(json.loads(page.read_text()))))


@pytest.mark.parametrize(("name", "models"), FITTED_AGAIN.items())
def test_models_of_an_earlier_version_are_fitted_again_once(name, models, tmp_path):
    model, heard = loaded(SAVED / name)
    assert [text.split(" was ")[0] for text in heard] == [f"this {kind}" for kind in models]
    assert all(AGAIN in text for text in heard)
    tsf.save(model, tmp_path / "m")
    again, heard = loaded(tmp_path / "m")
    assert heard == []
    if hasattr(model, "predict"):
        values = model.predict(n_samples=8, seed=1).values
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(again.predict(n_samples=8, seed=1).values, values)


@pytest.mark.parametrize("name", ["SeasonalNaive", "HoltWinters", "AutoETS", "AutoARIMA", "Theta"])
def test_a_model_of_an_earlier_version_forecasts_as_a_new_one(name):
    model, _ = loaded(SAVED / name)
    new = type(model)(**model.get_params()).fit(model.panel_)
    np.testing.assert_array_equal(model.predict(seed=1).values, new.predict(seed=1).values)
    assert model.settings_ == new.settings_ and model.fallbacks_ == new.fallbacks_ == {}


def test_a_detector_of_an_earlier_version_fits_its_forecaster_again_and_goes_on(tmp_path):
    frame = make_frame(n_series=2, rows=80)
    last = frame.groupby("unique_id", sort=False)["ds"].transform("max")
    detector = tsf.AnomalyDetector(
        tsf.Ensemble([tsf.Theta(horizon=2, **QUIET), tsf.SeasonalNaive(horizon=2, **QUIET)], seed=0),
        tsf.fdr.LORD(alpha=0.1, decay=0.99),
        p_value="predictive",
        calibration=20,
        verbose=False,
    ).fit(frame[frame["ds"] < last])
    detector.save(tmp_path / "d")
    older(tmp_path / "d")
    again, heard = loaded(tmp_path / "d")
    (one,) = heard
    assert one.startswith("this Theta ") and AGAIN in one
    rows = frame[frame["ds"] == last]
    assert again.detect(rows).equals(detector.detect(rows))
