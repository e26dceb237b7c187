"""Scores of quantiles and intervals: pinball loss, interval score, coverage, PIT."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Real

from tsformers.errors import TsformersError
from tsformers.messages import Option
from tsformers.scoring.averages import Axis, Number, mean_observed, paired, ratio, scaled_mean
from tsformers.scoring.reference import scale_of

Levels = Number | Sequence[float] | Real[np.ndarray, "..."]


def quantile_loss(
    y: Real[np.ndarray, "*b"], q: Real[np.ndarray, "..."], levels: Levels, axis: int = -1
) -> Float[np.ndarray, "..."]:
    """Twice the pinball loss of quantiles, in the units of ``y``; at level 0.5 it is the absolute error.

    ``2 (a - 1{y < q}) (y - q)`` at level a: GluonTS's convention, whose average over levels approaches the CRPS.

    Args:
        y: observed values; NaN gives NaN.
        q: the quantiles. With one level a number: the shape of ``y``; with several: one axis more.
        levels: the level or the Q levels, strictly between 0 and 1.
        axis: which axis of ``q`` holds the Q levels; of no meaning with one level.

    Returns:
        One loss for each entry of ``q``.

    Raises:
        ValueError: the shapes do not match, or a level is not between 0 and 1.

    Example:
        >>> quantile_loss(np.array([3.0]), np.array([[1.0, 4.0]]), [0.1, 0.9])
        array([[0.4, 0.2]])

    Source: Koenker & Bassett (1978), section 3.
    """
    truth, quantiles = np.asarray(y, dtype=np.float64), np.asarray(q, dtype=np.float64)
    level = np.asarray(levels, dtype=np.float64)
    if not ((level > 0) & (level < 1)).all():
        raise ValueError(f"levels must be strictly between 0 and 1; got {levels!r}")
    if level.ndim == 0:
        return _pinball(*paired(truth, quantiles), level)
    moved = np.moveaxis(quantiles, axis, -1) if quantiles.ndim else quantiles
    if level.ndim > 1 or moved.shape != (*truth.shape, len(level)):
        raise TsformersError(
            f"y has shape {truth.shape}, levels {level.shape}, q {quantiles.shape}; "
            "q must have the shape of y with one axis of levels more, at ",
            Option("axis", axis),
        )
    return np.moveaxis(_pinball(truth[..., None], moved, level), -1, axis)


def weighted_quantile_loss(
    y: Real[np.ndarray, "*b"],
    q: Real[np.ndarray, "..."],
    levels: Levels,
    axis: Axis = None,
    levels_axis: int = -1,
) -> Float[np.ndarray, "..."]:
    """Weighted quantile loss: ``sum quantile_loss / sum |y|``, averaged over levels.

    One level a number gives GluonTS's ``WeightedSumQuantileLoss``, several its ``MeanWeightedSumQuantileLoss``.

    Args:
        y: observed values; NaN = not scored.
        q: the quantiles, with several levels one axis more than ``y``.
        levels: the level or the Q levels, strictly between 0 and 1.
        axis: axes of ``y`` to sum over; None = all.
        levels_axis: which axis of ``q`` holds the levels.

    Returns:
        ``y`` without the axes summed over; NaN where ``y`` is unknown or 0 throughout.

    Raises:
        ValueError: the shapes do not match, or a level is not between 0 and 1.

    Example:
        >>> weighted_quantile_loss(np.array([3.0, np.nan, 1.0]), np.array([1.0, 5.0, 2.0]), 0.5)
        array(0.75)

    Source: Salinas, Flunkert, Gasthaus & Januschowski (2020), DeepAR, section 4.
    """
    truth = np.asarray(y, dtype=np.float64)
    loss = quantile_loss(truth, q, levels, levels_axis)
    if loss.ndim > truth.ndim:
        loss = loss.mean(axis=levels_axis)
    observed = ~np.isnan(truth)
    return ratio(mean_observed(loss, observed, axis), mean_observed(np.abs(truth), observed, axis))


def interval_score(
    y: Real[np.ndarray, "*b"],
    lower: Real[np.ndarray, "*b"],
    upper: Real[np.ndarray, "*b"],
    alpha: float,
) -> Float[np.ndarray, "*b"]:
    """Interval (Winkler) score of a central interval, in the units of ``y``; lower is better.

    ``(u - l) + 2/alpha (l - y) 1{y < l} + 2/alpha (y - u) 1{y > u}``: width, and a penalty for missing.

    Args:
        y: observed values; NaN gives NaN.
        lower: the quantile at level alpha / 2, one an entry of ``y``.
        upper: the quantile at level 1 - alpha / 2.
        alpha: the probability left outside, 0.2 for an 80% interval.

    Returns:
        One score for each entry of ``y``.

    Raises:
        ValueError: the shapes do not match, or ``alpha`` is not between 0 and 1.

    Example:
        >>> interval_score(np.array([2.0, 5.0]), np.array([1.0, 1.0]), np.array([4.0, 4.0]), alpha=0.2)
        array([ 3., 13.])

    Source: Gneiting & Raftery (2007), eq. 43.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is the probability outside the interval, strictly between 0 and 1; got {alpha!r}")
    (truth, low), (_, high) = paired(y, lower), paired(y, upper)
    missed = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return np.asarray((high - low) + 2 / alpha * missed)


