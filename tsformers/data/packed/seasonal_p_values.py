"""Tests for seasons of packed series, those of one length at once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from tsformers.data.packed.classical_decomposition import PackedSeries
from tsformers.data.seasonality import seasonal_p_values

AT_ONCE = 1_000_000  # numbers in a block


def packed_p_values(series: PackedSeries, periods: Sequence[int]) -> Float[np.ndarray, "N M"]:
    """P-values of the hypothesis that a series has no season, for each period beyond the period before it.

    Args:
        series: N of them.
        periods: rows of the seasons, rising.

    Returns:
        (N, M); 1 where there are fewer than two seasons of rows.

    Example:
        >>> y = np.r_[np.arange(24.0), np.tile([0.0, 3.0, 1.0, 2.0], 6)]
        >>> packed_p_values(PackedSeries(y, np.array([0, 24, 48]), np.zeros(2, dtype=int)), [4]).round(6)
        array([[1.],
               [0.]])
    """
    p = np.ones((len(series.anchor), len(periods)))
    lengths = series.lengths
    for length in np.unique(lengths):
        alike = np.flatnonzero(lengths == length)
        block = max(1, AT_ONCE // max(int(length), 1))
        for some in np.split(alike, range(block, len(alike), block)):
            y = series.y[series.offsets[some, None] + np.arange(length)]
            for m, period in enumerate(periods):
                if length >= 2 * period:
                    p[some, m] = seasonal_p_values(y, period, periods[m - 1] if m else 1)
    return p
