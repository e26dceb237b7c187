"""What happens once: level shifts, bursts, promotions, outliers, and missing values."""

import math

import numpy as np

from tsformers.jit import compiled
from tsformers.simulate.synthetic.streams import (
    Array,
    between,
    chance,
    log_normal,
    normal,
    student,
    uniform,
    whole,
)


@compiled
def add_shifts(random: Array, out: Array, size: float) -> None:
    """One to three jumps of the level, each for good or for a while."""
    n = len(out)
    for _ in range(1 + whole(random, 3)):
        begin, jump = whole(random, n), size * normal(random)
        end = n if chance(random, 0.7) else min(n, begin + 1 + whole(random, max(n // 4, 1)))
        for t in range(begin, end):
            out[t] += jump


@compiled
def add_bursts(random: Array, out: Array, rate: float, size: float) -> None:
    """Sudden rises, of heavy-tailed size, that fade within a few rows."""
    keep, burst = between(random, 0.05, 0.9), 0.0
    for t in range(len(out)):
        burst *= keep
        if uniform(random) < rate:
            burst += size * min(-math.log(uniform(random)) + abs(student(random, 3)), 12.0)
        out[t] += burst


@compiled
def add_promotions(random: Array, out: Array, season: int) -> None:
    """Raised for one to seven rows, lowered by less in the rows after."""
    rate, longest = log_normal(random, -3.3, 0.7), 7 if season == 7 else 2
    uplift, dip, left = log_normal(random, -0.3, 0.6), between(random, 0.0, 0.4), 0
    size = 0.0
    for t in range(len(out)):
        if left > 0:
            out[t] += size
            left -= 1
            size = -dip * uplift if left == 0 and size > 0 else size
            left = 1 if left == 0 and size < 0 and chance(random, 0.5) else left
        elif uniform(random) < rate:
            left, size = 1 + whole(random, longest), uplift * log_normal(random, 0.0, 0.3)


@compiled
def add_holidays(random: Array, out: Array, year: int) -> None:
    """The same few rows of every year raised or lowered."""
    for _ in range(1 + whole(random, 5)):
        place, size, length = whole(random, year), 0.8 * normal(random), 1 + whole(random, 2)
        for begin in range(place, len(out), year):
            for t in range(begin, min(begin + length, len(out))):
                out[t] += size * log_normal(random, 0.0, 0.2)


@compiled
def add_outliers(random: Array, out: Array, size: float) -> None:
    """About 4 of 1,000 values are far away; in some series more are."""
    rate = log_normal(random, -5.5, 0.8)
    for t in range(len(out)):
        if uniform(random) < rate:
            out[t] += size * student(random, 2) * 2.0


@compiled
def make_holes(random: Array, y: Array) -> None:
    """Missing values, single ones or runs; two neighbours always stay."""
    n = len(y)
    if n < 6:
        return
    rate, run = log_normal(random, -2.6, 1.1), 1.0
    if chance(random, 0.4):
        run = between(random, 2.0, 0.1 * n + 3.0)
    left, kept = 0, whole(random, n - 1)
    for t in range(n):
        if left == 0 and uniform(random) < min(rate, 0.5) / run:
            left = 1 + whole(random, int(2 * run))
        if left > 0:
            left -= 1
            if t != kept and t != kept + 1:
                y[t] = np.nan
