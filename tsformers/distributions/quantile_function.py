"""Quantiles of draws, and the distribution behind a few quantiles: linear between levels, exponential tails beyond."""

import numpy as np

WHOLE_RANK = 1e-9  # a level times the number of draws that is a whole number but for rounding is one


def of_draws(draws: np.ndarray, asked: np.ndarray, whole: bool = False) -> np.ndarray:
    """Quantiles of draws as numpy defines them by default: level p lies at position ``p (S - 1)`` of the sorted draws.

    Args:
        draws: (N, S, H).
        asked: (A,) levels in [0, 1].
        whole: no value between two draws: the least one whose share of draws at or below it reaches the level (numpy's
            "inverted_cdf").

    Returns:
        (N, A, H). One sort is several times faster here than the partitions of ``numpy.quantile``.

    Example:
        >>> of_draws(np.array([[[4.0], [1.0], [2.0]]]), np.array([0.0, 0.75])).ravel()
        array([1., 3.])
    """
    ordered = np.sort(draws, axis=1)
    if whole:
        rank = np.ceil(asked * draws.shape[1] - WHOLE_RANK).astype(np.intp) - 1
        return ordered[:, np.maximum(rank, 0)]
    place = asked * (draws.shape[1] - 1)
    lower = place.astype(np.intp)
    weight = (place - lower)[:, None]  # (A, 1)
    found = ordered[:, lower]
    found += (ordered[:, np.minimum(lower + 1, draws.shape[1] - 1)] - found) * weight
    return found


