"""All series of a block at once: weights of the mixture, smoothed rates, and sorted draws."""

import numpy as np

from tsformers.forecasters.intermittent.mixture import (
    KEPT,
    common_share,
    mixture_draws,
    mixture_mean,
    mixture_weights,
    state_at_end,
)
from tsformers.jit import compiled_nogil

MOST_BINS = 4000  # of a distribution of counts; beyond, neighbouring counts share a bin


@compiled_nogil()
def weigh(
    y: np.ndarray, offsets: np.ndarray, ends: np.ndarray, scales: np.ndarray, seasonal: np.ndarray, weights: np.ndarray
) -> None:
    """Weights (N, K) of the components; of series without a value above 0 all are 0."""
    for i in range(len(weights)):
        one = y[offsets[i] : ends[i]]
        above = False
        for value in one:
            above |= value > 0
        if above:
            mixture_weights(one, scales[i], seasonal[i], weights[i])
        else:
            for k in range(weights.shape[1]):
                weights[i, k] = 0.0


@compiled_nogil()
def mixture_forecasts(
    y: np.ndarray,
    offsets: np.ndarray,
    ends: np.ndarray,
    firsts: np.ndarray,
    scales: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
    draws: np.ndarray,
    shares: np.ndarray,
) -> None:
    """Means (N, H), sorted draws (N, S, H) (none where S is 0), and the share of variance that steps have in common."""
    sums = np.empty((len(KEPT), 6))
    ordered = np.empty(draws.shape[1])
    for i in range(len(weights)):
        one = y[offsets[i] : ends[i]]
        state_at_end(one, scales[i], firsts[i], sums)
        gap = 0
        while gap < len(one) and np.isnan(one[len(one) - 1 - gap]):
            gap += 1
        shares[i] = common_share(weights[i], sums)
        for h in range(means.shape[1]):
            scale = scales[i, (firsts[i] + len(one) + h) % scales.shape[1]]
            means[i, h] = mixture_mean(weights[i], sums, scale)
            if len(ordered) == 0:
                continue
            if means[i, h] <= 0:
                for s in range(len(ordered)):
                    ordered[s] = 0.0
            else:
                mixture_draws(weights[i], sums, scale, gap + h, MOST_BINS, ordered)
            for s in range(len(ordered)):
                draws[i, s, h] = ordered[s]
