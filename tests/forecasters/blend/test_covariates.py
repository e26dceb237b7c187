"""Covariates of Blend: known ones pay, useless ones do no harm, and nothing after a cutoff is read."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.forecasters.blend.covariates import Rows, past_inputs

QUICK = {"horizon": 6, "max_steps": 20, "batch_size": 32, "seed": 0, "device": "cpu", "verbose": False}


def shops(n=3, rows=200, seed=0):
    """Sales that depend on the square of a price, on top of a week and noise."""
    rng, parts = np.random.default_rng(seed), []
    for i in range(n):
        price, t = rng.normal(size=rows), np.arange(rows)
        y = (i + 1) * (30 + 4 * np.sin(2 * np.pi * t / 7) + 6 * price**2 + rng.normal(size=rows))
        days = pd.date_range("2023-01-01", periods=rows)
        parts.append(
            pd.DataFrame({"unique_id": f"s{i}", "ds": days, "y": y, "price": price, "noise": rng.normal(size=rows)})
        )
    return pd.concat(parts, ignore_index=True)


def split(frame, horizon=6):
    late = frame.groupby("unique_id").cumcount(ascending=False) < horizon
    return frame[~late], frame[late]


def error(model, frame, columns):
    history, ahead = split(frame)
    kept = ["unique_id", "ds", *columns]
    fitted = model.fit(history[[*kept, "y"]], known=columns)
    forecast = fitted.predict(future=ahead[kept] if columns else None)
    truth = ahead["y"].to_numpy().reshape(len(forecast), -1)
    levels = np.array(forecast.levels)[:, None]
    gap = truth[:, None] - forecast.values
    return float(np.maximum(levels * gap, (levels - 1) * gap).mean())


def test_a_known_covariate_with_a_curved_effect_pays():
    frame = shops()
    assert error(tsf.Blend(**QUICK), frame, ["price"]) < 0.5 * error(tsf.Blend(**QUICK), frame, [])


def test_a_useless_covariate_does_little_harm():
    frame = shops()
    assert error(tsf.Blend(**QUICK), frame, ["noise"]) < 1.1 * error(tsf.Blend(**QUICK), frame, [])


@pytest.fixture(scope="module")
def fitted():
    return tsf.Blend(**QUICK).fit(split(shops())[0], known=["price"], past=["noise"])


def test_without_their_future_known_covariates_are_asked_for(fitted):
    with pytest.raises(tsf.DataError, match="future"):
        fitted.predict()


def test_a_saved_model_forecasts_the_same_bits_from_the_same_plan(fitted, tmp_path):
    ahead = split(shops())[1]
    fitted.save(tmp_path / "blend")
    loaded = tsf.load(tmp_path / "blend").predict(future=ahead)
    np.testing.assert_array_equal(loaded.values, fitted.predict(future=ahead).values)


def test_from_a_cutoff_known_covariates_are_read_and_targets_are_not(fitted):
    frame = shops()
    early, late = fitted.predict_at(frame, np.array([6])), fitted.predict_at(frame.assign(price=0.0), np.array([6]))
    assert not np.allclose(early, late)
    after = frame.groupby("unique_id").cumcount(ascending=False) < 6
    changed = frame.assign(y=frame["y"].where(~after, frame["y"] * 1.5))
    np.testing.assert_array_equal(fitted.predict_at(changed, np.array([6])), early)


def test_without_training_covariates_are_not_read_which_is_said():
    with pytest.warns(tsf.DataWarning, match="price"):
        tsf.Blend(horizon=6, max_steps=0).fit(split(shops())[0], known=["price"])


def test_a_past_covariate_is_read_by_its_last_value_and_its_correlation(rng):
    values = rng.normal(size=50)
    rows = Rows(values, np.zeros(50), np.column_stack([2 * values, -values, rng.normal(size=50)]), np.zeros((50, 0)))
    found = past_inputs(rows, np.array([5]), np.array([45]))
    np.testing.assert_allclose(found[0, :3], rows.past[44])
    wanted = [np.corrcoef(values[5:45], rows.past[5:45, k])[0, 1] for k in range(3)]
    np.testing.assert_allclose(found[0, 3:], wanted, atol=1e-9)
