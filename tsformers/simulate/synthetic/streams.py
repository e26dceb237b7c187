"""Random numbers inside compiled loops: a stream of SplitMix64 for each series, its state an array of one number."""

import math

import numpy as np

from tsformers.counter_rng import GOLDEN, MIX_A, MIX_B
from tsformers.jit import compiled

Array = np.ndarray
S11, S27, S30, S31 = (np.uint64(n) for n in (11, 27, 30, 31))


@compiled
def uniform(random: Array) -> float:
    """Uniform in (0, 1)."""
    random[0] += GOLDEN
    x = random[0]
    x = (x ^ (x >> S30)) * MIX_A
    x = (x ^ (x >> S27)) * MIX_B
    x ^= x >> S31
    return (np.float64(x >> S11) + 0.5) * 2.0**-53


@compiled
def between(random: Array, low: float, high: float) -> float:
    """Uniform in (low, high)."""
    return low + (high - low) * uniform(random)


@compiled
def chance(random: Array, probability: float) -> bool:
    """True with that probability."""
    return uniform(random) < probability


@compiled
def whole(random: Array, n: int) -> int:
    """Uniform in 0 .. n - 1."""
    return int(uniform(random) * n)


@compiled
def pick(random: Array, weights: Array) -> int:
    """An index, with probability proportional to its weight."""
    left = uniform(random) * weights.sum()
    for i in range(len(weights) - 1):
        left -= weights[i]
        if left < 0:
            return i
    return len(weights) - 1


@compiled
def normal(random: Array) -> float:
    """Standard normal (Box-Muller)."""
    radius = math.sqrt(-2.0 * math.log(uniform(random)))
    return radius * math.cos(2.0 * math.pi * uniform(random))


@compiled
def log_normal(random: Array, mean: float, deviation: float) -> float:
    """Exponential of a normal number, which is kept within three deviations."""
    return math.exp(mean + deviation * min(max(normal(random), -3.0), 3.0))


@compiled
def student(random: Array, freedom: int) -> float:
    """Student's t with whole degrees of freedom, kept within +-30."""
    squares = 0.0
    for _ in range(freedom):
        squares += normal(random) ** 2
    return min(max(normal(random) / math.sqrt(squares / freedom + 1e-9), -30.0), 30.0)


@compiled
def gamma(random: Array, shape: float) -> float:
    """Gamma of mean ``shape`` (Marsaglia & Tsang 2000)."""
    if shape < 1.0:
        return gamma_from_one(random, shape + 1.0) * uniform(random) ** (1.0 / shape)
    return gamma_from_one(random, shape)


@compiled
def gamma_from_one(random: Array, shape: float) -> float:
    """Gamma of a shape of 1 or more."""
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(random)
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(uniform(random)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v


@compiled
def poisson(random: Array, rate: float) -> float:
    """Poisson; from a rate of 30 on a rounded normal number."""
    if rate > 30.0:
        return float(max(round(rate + math.sqrt(rate) * normal(random)), 0))
    product, count, bound = uniform(random), 0, math.exp(-rate)
    while product > bound:
        product *= uniform(random)
        count += 1
    return float(count)
