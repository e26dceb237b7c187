"""Long seasons: what is there is taken out and put back with its error, what is not there costs nothing."""

import numpy as np
import pytest
from scipy.stats import norm

from tsformers.forecasters.local.long_seasons import find, removed, restored


@pytest.mark.parametrize(("periods", "rows"), [((52,), 216), ((48, 336), 320), ((7, 365), 900)])
def test_a_wave_is_continued(periods, rows):
    rng, row = np.random.default_rng(5), np.arange(rows + 24)
    period = periods[-1] if periods[-1] * 2 <= rows else periods[0]
    for _ in range(4):
        wave = 200 + 30 * np.sin(2 * np.pi * row / period + rng.uniform(0, 6))
        y = wave[:rows] + rng.normal(0, 2, rows)
        found, left = find(y, periods)
        assert left == (7 if 7 in periods else 1)
        rest = removed(y, found, 0)
        assert rest.std() < 3
        draws = restored(np.full((400, 24), np.median(rest)), found, rows, np.random.default_rng(0))
        assert np.abs(np.median(draws, axis=0) - wave[rows:]).mean() < 2


@pytest.mark.parametrize("periods", [(24, 168), (12,), (1,), (7,)])
def test_seasons_of_24_rows_or_less_are_left_to_the_model(periods):
    y = np.tile(np.arange(24.0), 20) + np.random.default_rng(0).normal(size=480)
    assert find(y, periods) == ({}, periods[0])


def test_walks_have_no_long_season():
    rng = np.random.default_rng(1)
    found = [find(100 + np.cumsum(rng.normal(size=216)), (52,))[0] for _ in range(200)]
    assert sum(map(bool, found)) <= 16


def test_a_season_found_by_chance_keeps_the_coverage():
    """Of the few walks with a season: 80% intervals of a walk with the season put back."""
    rng, shares = np.random.default_rng(2), []
    for _ in range(300):
        y = np.cumsum(rng.normal(size=216))
        found, _ = find(y, (52,))
        if found:
            rest = removed(y, found, 0)
            half = np.cumsum(rng.normal(size=(250, 6)) * np.diff(rest).std(), axis=1)
            draws = restored(rest[-1] + np.concatenate([half, -half]), found, 216, rng)
            low, high = np.quantile(draws, (0.1, 0.9), axis=0)
            spread = np.sqrt(np.arange(1, 7))
            shares.append(norm.cdf(high, y[-1], spread) - norm.cdf(low, y[-1], spread))
    assert 0.65 < np.mean(shares) < 0.9


