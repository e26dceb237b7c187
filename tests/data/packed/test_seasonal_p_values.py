"""Packed series are tested one by one, whatever stands beside them."""

import numpy as np

from tsformers.data.packed.classical_decomposition import PackedSeries
from tsformers.data.packed.seasonal_p_values import packed_p_values
from tsformers.data.seasonality import seasonal_p_value


def test_each_series_gets_its_own_p_values(rng):
    lengths = [60, 24 * 20, 60, 5, 24 * 20, 0]
    series = [rng.normal(size=n) + 3 * (np.arange(n) % 24 == 5) for n in lengths]
    series[1] += 4.0 * (np.arange(480) // 24 % 7 == 6)
    series[4] *= 1e12
    rows = PackedSeries(np.concatenate(series), np.concatenate([[0], np.cumsum(lengths)]), np.zeros(6, dtype=int))
    p = packed_p_values(rows, [24, 168])
    for found, y in zip(p, series, strict=True):
        expected = [seasonal_p_value(y, 24), seasonal_p_value(y, 168, 24) if len(y) >= 336 else 1.0]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert (p[[1, 4], 0] < 1e-6).all() and p[1, 1] < 1e-3 and p[4, 1] > 0.01 and (p[3] == 1).all()
