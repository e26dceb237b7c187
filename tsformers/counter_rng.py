"""Counter-based random numbers (SplitMix64): each is a function of its key, independent of the order of calls."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer
from scipy.special import ndtri

GOLDEN, MIX_A, MIX_B = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def series_keys(ids: pd.Index, seed: int | None) -> np.ndarray:
    """One 64-bit key for each series, a function of ``seed`` and the id alone: other series change nothing.

    Args:
        ids: N ids.
        seed: any whole number; None draws fresh entropy.

    Returns:
        (N,) uint64.

    Example:
        >>> keys = series_keys(pd.Index(["a", "b"]), seed=0)
        >>> bool(keys[1] == series_keys(pd.Index(["b"]), seed=0)[0])
        True
    """
    try:
        names = pd.util.hash_array(ids.astype(str).to_numpy(object), categorize=False)
    except UnicodeError:
        names = pd.util.hash_array(np.array([*map(_readable, ids)], dtype=object), categorize=False)
    entropy = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    return _splitmix64(names ^ entropy)


def keyed_normals(keys: np.ndarray, n_samples: int, horizon: int) -> np.ndarray:
    """Standard normal draws (N, S, H); those of series i depend on ``keys[i]`` alone.

    Draw c of key k is the normal quantile of ``splitmix64(k + c * golden)`` as a fraction of 2**64. Draws come in
    antithetic pairs, x and -x, so that mean and median of an even number of draws are exact, without Monte Carlo
    noise; an odd last draw has no partner.

    Args:
        keys: (N,) uint64, from ``series_keys``.
        n_samples: S.
        horizon: H.

    Returns:
        (N, S, H) float64.

    Example:
        >>> keyed_normals(np.array([7], np.uint64), 4, 1).mean(axis=1)
        array([[0.]])

    Source: Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, fig. 17 (SplitMix64).
    """
    pairs = n_samples // 2
    counter = np.arange(1, (n_samples - pairs) * horizon + 1, dtype=np.uint64) * GOLDEN
    bits = _splitmix64(keys[:, None] + counter) >> np.uint64(11)
    draws = ndtri((bits + 0.5) * 2.0**-53).reshape(len(keys), n_samples - pairs, horizon)
    return np.concatenate([draws[:, :pairs], -draws[:, :pairs], draws[:, pairs:]], axis=1)


def uniforms(
    seed: int, series: Integer[np.ndarray, " M"], turn: Integer[np.ndarray, " M"], stream: int
) -> Float[np.ndarray, " M"]:
    """Uniform random numbers in (0, 1) that depend on nothing but the arguments.

    Args:
        seed: any whole number.
        series: series number of each row.
        turn: how many rows its series had before.
        stream: 0, 1, 2 or 3; gives a row several independent numbers.

    Returns:
        (M,) float64.

    Example:
        >>> uniforms(0, np.array([0, 1]), np.array([5, 5]), stream=0).round(3)
        array([0.245, 0.692])
    """
    mixed = np.full(len(series), (seed * 4 + stream) % 2**64, dtype=np.uint64)
    for part in (series, turn):
        mixed = _splitmix64((mixed ^ part.astype(np.uint64)) + GOLDEN)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53


def _splitmix64(x: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64: a bijection of 64 bits after which neighbouring inputs are uncorrelated."""
    x = (x ^ (x >> np.uint64(30))) * MIX_A
    x = (x ^ (x >> np.uint64(27))) * MIX_B
    return x ^ (x >> np.uint64(31))


def _readable(name: object) -> str:
    """The text of an id; escaped where it is no text that UTF-8 has."""
    try:
        text = name.decode() if isinstance(name, bytes) else str(name)
        text.encode()
    except UnicodeError:
        return ascii(name)
    return text
