"""Weights of the candidates: greedy averaging of quantiles on held-out windows, shrunk to equal ones."""

from typing import NamedTuple

import numpy as np

from tsformers.jit import compiled_nogil

ROUNDS = 50  # candidates that are added, with replacement
NEAR, DOUBT = (
    0.1,
    3.0,
)  # the start: all candidates whose score is this close to the best one, and 3 / sqrt(windows) more
PRIOR_WINDOWS = 20.0  # held-out windows that equal weights count as much as
LEAST_WEIGHT = 0.04  # below which, and below a quarter of the largest, a candidate is not worth its fit to all data


class Scored(NamedTuple):
    """The observed cells of the held-out windows, and what each counts."""

    y: np.ndarray  # (C,)
    by_size: np.ndarray  # (C,) one over the sum of |y|: the weighted quantile loss
    by_scale: np.ndarray  # (C,) one over scale, steps and windows: the scaled CRPS
    levels: np.ndarray  # (Q,)


@compiled_nogil()
def mean_losses(
    total: np.ndarray,
    count: float,
    candidates: np.ndarray,
    y: np.ndarray,
    by_size: np.ndarray,
    by_scale: np.ndarray,
    levels: np.ndarray,
    losses: np.ndarray,
) -> None:
    """(K, 2) both losses of the mean of ``count`` quantiles, which sum to ``total`` (C, Q), and of each candidate."""
    for k in range(candidates.shape[0]):
        first, second = 0.0, 0.0
        for c in range(len(y)):
            cell = 0.0
            for q in range(len(levels)):
                error = y[c] - (total[c, q] + candidates[k, c, q]) / (count + 1.0)
                cell += error * levels[q] if error >= 0 else error * (levels[q] - 1.0)
            first += by_size[c] * cell
            second += by_scale[c] * cell
        losses[k, 0] = 2.0 * first / len(levels)
        losses[k, 1] = 2.0 * second / len(levels)


def losses_of(candidates: np.ndarray, scored: Scored) -> np.ndarray:
    """Weighted quantile loss and scaled CRPS of each candidate, over all its levels.

    Args:
        candidates: (K, C, Q) quantiles.
        scored: C cells.

    Returns:
        (K, 2).

    Example:
        >>> cells = Scored(np.array([2.0]), np.array([0.5]), np.array([1.0]), np.array([0.5]))
        >>> losses_of(np.array([[[1.0]], [[2.0]]]), cells)
        array([[0.5, 1. ],
               [0. , 0. ]])
    """
    losses = np.empty((len(candidates), 2))
    mean_losses(np.zeros(candidates.shape[1:]), 0.0, candidates, *scored, losses)
    return losses


def scores_of(losses: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The geometric mean of both losses, each relative to that of the seasonal naive forecaster.

    Args:
        losses: (K, 2).
        reference: (2,).

    Returns:
        (K,); 1 is as good as the seasonal naive forecaster, 0 is perfect.

    Example:
        >>> scores_of(np.array([[0.5, 2.0], [0.25, 0.25]]), np.array([1.0, 1.0]))
        array([1.  , 0.25])
    """
    least = 1e-9
    return np.sqrt(np.prod((losses + least) / (reference + least), axis=1))


def greedy_weights(candidates: np.ndarray, scored: Scored, reference: np.ndarray, n_windows: int) -> np.ndarray:
    """Weights of candidates whose weighted mean quantiles score well.

    The mean of the candidates near the best one (the nearer, the more windows there are) is the start. Then the
    candidate that helps most is added, again and again, the same one too; the best of these means is taken, and its
    weights are shrunk to those of the start, with weight ``1 / (1 + windows / 20)``: with few windows the differences
    between candidates are noise.

    Args:
        candidates: (K, C, Q) quantiles.
        scored: C cells.
        reference: (2,) losses of the seasonal naive forecaster.
        n_windows: independent windows behind the cells.

    Returns:
        (K,) weights that sum to one.

    Example:
        >>> cells = Scored(np.array([2.0, 2.0]), np.array([0.25, 0.25]), np.array([1.0, 1.0]), np.array([0.5]))
        >>> one_high_one_low = np.array([[[1.0], [1.0]], [[3.0], [3.0]], [[9.0], [9.0]]])
        >>> greedy_weights(one_high_one_low, cells, np.array([1.0, 1.0]), 100)
        array([0.5, 0.5, 0. ])

    Source: Caruana, Niculescu-Mizil, Crew & Ksikes (2004), Ensemble selection from libraries of models, section 2.
    """
    alone = scores_of(losses_of(candidates, scored), reference)
    start = (alone <= alone.min() * (1 + NEAR + DOUBT / np.sqrt(n_windows))).astype(np.float64)
    counts, best = start.copy(), start / start.sum()
    total = np.tensordot(counts, candidates, axes=1)
    losses = np.empty((len(candidates), 2))
    lowest = scores_of(losses_of((total / counts.sum())[None], scored), reference)[0]
    for _ in range(ROUNDS):
        mean_losses(total, counts.sum(), candidates, *scored, losses)
        scores = scores_of(losses, reference)
        chosen = int(scores.argmin())
        counts[chosen] += 1
        total += candidates[chosen]
        if scores[chosen] < lowest:
            lowest, best = scores[chosen], counts / counts.sum()
    share = 1 / (1 + n_windows / PRIOR_WINDOWS)
    return trimmed((1 - share) * best + share * start / start.sum())


def trimmed(weights: np.ndarray) -> np.ndarray:
    """Weights without those that are too small to be worth a fit.

    Args:
        weights: (K,) summing to one.

    Returns:
        (K,) summing to one.

    Example:
        >>> trimmed(np.array([0.99, 0.01]))
        array([1., 0.])
    """
    kept = np.where(weights >= min(LEAST_WEIGHT, weights.max() / 4), weights, 0.0)
    return kept / kept.sum()
