"""The seasonal random walk of all series at once: SeasonalNaive, and what every local model falls back to."""

from typing import NamedTuple

import numpy as np

from tsformers.counter_rng import keyed_normals


class History(NamedTuple):
    """Packed values: those of series i are ``y[offsets[i]:ends[i]]``, NaN = missing."""

    y: np.ndarray  # (R,)
    offsets: np.ndarray  # (N + 1,)
    ends: np.ndarray  # (N,)


class Origins(NamedTuple):
    """From where the first steps go: W values, one for each position of the season (or all the last value)."""

    bases: np.ndarray  # (N, W) the value repeated
    ages: np.ndarray  # (N, W) how many errors lie between it and the first step
    errors: np.ndarray  # (N,) their standard deviation
    seasonal: np.ndarray  # (N,) bool; False: a random walk from the last value, step by step


def naive_errors(history: History, season: int) -> np.ndarray:
    """Root mean square of the differences over one season and over one step.

    Where no two values are one season (one step) apart, the differences are those of values k seasons (k steps) apart
    that follow each other, each divided by the square root of k: what a random walk does in one. So they are also where
    all differences are 0 although the series is not constant; but a season that repeats itself whole has the error 0.

    Args:
        history: N series.
        season: rows of one season, m.

    Returns:
        (N, 2); NaN over one season where no position of the season has two values, over one step where a series has
        one value.

    Example:
        >>> naive_errors(History(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 4]), np.array([4])), 2)
        array([[2., 1.]])
        >>> naive_errors(History(np.array([1.0, np.nan, 3.0]), np.array([0, 3]), np.array([3])), 1).round(3)
        array([[1.414, 1.414]])
    """
    rows, owner = _observed(history)
    y, n = history.y, len(history.ends)
    step, _ = _error_at(y, rows, owner, 1, n)
    wanting = ~(step > 0)  # no pairs, or only pairs of equal values
    step[wanting] = _error_between(history, rows, owner, 1)[wanting]
    if season == 1:
        return np.stack([step, step], axis=1)
    seasonal, pairs = _error_at(y, rows, owner, season, n)
    wanting = np.isnan(seasonal) | ((seasonal == 0) & (pairs < season))
    if wanting.any():
        mine = wanting[owner]
        further = _error_between(history, rows[mine], owner[mine], season)
        seasonal[wanting] = np.where(further == 0, step, further)[wanting]
    return np.stack([seasonal, step], axis=1)


def without_pairs(history: History, season: int) -> np.ndarray:
    """Series longer than a season in which no two values are one season apart.

    Args:
        history: N series.
        season: rows of one season.

    Returns:
        (N,) bool; False for shorter series, and of one value.

    Example:
        >>> without_pairs(History(np.array([1.0, np.nan, 3.0]), np.array([0, 3]), np.array([3])), 1)
        array([ True])
    """
    rows, owner = _observed(history)
    n = len(history.ends)
    first, last = np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    first[owner[::-1]], last[owner] = rows[::-1], rows  # the last assignment stays
    return np.isnan(_error_at(history.y, rows, owner, season, n)[0]) & (last - first >= season)


def _observed(history: History) -> tuple[np.ndarray, np.ndarray]:
    """The rows that hold a value, and the series of each."""
    y, offsets, ends = history
    rows = np.flatnonzero(np.isfinite(y))
    owner = np.searchsorted(offsets, rows, side="right") - 1
    inside = rows < ends[owner]
    return rows[inside], owner[inside]


