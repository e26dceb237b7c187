"""Mixtures of ARMA processes, for clustering."""

import numpy as np
import pandas as pd

from tsformers.simulate.shared import Seed, check_size, series_frame

ARMA = ((-0.25, 0.52), (0.34, 0.27), (1.5, -0.75))


def arma_mixture(
    n_series: int = 1000, length: int = 100, *, noise: float = 0.27, start: float = 0.5, seed: Seed = None
) -> pd.DataFrame:
    """Series of three autoregressions of order 2, each series of one of them, for clustering.

    Regime k is ``x[t] = a[k] x[t-1] + b[k] x[t-2] + e[t]`` with (a, b) = (-0.25, 0.52), (0.34, 0.27), (1.5, -0.75).

    Args:
        n_series: of each regime.
        length: steps of each.
        noise: standard deviation of e.
        start: standard deviation of the first two values.
        seed: whole number or numpy generator; None differs each time.

    Returns:
        The frame of 3 ``n_series`` series, those of a regime after each other.

    Raises:
        ValueError: fewer than one series or step, or a deviation below 0.

    Example:
        >>> frame = arma_mixture(2, 3, seed=0)
        >>> frame.groupby("unique_id")["regime"].first().tolist()
        [0, 0, 1, 1, 2, 2]

    Source: Zhu et al. (2021), MixSeq, NeurIPS, section 5; 0.27 may be deviation or variance in the paper.
    """
    check_size(n_series, length)
    if not (noise >= 0 and start >= 0):
        raise ValueError(f"noise is {noise} and start {start}; both must be 0 or more")
    random, regime = np.random.default_rng(seed), np.repeat(np.arange(len(ARMA)), n_series)
    y = noise * random.normal(size=(len(regime), length))
    y[:, :2] = start * random.normal(size=y[:, :2].shape)
    a, b = np.array(ARMA)[regime].T
    for t in range(2, length):
        y[:, t] += a * y[:, t - 1] + b * y[:, t - 2]
    return series_frame("arma", y, np.broadcast_to(regime[:, None], y.shape), {})
