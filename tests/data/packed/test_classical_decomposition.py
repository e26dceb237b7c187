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


LDEATHS = """
3035 2552 2704 2554 2014 1655 1721 1524 1596 2074 2199 2512 2933 2889 2938 2497 1870 1726 1607 1545 1396 1787 2076 2837
2787 3891 3179 2011 1636 1580 1489 1300 1356 1653 2013 2823 3102 2294 2385 2444 1748 1554 1498 1361 1346 1564 1640 2293
2815 3137 2679 1969 1870 1633 1529 1366 1357 1570 1535 2491 3084 2605 2573 2143 1693 1504 1461 1354 1333 1492 1781 1915
"""  # lung diseases, United Kingdom, monthly 1974 to 1979


def test_the_season_is_that_of_r():
    """``decompose(ldeaths)$figure`` of R 4 to the four decimals that it prints."""
    published = [873.7514, 896.3347, 687.5431, 156.5847, -284.4819, -440.0236,
                 -519.4236, -669.8736, -678.2236, -354.3069, -185.2069, 517.3264]  # fmt: skip
    y = np.array(LDEATHS.split(), dtype=float)
    np.testing.assert_allclose(moving_average(packed(y), 12).seasonal[:12, 0], published, rtol=0, atol=6e-5)


def loop(y, period):
    """The definition, row by row: a centred mean, then means by place of the rows that it covers."""
    half, trend = period // 2, np.full(len(y), np.nan)
    for row in range(half, len(y) - half):
        window = y[row - half : row + half + 1].copy()
        weights = np.ones(len(window))
        if period % 2 == 0:
            weights[[0, -1]] = 0.5
        weights[np.isnan(window)] = 0
        trend[row] = np.nansum(window * weights) / weights.sum()
    figure = np.array([np.nanmean((y - trend)[place::period]) for place in range(period)])
    return trend, figure - figure.mean()


@pytest.mark.parametrize("period", [4, 5, 7, 12])
@pytest.mark.parametrize("holes", [0.0, 0.1])
def test_the_parts_are_those_of_the_definition(rng, period, holes):
    from statsmodels.tsa.seasonal import seasonal_decompose

    y = rng.normal(size=80) + np.arange(80) / 5 + 3 * (np.arange(80) % period)
    y[rng.random(80) < holes] = np.nan
    trend, figure = loop(y, period)
    ours = moving_average(packed(rng.normal(size=31), y), period)
    covered = np.isfinite(trend)
    np.testing.assert_allclose(ours.trend[31:][covered], trend[covered], rtol=0, atol=1e-11)
    np.testing.assert_allclose(ours.seasonal[31:, 0], figure[np.arange(80) % period], rtol=0, atol=1e-11)
    if not holes:
        np.testing.assert_allclose(ours.seasonal[31:, 0], seasonal_decompose(y, period=period).seasonal, atol=1e-11)


@pytest.mark.parametrize("huge", [1e8, 5e12, 1e300])
def test_a_small_series_keeps_its_digits_beside_a_huge_one(rng, huge):
    small = 3e-4 * (100 + np.arange(96) / 10 + rng.normal(size=96))
    alone, beside = moving_average(packed(small), 12), moving_average(packed(huge * rng.normal(size=96), small), 12)
    assert np.array_equal(beside.trend[96:], alone.trend) and np.array_equal(beside.seasonal[96:], alone.seasonal)


def test_units_and_origins_carry_over(rng):
    y = rng.normal(size=60) + np.tile(np.arange(6.0), 10)
    mine = moving_average(packed(y), 6)
    scaled, moved = moving_average(packed(y * 2.0**40), 6), moving_average(packed(y + 1e4), 6)
    assert np.array_equal(scaled.trend, mine.trend * 2.0**40) and np.array_equal(
        scaled.seasonal, mine.seasonal * 2.0**40
    )
    np.testing.assert_allclose(moved.trend - 1e4, mine.trend, rtol=0, atol=1e-9)
    np.testing.assert_allclose(moved.seasonal, mine.seasonal, rtol=0, atol=1e-9)
