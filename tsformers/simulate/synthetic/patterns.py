"""Seasonal patterns, and how they change from cycle to cycle."""

import math

import numpy as np

from tsformers.jit import compiled
from tsformers.simulate.synthetic.levels import standardise
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

KINDS = ("harmonics", "free", "peaks", "smooth", "rare", "blocks")
WEIGHTS = np.array([0.3, 0.22, 0.16, 0.14, 0.1, 0.08])
ANNUAL = 365  # rows a year of daily data


@compiled
def fill_harmonics(random: Array, profile: Array) -> None:
    """One to six harmonics with falling amplitudes."""
    period = len(profile)
    steepness = between(random, 0.3, 2.0)
    profile[:] = 0.0
    for k in range(1, 1 + min(1 + whole(random, 6), max(period // 2, 1))):
        amplitude, shift = normal(random) * k**-steepness, 2.0 * math.pi * uniform(random)
        for j in range(period):
            profile[j] += amplitude * math.cos(2.0 * math.pi * k * j / period + shift)


@compiled
def fill_peaks(random: Array, profile: Array) -> None:
    """One to three bumps."""
    period = len(profile)
    profile[:] = 0.0
    for _ in range(1 + whole(random, 3)):
        height, place = log_normal(random, 0.0, 0.6), uniform(random) * period
        narrow = log_normal(random, 1.5, 1.0)
        for j in range(period):
            profile[j] += height * math.exp(narrow * (math.cos(2.0 * math.pi * (j - place) / period) - 1.0))
    if chance(random, 0.2):
        for j in range(period):
            profile[j] = -profile[j]


@compiled
def fill_smooth(random: Array, profile: Array) -> None:
    """Independent numbers, smoothed around the circle twice by neighbours."""
    period = len(profile)
    for j in range(period):
        profile[j] = normal(random)
    rounds = max(1, period // 6)
    for _ in range(min(rounds, 6)):
        first, before = profile[0], profile[period - 1]
        for j in range(period):
            after = profile[j + 1] if j + 1 < period else first
            here = profile[j]
            profile[j] = 0.25 * before + 0.5 * here + 0.25 * after
            before = here


@compiled
def fill_places(random: Array, profile: Array, blocks: bool) -> None:
    """Few places that differ from the rest (rare), or one block of them that lies on another level."""
    period = len(profile)
    profile[:] = 0.0
    if blocks:
        begin, length = whole(random, period), 1 + int(between(random, 0.15, 0.8) * period)
        for j in range(min(length, period)):
            profile[(begin + j) % period] = 1.0 + 0.15 * normal(random)
    else:
        for _ in range(1 + whole(random, max(period // 6, 1))):
            profile[whole(random, period)] += log_normal(random, 0.0, 0.5) * (1.0 if chance(random, 0.75) else -1.0)


@compiled
def fill_profile(random: Array, profile: Array) -> None:
    """A pattern of a random kind; mean 0 and deviation 1."""
    kind = pick(random, WEIGHTS)
    if kind == 0:
        fill_harmonics(random, profile)
    elif kind == 1:
        heavy = chance(random, 0.3)
        for j in range(len(profile)):
            profile[j] = student(random, 3) if heavy else normal(random)
    elif kind == 2:
        fill_peaks(random, profile)
    elif kind == 3:
        fill_smooth(random, profile)
    else:
        fill_places(random, profile, kind == 5)
    standardise(profile)


@compiled
def fill_week(random: Array, profile: Array, day: Array) -> None:
    """A weekly pattern of a daily one: each day has its own size, and the two days of the weekend another shape."""
    period = len(day)
    fill_profile(random, day)
    swing, weekend = log_normal(random, -1.6, 0.8), whole(random, 7)
    for d in range(7):
        size, level = log_normal(random, 0.0, 0.12), 0.15 * swing * normal(random)
        free = (d - weekend) % 7 < 2
        if free:
            size, level = size * between(random, 0.3, 1.1), level - swing * 2.0
        for j in range(period):
            late = (j - (period // 12 if free else 0)) % period
            profile[d * period + j] = size * day[late] + level
    standardise(profile)


@compiled
def fill_season(random: Array, out: Array, profile: Array, other: Array) -> None:
    """The pattern repeated, with an amplitude and a shape that may change.

    Amplitude: fixed, a walk, or another one each cycle. Shape: fixed, turning slowly or at once into another one,
    or shifted along the cycle (20 % of patterns change).
    """
    period, n = len(profile), len(out)
    walk = log_normal(random, -2.0, 0.8) / math.sqrt(n) if chance(random, 0.35) else 0.0
    cycles = log_normal(random, -1.5, 0.7) if chance(random, 0.25) else 0.0
    growth = 0.5 * normal(random) / n if chance(random, 0.2) else 0.0
    change, at, width = 0.0, between(random, 0.1, 1.1) * n, 1.0
    if chance(random, 0.2):
        change = between(random, 0.3, 1.0)
        width = 1.0 if chance(random, 0.4) else between(random, 0.1, 1.0) * n
        shift = 1 + whole(random, max(period // 6, 1)) if chance(random, 0.4) else 0
        for j in range(period):
            other[j] = profile[(j + shift) % period] if shift > 0 else other[j]
    phase, size, this = whole(random, period), 0.0, 0.0
    for t in range(n):
        j = (t + phase) % period
        if j == 0 or t == 0:
            this = cycles * min(max(normal(random), -2.5), 2.5)
        size = min(max(size + walk * normal(random) + growth, -1.5), 1.5)
        turned = change * min(max((t - at) / width, 0.0), 1.0)
        out[t] = math.exp(size + this) * ((1.0 - turned) * profile[j] + turned * other[j])
