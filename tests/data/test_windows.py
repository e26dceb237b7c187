"""Windows and cutoffs against slow loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.data.cutoffs import cutoffs, validation_cutoffs, validation_length
from tsformers.data.windows import cut, pack_rows

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
    parts = {name: [] for name in ("y", "observed", "past_x", "known_x")}
    for row in range(cutoff - context_length, cutoff + horizon):
        inside = offsets[series] <= row < offsets[series + 1]
        value = y[row] if inside else np.full(y.shape[1], np.nan)
        parts["observed"].append(~np.isnan(value))
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
        assert np.array_equal(window.past_observed[b], slow["observed"][:t])
        assert np.array_equal(window.future_observed[b], slow["observed"][t:])
        covariates = np.concatenate([slow["past_x"][:t], slow["known_x"][:t]], axis=1)
        assert np.array_equal(window.past_x[b], covariates.astype(np.float32))
        assert np.array_equal(window.future_x[b], slow["known_x"][t:].astype(np.float32))


@PROPERTY
@given(CASES, st.integers(1, 6), st.integers(1, 4))
def test_windows_inside_their_series_are_cut_alike_alone_and_beside_one_that_extends_beyond_its_series(case, t, h):
    *_, packed = packing(**case)
    series, rows = cutoffs(packed, t, h)
    alone = cut(packed, series, rows, t, h)
    edge = torch.tensor([0]), torch.tensor([0])
    beside = cut(packed, torch.cat([series, edge[0]]), torch.cat([rows, edge[1]]), t, h)
    for part, other in zip(alone[:6], beside[:6], strict=True):
        assert torch.equal(part, other[:-1])


@PROPERTY
@given(CASES, st.integers(1, 6), st.integers(1, 4), st.integers(0, 5))
def test_cutoffs_are_those_that_a_loop_admits(case, context_length, horizon, validation_rows):
    (y, *_), offsets, ends, packed = packing(**case)
    expected = []
    for i, end in enumerate(ends):
        kept = validation_rows if end - offsets[i] >= context_length + horizon + validation_rows else 0
        for row in range(offsets[i] + context_length, end - horizon - kept + 1):
            observed = ~np.isnan(y)
            both = observed[row - context_length : row].any(axis=0) & observed[row : row + horizon].any(axis=0)
            if both.any():
                expected.append((i, row))
    series, rows = cutoffs(packed, context_length, horizon, validation_rows)
    assert list(zip(series.tolist(), rows.tolist(), strict=True)) == expected


@PROPERTY
@given(CASES, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([None, 1, 2]))
def test_no_target_of_a_validation_window_is_ever_trained_on(case, context_length, horizon, n_windows, stride):
    *_, packed = packing(**case)
    _, train = cutoffs(packed, context_length, horizon, validation_length(horizon, n_windows, stride))
    series, validate = validation_cutoffs(packed, context_length, horizon, n_windows, stride)
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


def test_wrong_offsets_are_refused():
    with pytest.raises(ValueError, match="number of rows"):
        pack_rows(np.ones((4, 1)), [0, 3])
