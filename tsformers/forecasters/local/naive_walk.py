"""The seasonal random walk, for all series at once: SeasonalNaive, and what every local model falls back to."""

from typing import NamedTuple

import numpy as np

from tsformers.counter_rng import keyed_normals


class History(NamedTuple):
    """Packed values: those of series i are ``y[offsets[i]:ends[i]]``, NaN = missing."""

    y: np.ndarray  # (R,)
    offsets: np.ndarray  # (N + 1,)
    ends: np.ndarray  # (N,)


def naive_errors(history: History, season: int) -> np.ndarray:
    """Root mean square (N, 2) of the differences over one season and over one step; NaN where there is no pair."""
    y, offsets, ends = history
    owner = np.repeat(np.arange(len(ends)), np.diff(offsets))
    y = np.where(np.arange(len(y)) < ends[owner], y, np.nan)
    errors = np.full((len(ends), 2), np.nan)
    for column, lag in enumerate((season, 1)):
        change = y[lag:] - y[:-lag]
        pair = (owner[lag:] == owner[:-lag]) & np.isfinite(change)
        count = np.bincount(owner[lag:][pair], minlength=len(ends))
        total = np.bincount(owner[lag:][pair], weights=change[pair] ** 2, minlength=len(ends))
        known = count > 0
        errors[known, column] = np.sqrt(total[known] / count[known])
    return errors


def naive_samples(
    history: History, season: int, errors: np.ndarray, keys: np.ndarray, n_samples: int, horizon: int
) -> np.ndarray:
    """Draws (N, S, H): the last value at the same place of the season, plus one normal error a season passed.

    A series whose seasonal error is NaN (``errors[:, 0]``; it has no two values one season apart) walks from its last
    value with the one-step error; where that is NaN too, the draws are all the last value.
    """
    y, offsets, ends = history
    n, width = len(ends), min(season, horizon)
    owner = np.repeat(np.arange(n), np.diff(offsets))
    rows = np.arange(len(y))
    back = ends[owner] - 1 - rows
    seen = np.isfinite(y) & (back >= 0)
    newest = np.full(n, -1)
    np.maximum.at(newest, owner[seen], rows[seen])
    step = season - 1 - back % season  # the first step ahead that stands at the same place of the season
    used = seen & (step < width)
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
    """One random walk a place of the season, from ``bases`` (N, W), the first stride ``ages`` (N, W) long."""
    n, n_samples, horizon = draws.shape
    width = bases.shape[1]
    seasons = -(-horizon // width)
    strides = np.zeros((n, n_samples, seasons * width))
    strides[..., :horizon] = draws * errors[:, None, None]
    strides = strides.reshape(n, n_samples, seasons, width)
    strides[:, :, 0] *= np.sqrt(ages)[:, None]
    walk = np.cumsum(strides, axis=2) + bases[:, None, None]
    return walk.reshape(n, n_samples, seasons * width)[..., :horizon]
