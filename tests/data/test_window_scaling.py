"""Scaling of windows and its inverse."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.data.window_scaling import SCALERS, scale, unscale
from tsformers.data.windows import cut, pack_rows

PROPERTY = settings(max_examples=40, deadline=None)


def test_the_past_does_not_change_with_the_future(rng):
    y = rng.normal(size=(50, 1))
    other = np.where(np.arange(50)[:, None] < 30, y, 9.0)
    windows = [
        scale(cut(pack_rows(part, [0, 50]), torch.tensor([0]), torch.tensor([30]), 10, 5), "standard")
        for part in (y, other)
    ]
    assert torch.equal(windows[0].past, windows[1].past)
    assert torch.equal(windows[0].scale, windows[1].scale)
    assert not torch.equal(windows[0].future, windows[1].future)


def one_window(past, future, method, observed=None):
    past, future = np.asarray(past, float), np.asarray(future, float)
    y = np.concatenate([past if observed is None else np.where(observed, past, np.nan), future])[:, None]
    packed = pack_rows(y, [0, len(y)])
    return scale(cut(packed, torch.tensor([0]), torch.tensor([len(past)]), len(past), len(future)), method)


@pytest.mark.parametrize("method", [*SCALERS, None])
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(-1e6, 1e6))
@PROPERTY
def test_unscaling_gives_the_values_back(method, past, future):
    packed = pack_rows(np.array([*past, future])[:, None], [0, len(past) + 1])
    window = scale(cut(packed, torch.tensor([0]), torch.tensor([len(past)]), len(past), 1), method, torch.float64)
    back = unscale(torch.cat([window.past, window.future], dim=1)[:, None], window)[0, 0, :, 0]
    assert np.allclose(back, [*past, future], rtol=1e-9, atol=1e-9 * max(map(abs, [*past, future, 1e-300])))


@pytest.mark.parametrize("method", SCALERS)
def test_scaled_windows_do_not_depend_on_the_unit(method, rng):
    past, future = rng.normal(5, 2, 30), rng.normal(5, 2, 4)
    first, second = one_window(past, future, method), one_window(1000 * past, 1000 * future, method)
    assert torch.allclose(first.past, second.past, rtol=1e-6)
    assert torch.allclose(first.future, second.future, rtol=1e-6)


@pytest.mark.parametrize("method", ["standard", "robust"])
def test_centred_windows_do_not_depend_on_the_origin(method, rng):
    past, future = rng.normal(0, 2, 30), rng.normal(0, 2, 4)
    first, second = one_window(past, future, method), one_window(past + 1e8, future + 1e8, method)
    assert torch.allclose(first.past, second.past, atol=1e-6)
    assert torch.allclose(first.future, second.future, atol=1e-6)


def test_only_observed_values_set_the_scale(rng):
    past, observed = rng.normal(3, 2, 25), rng.random(25) < 0.6
    known = past[observed]
    quartiles = np.quantile(known, [0.25, 0.5, 0.75])
    expected = {
        "mean_abs": (0, np.abs(known).mean()),
        "standard": (known.mean(), known.std()),
        "robust": (quartiles[1], (quartiles[2] - quartiles[0]) / 1.3489795003921634),
    }
    for method, (location, spread) in expected.items():
        window = one_window(past, [0.0], method, observed)
        assert window.location.item() == pytest.approx(location)
        assert window.scale.item() == pytest.approx(spread)
        assert not window.past[0, ~torch.from_numpy(observed)].any()


@pytest.mark.parametrize("method", SCALERS)
@pytest.mark.parametrize(("level", "expected"), [(0.1, 0.1), (-7.0, 7.0), (0.0, 1.0), (1e12, 1e12)])
def test_constant_windows_are_scaled_by_their_level_or_by_one(method, level, expected):
    window = one_window([level] * 7, [level], method)
    assert window.scale.item() == pytest.approx(expected)
    assert bool(torch.isfinite(window.past).all())


def test_robust_scaling_of_mostly_constant_windows_falls_back_to_the_standard_deviation():
    window = one_window([0.0] * 9 + [10.0], [0.0], "robust")
    assert window.scale.item() == pytest.approx(3.0)


def test_targets_of_a_channel_without_context_count_as_missing():
    y = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 5.0]])
    window = cut(pack_rows(y, [0, 3]), torch.tensor([0]), torch.tensor([2]), 2, 1)
    assert scale(window, "mean_abs").future_observed[0, 0].tolist() == [True, False]
    assert scale(window, None).future_observed[0, 0].tolist() == [True, True]


def test_an_unknown_scaler_is_refused():
    packed = pack_rows(np.ones((4, 1)), [0, 4])
    window = cut(packed, torch.tensor([0]), torch.tensor([2]), 2, 1)
    with pytest.raises(ValueError, match="mean_abs, standard, robust or None"):
        scale(window, "max")
