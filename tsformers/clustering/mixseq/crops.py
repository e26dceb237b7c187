"""Stretches of long series: one at random for training, overlapping ones that cover the series for evaluation."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from tsformers.clustering.mixseq.network import Crop, make_crop
from tsformers.clustering.scaled_series import ScaledSeries


class Stretches(NamedTuple):
    """Parts of series."""

    series: Int64[np.ndarray, " C"]
    starts: Int64[np.ndarray, " C"]  # rows
    first: Int64[np.ndarray, " C"]  # steps before this one are context only


def whole(scaled: ScaledSeries, length: int) -> Stretches:
    """Stretches that cover every series and score each step once: each begins half a stretch after the one before it.

    Args:
        scaled: N series.
        length: T, rows of a stretch.

    Returns:
        One stretch of a series that is not longer than T, else several.

    Example:
        >>> scaled = ScaledSeries(np.zeros(11), np.array([0, 3]), np.array([3, 11]), np.zeros(2, dtype=bool))
        >>> [part.tolist() for part in whole(scaled, 4)]
        [[0, 1, 1, 1], [0, 3, 5, 7], [0, 0, 2, 2]]
    """
    rows, step = scaled.stops - scaled.starts, max(length // 2, 1)
    count = 1 + -(-np.maximum(rows - length, 0) // step)
    series = np.repeat(np.arange(len(rows)), count)
    place = np.arange(len(series)) - np.repeat(np.cumsum(count) - count, count)
    return Stretches(series, scaled.starts[series] + step * place, np.where(place > 0, length - step, 0))


def at_random(scaled: ScaledSeries, series: np.ndarray, length: int, rng: np.random.Generator) -> Stretches:
    """One stretch of each of these series, at a place drawn at random.

    Args:
        scaled: N series.
        series: (C,) positions.
        length: T, rows of a stretch.
        rng: draws the places.

    Returns:
        C stretches; a series not longer than T is whole.

    Example:
        >>> scaled = ScaledSeries(np.zeros(11), np.array([0, 3]), np.array([3, 11]), np.zeros(2, dtype=bool))
        >>> at_random(scaled, np.array([0, 1]), 8, np.random.default_rng(0)).starts
        array([0, 3])
    """
    spare = np.maximum(scaled.stops[series] - scaled.starts[series] - length, 0)
    starts = scaled.starts[series] + rng.integers(spare + 1)
    return Stretches(series, starts, np.zeros(len(series), dtype=np.int64))


def cut(
    scaled: ScaledSeries, stretches: Stretches, length: int, unit: float, device: torch.device, groups: int = 1
) -> Crop:
    """The rows of stretches; those beyond the end of a series are missing.

    Args:
        scaled: the series.
        stretches: C of them.
        length: T.
        unit: what values are divided by.
        device: where to.
        groups: G; the first C / G stretches are the first group, and so on.

    Returns:
        Crops (G, C / G, T); T is less where all are shorter.

    Example:
        >>> y, blank = np.array([2.0, 4.0, 6.0]), np.zeros(2, dtype=bool)
        >>> scaled = ScaledSeries(y, np.array([0, 1]), np.array([1, 3]), blank)
        >>> crop = cut(scaled, whole(scaled, 4), length=4, unit=2.0, device=torch.device("cpu"))
        >>> crop.values.tolist(), crop.observed.tolist()
        ([[[1.0, 0.0], [2.0, 3.0]]], [[[True, False], [True, True]]])
    """
    stops = scaled.stops[stretches.series]
    length = int(min(length, (stops - stretches.starts).max()))
    rows = stretches.starts[:, None] + np.arange(length)
    values = np.where(rows < stops[:, None], scaled.y[np.minimum(rows, len(scaled.y) - 1)], np.nan) / unit
    observed = ~np.isnan(values)

    def sent(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.reshape(groups, -1, *array.shape[1:])).to(device)

    return make_crop(sent(np.where(observed, values, 0.0).astype(np.float32)), sent(observed), sent(stretches.first))
