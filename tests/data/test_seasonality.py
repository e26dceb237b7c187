"""The test for a season keeps its size and finds what is there."""

import time

import numpy as np
import pytest
from scipy.signal import lfilter

from tsformers.data.seasonality import is_seasonal, seasonal_p_value, seasonal_p_values, whitened


def _ar(rng, n, coefficient):
    return lfilter([1.0], [1.0, -coefficient], rng.normal(size=n + 200))[200:]


WITHOUT = {
    "white noise": lambda rng, n: rng.normal(size=n),
    "walk": lambda rng, n: np.cumsum(rng.normal(size=n)),
    "walk with drift": lambda rng, n: np.cumsum(rng.normal(0.3, 1, size=n)),
    "AR .5": lambda rng, n: _ar(rng, n, 0.5),
    "AR .95": lambda rng, n: _ar(rng, n, 0.95),
    "integrated MA -.8": lambda rng, n: np.cumsum(lfilter([1, -0.8], [1.0], rng.normal(size=n))),
    "integrated MA .6": lambda rng, n: np.cumsum(lfilter([1, 0.6], [1.0], rng.normal(size=n))),
    "line": lambda rng, n: 0.1 * np.arange(n) + rng.normal(size=n),
    "curve": lambda rng, n: np.exp(np.linspace(0, 2, n)) + 0.2 * rng.normal(size=n),
    "heavy tails": lambda rng, n: rng.standard_t(2, n),
    "walk with gaps": lambda rng, n: np.where(rng.random(n) < 0.15, np.nan, np.cumsum(rng.normal(size=n))),
}


@pytest.mark.parametrize("kind", WITHOUT)
def test_series_without_a_season_are_rarely_seasonal(kind):
    """At a nominal .05; 900 series a kind, of which .0726 is three standard errors above .05."""
    rng = np.random.default_rng(1)
    sizes = ((4, 5), (7, 20), (12, 3), (12, 10), (24, 5), (48, 6), (52, 4), (52, 2), (365, 2))
    found = [
        is_seasonal(WITHOUT[kind](rng, m * cycles + m // 3), m) for m, cycles in sizes for _ in range(100)
    ]  # fmt: skip
    assert np.mean(found) <= 0.0726


@pytest.mark.parametrize(("period", "cycles"), [(4, 6), (7, 4), (12, 3), (24, 5), (52, 3), (168, 3), (365, 3)])
def test_waves_profiles_and_spikes_are_found(period, cycles):
    rng, row = np.random.default_rng(2), np.arange(period * cycles + 3)
    profile = 3 * rng.normal(size=period)
    parts = (3 * np.sin(2 * np.pi * row / period + 1), profile[row % period], 8.0 * (row % period == 2))
    for part in parts:
        found = [is_seasonal(part + rng.normal(size=len(row)), period) for _ in range(20)]
        assert np.mean(found) >= 0.9


def test_a_season_on_a_walk_is_found():
    rng, row = np.random.default_rng(3), np.arange(120)
    found = [is_seasonal(4 * np.sin(np.pi * row / 6) + np.cumsum(rng.normal(size=120)), 12) for _ in range(20)]
    assert np.mean(found) >= 0.9


def test_the_long_season_is_tested_beyond_the_short_one():
    rng, hour = np.random.default_rng(4), np.arange(24 * 35)
    day = 5 * np.sin(2 * np.pi * hour / 24)
    noise = rng.normal(size=len(hour))
    assert is_seasonal(day + noise, 168)
    assert seasonal_p_value(day + noise, 168, within=24) > 0.05
    assert seasonal_p_value(day + noise + 3 * (hour // 24 % 7 == 6), 168, within=24) < 1e-6


def test_a_week_is_no_year():
    rng, day = np.random.default_rng(5), np.arange(365 * 3)
    y = 10.0 * (day % 7 == 6) + rng.normal(size=len(day))
    assert seasonal_p_value(y, 365, within=7) > 0.05
    assert seasonal_p_value(y + np.sin(2 * np.pi * day / 365.2425), 365.2425, within=7) < 1e-6


def test_units_and_origins_change_nothing():
    rng, row = np.random.default_rng(6), np.arange(60)
    y = np.sin(np.pi * row / 6) + rng.normal(size=60)
    p = seasonal_p_value(y, 12)
    assert 1e-6 < p < 0.5
    for unit in (2.0**-30, 2.0**30, 2.0**500):
        assert seasonal_p_value(y * unit, 12) == p
    for other in (y * 1e9, y * 1e-9, y + 1e4, -y):
        assert seasonal_p_value(other, 12) == pytest.approx(p, rel=1e-6)


def test_missing_rows_are_less_evidence():
    rng, row = np.random.default_rng(7), np.arange(96)
    y = 1.2 * np.sin(np.pi * row / 6) + rng.normal(size=96)
    gaps = [np.where(rng.random(96) < share, np.nan, y) for share in (0.2, 0.5)]
    p = [seasonal_p_value(one, 12) for one in (y, *gaps)]
    assert p[0] < p[1] < p[2]


@pytest.mark.parametrize(
    "y",
    [np.ones(40), np.arange(40.0), 1e9 + np.arange(40.0), np.full(40, np.nan), np.r_[1.0, np.full(39, np.nan)],
     np.arange(23.0) ** 2 % 7, np.zeros(0)],
)  # fmt: skip
def test_what_cannot_be_tested_is_not_seasonal(y):
    assert seasonal_p_value(y, 12) == 1.0


def test_a_season_without_noise_is_certain():
    assert seasonal_p_value(np.tile([1.0, 5.0, 2.0, 8.0], 6), 4) < 1e-6
    assert seasonal_p_value(np.tile([1.0, 5.0, 2.0, 8.0], 6) + np.arange(24), 4) < 1e-6


def test_autocorrelation_is_that_of_what_the_season_leaves():
    rng, row = np.random.default_rng(8), np.arange(400)
    found = whitened((20 * np.sin(2 * np.pi * row / 52) + rng.normal(size=400))[None], 52)
    assert found.rho[0] < 0.15


def test_a_thousand_rows_take_less_than_a_millisecond():
    y = np.random.default_rng(9).normal(size=1000)
    seconds = []
    for _ in range(20):
        begun = time.perf_counter()
        seasonal_p_value(y, 12)
        seconds.append(time.perf_counter() - begun)
    assert min(seconds) < 1e-3


def test_many_series_at_once_get_the_values_of_each(rng):
    y = rng.normal(size=(20, 90)) + 2 * np.sin(np.arange(90) * np.pi / 6) * (np.arange(20) % 2)[:, None]
    y[5:10][rng.random((5, 90)) < 0.2] = np.nan
    y *= 10.0 ** rng.integers(-9, 12, size=(20, 1))
    y[3], y[4] = 7.0, np.nan
    together = seasonal_p_values(y, 12)
    np.testing.assert_allclose(together, [seasonal_p_value(one, 12) for one in y], rtol=1e-9)
    assert together[3] == together[4] == 1 and (together[[1, 7, 11]] < 1e-4).all()
