"""Windows against a slow loop, scaling and its inverse, and which cutoffs are admitted."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.data.windows import SCALERS, cut, cutoffs, held_back, pack_rows, rows_held_back, scale, unscale

PROPERTY = settings(max_examples=40, deadline=None)


CASES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10**6),
        "lengths": st.lists(st.integers(1, 12), min_size=1, max_size=4),
        "channels": st.integers(1, 2),
        "columns": st.tuples(*[st.integers(0, 2)] * 3),
        "beyond": st.integers(0, 2),
    }
)


def packing(seed, lengths, channels, columns, beyond):
    """Arrays of a few series with covariates, missing values and rows after their ends; and their tensors."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(np.array(lengths) + beyond)])
    rows, (past, known, static) = offsets[-1], columns
    y = np.where(rng.random((rows, channels)) < 0.2, np.nan, rng.normal(size=(rows, channels)))
    for end in offsets[1:]:
        y[end - beyond : end] = np.nan
    arrays = y, rng.normal(size=(rows, past)), rng.normal(size=(rows, known)), rng.normal(size=(len(lengths), static))
    ends = offsets[1:] - beyond
    return arrays, offsets, ends, pack_rows(y, offsets, *arrays[1:], ends=ends)


def slow_window(arrays, offsets, series, cutoff, context_length, horizon):
    """One window, row by row."""
    y, past, known, static = arrays
    parts = {name: [] for name in ("y", "seen", "past_x", "known_x")}
    for row in range(cutoff - context_length, cutoff + horizon):
        inside = offsets[series] <= row < offsets[series + 1]
        value = y[row] if inside else np.full(y.shape[1], np.nan)
        parts["seen"].append(~np.isnan(value))
        parts["y"].append(np.nan_to_num(value))
        parts["past_x"].append(past[row] if inside else np.zeros(past.shape[1]))
        parts["known_x"].append(np.concatenate([known[row] if inside else np.zeros(known.shape[1]), static[series]]))
    return {name: np.array(part) for name, part in parts.items()}


@PROPERTY
@given(CASES, st.integers(1, 6), st.integers(1, 4), st.data())
def test_cut_equals_a_loop_over_windows_and_rows(case, context_length, horizon, data):
    arrays, offsets, _, packed = packing(**case)
    series = data.draw(st.lists(st.integers(0, len(offsets) - 2), min_size=1, max_size=5))
    rows = [data.draw(st.integers(int(offsets[i]), int(offsets[i + 1]))) for i in series]
    window = cut(packed, torch.tensor(series), torch.tensor(rows), context_length, horizon)
    for b, (i, row) in enumerate(zip(series, rows, strict=True)):
        slow = slow_window(arrays, offsets, i, row, context_length, horizon)
        t = context_length
        assert np.array_equal(window.past[b], slow["y"][:t])
        assert np.array_equal(window.future[b], slow["y"][t:])
        assert np.array_equal(window.past_observed[b], slow["seen"][:t])
        assert np.array_equal(window.future_observed[b], slow["seen"][t:])
        covariates = np.concatenate([slow["past_x"][:t], slow["known_x"][:t]], axis=1)
        assert np.array_equal(window.past_x[b], covariates.astype(np.float32))
        assert np.array_equal(window.future_x[b], slow["known_x"][t:].astype(np.float32))


@PROPERTY
@given(CASES, st.integers(1, 6), st.integers(1, 4))
def test_windows_inside_their_series_are_cut_alike_alone_and_beside_one_that_reaches_over_the_edge(case, t, h):
    *_, packed = packing(**case)
    series, rows = cutoffs(packed, t, h)
    alone = cut(packed, series, rows, t, h)
    edge = torch.tensor([0]), torch.tensor([0])
    beside = cut(packed, torch.cat([series, edge[0]]), torch.cat([rows, edge[1]]), t, h)
    for part, other in zip(alone[:6], beside[:6], strict=True):
        assert torch.equal(part, other[:-1])


