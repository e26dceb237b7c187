"""Recalibration of quantile forecasts by re-mapped levels: a pooled conformal step that widens, narrows and shifts."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from tsformers.distributions.quantile_function import level_of

PRIOR_WEIGHT = 200.0  # windows that the identity weighs as much as
BOUND = 1e-12  # mapped levels stay this far inside (0, 1): about eleven standard deviations of a normal forecast
GOLDEN_RATIO = 1.618033988749895
OUTER, LEAST_OUTER = 0.1, 0.025  # levels at the ends of the 80 to 95 % intervals
NEIGHBOURS = 8  # a step is smoothed over H / 8 steps on each side


class LevelMap(NamedTuple):
    """At which level a raw quantile function is read, so that the share of truths below is the nominal level."""

    levels: np.ndarray  # (Q,) nominal, rising, inside (0, 1)
    mapped: np.ndarray  # (H, Q) levels of the raw forecast, non-decreasing along Q, inside (0, 1)


def pit_values(truth: np.ndarray, values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """PIT of observed values under quantile forecasts, uniform on (0, 1) where the forecast is calibrated, ties too.

    Where the quantile function is constant over a range of levels (the zeros of counts), a value that equals it has all
    of this range as its PIT. It gets one level of the range, by a golden-ratio sequence in the order of the ranges: no
    randomness, no dependence on the order of the rows, and many equal values fill the range evenly, where their middle
    would be one atom.

    Args:
        truth: (M, H) values, NaN = not observed.
        values: (M, Q, H) quantiles, rising along Q; NaN where there is no forecast.
        levels: (Q,) their levels, rising, inside (0, 1).

    Returns:
        (M, H) in [0, 1]; NaN without a truth or a forecast, and where all quantiles are equal: no level of a forecast
        without width is wider than another.

    Example:
        >>> levels, values = np.array([0.25, 0.5, 0.75]), np.array([[[0.0], [1.0], [2.0]], [[3.0], [3.0], [3.0]]])
        >>> pit_values(np.array([[0.5], [4.0]]), values, levels).ravel()
        array([0.375,   nan])

    Source: Czado, Gneiting & Held (2009), Predictive model assessment for count data, section 2.1.
    """
    with np.errstate(invalid="ignore"):
        below = np.count_nonzero(values < truth[:, None], axis=1)
        upto = np.count_nonzero(values <= truth[:, None], axis=1)
        wide = values[:, -1] > values[:, 0]
    found = level_of(truth, values, levels, below, upto)
    tied = upto > below + 1  # one held quantile alone is a point of the curve, no range
    if tied.any():
        low = np.where(below == 0, 0.0, levels[np.minimum(below, len(levels) - 1)])
        high = np.where(upto == len(levels), 1.0, levels[np.maximum(upto - 1, 0)])
        found = np.where(tied, _spread(low, high, tied), found)
    return np.where(wide & np.isfinite(truth), found, np.nan)


def _spread(low: np.ndarray, high: np.ndarray, tied: np.ndarray) -> np.ndarray:
    """One level inside each range (M, H), evenly over equal ranges: by their rank within a step."""
    order = np.lexsort((high, low, ~tied), axis=0)  # tied ranges first, so that others do not move them
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(order))[:, None], axis=0)
    share = ((ranks + 0.5) * GOLDEN_RATIO) % 1.0
    return low + (high - low) * share


def level_map(
    pit: np.ndarray,
    levels: np.ndarray,
    *,
    prior_weight: float | None = PRIOR_WEIGHT,
    n: float | np.ndarray | None = None,
    prior: LevelMap | None = None,
) -> LevelMap:
    """The levels at which a raw forecast is read, from PIT values of held-out windows pooled over series.

    At each step the mapped level of p is the p-quantile of the n PIT values: the i-th smallest stands at i / (n + 1),
    so that the next truth lies below it with exactly that probability, with 0 at 0 and 1 at 1 beyond. These levels
    are smoothed over neighbouring steps (triangular weights times the number of values, H / 8 steps on each side), then
    shrunk to the identity with weight 1 / (1 + n / prior_weight), both as normal scores: as widths of a normal
    forecast. With ``prior_weight=None`` widths are shrunk as little as the evidence allows, while what shifts both
    levels p and 1 - p the same way is shrunk by 200 windows: errors in one direction rarely last.

    Args:
        pit: (M, H) PIT values in [0, 1], NaN = not observed.
        levels: (Q,) nominal levels, rising, inside (0, 1).
        prior_weight: independent windows that the identity weighs as much as; 0: no shrinkage; None: of widths
            ``estimated_prior_weight``, 200 at most, of shifts 200.
        n: independent windows behind all steps, or behind each of H; None: the observed values of a step, as if they
            were independent. Windows that overlap, and series that err together, are worth less.
        prior: shrink to this map, of the same levels, in place of the identity.

    Returns:
        The map; the identity (or ``prior``) where nothing was observed. Where more than a share p of the PIT values is
        0, no level of the raw forecast has only this share below it; the mapped level is then 1e-12 before shrinkage.

    Raises:
        ValueError: ``prior_weight=None`` with levels that are not symmetric around 0.5.

    Example:
        >>> too_narrow = np.array([[0.0], [0.01], [0.4], [0.6], [0.99], [1.0]])
        >>> level_map(too_narrow, np.array([0.2, 0.5, 0.8]), prior_weight=6).mapped.round(3)
        array([[0.04, 0.5 , 0.96]])

    Source: Romano, Patterson & Candes (2019), Conformalized quantile regression, section 3 (finite-sample levels);
        recalibration by the distribution of PIT values: Kuleshov, Fenner & Ermon (2018), section 3.
    """
    levels = np.asarray(levels, dtype=np.float64)
    base = identity_map(levels, pit.shape[1]) if prior is None else prior
    counts = np.isfinite(pit).sum(axis=0)  # (H,)
    scores = ndtri(_own_quantiles(pit, counts, levels).clip(BOUND, 1 - BOUND))  # (H, Q)
    kernel = _neighbours(pit.shape[1])
    weights = kernel * counts
    total = weights.sum(axis=1, keepdims=True)
    smooth = np.divide(weights @ scores, total, out=np.zeros_like(scores), where=total > 0)
    independent = kernel @ counts if n is None else np.minimum(kernel @ counts, n)
    start = ndtri(base.mapped)
    moved = np.where(total > 0, smooth - start, 0.0)
    if prior_weight is None:
        if not np.allclose(levels + levels[::-1], 1.0):
            raise ValueError(
                f"prior_weight=None needs levels symmetric around 0.5, for example (0.1, 0.5, 0.9); {levels}"
            )
        widths = (moved - moved[:, ::-1]) / 2
        weight = estimated_prior_weight(pit, base, float(np.mean(independent)))
        moved = _share(independent, weight) * widths + _share(independent, PRIOR_WEIGHT) * (moved - widths)
    else:
        moved = _share(independent, prior_weight) * moved
    mapped = np.where(moved != 0, ndtr(start + moved), base.mapped).clip(BOUND, 1 - BOUND)
    return LevelMap(levels, np.maximum.accumulate(mapped, axis=1))


def _share(n: np.ndarray, prior_weight: float) -> np.ndarray:
    """(H, 1) weight of what was observed beside the prior."""
    return np.divide(n, n + prior_weight, out=np.zeros(len(n)), where=n + prior_weight > 0)[:, None]


def identity_map(levels: np.ndarray, horizon: int) -> LevelMap:
    """The map that changes nothing.

    Args:
        levels: (Q,) nominal levels.
        horizon: H steps.

    Returns:
        Each level at itself.

    Example:
        >>> identity_map(np.array([0.1, 0.9]), 1).mapped
        array([[0.1, 0.9]])
    """
    levels = np.asarray(levels, dtype=np.float64)
    return LevelMap(levels, np.tile(levels, (horizon, 1)))


def estimated_prior_weight(pit: np.ndarray, prior: LevelMap, n: float) -> float:
    """How many windows the prior map should weigh as much as: few where shares deviate from it beyond chance.

    The ends of the 80, 90 and 95 % intervals are looked at. With the share f of PIT values below a level that should
    be p, ``(f - p)^2 / (p (1 - p))`` has the mean 1 / n by chance and 1 / n + 1 / w where the true shares scatter
    around p as they would for w windows; so w is the inverse of what exceeds 1 / n (empirical Bayes).

    Args:
        pit: (M, H) PIT values, NaN = not observed.
        prior: the map that is shrunk to.
        n: independent windows.

    Returns:
        A number of windows, 200 at most.

    Example:
        >>> levels = np.array([0.1, 0.5, 0.9])
        >>> even, outside = np.linspace(0.01, 0.99, 50)[:, None], np.repeat([0.0, 1.0], 25)[:, None]
        >>> [round(estimated_prior_weight(pit, identity_map(levels, 1), 50), 2) for pit in (even, outside)]
        [200.0, 0.57]

    Source: Efron & Morris (1973), Stein's estimation rule and its competitors, section 2.
    """
    outer = (prior.levels <= OUTER) & (prior.levels >= LEAST_OUTER) | (prior.levels >= 1 - OUTER) & (
        prior.levels <= 1 - LEAST_OUTER
    )
    observed = np.isfinite(pit).sum()
    if not observed or not outer.any() or n <= 0:
        return PRIOR_WEIGHT
    levels = prior.levels[outer]
    below = [np.count_nonzero(pit <= prior.mapped[:, q]) for q in np.flatnonzero(outer)]
    excess = np.mean((np.array(below) / observed - levels) ** 2 / (levels * (1 - levels))) - 1 / n
    return float(min(PRIOR_WEIGHT, 1 / excess)) if excess > 0 else PRIOR_WEIGHT


def _own_quantiles(pit: np.ndarray, counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(H, Q) quantiles of each step's PIT values, the i-th of n at level i / (n + 1), 0 at 0 and 1 at 1."""
    ends = np.zeros((1, pit.shape[1])), np.ones((1, pit.shape[1]))
    ordered = np.concatenate([ends[0], np.sort(pit, axis=0), ends[1]])  # NaN last, but for the ones
    np.put_along_axis(ordered, counts[None] + 1, 1.0, axis=0)
    place = levels[:, None] * (counts + 1)  # (Q, H), in 0 ... n + 1
    lower = place.astype(np.intp)
    low = np.take_along_axis(ordered, lower, axis=0)
    high = np.take_along_axis(ordered, np.minimum(lower + 1, counts + 1), axis=0)
    return (low + (high - low) * (place - lower)).T


