"""Levels (constant, walks, autoregressions, trends, curves) and cycles, of mean 0 and deviation 1."""

import math

import numpy as np

from tsformers.jit import compiled
from tsformers.simulate.synthetic.streams import (
    Array,
    between,
    chance,
    log_normal,
    normal,
    pick,
    student,
    uniform,
    whole,
)

KINDS = ("constant", "walk", "autoregression", "trend", "damped trend", "integrated walk", "bends", "curve", "drift")
WEIGHTS = np.array([0.12, 0.2, 0.14, 0.13, 0.08, 0.13, 0.06, 0.05, 0.09])
SMOOTH = np.array([0.0, 0.14, 0.04, 0.12, 0.08, 0.34, 0.06, 0.04, 0.18])  # where there is little noise
TREND, DAMPED, BENDS, CURVE = 3, 4, 6, 7


@compiled
def standardise(out: Array) -> None:
    """Mean 0 and deviation 1; zeros where all values are equal."""
    mean, square = 0.0, 0.0
    for x in out:
        mean += x
    mean /= len(out)
    for x in out:
        square += (x - mean) ** 2
    deviation = math.sqrt(square / len(out))
    scale = 1.0 / deviation if deviation > 1e-12 else 0.0
    for t in range(len(out)):
        out[t] = (out[t] - mean) * scale


@compiled
def fill_walk(random: Array, out: Array, drift: float, reversion: float) -> None:
    """X <- (1 - reversion) x + drift + noise; a few walks have heavy-tailed or rare steps."""
    heavy, rare = chance(random, 0.2), 1.0
    if chance(random, 0.12):
        rare = log_normal(random, -2.3, 0.8)
    x = 0.0 if reversion == 0 else normal(random) / math.sqrt(reversion * (2 - reversion))
    for t in range(len(out)):
        if rare >= 1.0 or uniform(random) < rare:
            x = (1.0 - reversion) * x + drift + (student(random, 3) if heavy else normal(random))
        out[t] = x


@compiled
def fill_integrated(random: Array, out: Array) -> None:
    """A walk whose slope is an autoregression with a coefficient of .2 to .998, about a slope of its own."""
    keep = max(1.0 - log_normal(random, -2.3, 1.3), 0.2)
    rough, scale = log_normal(random, -1.5, 1.2), 1.0 / math.sqrt(1.0 - keep * keep)
    slope, x = scale * normal(random), 0.0
    drift = scale * normal(random)
    for t in range(len(out)):
        slope = keep * slope + normal(random)
        x += slope + drift + rough * normal(random)
        out[t] = x


@compiled
def fill_bends(random: Array, out: Array) -> None:
    """Straight lines joined at one to five places."""
    hazard = (1.0 + whole(random, 5)) / len(out)
    slope, x = normal(random), 0.0
    for t in range(len(out)):
        if uniform(random) < hazard:
            slope = normal(random)
        x += slope
        out[t] = x


@compiled
def fill_trend(random: Array, out: Array, kind: int) -> None:
    """A straight, a damped or an S-shaped curve."""
    n = len(out)
    keep = 1.0 if kind == TREND else 1.0 - log_normal(random, 1.2, 0.7) / (n + 10)
    middle, width = between(random, -0.2, 1.2) * n, between(random, 0.03, 0.3) * n + 1e-9
    slope, x = 1.0, 0.0
    for t in range(n):
        x += slope
        slope *= keep
        out[t] = math.tanh((t - middle) / width) if kind == CURVE else x


@compiled
def fill_level(random: Array, out: Array, smooth: bool, up: float) -> None:
    """A level of a random kind, which ends higher than it begins with probability ``up``."""
    kind = pick(random, SMOOTH) if smooth else pick(random, WEIGHTS)
    if kind == 0:
        out[:] = 0.0
    elif kind == 1:
        fill_walk(random, out, 0.0, 0.0)
    elif kind == 2:
        fill_walk(random, out, 0.0, log_normal(random, -2.2, 0.9))
    elif kind == 5:
        fill_integrated(random, out)
    elif kind == BENDS:
        fill_bends(random, out)
    elif kind == 8:
        fill_walk(random, out, log_normal(random, -0.9, 0.8), 0.0)
    else:
        fill_trend(random, out, kind)
    standardise(out)
    if (out[len(out) - 1] < out[0]) == chance(random, up):
        for t in range(len(out)):
            out[t] = -out[t]


@compiled
def fill_cycle(random: Array, out: Array, season: int) -> None:
    """A stochastic cycle of 3 to 120 rows, not a multiple of the season: an autoregression of order 2."""
    period = max(log_normal(random, 2.0, 0.8) * (1.0 + 0.2 * season), 3.0)
    keep = 1.0 - log_normal(random, -3.5, 1.0) * 0.5
    a, b = 2.0 * keep * math.cos(2.0 * math.pi / period), -keep * keep
    x, before = normal(random), normal(random)
    for _ in range(50):
        x, before = a * x + b * before + normal(random), x
    for t in range(len(out)):
        x, before = a * x + b * before + normal(random), x
        out[t] = x
    standardise(out)