@PROPERTY
@given(CASES, st.integers(1, 6), st.integers(1, 4), st.integers(0, 5))
def test_cutoffs_are_those_that_a_loop_admits(case, context_length, horizon, hold_back):
    (y, *_), offsets, ends, packed = packing(**case)
    expected = []
    for i, end in enumerate(ends):
        holds = hold_back if end - offsets[i] >= context_length + horizon + hold_back else 0
        for row in range(offsets[i] + context_length, end - horizon - holds + 1):
            seen = ~np.isnan(y)
            both = seen[row - context_length : row].any(axis=0) & seen[row : row + horizon].any(axis=0)
            if both.any():
                expected.append((i, row))
    series, rows = cutoffs(packed, context_length, horizon, hold_back)
    assert list(zip(series.tolist(), rows.tolist(), strict=True)) == expected


@PROPERTY
@given(CASES, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([None, 1, 2]))
def test_no_target_of_a_held_back_window_is_ever_trained_on(case, context_length, horizon, n_windows, stride):
    *_, packed = packing(**case)
    _, train = cutoffs(packed, context_length, horizon, rows_held_back(horizon, n_windows, stride))
    series, validate = held_back(packed, context_length, horizon, n_windows, stride)
    targets = {int(row) + h for row in train for h in range(horizon)}
    kept = [int(row) + h for row in validate for h in range(horizon)]
    assert targets.isdisjoint(kept)
    if stride is None:
        assert len(set(kept)) == len(kept)
    for one in series.unique():
        rows = validate[series == one]
        assert rows.diff().tolist() == [stride or horizon] * (n_windows - 1)
        assert rows[-1] + horizon == packed.ends[one]
        trained = [row + horizon for row in train.tolist() if packed.offsets[one] < row <= packed.ends[one]]
        assert all(row <= rows[0] for row in trained)  # none where all are missing


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


def one_window(past, future, method, seen=None):
    past, future = np.asarray(past, float), np.asarray(future, float)
    y = np.concatenate([past if seen is None else np.where(seen, past, np.nan), future])[:, None]
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


def test_only_seen_values_are_measured(rng):
    past, seen = rng.normal(3, 2, 25), rng.random(25) < 0.6
    known = past[seen]
    quartiles = np.quantile(known, [0.25, 0.5, 0.75])
    expected = {
        "mean_abs": (0, np.abs(known).mean()),
        "standard": (known.mean(), known.std()),
        "robust": (quartiles[1], (quartiles[2] - quartiles[0]) / 1.3489795003921634),
    }
    for method, (location, spread) in expected.items():
        window = one_window(past, [0.0], method, seen)
        assert window.location.item() == pytest.approx(location)
        assert window.scale.item() == pytest.approx(spread)
        assert not window.past[0, ~torch.from_numpy(seen)].any()


@pytest.mark.parametrize("method", SCALERS)
@pytest.mark.parametrize(("level", "expected"), [(0.1, 0.1), (-7.0, 7.0), (0.0, 1.0), (1e12, 1e12)])
def test_constant_windows_are_scaled_by_their_level_or_by_one(method, level, expected):
    window = one_window([level] * 7, [level], method)
    assert window.scale.item() == pytest.approx(expected)
    assert bool(torch.isfinite(window.past).all())


def test_robust_scaling_of_mostly_constant_windows_falls_back_to_the_standard_deviation():
    window = one_window([0.0] * 9 + [10.0], [0.0], "robust")
    assert window.scale.item() == pytest.approx(3.0)


def test_targets_of_a_channel_without_context_count_as_unseen():
    y = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 5.0]])
    window = cut(pack_rows(y, [0, 3]), torch.tensor([0]), torch.tensor([2]), 2, 1)
    assert scale(window, "mean_abs").future_observed[0, 0].tolist() == [True, False]
    assert scale(window, None).future_observed[0, 0].tolist() == [True, True]


def test_an_unknown_scaler_and_wrong_offsets_are_refused():
    packed = pack_rows(np.ones((4, 1)), [0, 4])
    window = cut(packed, torch.tensor([0]), torch.tensor([2]), 2, 1)
    with pytest.raises(ValueError, match="mean_abs, standard, robust or None"):
        scale(window, "max")
    with pytest.raises(ValueError, match="number of rows"):
        pack_rows(np.ones((4, 1)), [0, 3])
