"""Scale: properties of preprocessors, its formulas, and series that were not in fit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import RobustScaler, StandardScaler

import tsformers as tsf
from tsformers import Scale
from tsformers.testing import check_preprocessor, make_frame

METHODS = ["standard", "mean_abs", "robust"]


def panel_of(*series):
    frames = [pd.DataFrame({"unique_id": f"s{i}", "ds": range(len(y)), "y": y}) for i, y in enumerate(series)]
    return tsf.Panel.from_frame(pd.concat(frames), freq=1)


@pytest.mark.parametrize("method", METHODS)
def test_the_properties_of_preprocessors_hold(method):
    check_preprocessor(Scale(method))
    holes = make_frame()
    holes.loc[(holes.index % 7 == 0) & (holes["ds"] < "2024-02-20"), "y"] = np.nan
    check_preprocessor(Scale(method), holes)


@pytest.mark.filterwarnings("ignore::tsformers.errors.DataWarning")  # values such as 999999
@given(arrays(np.float64, st.integers(2, 30), elements=st.floats(-1e6, 1e6)), st.sampled_from(METHODS))
def test_inverse_undoes_transform(y, method):
    panel = panel_of(y)
    step = Scale(method).fit(panel)
    there = step.transform(panel).y
    assert np.isfinite(there).all()
    forecast = tsf.Forecast(panel.ids, panel.times[None], there[None, None])
    np.testing.assert_allclose(step.inverse(forecast).values[0, 0], y, rtol=1e-9, atol=1e-9 * max(1, np.abs(y).max()))


def test_units_are_those_of_scikit_learn(rng):
    y = rng.normal(5, 3, size=41)
    column = y[:, None]
    panel = panel_of(y)
    np.testing.assert_allclose(Scale().fit(panel).transform(panel).y, StandardScaler().fit_transform(column)[:, 0])
    robust = RobustScaler(unit_variance=True).fit_transform(column)[:, 0]
    np.testing.assert_allclose(Scale("robust").fit(panel).transform(panel).y, robust)
    np.testing.assert_allclose(Scale("mean_abs").fit(panel).transform(panel).y, y / np.abs(y).mean())


def test_each_series_has_its_own_unit_and_a_new_one_is_measured_on_its_history(rng):
    a, b = rng.normal(0, 1, 30), rng.normal(100, 50, 30)
    step = Scale().fit(panel_of(a))
    both = panel_of(a, b)
    scaled = step.transform(both).y.reshape(2, 30)
    np.testing.assert_allclose(scaled.mean(1), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(1), 1)
    later = panel_of(np.concatenate([a, [1e6]]))
    np.testing.assert_allclose(step.transform(later).y[:30], scaled[0])  # what comes later changes no units


def test_a_constant_series_and_one_of_zeros_stay_finite():
    panel = panel_of([7.0] * 5, [0.0] * 5)
    for method in METHODS:
        step = Scale(method).fit(panel)
        assert np.isfinite(step.transform(panel).y).all()
        assert (step.scale_ > 0).all()


def test_quantiles_stay_quantiles():
    frame = make_frame()
    step = Scale().fit(frame)
    held = tsf.Forecast(pd.Index(["s1"]), np.array([[1]]), np.array([[[-1.0], [0.0], [1.0]]]), levels=(0.1, 0.5, 0.9))
    answer = step.inverse(held)
    assert answer.levels == (0.1, 0.5, 0.9)
    np.testing.assert_allclose(answer.values[0, 1], step.location_[1])


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="choose one of 'standard', 'mean_abs', 'robust'"):
        Scale("minmax").fit(make_frame())