def _error_at(y: np.ndarray, rows: np.ndarray, owner: np.ndarray, lag: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square (N,) of the differences over ``lag`` rows, NaN without a pair; and the number of pairs."""
    whose = np.full(len(y), -1)
    whose[rows] = owner
    later = rows[rows >= lag]
    later = later[whose[later] == whose[later - lag]]
    count = np.bincount(whose[later], minlength=n)
    total = np.bincount(whose[later], weights=(y[later] - y[later - lag]) ** 2, minlength=n)
    return _root_mean(total, count), count


def _error_between(history: History, rows: np.ndarray, owner: np.ndarray, season: int) -> np.ndarray:
    """The same of values that follow each other at one position, each divided by the root of the seasons between."""
    n, place = len(history.ends), (rows - history.offsets[owner]) % season
    order = np.arange(len(rows)) if season == 1 else np.lexsort((rows, place, owner))
    rows, owner, place = rows[order], owner[order], place[order]
    same = (owner[1:] == owner[:-1]) & (place[1:] == place[:-1])
    early, late, whose = rows[:-1][same], rows[1:][same], owner[1:][same]
    squares = (history.y[late] - history.y[early]) ** 2 * season / (late - early)
    return _root_mean(np.bincount(whose, weights=squares, minlength=n), np.bincount(whose, minlength=n))


def _root_mean(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.sqrt(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def origins(history: History, season: int, errors: np.ndarray, horizon: int) -> Origins:
    """The values that the seasonal random walk goes from.

    A series whose seasonal error is NaN is a random walk from its last value with the one-step error.

    Args:
        history: N series, each with an observed value.
        season: rows of one season, m.
        errors: (N, 2) as from ``naive_errors``.
        horizon: H.

    Returns:
        Bases and ages of ``min(m, H)`` positions.

    Example:
        >>> history = History(np.array([1.0, 2.0, 1.0, np.nan]), np.array([0, 4]), np.array([4]))
        >>> origins(history, 2, np.ones((1, 2)), 3).ages
        array([[1., 2.]])
    """
    rows, owner = _observed(history)
    n, width = len(history.ends), min(season, horizon)
    newest, same = np.full(n, -1), np.full((n, width), -1)
    newest[owner] = rows  # rows rise: the last assignment stays
    back = history.ends[owner] - 1 - rows
    step = season - 1 - back % season  # the first step ahead at the same position of the season
    used = step < width
    same[owner[used], step[used]] = rows[used]
    seasonal = np.isfinite(errors[:, 0])
    same[~seasonal] = -1
    there = same >= 0
    bases = history.y[np.where(there, same, newest[:, None])] + 0.0  # 0, never -0
    ages = np.where(there, (history.ends[:, None] + np.arange(width) - same) / season, 1.0)
    ages[~seasonal] = (history.ends - newest)[~seasonal, None]
    return Origins(bases, ages, np.nan_to_num(np.where(seasonal, errors[:, 0], errors[:, 1])), seasonal)


def naive_means(history: History, season: int, errors: np.ndarray, horizon: int) -> np.ndarray:
    """Exact means, which are the medians too: the last value at the same position of the season.

    Args:
        history: N series, each with an observed value.
        season: rows of one season, m.
        errors: (N, 2) as from ``naive_errors``.
        horizon: H.

    Returns:
        (N, H) values of the history; 0 is never -0.

    Example:
        >>> naive_means(History(np.array([1.0, 2.0]), np.array([0, 2]), np.array([2])), 2, np.ones((1, 2)), 3)
        array([[1., 2., 1.]])
    """
    bases = origins(history, season, errors, horizon).bases
    return bases[:, np.arange(horizon) % bases.shape[1]]


def naive_samples(
    history: History, season: int, errors: np.ndarray, keys: np.ndarray, n_samples: int, horizon: int
) -> np.ndarray:
    """Draws of the seasonal random walk: the last value at the same season position, plus one normal error per season.

    A series whose seasonal error is NaN (``errors[:, 0]``) is a random walk from its last value with the one-step
    error; where that is NaN too, the draws are all the last value. Draws i and ``i + S // 2`` mirror each other at
    ``naive_means`` (an odd last one is equal to it), so that the median is exact.

    Args:
        history: N series, each with an observed value.
        season: rows of one season, m.
        errors: (N, 2) as from ``naive_errors``.
        keys: (N,) seeds, one for each series.
        n_samples: S.
        horizon: H.

    Returns:
        (N, S, H).

    Example:
        >>> history = History(np.array([1.0, 2.0, 1.0, 2.0]), np.array([0, 4]), np.array([4]))
        >>> naive_samples(history, 2, naive_errors(history, 2), np.zeros(1, np.uint64), 1, 3)
        array([[[1., 2., 1.]]])
    """
    found, half = origins(history, season, errors, horizon), n_samples // 2
    steps = keyed_normals(keys, n_samples, horizon)[:, : max(half, 1)]
    steps *= found.errors[:, None, None]
    values = np.empty((len(keys), n_samples, horizon))
    for which, width in ((found.seasonal, found.bases.shape[1]), (~found.seasonal, 1)):
        away = _walk(steps[which], found.ages[which, :width])
        bases = found.bases[which][:, np.arange(horizon) % width]
        values[which] = _mirrored(bases[:, None], away, n_samples)
    return values


def _walk(steps: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Sums of ``steps`` (N, P, H) over seasons of W positions; the first of each spans ``ages`` (N, W) errors."""
    n, paths, horizon = steps.shape
    width = ages.shape[1]
    seasons = -(-horizon // width)
    whole = np.zeros((n, paths, seasons * width))
    whole[..., :horizon] = steps
    whole = whole.reshape(n, paths, seasons, width)
    whole[:, :, 0] *= np.sqrt(ages)[:, None]
    return np.cumsum(whole, axis=2).reshape(n, paths, seasons * width)[..., :horizon]


def _mirrored(bases: np.ndarray, away: np.ndarray, n_samples: int) -> np.ndarray:
    """Draws (N, S, H) on both sides of ``bases`` (N, 1, H), which are exactly half way between the draws of a pair."""
    n, half, horizon = away.shape
    if n_samples == 1:
        return bases + away
    out = np.empty((n, n_samples, horizon))
    up, down = out[:, :half], out[:, half : 2 * half]
    np.add(bases, away, out=up)
    np.subtract(2 * bases, up, out=down)  # exact where it is the smaller one: it has no more digits
    np.subtract(2 * bases, down, out=up, where=np.abs(down) > np.abs(up))
    if n_samples % 2:
        out[:, -1:] = bases
    return out
