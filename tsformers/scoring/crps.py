"""Scores of a whole predictive distribution: CRPS of draws, of a normal, of quantiles; Brier and log score."""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from jaxtyping import Float, Real

from tsformers.errors import TsformersError
from tsformers.messages import Option
from tsformers.scoring.averages import Number, paired
from tsformers.scoring.quantile import Levels, matched, quantile_loss

Estimator = Literal["edf", "fair"]
NanMembers = Literal["propagate", "omit"]
BLOCK = 2**16  # numbers processed together: half a MiB stays in a core's cache

_erf = np.vectorize(math.erf, otypes=[np.float64])  # numpy has none


def crps_samples(
    y: Real[np.ndarray, "*b"],
    samples: Real[np.ndarray, "..."],
    axis: int = -1,
    estimator: Estimator = "edf",
    nan_members: NanMembers = "propagate",
) -> Float[np.ndarray, "*b"]:
    """CRPS of an ensemble, in the units of ``y``; lower is better.

    ``mean_i |x_i - y| - sum_ij |x_i - x_j| / (2 S^2)``, in "fair" over ``2 S (S - 1)``. The double sum is
    ``2 sum_i (2 i - S - 1) x_(i)`` over the sorted members: O(S log S). Works on blocks of entries that
    fit a cache, in float64 whatever the samples are, so that no copy of all samples is made.

    Args:
        y: observed values; NaN gives NaN, and so does an infinite value.
        samples: the ensemble, one axis more than ``y``; an infinite member gives NaN.
        axis: which axis of ``samples`` holds the S members.
        estimator: "edf" scores the empirical distribution; "fair" is unbiased for the distribution that the members
            were drawn from, and may be negative.
        nan_members: "propagate" gives NaN to an entry with a NaN member; "omit" scores its other members (as
            properscoring does), NaN where fewer remain than the estimator needs.

    Returns:
        One score for each entry of ``y``.

    Raises:
        ValueError: the shapes do not match, or "fair" with one member.

    Example:
        >>> crps_samples(np.array([0.0]), np.array([[1.0, 3.0]]))
        array([1.5])

    Source: Gneiting & Raftery (2007), eq. 21; fair: Ferro (2014), eq. 3.
    """
    truth, members = matched(y, samples, axis)
    _check_choice(estimator=(estimator, Estimator), nan_members=(nan_members, NanMembers))
    size, fair = members.shape[-1], estimator == "fair"
    if fair and size < 2:
        raise TsformersError(
            "the 'fair' estimator needs two members or more; use ", Option("estimator", "edf"), " for one"
        )
    kernel = _crps_sorted if nan_members == "propagate" else _crps_sorted_known
    entries = max(1, BLOCK // size)
    score, room = np.empty(truth.shape), np.empty(entries * size)  # one room for all blocks
    with np.errstate(invalid="ignore"):  # infinite members: NaN is the answer
        for block in blocks(truth.shape, entries):
            x = members[block]
            distance = np.subtract(x, truth[block][..., None], out=room[: x.size].reshape(x.shape), dtype=np.float64)
            distance.sort(axis=-1)  # in place, NaN last
            score[block] = kernel(distance, fair)
    return score


def crps_normal(
    y: Real[np.ndarray, "*b"] | Number, loc: Real[np.ndarray, "*b"] | Number, scale: Real[np.ndarray, "*b"] | Number
) -> Float[np.ndarray, "*b"]:
    """CRPS of a normal distribution, in the units of ``y``; lower is better.

    ``scale (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))`` with ``z = (y - loc) / scale``; at ``scale = 0`` its
    limit, the absolute error.

    Args:
        y: observed values; NaN gives NaN.
        loc: means, one an entry of ``y`` or one for all.
        scale: standard deviations, likewise, not negative.

    Returns:
        One score for each entry of ``y``.

    Raises:
        ValueError: the shapes do not match, or a standard deviation is negative.

    Example:
        >>> crps_normal(np.array([0.0, 3.0]), 0.0, np.array([1.0, 0.0])).round(4)
        array([0.2337, 3.    ])

    Source: Gneiting, Raftery, Westveld & Goldman (2005), eq. 5.
    """
    (truth, mean), (_, spread) = paired(y, loc), paired(y, scale)
    if (spread < 0).any():
        raise ValueError(f"scale is a standard deviation and cannot be negative; the least is {np.nanmin(spread)}")
    positive = np.where(spread == 0, 1.0, spread)
    z = (truth - mean) / positive
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    score = positive * (z * _erf(z / math.sqrt(2)) + 2 * density - 1 / math.sqrt(math.pi))
    return np.where(spread == 0, np.abs(truth - mean), score)


def crps_quantiles(
    y: Real[np.ndarray, "*b"], q: Real[np.ndarray, "..."], levels: Levels, axis: int = -1
) -> Float[np.ndarray, "*b"]:
    """CRPS approximated by Q quantiles, in the units of ``y``; lower is better.

    The CRPS is ``integral over (0, 1) of 2 pinball_a da``; this is the plain mean over the given levels of
    ``2 pinball_a`` (``quantile_loss``). It approaches the CRPS as equally spaced levels ``k / (Q + 1)`` become dense.
    Unequally spaced levels get equal weights; ``crps_quantile_function`` weighs them by their distance. Summed and
    divided by ``sum |y|`` it is GluonTS's mean weighted quantile loss.

    Args:
        y: observed values; NaN gives NaN.
        q: the quantiles, one axis more than ``y``.
        levels: the Q levels of ``q``, strictly between 0 and 1.
        axis: which axis of ``q`` holds the levels.

    Returns:
        One score for each entry of ``y``.

    Raises:
        ValueError: the shapes do not match, or a level is not between 0 and 1.

    Example:
        >>> crps_quantiles(np.array([3.0]), np.array([[1.0, 2.0, 4.0]]), [0.1, 0.5, 0.9])
        array([0.53333333])

    Source: Gneiting & Ranjan (2011), eq. 17, discretised.
    """
    level = np.asarray(levels, dtype=np.float64)
    if level.ndim != 1 or not len(level):
        raise ValueError(f"levels must be a sequence of at least one level; got {levels!r}")
    return np.asarray(quantile_loss(y, q, level, axis).mean(axis=axis))


def crps_quantile_function(
    y: Real[np.ndarray, "*b"], q: Real[np.ndarray, "..."], levels: Levels, axis: int = -1
) -> Float[np.ndarray, "*b"]:
    """CRPS of the distribution with a piecewise linear quantile function through Q quantiles; lower is better.

    ``integral over (0, 1) of 2 pinball_a da``, exactly, in the units of ``y``; the outer pieces extend to levels 0
    and 1. A score of quantiles that is comparable with one of draws; the plain mean of ``crps_quantiles`` is not where
    levels are spaced unequally. Quantiles that cross are sorted.

    Args:
        y: observed values; NaN gives NaN.
        q: the quantiles, one axis more than ``y``.
        levels: the Q levels of ``q``, rising, strictly between 0 and 1.
        axis: which axis of ``q`` holds the levels.

    Returns:
        One score for each entry of ``y``.

    Raises:
        ValueError: the shapes do not match, or the levels do not rise between 0 and 1.

    Example:
        >>> uniform = np.array([[0.25, 0.75]])
        >>> crps_quantile_function(np.array([0.5]), uniform, [0.25, 0.75]).round(9)
        array([0.08333333])

    Source: Gneiting & Ranjan (2011), eq. 17; sorting: Chernozhukov, Fernandez-Val & Galichon (2010).
    """
    level = np.asarray(levels, dtype=np.float64)
    if level.ndim != 1 or not len(level) or (np.diff(level) <= 0).any() or level[0] <= 0 or level[-1] >= 1:
        raise ValueError(f"levels must rise strictly between 0 and 1, for example (0.1, 0.5, 0.9); got {levels!r}")
    truth, knots = matched(y, q, axis)
    if knots.shape[-1] != len(level):
        raise ValueError(f"q has {knots.shape[-1]} quantiles and levels has {len(level)}; they must be as many")
    truth, knots = np.asarray(truth, dtype=np.float64)[..., None], np.sort(np.asarray(knots, dtype=np.float64), axis=-1)
    slopes = np.diff(knots, axis=-1) / np.diff(level) if len(level) > 1 else np.zeros_like(knots)
    first = knots[..., :1] - slopes[..., :1] * level[0]
    last = knots[..., -1:] + slopes[..., -1:] * (1 - level[-1])
    knots, level = np.concatenate([first, knots, last], axis=-1), np.concatenate([[0.0], level, [1.0]])
    start, end = knots[..., :-1], knots[..., 1:]
    rise = end - start
    with np.errstate(over="ignore"):  # a nearly flat piece: infinity is clipped to its end
        share = np.where(rise > 0, (truth - start) / np.where(rise > 0, rise, 1.0), truth >= start).clip(0, 1)
    cross = level[:-1] + share * np.diff(level)  # where the piece meets y, at most at its ends
    middle = start + share * rise
    below = _simpson(level[:-1], cross, level[:-1], cross, truth - start, truth - middle)
    above = _simpson(cross, level[1:], cross - 1, level[1:] - 1, truth - middle, truth - end)
    return np.asarray(2 * (below + above).sum(-1))


def _simpson(
    start: np.ndarray, end: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray
) -> np.ndarray:
    """Integral from ``start`` to ``end`` of the product of two lines, from ``a`` to ``b`` and from ``c`` to ``d``."""
    return (end - start) / 6 * (a * c + (a + b) * (c + d) + b * d)


def brier_score(
    y: Real[np.ndarray, "*b"],
    samples: Real[np.ndarray, "..."],
    thresholds: Levels,
    axis: int = -1,
    nan_members: NanMembers = "propagate",
) -> Float[np.ndarray, "..."]:
    """Brier score of an ensemble for exceeding thresholds; lower is better.

    ``(share of members > t - 1{y > t})^2``; its integral over all t is the CRPS.

    Args:
        y: observed values; NaN gives NaN.
        samples: the ensemble, one axis more than ``y``.
        thresholds: one number, or K of them in any order.
        axis: which axis of ``samples`` holds the S members.
        nan_members: "propagate" gives NaN to an entry with a NaN member; "omit" scores its other members.

    Returns:
        The shape of ``y``, with a last axis of K more where ``thresholds`` is a sequence.

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> brier_score(np.array([2.0]), np.array([[1.0, 3.0, 4.0, 5.0]]), [1.5, 9.0])
        array([[0.0625, 0.    ]])

    Source: Gneiting & Ranjan (2011), eq. 10.
    """
    truth, members = matched(y, samples, axis)
    limits = np.asarray(thresholds, dtype=np.float64)
    _check_choice(nan_members=(nan_members, NanMembers))
    if limits.ndim > 1:
        raise ValueError(f"thresholds must be one number or a sequence of numbers; got shape {limits.shape}")
    score = np.empty((*truth.shape, limits.size))
    for block in blocks(truth.shape, max(1, BLOCK // members.shape[-1])):
        x, happened = members[block], truth[block]
        known = np.count_nonzero(~np.isnan(x), axis=-1)
        enough = known > 0 if nan_members == "omit" else known == x.shape[-1]
        size = np.where(enough & ~np.isnan(happened), known, np.nan)
        for k, limit in enumerate(limits.flat):
            score[(*block, ..., k)] = (np.count_nonzero(x > limit, axis=-1) / size - (happened > limit)) ** 2
    return score if limits.ndim else score[..., 0]


def log_score(y: Real[np.ndarray, "*b"], samples: Real[np.ndarray, "..."], axis: int = -1) -> Float[np.ndarray, "*b"]:
    """Log score of the normal distribution with an ensemble's mean and variance, in nats; lower is better.

    ``log(2 pi v) / 2 + (y - m)^2 / (2 v)``, m the mean and v the variance (over S) of the members: half the
    Dawid-Sebastiani score plus a constant. Draws have no density of their own; this one uses their first two moments
    and needs no bandwidth. It is proper; for strongly skewed forecasts prefer the CRPS.

    Args:
        y: observed values; NaN gives NaN.
        samples: the ensemble, one axis more than ``y``; a NaN member gives NaN.
        axis: which axis of ``samples`` holds the S members.

    Returns:
        One score for each entry of ``y``: infinite where all members agree on another value than ``y`` (a density of
        0), NaN where they agree on ``y`` itself (no finite density).

    Raises:
        ValueError: the shapes do not match.

    Example:
        >>> log_score(np.array([0.0]), np.array([[-1.0, 1.0]])).round(4)
        array([0.9189])

    Source: Dawid & Sebastiani (1999); Gneiting & Raftery (2007), eq. 25.
    """
    truth, members = matched(y, samples, axis)
    score = np.empty(truth.shape)
    for block in blocks(truth.shape, max(1, BLOCK // members.shape[-1])):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            score[block] = _normal_log_score(np.asarray(truth[block], dtype=np.float64), members[block])
    return score


def blocks(shape: tuple[int, ...], entries: int) -> Iterator[tuple[slice | int, ...]]:
    """Indices that split an array into blocks of about ``entries`` entries; trailing axes stay whole where they fit.

    Args:
        shape: the array's shape.
        entries: entries of a block, at least 1.

    Yields:
        Index tuples that cover every entry once.

    Example:
        >>> [index for index in blocks((2, 3), 2)]
        [(0, slice(0, 2, None)), (0, slice(2, 4, None)), (1, slice(0, 2, None)), (1, slice(2, 4, None))]
    """
    if not shape:
        yield ()
        return
    inner = math.prod(shape[1:])
    if inner <= entries:
        step = entries // max(1, inner)
        yield from ((slice(i, i + step),) for i in range(0, shape[0], step))
        return
    for i in range(shape[0]):
        yield from ((i, *rest) for rest in blocks(shape[1:], entries))


def _crps_sorted(distance: np.ndarray, fair: bool) -> np.ndarray:
    """CRPS from the sorted ``x - y``, all known."""
    size = distance.shape[-1]
    pairs = size * (size - 1) if fair else size * size
    rank_weights = (2.0 * np.arange(1, size + 1) - size - 1) / pairs
    half_spread = distance @ rank_weights
    return np.asarray(np.abs(distance, out=distance) @ np.full(size, 1 / size) - half_spread)


def _crps_sorted_known(distance: np.ndarray, fair: bool) -> np.ndarray:
    """CRPS from the sorted ``x - y``, unknown ones last; 0 / 0, which is NaN, where too few are known."""
    observed = ~np.isnan(distance)
    size = np.asarray(np.count_nonzero(observed, axis=-1), dtype=np.float64)
    distance[~observed] = 0.0
    rank_weights = 2.0 * np.arange(1, distance.shape[-1] + 1) - size[..., None] - 1
    half_spread = np.sum(distance * rank_weights, axis=-1) / (size * (size - 1 if fair else size))
    return np.sum(np.abs(distance), axis=-1) / size - half_spread


def _normal_log_score(y: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Minus the log density at ``y`` of a normal with the moments of the members, whose spread is the unit."""
    first = np.asarray(members[..., 0], dtype=np.float64)
    shift = np.subtract(members, first[..., None], order="C", dtype=np.float64)  # exactly 0 where members are equal
    spread = np.abs(shift).max(axis=-1)
    shift /= np.where(spread > 0, spread, 1.0)[..., None]
    variance = shift.var(axis=-1)
    distance = (first - y) / np.where(spread > 0, spread, 1.0) + shift.mean(axis=-1)
    score = 0.5 * (np.log(2 * math.pi * variance) + distance**2 / variance) + np.log(spread)
    return np.where(spread > 0, score, np.where((spread == 0) & (np.abs(first - y) > 0), np.inf, np.nan))


def _check_choice(**given: tuple[str, object]) -> None:
    """Refuse a value that is not among those of its Literal."""
    for name, (word, choices) in given.items():
        offered = choices.__args__  # type: ignore[attr-defined]
        if word not in offered:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, offered))}; got {word!r}")
