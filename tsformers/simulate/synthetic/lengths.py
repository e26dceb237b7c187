"""Horizons, seasons, lengths and families of synthetic series, as they occur together."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

SEASONS = np.array([1, 4, 5, 7, 12, 24, 48, 52])
SEASON_WEIGHTS = np.array([0.2, 0.14, 0.08, 0.14, 0.18, 0.13, 0.06, 0.07])
TYPICAL: tuple[tuple[int, ...], ...] = (  # horizons of each season that are common
    (4, 6, 8, 13, 14, 18, 24, 30),
    (4, 6, 8, 12),
    (5, 10, 20, 30),
    (7, 14, 28, 30, 56),
    (6, 12, 18, 24),
    (12, 24, 36, 48),
    (24, 48),
    (8, 13, 24, 26, 52),
)
LARGEST = np.array([59, 16, 40, 59, 36, 59, 59, 59])  # any whole horizon up to these occurs too
SECOND = {24: 168, 48: 336, 7: 365}  # second periods of the calendar
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
FAMILY_WEIGHTS = {  # of each season; others: the first row
    0: (0.21, 0.29, 0.05, 0.06, 0.05, 0.04, 0.08, 0.05, 0.07, 0.05, 0.0, 0.03, 0.01),
    1: (0.25, 0.35, 0.04, 0.05, 0.03, 0.03, 0.04, 0.05, 0.03, 0.13, 0.0, 0.02, 0.0),
    7: (0.2, 0.28, 0.05, 0.06, 0.05, 0.04, 0.06, 0.05, 0.1, 0.05, 0.0, 0.06, 0.0),
    12: (0.21, 0.28, 0.05, 0.06, 0.05, 0.04, 0.1, 0.05, 0.07, 0.05, 0.0, 0.03, 0.01),
    5: (0.2, 0.25, 0.03, 0.03, 0.03, 0.02, 0.02, 0.04, 0.04, 0.3, 0.0, 0.02, 0.0),
    24: (0.25, 0.3, 0.06, 0.06, 0.05, 0.04, 0.03, 0.06, 0.02, 0.02, 0.06, 0.02, 0.0),
    48: (0.25, 0.3, 0.06, 0.06, 0.05, 0.04, 0.03, 0.06, 0.02, 0.02, 0.06, 0.02, 0.0),
    52: (0.2, 0.28, 0.05, 0.05, 0.05, 0.03, 0.03, 0.05, 0.1, 0.07, 0.0, 0.03, 0.06),
}


class Kinds(NamedTuple):
    """What is decided before a value is drawn."""

    rows: Int64[np.ndarray, " N"]
    seasons: Int64[np.ndarray, " N"]
    second: Int64[np.ndarray, " N"]  # 0: none
    families: Int64[np.ndarray, " N"]
    horizon: int


def horizon_weights(horizon: int) -> np.ndarray:
    """P(horizon | season) for each season: .7 on common ones, .3 on all up to the largest."""
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
    seasons = SEASONS[rows]
    second = np.array([SECOND.get(int(m), 0) for m in SEASONS])[rows] * (rng.random(n) < 0.85)
    return Kinds(draw_rows(seasons, second, rng), seasons, second, draw_families(rows, wanted, rng), horizon)


def draw_rows(seasons: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lengths, log-uniform: most from 2 m + 2 to 16 m (at least 60, at most 1,000), some from 3 rows on."""
    low = 2 * seasons + 2
    high = np.minimum(np.maximum(16 * seasons, 60), MOST_ROWS)
    high = np.where(seasons == 1, 350, np.where(seasons <= 7, np.maximum(high, 150), high))
    high = np.where(second > 0, np.minimum(np.maximum(high, 3 * second), MOST_ROWS), high)
    short = rng.random(len(seasons)) < 0.12
    low, high = np.where(short, 3, low), np.where(short, low, high)
    return np.floor(low * ((high + 1) / low) ** rng.random(len(seasons))).astype(np.int64)


def draw_families(row: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices into FAMILIES, by season, of the wanted ones."""
    table = np.array([FAMILY_WEIGHTS.get(int(m), FAMILY_WEIGHTS[0]) for m in SEASONS]) * wanted
    table[~table.any(axis=1)] = wanted
    reached = np.cumsum(table, axis=1)[row]
    drawn = (reached <= rng.random(len(row))[:, None] * reached[:, -1:]).sum(axis=1)
    return np.minimum(drawn, np.flatnonzero(wanted)[-1])
