"""Counter-based random numbers (SplitMix64): they depend on what a row or series is, not on the order of calls."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer
from scipy.special import ndtri

GOLDEN, MIX_A, MIX_B = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def series_keys(ids: pd.Index, seed: int | None) -> np.ndarray:
    """A seed (N,) for each series, from ``seed`` and the id alone: other series change nothing. None = fresh seeds."""
    names = pd.util.hash_array(ids.astype(str).to_numpy(object), categorize=False)
    entropy = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    return _mixed(names ^ entropy)


def keyed_normals(keys: np.ndarray, n_samples: int, horizon: int) -> np.ndarray:
    """Standard normal draws (N, S, H), those of series i from ``keys[i]`` alone and without a loop over series.

    Counter-based: draw c of key k is the normal quantile of ``mix(k + c * golden)`` as a fraction of 2**64. Draws come
    in antithetic pairs, x and -x, so that mean and median of an even number of draws are exact, without Monte Carlo
    noise; of an odd number the last draw stands alone.

    Source: Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, fig. 17 (SplitMix64).
    """
    pairs = n_samples // 2
    counter = np.arange(1, (n_samples - pairs) * horizon + 1, dtype=np.uint64) * GOLDEN
    bits = _mixed(keys[:, None] + counter) >> np.uint64(11)
    draws = ndtri((bits + 0.5) * 2.0**-53).reshape(len(keys), n_samples - pairs, horizon)
    return np.concatenate([draws[:, :pairs], -draws[:, :pairs], draws[:, pairs:]], axis=1)


def _mixed(x: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: a bijection of 64 bits after which neighbours have nothing in common."""
    x = (x ^ (x >> np.uint64(30))) * MIX_A
    x = (x ^ (x >> np.uint64(27))) * MIX_B
    return x ^ (x >> np.uint64(31))


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
