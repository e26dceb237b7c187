"""Where long series are cut: at random to train on, into overlapping stretches to be judged whole."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from tsformers.clustering.mixseq.network import Crop, make_crop
from tsformers.clustering.scaled_series import Micro


class Stretches(NamedTuple):
    """Parts of series."""

    series: Int64[np.ndarray, " C"]
    starts: Int64[np.ndarray, " C"]  # rows
    first: Int64[np.ndarray, " C"]  # steps before this one are context only


def whole(micro: Micro, length: int) -> Stretches:
    """All of every series, each step once: a stretch begins half a stretch after the last, and counts its second half.

    Args:
        micro: N series.
        length: T, rows of a stretch.

    Returns:
        One stretch of a series that is not longer than T, else several.

    Example:
        >>> micro = Micro(np.zeros(11), np.array([0, 3]), np.array([3, 11]), np.zeros(2, dtype=bool))
        >>> [part.tolist() for part in whole(micro, 4)]
        [[0, 1, 1, 1], [0, 3, 5, 7], [0, 0, 2, 2]]
    """
    rows, step = micro.stops - micro.starts, max(length // 2, 1)
    count = 1 + -(-np.maximum(rows - length, 0) // step)
    series = np.repeat(np.arange(len(rows)), count)
    place = np.arange(len(series)) - np.repeat(np.cumsum(count) - count, count)
    return Stretches(series, micro.starts[series] + step * place, np.where(place > 0, length - step, 0))


def at_random(micro: Micro, series: np.ndarray, length: int, rng: np.random.Generator) -> Stretches:
    """One stretch of each of these series, at a place drawn at random.

    Args:
        micro: N series.
        series: (C,) positions.
        length: T, rows of a stretch.
        rng: of the places.

    Returns:
        C stretches; a series not longer than T is whole.
    """
    spare = np.maximum(micro.stops[series] - micro.starts[series] - length, 0)
    starts = micro.starts[series] + rng.integers(spare + 1)
    return Stretches(series, starts, np.zeros(len(series), dtype=np.int64))


def cut(micro: Micro, stretches: Stretches, length: int, unit: float, device: torch.device, groups: int = 1) -> Crop:
    """The rows of stretches, shorter ones continued by nothing seen.

    Args:
        micro: the series.
        stretches: C of them.
        length: T.
        unit: what values are divided by.
        device: where to.
        groups: G, into which the stretches are dealt, one after another.

    Returns:
        Crops (G, C / G, T); T is less where all are shorter.
    """
    stops = micro.stops[stretches.series]
    length = int(min(length, (stops - stretches.starts).max()))
    rows = stretches.starts[:, None] + np.arange(length)
    values = np.where(rows < stops[:, None], micro.y[np.minimum(rows, len(micro.y) - 1)], np.nan) / unit
    seen = ~np.isnan(values)

    def sent(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.reshape(groups, -1, *array.shape[1:])).to(device)

    return make_crop(sent(np.where(seen, values, 0.0).astype(np.float32)), sent(seen), sent(stretches.first))
