"""Scores of joint draws of several series or steps: CRPS of sums, energy score, variogram score."""

import math

import numpy as np
from jaxtyping import Float, Real

from tsformers.scoring.crps import BLOCK, Estimator, blocks
from tsformers.scoring.quantile import Levels, weighted_quantile_loss

CRPS_SUM_LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))  # 0.05, 0.10, ..., 0.95: Salinas et al. (2019)


def crps_sum(
    y: Real[np.ndarray, "*b N H"], samples: Real[np.ndarray, "*b N S H"], levels: Levels = CRPS_SUM_LEVELS
) -> Float[np.ndarray, ""]:
    """CRPS_sum, the literature's score of joint draws of N series: one number relative to the size of the total.

    GluonTS's definition (``m_sum_mean_wQuantileLoss`` of its ``MultivariateEvaluator``): add the series of each draw,
    take as quantile at level a the sorted sum number ``round((S - 1) a)`` from 0, and average the weighted quantile
    loss over levels, with ``sum |sum of y|`` over all steps and windows as one denominator. The figure depends on the
    levels: compare under one grid only.

    Args:
        y: observed values, series by steps, after any axes of windows; a step with a NaN is not scored.
        samples: S joint draws of each series and step.
        levels: levels, strictly between 0 and 1; the literature's 19 by default.

    Returns:
        One number.

    Raises:
        ValueError: the shapes do not match, or a level is not between 0 and 1.

    Example:
        >>> crps_sum(np.array([[1.0], [1.0]]), np.array([[[1.0], [2.0]], [[1.0], [2.0]]]), levels=[0.5])
        array(0.)

    Source: Salinas, Bohlke-Schneider, Callot, Medico & Gasthaus (2019), section 4, after Matheson & Winkler (1976).
    """
    truth, draws = np.asarray(y, dtype=np.float64), np.asarray(samples)
    if truth.ndim < 2 or draws.ndim != truth.ndim + 1 or not draws.shape[-2]:
        raise ValueError(f"y must be (..., N, H) and samples (..., N, S, H); got {truth.shape} and {draws.shape}")
    if (*draws.shape[:-2], draws.shape[-1]) != truth.shape:
        raise ValueError(f"y has shape {truth.shape}, samples {draws.shape}; without S they must be the same")
    total = np.sort(draws.sum(axis=-3, dtype=np.float64), axis=-2)  # (..., S, H)
    level = np.asarray(levels, dtype=np.float64)
    rank = np.rint((total.shape[-2] - 1) * level).astype(np.intp)  # half to even
    rank = np.clip(rank, 0, total.shape[-2] - 1)  # weighted_quantile_loss refuses levels outside (0, 1)
    unknown = np.isnan(total).any(axis=-2, keepdims=True)
    quantiles = np.where(unknown, np.nan, np.take(total, np.atleast_1d(rank), axis=-2))
    return weighted_quantile_loss(truth.sum(axis=-2), quantiles, np.atleast_1d(level), levels_axis=-2)


