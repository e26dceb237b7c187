"""Noise: normal to heavy-tailed, of constant, seasonal or changing scale, independent or correlated."""

import math

import numpy as np

from tsformers.jit import compiled
from tsformers.simulate.synthetic.streams import (
    Array,
    chance,
    log_normal,
    normal,
    pick,
    student,
    uniform,
)

KINDS = ("normal", "student 3", "student 2", "laplace", "skewed")
WEIGHTS = np.array([0.5, 0.22, 0.06, 0.12, 0.1])


@compiled
def shock(random: Array, kind: int) -> float:
    """One number of about unit scale."""
    if kind == 0:
        return normal(random)
    if kind <= 2:
        return 0.7 * student(random, 4 - kind)
    size = -math.log(uniform(random))
    if kind == 3:
        return 0.7 * size if chance(random, 0.5) else -0.7 * size
    return size - 1.0


@compiled
def fill_noise(random: Array, out: Array, season: int) -> None:
    """Noise of unit scale, with its own distribution, scale over time and correlation."""
    n, kind = len(out), pick(random, WEIGHTS)
    seasonal = log_normal(random, -0.7, 0.5) if season > 1 and chance(random, 0.2) else 0.0
    turn, phase = 2.0 * math.pi / season, 2.0 * math.pi * uniform(random)
    volatile, keep = 0.0, 0.0
    if chance(random, 0.25):
        volatile, keep = log_normal(random, -1.6, 0.6), 1.0 - log_normal(random, -3.0, 0.8)
    growth = normal(random) / n if chance(random, 0.15) else 0.0
    memory = 0.0
    if chance(random, 0.5):
        memory = 1.0 - log_normal(random, -1.0, 1.0) if chance(random, 0.75) else -0.6 * uniform(random)
    memory = min(max(memory, -0.6), 0.99)
    fresh, scale, x = math.sqrt(1.0 - memory * memory), 0.0, normal(random)
    for t in range(n):
        scale = keep * scale + volatile * normal(random)
        size = seasonal * math.cos(turn * t + phase) + scale + growth * t
        x = memory * x + fresh * math.exp(min(max(size, -2.5), 2.5)) * shock(random, kind)
        out[t] = x
