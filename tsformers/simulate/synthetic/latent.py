"""The sum below the values: level, seasons, cycle, noise and shifts, each of random strength."""

import math

import numpy as np

from tsformers.jit import compiled
from tsformers.simulate.synthetic.events import add_bursts, add_holidays, add_outliers, add_shifts
from tsformers.simulate.synthetic.levels import fill_cycle, fill_level
from tsformers.simulate.synthetic.noise import fill_noise
from tsformers.simulate.synthetic.patterns import ANNUAL, fill_harmonics, fill_profile, fill_season, fill_week
from tsformers.simulate.synthetic.streams import Array, chance, log_normal, whole

HIDDEN = np.array([4, 5, 7, 12, 24, 52])  # periods of data whose calendar names none


@compiled
def add_scaled(x: Array, part: Array, size: float) -> None:
    """X += size * part."""
    for t in range(len(x)):
        x[t] += size * part[t]


@compiled
def share_seasonal(season: int) -> float:
    """How many of the series with this period have a pattern."""
    if season == 1:
        return 0.2
    if season == 5:
        return 0.35
    return 0.75 if season == 52 else 0.85


@compiled
def share_smooth(season: int) -> float:
    """How many of the series with this period have much level, and little season and noise."""
    if season == 1 or season == 4:
        return 0.4
    return 0.28 if season == 12 else 0.12


@compiled
def add_seasons(random: Array, x: Array, part: Array, profiles: Array, season: int, second: int, size: float) -> None:
    """The pattern of the season, that of the second period, and holidays."""
    period = season
    if season == 1:
        period = HIDDEN[whole(random, len(HIDDEN))] if chance(random, 0.6) else 3 + whole(random, 60)
    if second == 7 * season and chance(random, 0.65):
        period = second
        fill_week(random, profiles[0, :period], profiles[2, :season])
        fill_week(random, profiles[1, :period], profiles[2, :season])
    else:
        fill_profile(random, profiles[0, :period])
        fill_profile(random, profiles[1, :period])
    fill_season(random, part, profiles[0, :period], profiles[1, :period])
    add_scaled(x, part, size)
    if second == ANNUAL:
        if chance(random, 0.5):
            fill_harmonics(random, profiles[0, :second])
            fill_harmonics(random, profiles[1, :second])
            fill_season(random, part, profiles[0, :second], profiles[1, :second])
            add_scaled(x, part, log_normal(random, -0.7, 0.7))
        if chance(random, 0.3):
            add_holidays(random, x, ANNUAL)


@compiled
def fill_latent(random: Array, x: Array, part: Array, profiles: Array, season: int, second: int) -> None:
    """x, in units in which most parts have a deviation of about 1.

    Some series are smooth, as those of whole economies: much level, little season and noise.
    """
    smooth = chance(random, share_smooth(season))
    up = 0.68 if season <= 4 or season == 12 else 0.55
    fill_level(random, x, smooth, up)
    strong = log_normal(random, 0.6 if season <= 12 else 0.0, 0.9)
    for t in range(len(x)):
        x[t] *= strong
    if chance(random, 0.2):
        fill_level(random, part, smooth, up)
        add_scaled(x, part, log_normal(random, 0.0, 0.6))
    if chance(random, share_seasonal(season) - (0.3 if smooth else 0.0)):
        size = log_normal(random, 0.0 if season < 12 else 0.5, 0.9)
        add_seasons(random, x, part, profiles, season, second, 0.35 * size if smooth else size)
    if chance(random, 0.22):
        fill_cycle(random, part, season)
        add_scaled(x, part, log_normal(random, -0.4, 0.8))
    fill_noise(random, part, season)
    spread = log_normal(random, -2.8 if smooth else -0.8, 1.0) * (0.15 if chance(random, 0.06) else 1.0)
    add_scaled(x, part, spread)
    size = math.sqrt(spread * spread + (0.02 if smooth else 0.1))
    if chance(random, 0.12):
        add_shifts(random, x, 2.0 * size)
    if chance(random, 0.04):
        add_bursts(random, x, log_normal(random, -4.0, 0.7), size)
    if chance(random, 0.15):
        add_outliers(random, x, size)
