"""STL and MSTL of packed series: those of statsmodels, short series, and missing values."""

import numpy as np

from tsformers.data.packed.classical_decomposition import PackedSeries, moving_average
from tsformers.preprocessing.loess import loess

ONE = np.array([[True]])


def packed(*series):
    lengths = [len(y) for y in series]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return PackedSeries(np.concatenate(series).astype(float), offsets, np.zeros(len(series), int))


def test_each_series_is_that_of_statsmodels_and_a_short_one_has_its_moving_average(rng):
    from statsmodels.tsa.seasonal import STL

    long, short = np.tile([3.0, 0.0, -3.0], 20) + rng.normal(size=60), rng.normal(size=5)
    series = packed(long, short)
    found, theirs = loess(series, [3], np.ones((len(series.anchor), 1), bool), 1, False), STL(long, period=3).fit()
    np.testing.assert_array_equal(found.trend[:60], theirs.trend)
    np.testing.assert_array_equal(found.seasonal[:60, 0], theirs.seasonal)
    np.testing.assert_array_equal(found.trend[60:], moving_average(series, 1).trend[60:])
    assert (found.seasonal[60:] == 0).all()


def test_missing_values_are_interpolated_linearly():
    line = np.arange(40.0) + np.tile([1.0, -1.0], 20)
    gaps = np.where(np.arange(40) % 7 == 3, np.nan, line)
    filled = np.interp(np.arange(40), np.flatnonzero(np.isfinite(gaps)), gaps[np.isfinite(gaps)])
    for one, other in zip(
        loess(packed(gaps), [2], ONE, 1, False), loess(packed(filled), [2], ONE, 1, False), strict=True
    ):
        np.testing.assert_array_equal(one, other)
