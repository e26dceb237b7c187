"""Draws of one series: antithetic normal numbers, and many paths reduced to few whose marginals are exact quantiles."""

import numpy as np


def normals(rng: np.random.Generator, n: int, horizon: int) -> np.ndarray:
    """Standard normal numbers in antithetic pairs: rows i and ``i + n // 2`` mirror each other.

    Args:
        rng: generator.
        n: rows; an odd last one has no partner.
        horizon: columns.

    Returns:
        (n, horizon).

    Example:
        >>> rows = normals(np.random.default_rng(0), 4, 2)
        >>> bool((rows[0] == -rows[2]).all())
        True
    """
    pairs = n // 2
    drawn = rng.standard_normal((n - pairs, horizon))
    return np.concatenate([drawn[:pairs], -drawn[:pairs], drawn[pairs:]])


def stratified(paths: np.ndarray, n_samples: int) -> np.ndarray:
    """Few draws that have the marginal quantiles of many paths, and the ranks over time of some of them.

    At each step the draws are the quantiles at levels ``(i - 1/2) / S`` of all M paths, so that the noise of medians,
    means and quantiles is that of M paths, not of S. Which draw is the k-th at a step is decided by S of the paths, in
    antithetic pairs.

    Args:
        paths: (M, H), rows i and ``i + M // 2`` antithetic.
        n_samples: S, at most M.

    Returns:
        (S, H); ``paths`` itself where S is M.

    Example:
        >>> stratified(np.array([[1.0], [2.0], [3.0], [4.0]]), 2).ravel().tolist()
        [1.5, 3.5]

    Source: stratified sampling of the marginals; the order by ranks as in Iman & Conover (1982).
    """
    n_paths, half = len(paths), n_samples // 2
    if n_paths == n_samples:
        return paths
    pairs = np.arange(half)
    chosen = paths[np.r_[pairs, n_paths // 2 + pairs, half : half + n_samples % 2]]
    at = (np.arange(n_samples) + 0.5) * n_paths / n_samples - 0.5
    low = np.clip(np.floor(at).astype(int), 0, n_paths - 2)
    share = np.clip(at - low, 0.0, 1.0)[:, None]
    ordered = np.sort(paths, axis=0)
    quantiles = ordered[low] + share * (ordered[low + 1] - ordered[low])
    drawn = np.empty_like(quantiles)
    np.put_along_axis(drawn, np.argsort(chosen, axis=0, kind="stable"), quantiles, axis=0)
    return drawn
