"""From the latent sum to values: thirteen families."""

import math

from tsformers.jit import compiled
from tsformers.simulate.synthetic.events import add_bursts, add_holidays, add_promotions
from tsformers.simulate.synthetic.streams import (
    Array,
    between,
    chance,
    gamma,
    log_normal,
    normal,
    poisson,
    student,
    uniform,
    whole,
)

LARGEST = 7.0  # the logarithm of a value, relative to its median
WIDEST = 1.0  # deviation of the logarithm over time, in all but a few series


@compiled
def exponential(x: float) -> float:
    """Exponential of an argument kept within +-7."""
    return math.exp(min(max(x, -LARGEST), LARGEST))


@compiled
def gentle(random: Array, y: Array, scale: float) -> float:
    """The factor of y in an exponent: ``scale``, or less where the logarithm would vary by much more than 1."""
    mean, square = 0.0, 0.0
    for v in y:
        mean += v / len(y)
    for v in y:
        square += (v - mean) ** 2 / len(y)
    widest = WIDEST * log_normal(random, 0.0, 0.4) / math.sqrt(square + 1e-12)
    return min(scale, widest)


@compiled
def additive(random: Array, y: Array) -> None:
    """Around zero, or far from it on either side."""
    offset = 0.0
    if chance(random, 0.75):
        offset = log_normal(random, 1.9, 1.2) * (1.0 if chance(random, 0.93) else -1.0)
    for t in range(len(y)):
        y[t] += offset


@compiled
def multiplicative(random: Array, y: Array) -> None:
    """The exponential: all parts multiply."""
    scale = gentle(random, y, log_normal(random, -1.7, 0.9))
    for t in range(len(y)):
        y[t] = exponential(scale * y[t])


@compiled
def positive(random: Array, y: Array) -> None:
    """Cut off at zero, or bent towards it."""
    offset, cut = between(random, -0.5, 3.0), chance(random, 0.5)
    for t in range(len(y)):
        v = y[t] + offset
        y[t] = max(v, 0.0) if cut or v > 30.0 else math.log1p(math.exp(max(v, -30.0)))


@compiled
def counts(random: Array, y: Array, dispersed: bool) -> None:
    """Poisson or negative binomial, with the exponential as the rate."""
    rate, scale = log_normal(random, 1.8, 1.8), gentle(random, y, log_normal(random, -1.4, 0.8))
    shape = log_normal(random, 1.0, 1.0)
    for t in range(len(y)):
        mean = rate * exponential(scale * y[t])
        y[t] = poisson(random, mean * gamma(random, shape) / shape if dispersed else mean)


@compiled
def zero_inflated(random: Array, y: Array) -> None:
    """The exponential, with runs of zeros."""
    scale, share, run = (
        gentle(random, y, log_normal(random, -1.4, 0.7)),
        between(random, 0.02, 0.6),
        log_normal(random, 0.8, 0.8),
    )
    leave = min(1.0 / max(run, 1.0), 1.0)
    enter = min(share * leave / (1.0 - share), 1.0)
    off = uniform(random) < share
    for t in range(len(y)):
        off = uniform(random) >= leave if off else uniform(random) < enter
        y[t] = 0.0 if off else exponential(scale * y[t])


@compiled
def intermittent(random: Array, y: Array) -> None:
    """Demand now and then: its probability drifts and follows the latent sum, its size is small and whole."""
    centre, scale = between(random, -4.8, 0.5), log_normal(random, -1.2, 0.8)
    more, kind = log_normal(random, 0.3, 1.0), whole(random, 4)
    for t in range(len(y)):
        probability = 1.0 / (1.0 + exponential(-(centre + scale * y[t])))
        y[t] = 0.0
        if uniform(random) < probability:
            if kind == 0:
                y[t] = 1.0
            elif kind == 1:
                y[t] = 1.0 + poisson(random, more)
            elif kind == 2:
                y[t] = 1.0 + math.floor(-more * math.log(uniform(random)))
            else:
                y[t] = math.ceil(exponential(more * 0.4 * normal(random) + 0.5 * more))


@compiled
def bounded(random: Array, y: Array) -> None:
    """Between 0 and 1, in part with a ceiling that is reached."""
    scale, centre = log_normal(random, -0.2, 0.7), 1.3 * normal(random)
    ceiling = between(random, 0.4, 1.0) if chance(random, 0.25) else 1.0
    for t in range(len(y)):
        y[t] = min(1.0 / (1.0 + exponential(-(centre + scale * y[t]))), ceiling)