def _tail_slopes(values: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scales of the exponential tails, left and right, (N, H) each, of values (N, Q, H); zero where Q is 1."""
    if len(levels) == 1:
        return np.zeros_like(values[:, 0]), np.zeros_like(values[:, 0])
    left = (values[:, 1] - values[:, 0]) / np.log(levels[1] / levels[0])
    right = (values[:, -1] - values[:, -2]) / np.log((1 - levels[-2]) / (1 - levels[-1]))
    return left, right


def between_levels(values: np.ndarray, levels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Quantiles at any levels: linear between held levels, exponential tails beyond them.

    Beyond the lowest, ``q(p) = q_1 + b log(p / p_1)`` with ``b = (q_2 - q_1) / log(p_2 / p_1)``, so that the curve also
    passes through the second; beyond the highest the same with ``1 - p``. With one level, or two equal outermost
    values, the tail stays where it is.

    Args:
        values: (N, Q, H) held quantiles, rising along Q.
        levels: (Q,) their levels, rising, inside (0, 1).
        asked: (A,) levels in [0, 1].

    Returns:
        (N, A, H); infinite at levels 0 and 1 where there is a tail.

    Example:
        >>> between_levels(np.array([[[0.0], [1.0]]]), np.array([0.25, 0.75]), np.array([0.5, 1.0])).ravel()
        array([0.5, inf])
    """
    upper = np.clip(np.searchsorted(levels, asked), 1, max(len(levels) - 1, 1))
    lower = upper - 1
    upper = np.minimum(upper, len(levels) - 1)
    gap = np.where(upper > lower, levels[upper] - levels[lower], 1.0)
    weight = np.clip((asked - levels[lower]) / gap, 0.0, 1.0)[:, None]  # (Q, 1)
    found = values[:, lower] * (1 - weight) + values[:, upper] * weight  # (N, Q, H)
    left, right = _tail_slopes(values, levels)
    with np.errstate(divide="ignore"):  # log(0) = -inf: a tail has no end
        found[:, asked < levels[0]] += _tail(left, np.log(asked[asked < levels[0]] / levels[0]))
        found[:, asked > levels[-1]] -= _tail(right, np.log((1 - asked[asked > levels[-1]]) / (1 - levels[-1])))
    return found


def _tail(slopes: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """How far an exponential tail reaches, (N, Q, H); a slope of zero stays where it is, even at level 0 or 1."""
    with np.errstate(invalid="ignore"):
        return np.where(slopes[:, None] > 0, slopes[:, None] * logs[:, None], 0.0)


def at_own_levels(values: np.ndarray, levels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Quantiles of each row at levels of its own: ``between_levels`` for inversion sampling.

    Args:
        values: (N, Q) held quantiles, rising along Q.
        levels: (Q,) their levels, rising, inside (0, 1).
        asked: (N, A) levels in [0, 1).

    Returns:
        (N, A).

    Example:
        >>> at_own_levels(np.array([[0.0, 1.0], [4.0, 8.0]]), np.array([0.25, 0.75]), np.array([[0.5], [0.25]]))
        array([[0.5],
               [4. ]])
    """
    if len(levels) == 1:
        return np.repeat(values, asked.shape[1], axis=1)
    place = np.clip(np.searchsorted(levels, asked), 1, len(levels) - 1)
    low, high = np.take_along_axis(values, place - 1, axis=1), np.take_along_axis(values, place, axis=1)
    inside = low + (asked - levels[place - 1]) / (levels[place] - levels[place - 1]) * (high - low)
    left, right = (slopes[:, None] for slopes in _tail_slopes(values, levels))
    with np.errstate(divide="ignore"):
        below = values[:, :1] + left * np.log(asked / levels[0])
        above = values[:, -1:] - right * np.log((1 - asked) / (1 - levels[-1]))
    return np.where(asked < levels[0], below, np.where(asked > levels[-1], above, inside))


def mean_weights(levels: np.ndarray) -> np.ndarray:
    """Weights of the held quantiles in the mean: the integral of ``between_levels`` over all levels, tails included.

    Args:
        levels: (Q,) rising, inside (0, 1).

    Returns:
        (Q,) weights that add up to one.

    Example:
        >>> mean_weights(np.array([0.25, 0.75])).round(9)
        array([0.5, 0.5])
    """
    if len(levels) == 1:
        return np.ones(1)
    widths = np.diff(levels)
    weights = np.zeros(len(levels))
    weights[:-1] += widths / 2
    weights[1:] += widths / 2
    left = levels[0] / np.log(levels[1] / levels[0])  # the integral of b log(p / p_1) up to p_1 is -b p_1
    right = (1 - levels[-1]) / np.log((1 - levels[-2]) / (1 - levels[-1]))
    weights[0] += levels[0] + left
    weights[1] -= left
    weights[-1] += 1 - levels[-1] + right
    weights[-2] -= right
    return weights


def level_of(y: np.ndarray, values: np.ndarray, levels: np.ndarray, below: np.ndarray, upto: np.ndarray) -> np.ndarray:
    """Where the quantile function of ``between_levels`` passes through ``y``: the inverse, ties at their middle.

    Args:
        y: (N, H) values.
        values: (N, Q, H) held quantiles, rising along Q.
        levels: (Q,) their levels.
        below: (N, H) how many held quantiles are less than ``y``.
        upto: (N, H) how many are at most ``y``.

    Returns:
        (N, H) levels in [0, 1].

    Example:
        >>> one = np.array([[1]])
        >>> level_of(np.array([[0.5]]), np.array([[[0.0], [1.0]]]), np.array([0.25, 0.75]), one, one)
        array([[0.5]])
    """
    last = len(levels) - 1
    before, after = np.clip(below - 1, 0, last), np.clip(below, 0, last)
    v0, v1 = (np.take_along_axis(values, i[:, None], axis=1)[:, 0] for i in (before, after))  # (N, H)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inside = levels[before] + (levels[after] - levels[before]) * np.where(v1 > v0, (y - v0) / (v1 - v0), 0.0)
        left, right = _tail_slopes(values, levels)
        head = np.where(left > 0, levels[0] * np.exp((y - values[:, 0]) / left), 0.0)
        tail = np.where(right > 0, 1 - (1 - levels[-1]) * np.exp(-(y - values[:, -1]) / right), 1.0)
    tied = upto > below
    flat_left = (below == 0) & (left <= 0)  # y sits on a lowest value that holds the whole left tail
    flat_right = (upto == last + 1) & (right <= 0)
    low = np.where(flat_left, 0.0, levels[after])
    high = np.where(flat_right, 1.0, levels[np.clip(upto - 1, 0, last)])
    pit = np.where(below == 0, head, np.where(below == last + 1, tail, inside))
    return np.where(tied, (low + high) / 2, pit)


def mean_within(values: np.ndarray, levels: np.ndarray, lower: float, upper: float) -> np.ndarray:
    """The mean where the tails of ``between_levels`` are cut off at two bounds, which take the probability beyond them.

    The whole left tail adds ``-b p_1`` to the mean; what lies below the bound would have added ``-b p_1 exp(-(q_1 -
    lower) / b)`` more than it does at the bound. The right tail is its mirror image.

    Args:
        values: (N, Q, H) held quantiles, rising along Q, between the bounds.
        levels: (Q,) their levels.
        lower: the least value; -inf: none.
        upper: the greatest value; inf: none.

    Returns:
        (N, H).

    Example:
        >>> mean_within(np.array([[[0.0], [1.0]]]), np.array([0.25, 0.75]), 0.0, 1.0)
        array([[0.5]])
    """
    left, right = _tail_slopes(values, levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(left > 0, left * levels[0] * np.exp((lower - values[:, 0]) / left), 0.0)
        above = np.where(right > 0, right * (1 - levels[-1]) * np.exp((values[:, -1] - upper) / right), 0.0)
    return np.einsum("nqh,q->nh", values, mean_weights(levels)) + below - above


def level_within(
    y: np.ndarray,
    values: np.ndarray,
    levels: np.ndarray,
    below: np.ndarray,
    upto: np.ndarray,
    lower: float,
    upper: float,
) -> np.ndarray:
    """``level_of`` where the tails are cut off at two bounds, which take the probability beyond them.

    Args:
        y: (N, H) values.
        values: (N, Q, H) held quantiles, rising along Q, between the bounds.
        levels: (Q,) their levels.
        below: (N, H) how many held quantiles are less than ``y``.
        upto: (N, H) how many are at most ``y``.
        lower: the least value; -inf: none.
        upper: the greatest value; inf: none.

    Returns:
        (N, H) levels in [0, 1], ties at their middle.

    Example:
        >>> y, none = np.array([[0.0]]), np.array([[0]])
        >>> level_within(y, np.array([[[1.0], [2.0]]]), np.array([0.25, 0.5]), none, none, 0.0, np.inf)
        array([[0.0625]])
    """
    pit = level_of(y, values, levels, below, upto)
    pit = np.where(y <= lower, level_of(y, values, levels, upto, upto) / 2 * (y == lower), pit)
    return np.where(y >= upper, np.where(y == upper, (level_of(y, values, levels, below, below) + 1) / 2, 1.0), pit)
