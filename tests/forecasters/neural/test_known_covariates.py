"""Forecasters with known covariates: the closed-form response pays, does no harm, and looks at nothing it may not."""

import numpy as np
import pandas as pd
import pytest
import torch

import tsformers as tsf
from tsformers.data.window_scaling import scale
from tsformers.testing import make_window

H, T, ROWS = 6, 24, 500
MODELS = {
    "Linear": {"max_steps": 30},
    "LRU": {"d_model": 8, "d_state": 8, "n_layers": 1, "max_steps": 20},
    "Autoformer": {"d_model": 8, "d_ff": 8, "n_heads": 2, "encoder_layers": 1, "max_steps": 20},
}
pytestmark = pytest.mark.parametrize("name", MODELS)


def model(name, **settings):
    own = {"horizon": H, "context_length": T, "validation_windows": 5, "seed": 0, "verbose": False}
    return getattr(tsf, name)(**own | MODELS[name] | settings)


def walk(n, rng):
    x = np.zeros(n)
    for i in range(1, n):
        x[i] = 0.8 * x[i - 1] + 0.6 * rng.normal()
    return x


def frame(ids="ab", rows=ROWS, useful=2.0, seed=0, start="2024-01-01"):
    """Series in which the square of ``heat`` counts, and ``noise`` does not."""
    rng, parts = np.random.default_rng(seed), []
    for each in ids:
        heat = walk(rows, rng)
        y = useful * heat**2 + 0.5 * walk(rows, rng) + 5.0
        times = pd.date_range(start, periods=rows, freq="h")
        parts.append(
            pd.DataFrame({"unique_id": each, "ds": times, "y": y, "heat": heat, "noise": rng.normal(size=rows)})
        )
    return pd.concat(parts, ignore_index=True)


def split(data, rows=H):
    last = data.groupby("unique_id").cumcount(ascending=False) < rows
    return data[~last], data[last]


def mean_error(fitted, data, known):
    """Of the medians from twelve cutoffs."""
    panel = tsf.Panel.from_frame(data, known=known, past=[])
    after = np.arange(12, 0, -1) * H
    values = np.median(fitted.predict_at(panel, after, n_samples=200, seed=1), axis=2)
    y = panel.y.reshape(panel.n_series, -1)
    truth = np.stack([y[:, y.shape[1] - a :][:, :H] for a in after])
    return np.abs(values - truth).mean()


def test_a_column_with_a_curved_effect_pays(name):
    data = frame()
    head, _ = split(data, 12 * H)
    with_it = model(name).fit(head, known=["heat"], past=[])
    without = model(name).fit(head.drop(columns="heat"), past=[])
    assert mean_error(with_it, data, ["heat"]) < 0.6 * mean_error(without, data.drop(columns="heat"), [])


def test_a_useless_column_does_no_harm(name):
    data = frame(useful=0.0)
    head, _ = split(data, 12 * H)
    with_it = model(name).fit(head, known=["noise"], past=[])
    without = model(name).fit(head.drop(columns="noise"), past=[])
    assert mean_error(with_it, data, ["noise"]) < 1.05 * mean_error(without, data.drop(columns="noise"), [])


def test_saved_and_loaded_it_forecasts_the_same_also_other_series(name, tmp_path):
    fitted = model(name).fit(split(frame())[0], known=["heat"], past=[])
    fitted.save(tmp_path / "model.zip")
    again = tsf.load(tmp_path / "model.zip")
    history, future = split(frame("xyz", seed=5))
    for data, ahead in ((None, split(frame())[1]), (history, future)):
        first, second = (each.predict(data, future=ahead, n_samples=20, seed=3) for each in (fitted, again))
        np.testing.assert_array_equal(first.values, second.values)
    moved = fitted.predict(history, future=future.assign(heat=3.0), n_samples=20, seed=3)
    assert (moved.values.mean(1) > first.values.mean(1) + 5).mean() > 0.9  # 2 * 3 ** 2 against about 2


def test_units_of_the_target_and_of_the_column_change_nothing(name):
    data = frame()
    other = data.assign(y=1000 * data["y"], heat=10 * data["heat"] - 40)
    found = []
    for each in (data, other):
        history, future = split(each)
        fitted = model(name).fit(history, known=["heat"], past=[])
        found.append(fitted.predict(future=future, n_samples=20, seed=3).values)
    np.testing.assert_allclose(found[1] / 1000, found[0], rtol=1e-2, atol=1e-2)


def test_from_many_cutoffs_no_later_target_is_read_and_missing_ones_are_left_out(name):
    data = frame()
    gaps = data.assign(y=data["y"].where(np.arange(len(data)) % 37 != 5))
    fitted = model(name).fit(gaps, known=["heat"], past=[])
    after = np.array([2 * H, H])
    first = fitted.predict_at(gaps, after, n_samples=20, seed=3)
    last = gaps.groupby("unique_id").cumcount(ascending=False)
    second = fitted.predict_at(gaps.assign(y=gaps["y"].where(last >= H, 1e6)), after, n_samples=20, seed=3)
    np.testing.assert_array_equal(first, second)
    assert np.isfinite(first).all()


def test_series_as_channels_have_their_own_columns(name):
    data = frame()
    history, future = split(data)
    fitted = model(name, multivariate=True).fit(history, known=["heat"], past=[])
    plain = fitted.predict(future=future, n_samples=50, seed=3).values.mean(1)
    hot = future.assign(heat=future["heat"].where(future["unique_id"] == "a", 3.0))
    moved = fitted.predict(future=hot, n_samples=50, seed=3).values.mean(1)
    assert np.abs(moved[1] - plain[1]).mean() > 5 * np.abs(moved[0] - plain[0]).mean()
    assert np.abs(moved[1] - plain[1]).mean() > 5


def test_statics_alone_are_no_known_covariates(name):
    shops = pd.DataFrame({"unique_id": ["a", "b"], "size": [1.0, 2.0]})
    data = frame().drop(columns=["heat", "noise"])
    roles = {} if name == "Linear" else {"static": shops}
    fitted = model(name, max_steps=2).fit(data, **roles)
    assert not any("known." in key for key in fitted.network_.state_dict())


def test_a_model_saved_before_there_was_a_response_loads_without_one(name):
    fitted = model(name, max_steps=2).fit(split(frame())[0], known=["heat"], past=[])
    network, sizes = fitted.network_, fitted.sizes_
    former = {key: value for key, value in network.state_dict().items() if "known." not in key}
    fresh = fitted.build(*sizes)
    fresh.load_state_dict(former)
    window = scale(make_window(3, T, H, known_x=sizes[2]), "standard")
    assert torch.isfinite(fresh.sample(window, 5)).all()
