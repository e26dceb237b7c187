"""Windows against slow loops."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tsformers.data.cutoffs import cutoffs
from tsformers.data.windows import cut, pack_rows

from .packings import CASES, PROPERTY, packing


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


def test_wrong_offsets_are_refused():
    with pytest.raises(ValueError, match="number of rows"):
        pack_rows(np.ones((4, 1)), [0, 3])