@compiled
def sales(random: Array, y: Array, season: int, year: int) -> None:
    """Counts or amounts with promotions, holidays and days on which the shop is closed."""
    scale, rate = gentle(random, y, log_normal(random, -1.5, 0.6)), log_normal(random, 3.0, 1.5)
    for t in range(len(y)):
        y[t] *= scale
    if chance(random, 0.6):
        add_promotions(random, y, season)
    if year > 1 and chance(random, 0.5):
        add_holidays(random, y, year)
    shape, whole_numbers = log_normal(random, 2.3, 0.9), chance(random, 0.7)
    closed, shut = whole(random, 7), season == 7 and chance(random, 0.2)
    for t in range(len(y)):
        mean = rate * exponential(y[t]) * gamma(random, shape) / shape
        y[t] = poisson(random, mean) if whole_numbers else mean
        if shut and t % 7 == closed:
            y[t] = 0.0


@compiled
def walk(random: Array, y: Array) -> None:
    """A price: a walk of its logarithm with changing, heavy-tailed steps; a few revert or change rarely."""
    n = len(y)
    step = log_normal(random, -4.2, 1.0)
    step = min(step, 1.5 / math.sqrt(n))
    drift, reversion = 0.15 * step * normal(random), 0.0
    if chance(random, 0.2):
        reversion = log_normal(random, -3.5, 1.0)
    rare = log_normal(random, -2.0, 0.8) if chance(random, 0.15) else 1.0
    volatile, keep = log_normal(random, -1.9, 0.6), 1.0 - log_normal(random, -3.3, 0.7)
    size, x, heavy = 0.0, 0.0, chance(random, 0.5)
    for t in range(n):
        size = min(max(keep * size + volatile * normal(random), -2.0), 2.0)
        if rare >= 1.0 or uniform(random) < rare:
            shock = 0.6 * student(random, 3) if heavy else normal(random)
            x = (1.0 - reversion) * x + drift + step * math.exp(size) * shock
        y[t] = exponential(x)


@compiled
def night(random: Array, y: Array, season: int) -> None:
    """Solar: half a cosine each day, zero at night, longer days in half of the year, and clouds."""
    noon, year = whole(random, season), 2.0 * math.pi / (365.0 * season)
    middle, swing, turn = between(random, -0.2, 0.4), between(random, 0.0, 0.35), 2.0 * math.pi * uniform(random)
    keep, rough, cloudy = between(random, 0.5, 0.98), log_normal(random, -1.5, 0.8), between(random, 0.0, 1.5)
    cloud, sky = 0.0, 1.0
    for t in range(len(y)):
        if (t - noon) % season == season // 2 or t == 0:
            sky = math.exp(-cloudy * uniform(random) ** 2)
        cloud = keep * cloud + rough * normal(random)
        height = math.cos(2.0 * math.pi * (t - noon) / season) - middle - swing * math.cos(year * t + turn)
        y[t] = max(height, 0.0) * sky * min(math.exp(min(cloud, 1.0)), 1.2)


@compiled
def bursts(random: Array, y: Array) -> None:
    """Attention: the exponential, with sudden rises that fade."""
    scale = gentle(random, y, log_normal(random, -1.5, 0.6))
    for t in range(len(y)):
        y[t] *= scale
    add_bursts(random, y, log_normal(random, -4.0, 0.8), log_normal(random, -0.6, 0.6))
    for t in range(len(y)):
        y[t] = exponential(y[t])


@compiled
def epidemic(random: Array, y: Array, season: int) -> None:
    """A wave a season, whose height, width and time differ, above a small base, with correlated noise."""
    n, centre = len(y), uniform(random) * season
    uneven, late = log_normal(random, -0.9, 0.5), season * log_normal(random, -3.0, 0.6)
    base, width = log_normal(random, -2.0, 0.8), season * log_normal(random, -2.3, 0.4)
    rough, keep = log_normal(random, -2.3, 0.6), between(random, 0.3, 0.95)
    growth, x = 0.5 * normal(random) / n, 0.0
    for t in range(n):
        y[t] = base
    for wave in range(-1, n // season + 2):
        peak, height = centre + wave * season + late * normal(random), log_normal(random, 0.0, uneven)
        broad = width * log_normal(random, 0.0, 0.25)
        for t in range(max(0, int(peak - 5 * broad)), min(n, int(peak + 5 * broad) + 1)):
            y[t] += height * math.exp(-0.5 * ((t - peak) / broad) ** 2)
    for t in range(n):
        x = keep * x + rough * normal(random)
        y[t] *= exponential(x + growth * t)
