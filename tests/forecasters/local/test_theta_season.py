"""The season of the Theta method beside statsmodels' decomposition, and with missing rows."""

import numpy as np
import pytest

from tsformers.forecasters.local.theta_season import classical_season, is_seasonal, seasonal_pattern


@pytest.mark.parametrize("model", ["additive", "multiplicative"])
@pytest.mark.parametrize("season", [4, 5, 12])
def test_the_classical_season_is_that_of_statsmodels(season, model, rng):
    from statsmodels.tsa.seasonal import seasonal_decompose

    y = 20 + 5 * np.sin(np.arange(61) * 2 * np.pi / season) + rng.normal(size=61)
    expected = seasonal_decompose(y, model=model, period=season).seasonal[:season]
    np.testing.assert_allclose(classical_season(y, season, model == "multiplicative")[0], expected)


def test_the_season_is_removed_only_where_there_is_one(rng):
    noise = rng.normal(size=120)
    assert not is_seasonal(noise, 12)
    assert is_seasonal(noise + 3 * np.sin(np.arange(120) * 2 * np.pi / 12), 12)
    assert seasonal_pattern(noise, 12)[0].tolist() == [0.0]
    short = 10 + 5 * np.sin(np.arange(23) * 2 * np.pi / 12)  # below two seasons
    assert seasonal_pattern(short, 12)[0].tolist() == [0.0]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_noise_with_missing_rows_seldom_has_a_season(share, rng):
    y = rng.normal(size=(600, 140))
    y[rng.random(y.shape) < share] = np.nan
    found = np.mean([is_seasonal(one, 7) for one in y])
    assert 0.03 <= found <= 0.15


def test_without_missing_rows_the_test_is_the_published_one(rng):
    for y in np.cumsum(rng.normal(size=(50, 60)), axis=1) + 2 * np.tile([1, -1, 0, 0], 15):
        centred = y - y.mean()
        rho = [centred[k:] @ centred[: 60 - k] / (centred @ centred) for k in range(1, 5)]
        assert is_seasonal(y, 4) == (abs(rho[3]) > 1.645 * np.sqrt((1 + 2 * np.sum(np.square(rho[:3]))) / 60))


@pytest.mark.parametrize("multiplies", [False, True])
def test_a_season_with_missing_rows_is_found_all_the_same(multiplies, rng):
    wave = np.sin(np.arange(7) * 2 * np.pi / 7)
    truth = 1 + 0.3 * wave if multiplies else 5 * wave
    y = 50 + 0.1 * np.arange(280)
    y = (y * np.tile(truth, 40) if multiplies else y + np.tile(truth, 40)) + rng.normal(0, 0.5, 280)
    y[rng.random(280) < 0.5] = np.nan
    pattern, errors = classical_season(y, 7, multiplies)
    scale = 60 if multiplies else 1
    assert np.abs(pattern - truth).max() * scale < 0.6
    assert (errors * scale > 0.03).all() and (errors * scale < 0.3).all()


def test_a_position_that_was_never_seen_is_neutral(rng):
    y = 100 + np.tile([1.0, 2, 3, 4, 5, 6, 0], 20) + rng.normal(0, 0.1, 140)
    y[6::7] = np.nan
    pattern, errors = classical_season(y, 7, True)
    assert pattern[6] == 1.0 and errors[6] > 0
    assert np.isfinite(pattern).all() and np.diff(pattern[:6]).min() > 0


def test_standard_errors_are_those_of_repeated_seasons(rng):
    wave = 5 * np.sin(np.arange(12) * np.pi / 6)
    found = [classical_season(np.tile(wave, 10) + rng.normal(size=120), 12, False) for _ in range(300)]
    spread = np.std([pattern for pattern, _ in found], axis=0)
    claimed = np.sqrt(np.mean([errors**2 for _, errors in found], axis=0))
    np.testing.assert_allclose(claimed, spread, rtol=0.15)
