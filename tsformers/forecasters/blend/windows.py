"""Contexts of Blend: how long they are, which are trained on, and which are kept for validation."""

from typing import NamedTuple

import numpy as np

LONGEST = 1000  # rows of a context at most
SEASONS = 16  # of a context
SHORT, WITHOUT_SEASON = 60, 350  # rows of a context at least allowed; of one without a season
SECOND_SEASONS = 3
AT_THE_END = 0.3  # share of the training windows at the last cutoff of a series
WHOLE = 0.5  # share of them with all rows that a context may have
ENOUGH_SERIES = 60  # from which some series, not the last rows of all, are kept for validation
KEPT_SERIES, MOST_KEPT = 0.15, 300
KEPT_ROWS = 0.2  # largest share of the rows of a series that is kept for validation
VALIDATED = 512  # windows of validation at most
ORIGINS = 4  # cutoffs of a series that is kept for validation, half a horizon apart


class Cuts(NamedTuple):
    """Windows: the context of window b is rows ``first[b]:stop[b]`` of series ``series[b]``; H rows follow."""

    series: np.ndarray
    first: np.ndarray
    stop: np.ndarray


class Split(NamedTuple):
    """What is trained on, and what validates."""

    limits: np.ndarray  # (N,) the last row, exclusive, that a training target may have; -1: none of the series
    validation: Cuts


def longest_context(season: int, second: int) -> int:
    """Rows of a context at most: 16 seasons (60 rows at least), three second ones, 350 without a season, 1,000 in all.

    Args:
        season: m.
        second: the second period, 0 = none.

    Returns:
        A number of rows.

    Example:
        >>> [longest_context(*periods) for periods in ((1, 0), (4, 0), (12, 0), (24, 168), (7, 365))]
        [350, 64, 192, 504, 1000]
    """
    rows = WITHOUT_SEASON if season == 1 else max(SEASONS * season, SHORT)
    return min(LONGEST, max(rows, SECOND_SEASONS * second))


def shortest_context(season: int) -> int:
    """Rows of a context at least, in training: a season and two rows, four without one.

    Example:
        >>> shortest_context(1), shortest_context(12)
        (4, 14)
    """
    return 4 if season == 1 else season + 2


def split(
    offsets: np.ndarray, ends: np.ndarray, horizon: int, season: int, second: int, rng: np.random.Generator
) -> Split:
    """Windows of validation that share no target with those of training.

    Of 60 series and more, 15 % (300 at most) are kept whole, with their last four cutoffs, half a horizon apart, so
    that the others are trained on up to their ends. Of fewer, the last rows of each (a fifth at most).

    Args:
        offsets: (N + 1,) of the series.
        ends: (N,) of their histories.
        horizon: H.
        season: m.
        second: the second period, 0 = none.
        rng: chooses the series.

    Returns:
        The limits of training, and the windows of validation.
    """
    shortest, longest = shortest_context(season), longest_context(season, second)
    starts, lengths = offsets[:-1], ends - offsets[:-1]
    limits = np.where(lengths >= shortest + horizon, ends, -1)
    usable = np.flatnonzero(limits >= 0)
    if len(usable) >= ENOUGH_SERIES:
        kept = np.sort(rng.permutation(usable)[: min(MOST_KEPT, max(20, int(KEPT_SERIES * len(usable))))])
        room = lengths[kept] - horizon - shortest  # cutoffs may lie up to this many rows before the last one
        back = np.minimum(np.arange(ORIGINS) * -(-horizon // 2), room[:, None])
        stops = ends[kept][:, None] - horizon - back
        limits[kept] = -1
        series = np.repeat(kept, ORIGINS)
    else:
        rows = np.minimum(np.maximum(horizon, (KEPT_ROWS * lengths[usable]).astype(np.int64)), lengths[usable])
        kept = usable[lengths[usable] - rows >= shortest + horizon]
        rows = rows[lengths[usable] - rows >= shortest + horizon]
        limits[kept] = ends[kept] - rows
        places = [
            np.unique(np.linspace(0, room, min(_each(len(kept)), room + 1)).astype(np.int64)) for room in rows - horizon
        ]
        series = np.repeat(kept, [len(back) for back in places])
        stops = ends[series] - horizon - np.concatenate([np.zeros(0, np.int64), *places])
    stops = np.ravel(stops)
    first = np.maximum(starts[series], stops - longest)
    return Split(limits, Cuts(np.asarray(series), first, stops))


def _each(n_series: int) -> int:
    """Windows of validation of each of a few series."""
    return max(1, VALIDATED // max(n_series, 1))


def drawn(
    offsets: np.ndarray, limits: np.ndarray, horizon: int, season: int, second: int, n: int, rng: np.random.Generator
) -> Cuts:
    """Training windows at random: all series alike, 70 % at random cutoffs, 30 % at the last possible one.

    Half the contexts have all the rows they may have, the others a length drawn on the logarithmic scale.

    Args:
        offsets: (N + 1,) of the series.
        limits: (N,) see ``Split``.
        horizon: H.
        season: m.
        second: the second period, 0 = none.
        n: how many.
        rng: draws them.

    Returns:
        n windows; none where no series can be trained on.
    """
    shortest, longest = shortest_context(season), longest_context(season, second)
    usable = np.flatnonzero(limits - horizon - offsets[:-1] >= shortest)
    if not len(usable):
        return Cuts(*(np.zeros(0, np.int64) for _ in range(3)))
    series = usable[rng.integers(len(usable), size=n)]
    starts, latest = offsets[:-1][series], limits[series] - horizon
    earliest = starts + shortest
    stop = earliest + (rng.random(n) * (latest - earliest + 1)).astype(np.int64)
    stop = np.where(rng.random(n) < AT_THE_END, latest, stop)
    most = np.minimum(stop - starts, longest)
    short = np.exp(np.log(shortest) + rng.random(n) * np.log(most / shortest)).astype(np.int64)
    rows = np.where(rng.random(n) < WHOLE, most, np.maximum(short, shortest))
    return Cuts(series, stop - rows, stop)
