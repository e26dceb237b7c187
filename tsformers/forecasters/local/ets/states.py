"""Exponential smoothing models as parameter vectors: their boxes and starts."""

from typing import NamedTuple

import numpy as np

from tsformers.forecasters.local.ets.kernels import (
    ALPHA,
    BETA,
    GAMMA,
    LEAST,
    LEVEL,
    N_WEIGHTS,
    PHI,
    SEASON,
    SLOPE,
    Model,
)

LONGEST_SEASON = 24  # rows, that a model has states for
HEAD = 10  # rows, or two seasons if that is more, whose range bounds the initial states
SEASONS = 3  # seasons from which the first seasonal terms are estimated
LEAST_RANGE = 0.1  # of the head, in ranges of the whole
DAMPING = (0.8, 0.98)  # of a damped trend
WEIGHTS = np.array(  # starts: slots of alpha, beta, gamma, phi
    [
        [0.02, 0.1, 0.1, 0.97],
        [0.1, 0.8, 0.1, 0.95],
        [0.2, 0.1, 0.9, 0.95],
        [0.3, 0.5, 0.3, 0.95],
        [0.5, 0.1, 0.1, 0.9],
        [0.9, 0.1, 0.1, 0.9],
        [0.9, 0.8, 0.5, 0.85],
    ]
)


class Spec(NamedTuple):
    """One model of the family: error and season "add" or "mul", trend "add", each of the last two may be None."""

    error: str
    trend: str | None
    damped_trend: bool
    seasonal: str | None


FAMILY = [  # all models but those with infinite variance and those that explode
    Spec(error, trend, damped, seasonal)
    for error in ("add", "mul")
    for trend, damped in ((None, False), ("add", False), ("add", True))
    for seasonal in (None, "add", "mul")
    if (error, seasonal) != ("add", "mul")
]


def model_of(spec: Spec, y: np.ndarray, season: int, places: np.ndarray | None = None) -> Model:
    """The box and the free slots of a model.

    Weights lie in the usual region, seasonal weights with a trend in the admissible one too. The initial level lies
    within the range of the first rows, or once that range beside it, slope and season within one range of 0.

    Args:
        spec: the model.
        y: (n,) normalised data, NaN = missing.
        season: rows of one season.
        places: (q,) places of the season that occur; None = those of ``y``.

    Returns:
        The model; without a season its ``m`` is 1.

    Example:
        >>> model_of(Spec("add", "add", False, "add"), np.arange(12.0), 4).columns
        array([0, 1, 2, 4, 5, 6, 7, 8])
    """
    multiplies, m = spec.seasonal == "mul", season if spec.seasonal else 1
    rows = np.flatnonzero(np.isfinite(y))
    places = np.unique(rows % m) if places is None else places
    low, high = np.zeros(SEASON + len(places) - 1), np.ones(SEASON + len(places) - 1)
    head = y[rows[: max(HEAD, 2 * season)]]
    whole = float(np.ptp(y[rows]))
    span = max(float(np.ptp(head)), LEAST_RANGE * whole)
    low[LEVEL], high[LEVEL] = head.min() - span, head.max() + span
    low[SLOPE], high[SLOPE] = (-span, span) if spec.trend else (0.0, 0.0)
    low[SEASON:], high[SEASON:] = (0.0, float(m)) if multiplies else (-whole, whole)
    if spec.error == "mul":
        low[LEVEL] = max(low[LEVEL], LEAST)
    high[BETA], high[GAMMA] = bool(spec.trend), bool(spec.seasonal)
    low[PHI], high[PHI] = DAMPING if spec.damped_trend else (1.0, 1.0)
    return Model(m, spec.error == "mul", multiplies, places, np.flatnonzero(low < high), low, high)


def first_states(found: Model, y: np.ndarray) -> np.ndarray:
    """States with which a search starts: the mean of the first rows, and the season of the first three seasons.

    Args:
        found: the model.
        y: (n,) normalised data, NaN = missing.

    Returns:
        Slots (d,) whose weights are 0.

    Example:
        >>> y = np.tile([1.0, -1.0], 10)
        >>> first_states(model_of(Spec("add", None, False, "add"), y, 2), y)
        array([0., 0., 0., 1., 0., 0., 1.])
    """
    x, m = np.zeros(len(found.low)), found.m
    x[PHI] = found.high[PHI]
    rows = np.flatnonzero(np.isfinite(y))
    head = rows[rows < rows[0] + SEASONS * m] if m > 1 else rows[:HEAD]
    if len(np.unique(head % m)) < len(found.places):
        head = rows
    x[LEVEL] = y[head].mean()
    if m > 1:
        values = np.log(np.maximum(y[head], LEAST)) if found.multiplies else y[head]
        design = np.column_stack([head[:, None] % m == found.places, (head - head.mean()) / m]).astype(float)
        terms = np.linalg.lstsq(design, values, rcond=None)[0][:-1]
        if found.multiplies:
            terms = np.exp(terms - terms.mean())
            terms /= terms.mean()
        else:
            terms -= terms.mean()
        x[SEASON:] = terms[:-1]
    return np.clip(x, found.low, found.high)


def weight_starts(found: Model, states: np.ndarray) -> np.ndarray:
    """The starts of the search with given states: different weights.

    Args:
        found: the model.
        states: (d,) slots.

    Returns:
        (G, d); duplicates, where a model lacks the weights that differ, are left out.

    Example:
        >>> y = np.arange(12.0)
        >>> found = model_of(Spec("add", None, False, None), y, 1)
        >>> weight_starts(found, first_states(found, y))[:, 0]
        array([0.02, 0.1 , 0.2 , 0.3 , 0.5 , 0.9 ])
    """
    weights = np.unique(np.clip(WEIGHTS, found.low[:N_WEIGHTS], found.high[:N_WEIGHTS]), axis=0)
    return np.column_stack([weights, np.tile(states[N_WEIGHTS:], (len(weights), 1))])


def contained(found: Model, x: np.ndarray, m: int, shift: float = 0.0, ratio: float = 1.0) -> np.ndarray:
    """The slots of a smaller model as a start of a larger one.

    Args:
        found: the larger model.
        x: slots of the smaller model.
        m: its rows of one season.
        shift: what the smaller model's centre is in the data of the larger one.
        ratio: what the smaller model's unit is there.

    Returns:
        (d,) slots that give the same likelihood where the larger model contains the smaller one.

    Example:
        >>> y = np.arange(1.0, 13.0)
        >>> contained(model_of(Spec("mul", "add", False, "mul"), y, 2), np.array([0.5, 0, 0, 1, 7.0, 0]), 1)
        array([0.5, 0. , 0. , 1. , 7. , 0. , 1. ])
    """
    start = np.full(len(found.low), float(found.multiplies))
    start[:SEASON] = x[:SEASON]
    start[LEVEL] = x[LEVEL] * ratio + shift
    start[SLOPE] = x[SLOPE] * ratio
    if m == found.m:
        start[SEASON:] = x[SEASON:] * (1.0 if found.multiplies else ratio)
    return np.clip(start, found.low, found.high)


def natural(x: np.ndarray) -> np.ndarray:
    """Slots (4+,) as alpha, beta, gamma, phi.

    Example:
        >>> natural(np.array([0.5, 0.5, 0.5, 0.9]))
        array([0.5 , 0.25, 0.25, 0.9 ])
    """
    return np.array([x[ALPHA], x[ALPHA] * x[BETA], (1.0 - x[ALPHA]) * x[GAMMA], x[PHI]])