def energy_score(
    y: Real[np.ndarray, "*b D"], samples: Real[np.ndarray, "*b S D"], estimator: Estimator = "edf"
) -> Float[np.ndarray, "*b"]:
    """Energy score of joint draws of D variables, in the units of ``y``; the CRPS where D is 1. Lower is better.

    ``mean_i ||x_i - y|| - sum_ij ||x_i - x_j|| / (2 S^2)``, in "fair" over ``2 S (S - 1)``; Euclidean norms. A variable
    whose ``y`` is NaN is left out: the others' joint distribution is scored. O(S^2 D) an entry.

    Args:
        y: observed values, variables on the last axis.
        samples: S joint draws.
        estimator: "edf" or "fair", as in ``crps_samples``.

    Returns:
        One score for each vector of ``y``; NaN where no variable is known.

    Raises:
        ValueError: the shapes do not match, an unknown estimator, or "fair" with one draw.

    Example:
        >>> energy_score(np.array([0.0, 0.0]), np.array([[3.0, 4.0], [3.0, 4.0]]))
        array(5.)

    Source: Gneiting & Raftery (2007), eq. 22; fair: Ferro (2014).
    """
    truth, draws = _joint(y, samples)
    size = draws.shape[-2]
    if estimator not in ("edf", "fair") or (estimator == "fair" and size < 2):
        raise ValueError(f'estimator must be "edf", or "fair" with two draws or more; got {estimator!r} and {size}')
    score = np.empty(truth.shape[:-1])
    for block in blocks(score.shape, max(1, BLOCK // math.prod(draws.shape[-2:]))):
        distance = _distance(truth[block], draws[block])
        spread = np.zeros(distance.shape[:-2])
        for step in range(1, size):  # every unordered pair once, as rows `step` apart
            spread += _norm(distance[..., step:, :] - distance[..., :-step, :]).sum(axis=-1)
        pairs = size * (size - 1) if estimator == "fair" else size * size
        score[block] = _norm(distance).mean(axis=-1) - spread / pairs
    score[np.isnan(truth).all(axis=-1)] = np.nan
    return score


def variogram_score(
    y: Real[np.ndarray, "*b D"],
    samples: Real[np.ndarray, "*b S D"],
    p: float = 0.5,
    weights: Real[np.ndarray, "D D"] | None = None,
) -> Float[np.ndarray, "*b"]:
    """Variogram score of joint draws of D variables: sensitive to wrong dependence where the energy score is not.

    ``sum_jk w_jk (|y_j - y_k|^p - mean_i |x_ij - x_ik|^p)^2`` over all ordered pairs. Pairs with a NaN in ``y`` are
    left out. It does not see an error common to all variables: use it beside another score. O(S D^2) an entry.

    Args:
        y: observed values, variables on the last axis.
        samples: S joint draws.
        p: order of the variogram, above 0.
        weights: w, not negative; None = 1 for every pair.

    Returns:
        One score for each vector of ``y``, in units of ``y`` to the power 2p; NaN where no pair is known.

    Raises:
        ValueError: the shapes do not match, or ``p`` is not above 0.

    Example:
        >>> variogram_score(np.array([0.0, 4.0]), np.array([[0.0, 1.0], [5.0, 6.0]]))
        array(2.)

    Source: Scheuerer & Hamill (2015), eq. 5.
    """
    truth, draws = _joint(y, samples)
    width = truth.shape[-1]
    if not p > 0:
        raise ValueError(f"p, the order of the variogram, must be above 0; got {p!r}")
    w = np.ones((width, width)) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (width, width):
        raise ValueError(f"weights must be one number a pair of the {width} variables; got shape {w.shape}")
    score, pairs = np.zeros(truth.shape[:-1]), np.zeros(truth.shape[:-1])
    for block in blocks(score.shape, max(1, BLOCK // math.prod(draws.shape[-2:]))):
        x, happened = draws[block], truth[block]
        for step in range(1, width):  # every unordered pair once, as variables `step` apart
            weight = np.diagonal(w, step) + np.diagonal(w, -step)
            expected = np.mean(np.abs(np.subtract(x[..., step:], x[..., :-step], dtype=np.float64)) ** p, axis=-2)
            actual = np.abs(happened[..., step:] - happened[..., :-step]) ** p
            known = ~np.isnan(actual)
            score[block] += np.sum(weight * (actual - expected) ** 2, axis=-1, where=known)
            pairs[block] += known.sum(axis=-1)
    score[pairs == 0] = np.nan
    return score


def _joint(y: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Truth (*b, D) as float64 and draws (*b, S, D), checked."""
    truth, draws = np.asarray(y, dtype=np.float64), np.asarray(samples)
    if (
        truth.ndim < 1
        or draws.ndim != truth.ndim + 1
        or (*draws.shape[:-2], draws.shape[-1]) != truth.shape
        or 0 in draws.shape[-2:]
    ):
        raise ValueError(f"y must be (..., D) and samples (..., S, D); got {truth.shape} and {draws.shape}")
    return truth, draws


def _distance(truth: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """``x - y`` (*b, S, D) with 0 where ``y`` is unknown."""
    distance = np.subtract(draws, truth[..., None, :], order="C", dtype=np.float64)
    return np.where(np.isnan(truth)[..., None, :], 0.0, distance)


def _norm(vectors: np.ndarray) -> np.ndarray:
    """Euclidean length along the last axis."""
    return np.sqrt(np.einsum("...d,...d->...", vectors, vectors))
