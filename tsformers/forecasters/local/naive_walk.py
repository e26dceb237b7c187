"""The seasonal random walk of all series at once: SeasonalNaive, and what every local model falls back to."""

from typing import NamedTuple

import numpy as np

from tsformers.counter_rng import keyed_normals


class History(NamedTuple):
    """Packed values: those of series i are ``y[offsets[i]:ends[i]]``, NaN = missing."""

    y: np.ndarray  # (R,)
    offsets: np.ndarray  # (N + 1,)
    ends: np.ndarray  # (N,)


def naive_errors(history: History, season: int) -> np.ndarray:
    """Root mean square of the differences over one season and over one step.

    Args:
        history: N series.
        season: rows of one season, m.

    Returns:
        (N, 2); NaN where no two values are that far apart.

    Example:
        >>> naive_errors(History(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 4]), np.array([4])), 2)
        array([[2., 1.]])
    """
    y, offsets, ends = history
    owner = np.repeat(np.arange(len(ends)), np.diff(offsets))
    y = np.where(np.arange(len(y)) < ends[owner], y, np.nan)
    errors = np.full((len(ends), 2), np.nan)
    for column, lag in enumerate((season, 1)):
        change = y[lag:] - y[:-lag]
        pair = (owner[lag:] == owner[:-lag]) & np.isfinite(change)
        count = np.bincount(owner[lag:][pair], minlength=len(ends))
        total = np.bincount(owner[lag:][pair], weights=change[pair] ** 2, minlength=len(ends))
        found = count > 0
        errors[found, column] = np.sqrt(total[found] / count[found])
    return errors


def naive_samples(
    history: History, season: int, errors: np.ndarray, keys: np.ndarray, n_samples: int, horizon: int
) -> np.ndarray:
    """Draws of the seasonal random walk: the last value at the same season position, plus one normal error per season.

    A series whose seasonal error is NaN (``errors[:, 0]``; it has no two values one season apart) is a random walk from
    its last value with the one-step error; where that is NaN too, the draws are all the last value.

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
    y, offsets, ends = history
    n, width = len(ends), min(season, horizon)
    owner = np.repeat(np.arange(n), np.diff(offsets))
    rows = np.arange(len(y))
    back = ends[owner] - 1 - rows
    observed = np.isfinite(y) & (back >= 0)
    newest = np.full(n, -1)
    np.maximum.at(newest, owner[observed], rows[observed])
    step = season - 1 - back % season  # the first step ahead at the same season position
    used = observed & (step < width)
    same = np.full((n, width), -1)
    np.maximum.at(same, (owner[used], step[used]), rows[used])

    seasonal = np.isfinite(errors[:, 0])
    ages = np.where(same >= 0, (ends[:, None] + np.arange(width) - same) / season, 1.0)  # seasons up to the first step
    bases = y[np.where(same >= 0, same, newest[:, None])]
    draws = keyed_normals(keys, n_samples, horizon)
    values = np.empty((n, n_samples, horizon))
    values[seasonal] = _walk(bases[seasonal], ages[seasonal], errors[seasonal, 0], draws[seasonal])
    plain = ~seasonal
    ages = (ends - newest)[plain, None].astype(float)
    values[plain] = _walk(y[newest[plain], None], ages, np.nan_to_num(errors[plain, 1]), draws[plain])
    return values


def _walk(bases: np.ndarray, ages: np.ndarray, errors: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """One random walk for each season position, from ``bases`` (N, W); the first step spans ``ages`` (N, W) seasons."""
    n, n_samples, horizon = draws.shape
    width = bases.shape[1]
    seasons = -(-horizon // width)
    steps = np.zeros((n, n_samples, seasons * width))
    steps[..., :horizon] = draws * errors[:, None, None]
    steps = steps.reshape(n, n_samples, seasons, width)
    steps[:, :, 0] *= np.sqrt(ages)[:, None]
    walk = np.cumsum(steps, axis=2) + bases[:, None, None]
    return walk.reshape(n, n_samples, seasons * width)[..., :horizon]