def test_two_seasons_are_found_and_the_second_is_what_the_first_lacks():
    rng, row = np.random.default_rng(3), np.arange(336 * 4)
    day = 10 * np.sin(2 * np.pi * row / 48)
    week = 5.0 * (row // 48 % 7 >= 5)
    y = 100 + day + week + rng.normal(size=len(row))
    found, left = find(y[:-336], (48, 336))
    assert left == 1 and found["periods"] == (48.0, 336.0)
    assert removed(y, found, 0)[-336:].std() < 1.2
    found, left = find((100 + 5.0 * (np.arange(24 * 35) // 24 % 7 >= 5) + rng.normal(size=24 * 35)), (24, 168))
    assert left == 24 and found["periods"] == (168.0,)
    assert np.abs(found["profiles"].reshape(-1, 7, 24).mean(axis=1)).max() < 1e-9


def test_a_year_is_counted_in_days_of_the_calendar_where_that_fits_better():
    rng, row = np.random.default_rng(4), np.arange(30 * 52)
    y = 10 * np.sin(2 * np.pi * row / 52.1775) + rng.normal(size=len(row))
    assert find(y, (52,))[0]["periods"] == (365.2425 / 7,)
    y = 10 * np.sin(2 * np.pi * row / 52) + rng.normal(size=len(row))
    assert find(y, (52,))[0]["periods"] == (52.0,)


def test_a_season_of_growing_values_multiplies():
    rng, row = np.random.default_rng(5), np.arange(52 * 8)
    level = np.exp(row / 150)
    y = level * np.exp(0.3 * np.sin(2 * np.pi * row / 52) + 0.03 * rng.normal(size=len(row)))
    found, _ = find(y, (52,))
    assert found["multiplies"]
    assert np.std(removed(y, found, 0) / level) < 0.06
    draws = restored(np.full((100, 26), 10.0), found, len(row), rng)
    assert (draws > 0).all()
    assert np.allclose(np.median(draws, axis=0), 10 * np.exp(0.3 * np.sin(2 * np.pi * np.arange(26) / 52)), rtol=0.1)


def test_the_profile_goes_with_the_start():
    rng, row = np.random.default_rng(6), np.arange(52 * 6)
    y = 10 * np.sin(2 * np.pi * row / 52) + rng.normal(size=len(row))
    found, _ = find(y, (52,))
    assert np.array_equal(removed(y[100:], found, 100), removed(y, found, 0)[100:])


def test_draws_are_mirrored_in_pairs():
    rng, row = np.random.default_rng(7), np.arange(52 * 4)
    found, _ = find(10 * np.sin(2 * np.pi * row / 52) + rng.normal(size=len(row)), (52,))
    assert found and not found["multiplies"]
    errors = restored(np.zeros((101, 60)), found, 208, rng)
    centre = (errors[:50] + errors[50:100]) / 2
    assert np.allclose(centre, centre[:1]) and errors[:50].std(axis=0).min() > 0.05


def test_the_error_of_a_season_is_of_the_size_that_is_claimed():
    rng, row, ratio = np.random.default_rng(8), np.arange(48 * 8), []
    for _ in range(40):
        season = np.repeat(3 * rng.normal(size=48)[None], 9, axis=0).ravel()
        y = season[: len(row)] + rng.normal(size=len(row))
        found, _ = find(y, (48,))
        draws = restored(np.zeros((200, 48)), found, len(row), rng)
        missed = draws.mean(axis=0) - (season[-48:] - season[-48:].mean())
        ratio.append(np.mean(missed**2) / np.mean(draws.var(axis=0)))
    assert 0.6 < np.mean(ratio) < 1.6


def test_units_change_nothing():
    rng, row = np.random.default_rng(9), np.arange(52 * 5)
    y = 50 + 10 * np.sin(2 * np.pi * row / 52) + rng.normal(size=len(row))
    found, _ = find(y, (52,))
    for unit in (2.0**-30, 2.0**30):
        other, _ = find(y * unit, (52,))
        assert other["periods"] == found["periods"]
        assert np.array_equal(other["profiles"], found["profiles"] * (1 if found["multiplies"] else unit))
    other, _ = find(y * 1e9, (52,))
    assert np.allclose(removed(y * 1e9, other, 0) / 1e9, removed(y, found, 0))


def test_missing_rows_stay_missing_and_do_not_hide_the_season():
    rng, row = np.random.default_rng(10), np.arange(52 * 6)
    y = np.where(rng.random(len(row)) < 0.3, np.nan, 10 * np.sin(2 * np.pi * row / 52) + rng.normal(size=len(row)))
    found, _ = find(y, (52,))
    rest = removed(y, found, 0)
    assert np.array_equal(np.isnan(rest), np.isnan(y)) and np.nanstd(rest) < 1.5


def test_a_season_that_changes_is_followed_and_is_not_known_before_its_time():
    rng, cycle = np.random.default_rng(11), np.repeat(np.arange(40), 48)
    row = np.arange(len(cycle))
    size = 10 * (1.5 + np.cos(cycle / 6))
    y = size * np.sin(2 * np.pi * row / 48) + rng.normal(size=len(row))
    found, _ = find(y, (48,))
    assert found["growth"][0] > 0
    assert removed(y, found, 0).std() < 0.8 * (y.reshape(40, 48) - y.reshape(40, 48).mean(axis=0)).std()
    ahead = restored(np.zeros((2, 48)), found, 48 * 20, rng).mean(axis=0)
    other, _ = find(np.r_[y[: 48 * 20], 0.5 * y[48 * 20 :]], (48,))
    later = restored(np.zeros((2, 48)), other, 48 * 20, rng).mean(axis=0)
    assert np.corrcoef(ahead, later)[0, 1] > 0.99
    assert np.abs(ahead - size[48 * 19] * np.sin(2 * np.pi * np.arange(48) / 48)).max() < 6


def test_draws_are_widened_by_the_degrees_of_freedom_that_the_season_took():
    """What a season of 52 rows leaves of noise over five years has four fifths of its variance."""
    rng = np.random.default_rng(7)
    y = np.tile(rng.normal(0, 6, 52), 5) + rng.normal(size=260)
    found, _ = find(y, (52,))
    left = removed(y, found, 0)
    paths = rng.choice(left, (4000, 3))
    spread = (restored(paths, {**found, "spreads": 0 * found["spreads"]}, 260, rng)).std(axis=0)
    assert 1.05 < found["widening"] < 1.15
    np.testing.assert_allclose(spread, 1, atol=0.08)
    assert (restored(np.exp(paths), {**found, "multiplies": True}, 260, rng) > 0).all()
