"""Small packings for tests of windows and cutoffs: arrays with missing values, and their tensors."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from tsformers.data.windows import pack_rows

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