def _neighbours(horizon: int) -> np.ndarray:
    """(H, H) triangular weights of the steps around each step; rows add up to 1."""
    apart = np.abs(np.subtract.outer(np.arange(horizon), np.arange(horizon)))
    weights = np.maximum(0.0, 1.0 - apart / (max(1, horizon // NEIGHBOURS) + 1.0))
    return weights / weights.sum(axis=1, keepdims=True)


def remapped(values: np.ndarray, held_levels: np.ndarray, level_map: LevelMap) -> np.ndarray:
    """Quantiles read at the levels of a map: linear between held levels, exponential tails beyond them.

    As ``quantile_function.between_levels``, with levels of its own for each step. A forecast without width has none
    afterwards.

    Args:
        values: (N, Q, H) held quantiles, rising along Q.
        held_levels: (Q,) their levels, rising, inside (0, 1).
        level_map: of H steps and A nominal levels.

    Returns:
        (N, A, H) recalibrated quantiles at the nominal levels of the map, rising along A.

    Raises:
        ValueError: the map has another number of steps.

    Example:
        >>> levels = np.array([0.25, 0.5, 0.75])
        >>> wider = LevelMap(np.array([0.25, 0.5]), np.array([[0.125, 0.5]]))
        >>> remapped(np.array([[[0.0], [1.0], [2.0]]]), levels, wider).ravel()
        array([-1.,  1.])
    """
    if len(level_map.mapped) != values.shape[2]:
        raise ValueError(f"the level map is of {len(level_map.mapped)} steps, the forecast of {values.shape[2]}")
    held = np.asarray(held_levels, dtype=np.float64)
    if len(held) == 1:
        return np.repeat(values, level_map.mapped.shape[1], axis=1)
    asked = level_map.mapped.T  # (A, H)
    lower = np.clip(np.searchsorted(held, asked, side="right") - 1, 0, len(held) - 2)
    weight = (asked - held[lower]) / (held[lower + 1] - held[lower])
    left = np.log(asked / held[0]) / np.log(held[1] / held[0])
    right = np.log((1 - asked) / (1 - held[-1])) / np.log((1 - held[-2]) / (1 - held[-1]))
    weight = np.where(asked < held[0], left, np.where(asked > held[-1], 1 - right, weight))
    steps = np.arange(values.shape[2])
    low = values[:, lower, steps]  # (N, A, H)
    found = low + (values[:, lower + 1, steps] - low) * weight
    return np.maximum.accumulate(found, axis=1)
