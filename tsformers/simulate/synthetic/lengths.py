"""Horizons, seasons, lengths and families of synthetic series, as they occur together."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

OTHER = 0  # in SEASONS: any period from 2 to LONGEST_OTHER, log-uniform
LONGEST_OTHER = 168
SEASONS = np.array([1, 4, 5, 7, 12, 24, 48, 52, 96, 144, OTHER])
SEASON_WEIGHTS = np.array([0.19, 0.13, 0.07, 0.13, 0.17, 0.12, 0.05, 0.07, 0.02, 0.01, 0.04])
TYPICAL: tuple[tuple[int, ...], ...] = (  # horizons of each season that are common
    (4, 6, 8, 13, 14, 18, 24, 30),
    (4, 6, 8, 12),
    (5, 10, 20, 30),
    (7, 14, 28, 30, 56),
    (6, 12, 18, 24),
    (12, 24, 36, 48),
    (24, 48),
    (8, 13, 24, 26, 52),
    (24, 48, 96),
    (36, 72, 144),
    (6, 8, 12, 24, 30),
)
LARGEST = np.array([59, 16, 40, 90, 36, 168, 168, 59, 96, 144, 59])  # any whole horizon up to these occurs too
SECOND = {24: 168, 48: 336, 96: 672, 7: 365}  # second periods of the calendar
LONGEST_PERIOD = 1008
MOST_ROWS = 1000
FAMILIES = (
    "additive",
    "multiplicative",
    "positive",
    "poisson",
    "negative_binomial",
    "zero_inflated",
    "intermittent",
    "bounded",
    "sales",
    "walk",
    "night",
    "bursts",
    "epidemic",
)
HOURS = (0.25, 0.3, 0.06, 0.06, 0.05, 0.04, 0.03, 0.06, 0.02, 0.02, 0.06, 0.02, 0.0)
FAMILY_WEIGHTS = {  # of series with this season; others: those of OTHER
    OTHER: (0.21, 0.29, 0.05, 0.06, 0.05, 0.04, 0.08, 0.05, 0.07, 0.05, 0.0, 0.03, 0.01),
    1: (0.25, 0.35, 0.04, 0.05, 0.03, 0.03, 0.04, 0.05, 0.03, 0.13, 0.0, 0.02, 0.0),
    5: (0.2, 0.25, 0.03, 0.03, 0.03, 0.02, 0.02, 0.04, 0.04, 0.3, 0.0, 0.02, 0.0),
    7: (0.2, 0.28, 0.05, 0.06, 0.05, 0.04, 0.06, 0.05, 0.1, 0.05, 0.0, 0.06, 0.0),
    12: (0.21, 0.28, 0.05, 0.06, 0.05, 0.04, 0.1, 0.05, 0.07, 0.05, 0.0, 0.03, 0.01),
    52: (0.2, 0.28, 0.05, 0.05, 0.05, 0.03, 0.03, 0.05, 0.1, 0.07, 0.0, 0.03, 0.06),
} | dict.fromkeys((24, 48, 96, 144), HOURS)


class Kinds(NamedTuple):
    """What is decided before a value is drawn."""

    rows: Int64[np.ndarray, " N"]
    seasons: Int64[np.ndarray, " N"]
    second: Int64[np.ndarray, " N"]  # 0: none
    families: Int64[np.ndarray, " N"]
    horizon: int


def horizon_weights(horizon: int) -> np.ndarray:
    """P(horizon | season) for each season: .7 on common ones, .3 on all up to the largest.

    A horizon larger than any is shared by the seasons that have long ones.

    Example:
        >>> horizon_weights(18)[SEASONS == 12].round(3)
        array([0.183])
    """
    if horizon > LARGEST.max():
        return np.asarray(LARGEST >= 59, np.float64)
    common = np.array([horizon in row for row in TYPICAL]) / np.array([len(row) for row in TYPICAL])
    return 0.7 * common + 0.3 * (horizon <= LARGEST) / LARGEST


def draw_kinds(n: int, rng: np.random.Generator, horizon: int | None, allowed: np.ndarray, wanted: np.ndarray) -> Kinds:
    """Kinds of n series with one horizon.

    Args:
        n: number of series.
        rng: numpy generator.
        horizon: None draws one of an allowed season; the seasons are those with which it occurs.
        allowed: which of SEASONS.
        wanted: which of FAMILIES.

    Returns:
        The kinds.
    """
    weights = SEASON_WEIGHTS * allowed
    if horizon is None:
        row = rng.choice(len(SEASONS), p=weights / weights.sum())
        common = rng.random() < 0.7
        horizon = int(rng.choice(TYPICAL[row]) if common else rng.integers(1, LARGEST[row] + 1))
    together = weights * horizon_weights(horizon)
    together = together if together.any() else weights  # a horizon that occurs with none of them
    rows = rng.choice(len(SEASONS), size=n, p=together / together.sum())
    any_season = np.floor(2 * ((LONGEST_OTHER + 1) / 2) ** rng.random(n)).astype(np.int64)
    seasons = np.where(SEASONS[rows] == OTHER, any_season, SEASONS[rows])
    second = np.array([SECOND.get(int(m), 0) for m in SEASONS])[rows] * (rng.random(n) < 0.85)
    return Kinds(draw_rows(seasons, second, rng), seasons, second, draw_families(rows, wanted, rng), horizon)


def draw_rows(seasons: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lengths: most log-uniform from 2 m + 2 to the longest context of Blend, .25 that longest, .12 from 3 to 2 m + 2.

    The longest: 16 m, at least 60 and three second periods, 350 where m is 1, at most 1,000.
    """
    low = 2 * seasons + 2
    high = np.where(seasons == 1, 350, np.maximum(16 * seasons, 60))
    high = np.minimum(np.maximum(high, 3 * second), MOST_ROWS)
    kind = rng.random(len(seasons))
    short, whole = kind < 0.12, kind > 0.75
    low, high = np.where(short, 3, np.where(whole, high, low)), np.where(short, low, high)
    return np.floor(low * ((high + 1) / low) ** rng.random(len(seasons))).astype(np.int64)


def draw_families(rows: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices into FAMILIES, by row of SEASONS, of the wanted ones."""
    table = np.array([FAMILY_WEIGHTS.get(int(m), FAMILY_WEIGHTS[OTHER]) for m in SEASONS]) * wanted
    table[~table.any(axis=1)] = wanted
    reached = np.cumsum(table, axis=1)[rows]
    drawn = (reached <= rng.random(len(rows))[:, None] * reached[:, -1:]).sum(axis=1)
    return np.minimum(drawn, np.flatnonzero(wanted)[-1])
