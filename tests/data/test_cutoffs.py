"""Cutoffs for training and validation against slow loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tsformers.data.cutoffs import cutoffs, validation_cutoffs, validation_length

from .packings import CASES, PROPERTY, packing


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
