"""Randomness without a generator: a hash of what a row is, so that batches and single rows agree."""

import numpy as np
from jaxtyping import Float, Integer


def uniforms(
    seed: int, series: Integer[np.ndarray, " M"], turn: Integer[np.ndarray, " M"], stream: int
) -> Float[np.ndarray, " M"]:
    """Numbers in (0, 1) that pass for random and depend on nothing but the arguments (SplitMix64).

    Args:
        seed: any whole number.
        series: of each row.
        turn: how many rows its series has had.
        stream: tells apart what one row needs several numbers for.

    Example:
        >>> uniforms(0, np.array([0, 1]), np.array([5, 5]), stream=0).round(3)
        array([0.245, 0.692])
    """
    mixed = np.full(len(series), (seed * 4 + stream) % 2**64, dtype=np.uint64)
    for part in (series, turn):
        mixed = _scrambled(mixed ^ part.astype(np.uint64))
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53


def _scrambled(x: np.ndarray) -> np.ndarray:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
