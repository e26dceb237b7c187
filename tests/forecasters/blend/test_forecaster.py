"""Blend: the laws of its forecasts, with and without training, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers as tsf
from tsformers.forecasters.blend.forecaster import bounded
from tsformers.testing import check_forecaster, make_frame

QUICK = {"horizon": 4, "max_steps": 4, "batch_size": 16, "seed": 0, "device": "cpu", "verbose": False}


@pytest.fixture(scope="module")
def weeks():
    return make_frame(n_series=4, rows=80)


@pytest.fixture(scope="module")
def trained(weeks):
    return tsf.Blend(**QUICK).fit(weeks)


def zero_shot(horizon=4):
    return tsf.Blend(horizon=horizon, max_steps=0, device="cpu")


@pytest.mark.parametrize("steps", [0, 4])
def test_the_laws_of_forecasters_hold(steps):
    check_forecaster(tsf.Blend(**QUICK | {"max_steps": steps}), make_frame(n_series=3, rows=60))


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-6, 1e9), st.integers(0, 1000))
def test_another_unit_gives_the_same_forecast_in_that_unit(factor, seed):
    frame = make_frame(n_series=2, rows=50, seed=seed)
    one = zero_shot().fit(frame).predict().values
    other = zero_shot().fit(frame.assign(y=frame["y"] * factor)).predict().values
    np.testing.assert_allclose(other / factor, one, rtol=1e-5)


def test_a_trained_model_is_equivariant_too(weeks):
    one = tsf.Blend(**QUICK).fit(weeks).predict().values
    other = tsf.Blend(**QUICK).fit(weeks.assign(y=weeks["y"] * 1024)).predict().values
    np.testing.assert_allclose(other / 1024, one, rtol=1e-5)


def test_without_training_a_series_alone_is_forecast_as_in_a_panel_and_order_changes_nothing(weeks):
    panel = zero_shot().fit(weeks).predict()
    for place, name in enumerate(panel.ids):
        alone = zero_shot().fit(weeks[weeks["unique_id"] == name]).predict().values[0]
        np.testing.assert_allclose(alone, panel.values[place], rtol=1e-5)
    names = {"s0": "z", "s1": "y", "s2": "x", "s3": "w"}
    turned = zero_shot().fit(weeks.assign(unique_id=weeks["unique_id"].map(names))).predict()
    np.testing.assert_allclose(turned.values[::-1], panel.values, rtol=1e-5)


@pytest.mark.parametrize("steps", [0, 4])
def test_forecasts_from_a_cutoff_do_not_read_what_comes_after_it(weeks, steps):
    model = tsf.Blend(**QUICK | {"max_steps": steps}).fit(weeks)
    changed = weeks.copy()
    late = changed.groupby("unique_id").cumcount(ascending=False) < 10
    changed.loc[late, "y"] = 3 * changed.loc[late, "y"] + 20
    first, second = (model.predict_at(frame, np.array([10, 14])) for frame in (weeks, changed))
    np.testing.assert_array_equal(first, second)


def test_from_a_cutoff_it_forecasts_what_predict_does_there(trained, weeks):
    at = trained.predict_at(weeks, np.array([0, 7]))
    early = weeks[weeks.groupby("unique_id").cumcount(ascending=False) >= 7]
    np.testing.assert_allclose(at[0], trained.predict(weeks).values, rtol=1e-6)
    np.testing.assert_allclose(at[1], trained.predict(early).values, rtol=1e-6)


def test_new_rows_move_the_end_and_give_what_a_longer_history_gives(weeks):
    early = weeks[weeks.groupby("unique_id").cumcount(ascending=False) >= 5]
    model = zero_shot().fit(early)
    model.update(weeks[weeks.groupby("unique_id").cumcount(ascending=False) < 5])
    np.testing.assert_allclose(model.predict().values, zero_shot().fit(weeks).predict().values, rtol=1e-6)


def test_a_saved_model_forecasts_the_same_bits(trained, tmp_path):
    trained.save(tmp_path / "blend")
    np.testing.assert_array_equal(tsf.load(tmp_path / "blend").predict().values, trained.predict().values)


def test_training_changes_the_forecast_and_is_written_down(trained, weeks):
    assert not np.allclose(trained.predict().values, zero_shot().fit(weeks).predict().values)
    assert trained.history_["step"].tolist()[0] == 0
    assert 0 < trained.members_[0].share < 1


def test_members_differ_and_are_averaged(weeks):
    two = tsf.Blend(**QUICK | {"members": 2}).fit(weeks)
    assert len(two.members_) == 2
    singles = []
    for member in two.members_:
        one = tsf.Blend(**QUICK).fit(weeks)
        one.members_ = [member]
        singles.append(one.predict().values)
    assert not np.allclose(*singles)
    np.testing.assert_allclose(two.predict().values, np.mean(singles, axis=0), rtol=1e-6)


def test_series_too_short_to_train_on_are_forecast_by_the_shipped_weights(weeks):
    short = pd.DataFrame({"unique_id": "short", "ds": pd.date_range("2024-03-11", periods=5), "y": [3.0, 1, 4, 1, 5]})
    model = tsf.Blend(**QUICK).fit(pd.concat([weeks, short]))
    found = model.predict()
    place = found.ids.get_loc("short")
    np.testing.assert_allclose(found.values[place], zero_shot().fit(short).predict().values[0], rtol=1e-5)


@pytest.mark.parametrize("steps", [0, 4])
@pytest.mark.parametrize(
    "y",
    [[1.0, 2.0, 3.0], [5.0], [0.0] * 12, [7.0] * 30, [np.nan, 1.0, np.nan, 2.0, np.nan], [1e12 + k for k in range(40)]],
)
def test_short_constant_and_sparse_series_have_finite_rising_quantiles(y, steps):
    frame = pd.DataFrame({"unique_id": "a", "ds": range(len(y)), "y": y})
    found = tsf.Blend(**QUICK | {"max_steps": steps}).fit(frame, freq=1).predict().values
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=1) >= 0).all()
    assert np.abs(found).max() <= 20 * np.nanmax(np.abs(y)) + 1


def test_counts_are_not_forecast_below_zero_and_a_shifted_series_may_be():
    rng = np.random.default_rng(0)
    counts = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": rng.poisson(0.4, 60).astype(float)})
    assert zero_shot().fit(counts).predict().values.min() >= 0
    assert zero_shot().fit(counts.assign(y=counts["y"] - 0.5)).predict().values.min() < 0


def test_a_base_that_is_left_out_has_no_weight(weeks):
    chosen = ["last", "last_season", "theta"]
    weights = tsf.Blend(horizon=4, max_steps=0, bases=chosen).fit(weeks).explain()
    assert sorted(weights["base"].unique()) == sorted(chosen)


def test_an_unknown_base_is_named_with_its_likely_meaning(weeks):
    with pytest.raises(ValueError, match="theeta.*theta"):
        tsf.Blend(horizon=4, bases=["theeta"]).fit(weeks)
    with pytest.raises(ValueError, match="one base or more"):
        tsf.Blend(horizon=4, bases=[]).fit(weeks)


def test_a_context_ends_at_the_cutoff_and_reaches_back_from_the_last_value():
    values = np.array([1.0, 2.0, 3.0, np.nan, np.nan, 9.0, np.nan])
    first, stop = bounded(values, np.array([0, 5]), np.array([5, 7]), 2)
    assert first.tolist() == [1, 5]
    assert stop.tolist() == [5, 7]
    none = bounded(np.full(4, np.nan), np.array([0]), np.array([4]), 2)
    assert none[0].tolist() == [2]