def msis(
    y: Real[np.ndarray, "*b H"],
    lower: Real[np.ndarray, "*b H"],
    upper: Real[np.ndarray, "*b H"],
    history: Real[np.ndarray, "*b T"],
    season_length: int = 1,
    alpha: float = 0.05,
    axis: Axis = None,
) -> Float[np.ndarray, "..."]:
    """Mean scaled interval score: ``mean interval_score / scale``, the interval counterpart of ``mase``.

    Series whose ``seasonal_scale(history, season_length)`` is 0 or unknown are not scored, as in GluonTS.

    Args:
        y: observed values, time on the last axis; NaN = not scored.
        lower: the quantile at level alpha / 2, one an entry of ``y``.
        upper: the quantile at level 1 - alpha / 2.
        history: the T values before, NaN = missing (pad shorter series in front).
        season_length: steps in a season.
        alpha: the probability left outside; M4 uses 0.05.
        axis: axes to average over; None = all, -1 = one number a series.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored.

    Raises:
        ValueError: the shapes do not match, ``season_length`` is below 1, or ``alpha`` is not between 0 and 1.

    Example:
        >>> msis(np.array([2.0]), np.array([1.0]), np.array([4.0]), np.array([1.0, 3.0, 1.0]))
        array(1.5)

    Source: Makridakis, Spiliotis & Assimakopoulos (2020), The M4 competition, section 2.2.
    """
    truth = np.asarray(y, dtype=np.float64)
    return scaled_mean(truth, interval_score(truth, lower, upper, alpha), scale_of(truth, history, season_length), axis)


def coverage(
    y: Real[np.ndarray, "*b"],
    lower: Real[np.ndarray, "*b"] | Number,
    upper: Real[np.ndarray, "*b"] | Number,
    axis: Axis = None,
) -> Float[np.ndarray, "..."]:
    """Share of the truth that fell inside the intervals, ends included; the nominal share is best.

    Args:
        y: observed values; NaN = not scored.
        lower: lower ends, one an entry of ``y``, or one for all: ``-np.inf`` gives the coverage of an upper quantile.
        upper: upper ends, likewise.
        axis: axes to average over; None = all, ``()`` = none, which gives 1, 0 or NaN an entry.

    Returns:
        ``y`` without the axes averaged over; NaN where nothing was scored, or where an end is NaN.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> coverage(np.array([1.0, 2.0, np.nan, 9.0, 9.0]), -np.inf, np.array([1.0, 3.0, 3.0, 3.0, 3.0]))
        array(0.5)

    Source: Gneiting, Balabdaoui & Raftery (2007), section 3.
    """
    (truth, low), (_, high) = paired(y, lower), paired(y, upper)
    inside = np.where(np.isnan(low) | np.isnan(high), np.nan, (low <= truth) & (truth <= high))
    return mean_observed(np.broadcast_to(inside, truth.shape), ~np.isnan(truth), axis)


def pit(y: Real[np.ndarray, "*b"], samples: Real[np.ndarray, "..."], axis: int = -1) -> Float[np.ndarray, "*b"]:
    """Probability integral transform: where in its ensemble each ``y`` fell; uniform where calibrated.

    ``P(X < y) + P(X = y) / 2`` with X one of the S members: ties count half, so that counts do not lean to 1.

    Args:
        y: observed values; NaN gives NaN.
        samples: the ensemble, one axis more than ``y``; a NaN member gives NaN.
        axis: which axis of ``samples`` holds the S members.

    Returns:
        One number in [0, 1] for each entry of ``y``.

    Raises:
        ValueError: the shapes do not match, or there is no member.

    Example:
        >>> pit(np.array([2.0]), np.array([[1.0, 2.0, 3.0, 4.0]]))
        array([0.375])

    Source: Czado, Gneiting & Held (2009), section 2.
    """
    truth, members = matched(y, samples, axis)
    below = np.count_nonzero(members < truth[..., None], axis=-1)
    upto = np.count_nonzero(members <= truth[..., None], axis=-1)
    unknown = np.isnan(truth) | np.isnan(members).any(axis=-1)
    return np.asarray(np.where(unknown, np.nan, (below + upto) / (2 * members.shape[-1])))


def matched(
    y: Real[np.ndarray, "*b"], samples: Real[np.ndarray, "..."], axis: int
) -> tuple[Float[np.ndarray, "*b"], Real[np.ndarray, "*b S"]]:
    """``y`` and its ensemble with the members last, without copying the ensemble.

    Args:
        y: observed values.
        samples: the ensemble, one axis more than ``y``.
        axis: which axis of ``samples`` holds the members.

    Returns:
        ``y`` as float64, and a view of ``samples``.

    Raises:
        ValueError: the shapes do not match, or there is no member.

    Example:
        >>> matched(np.zeros(2), np.zeros((5, 2)), axis=0)[1].shape
        (2, 5)
    """
    truth, ensemble = np.asarray(y, dtype=np.float64), np.asarray(samples)
    if ensemble.ndim == truth.ndim + 1 and -ensemble.ndim <= axis < ensemble.ndim:
        members = np.moveaxis(ensemble, axis, -1)
        if members.shape[:-1] == truth.shape and members.shape[-1]:
            return truth, members
    raise TsformersError(
        f"y has shape {truth.shape} and samples {ensemble.shape}; samples must have the shape of y "
        "with one axis more, of at least one member, at ",
        Option("axis", axis),
    )


def _pinball(truth: np.ndarray, quantiles: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Twice the pinball loss."""
    error = truth - quantiles
    return np.asarray(2 * np.abs(error * (level - (error < 0))))
