"""Classical decomposition beside that of statsmodels, and each series by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.data.packed.classical_decomposition import PackedSeries, moving_average


def packed(*series):
    lengths = [len(y) for y in series]
    return PackedSeries(
        np.concatenate(series).astype(float), np.concatenate([[0], np.cumsum(lengths)]), np.zeros(len(series), int)
    )


@pytest.mark.parametrize("period", [4, 7, 12])
def test_the_moving_average_is_that_of_statsmodels(rng, period):
    from statsmodels.tsa.seasonal import seasonal_decompose

    y = rng.normal(size=90) + np.arange(90) / 10
    theirs = seasonal_decompose(y, period=period)
    ours = moving_average(packed(rng.normal(size=33), y, rng.normal(size=12)), period)
    inside = np.isfinite(theirs.trend)
    np.testing.assert_allclose(ours.trend[33:123][inside], theirs.trend[inside], rtol=0, atol=1e-12)
    whole = seasonal_decompose(y, period=period, extrapolate_trend=period - 1)
    early = np.arange(90) <= np.flatnonzero(inside)[-1]  # at the end theirs leaves the last mean out of its line
    np.testing.assert_allclose(ours.trend[33:123][early], whole.trend[early], rtol=0, atol=1e-10)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 13), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_parts_are_finite_and_those_of_each_series_alone(lengths, period, seed):
    rng = np.random.default_rng(seed)
    series = [np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n) * 10) for n in lengths]
    together = moving_average(packed(*series), period)
    assert np.isfinite(together.trend).all() and np.isfinite(together.seasonal).all()
    at = 0
    for y in series:
        alone = moving_average(packed(y), period)
        part = slice(at, at + len(y))
        np.testing.assert_allclose(together.trend[part], alone.trend, rtol=0, atol=1e-9)
        np.testing.assert_allclose(together.seasonal[part], alone.seasonal, rtol=0, atol=1e-9)
        at += len(y)
