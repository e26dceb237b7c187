"""Classical decomposition of packed series into trend, season and remainder."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

NO_SEASON = 25  # rows of the moving average of series without a season


class PackedSeries(NamedTuple):
    """Packed histories: those of series i are ``y[offsets[i]:offsets[i + 1]]``, NaN = missing.

    Example:
        >>> series = PackedSeries(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 3]), np.array([0, 5]))
        >>> series.lengths, series.owner, series.place
        (array([1, 2]), array([0, 1, 1]), array([0, 0, 1]))
    """

    y: Float[np.ndarray, " R"]
    offsets: Int64[np.ndarray, " N1"]
    anchor: Int64[np.ndarray, " N"]  # position of each first row on the time grid

    @property
    def lengths(self) -> Int64[np.ndarray, " N"]:
        """Rows of each series."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> Int64[np.ndarray, " R"]:
        """The series of each row."""
        return np.repeat(np.arange(len(self.anchor)), self.lengths)

    @property
    def place(self) -> Int64[np.ndarray, " R"]:
        """The position of each row in its series, from 0."""
        return np.arange(len(self.y)) - np.repeat(self.offsets[:-1], self.lengths)


class Parts(NamedTuple):
    """Trend and seasonal parts of packed series; the remainder is what they leave of ``y``."""

    trend: Float[np.ndarray, " R"]
    seasonal: Float[np.ndarray, "R M"]  # one column a period


def moving_average(series: PackedSeries, period: int) -> Parts:
    """Classical decomposition: a centred mean over one period, then the mean of the rest at each place in the period.

    An even period gives its two outermost rows half a weight. Within half a period of either end the trend is the
    straight line through the period nearest to it. Fewer rows than two periods have no season.

    Args:
        series: N of them.
        period: rows of a season; 1: there is none.

    Returns:
        Trend and one seasonal column, of all series at once.

    Example:
        >>> series = PackedSeries(np.arange(8.0) + np.tile([1.0, -1.0], 4), np.array([0, 8]), np.zeros(1, dtype=int))
        >>> trend, seasonal = moving_average(series, 2)
        >>> trend.round(9).tolist(), seasonal[:2, 0].round(9).tolist()
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [1.0, -1.0])

    Source: Macaulay (1931); Hyndman & Athanasopoulos (2021), 3rd ed., section 3.4.
    """
    lengths, owner, place = series.lengths, series.owner, series.place
    n, width = len(lengths), period if period > 1 else NO_SEASON
    observed = np.isfinite(series.y)
    count = np.maximum(np.bincount(owner[observed], minlength=n), 1)
    centre = np.bincount(owner[observed], series.y[observed], minlength=n) / count
    y = np.where(observed, series.y - centre[owner], 0.0)  # sums of what is centred stay small
    half = width // 2
    inside = (place >= half) & (place + half < lengths[owner])
    at = np.flatnonzero(inside)
    total, weight = (_window_sums(part, at, half, width % 2 == 0) for part in (y, observed.astype(np.float64)))
    trend = np.full(len(y), np.nan)
    trend[at] = np.divide(total, weight, out=np.full(len(at), np.nan), where=weight > 0)
    trend = _extended(trend, series, width) + centre[owner]
    seasonal = np.zeros((len(y), 1))
    if period > 1:
        slot = owner * period + (series.anchor[owner] + place) % period
        left = np.where(observed, series.y - trend, 0.0)
        there = np.bincount(slot[observed], minlength=n * period).reshape(n, period)
        profile = np.bincount(slot, left, minlength=n * period).reshape(n, period) / np.maximum(there, 1)
        profile -= np.divide(profile.sum(1), (there > 0).sum(1), out=np.zeros(n), where=there.any(1))[:, None]
        profile[(there == 0) | (lengths < 2 * period)[:, None]] = 0.0
        seasonal[:, 0] = profile.ravel()[slot]
    return Parts(trend, seasonal)


def _window_sums(values: np.ndarray, at: np.ndarray, half: int, halved: bool) -> np.ndarray:
    """Sums over rows ``at - half`` to ``at + half``, the outermost two with half weight if ``halved``."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    sums = total[at + half + 1] - total[at - half]
    return sums - 0.5 * (values[at - half] + values[at + half]) if halved else sums


def _extended(trend: np.ndarray, series: PackedSeries, width: int) -> np.ndarray:
    """The trend where no mean is: between means linear, at the ends on the line through the nearest ``width`` rows."""
    n, owner = len(series.anchor), series.owner
    known = np.flatnonzero(np.isfinite(trend))
    first, last = np.full(n, -1), np.full(n, -1)
    first[owner[known[::-1]]], last[owner[known]] = known[::-1], known
    if not len(known):
        return np.zeros(len(trend))
    row = np.arange(len(trend))
    trend = np.interp(row, known, trend[known])
    some = first >= 0
    head = (row < first[owner], first, np.minimum(last + 1, first + width))
    tail = (row > last[owner], np.maximum(first, last - width + 1), last + 1)
    for outward, begin, stop in (head, tail):
        middle, height, slope = _lines(trend, begin[some], stop[some])
        line = np.zeros((3, n))
        line[:, some] = middle, height, slope
        fill = outward & some[owner]
        trend[fill] = line[1, owner[fill]] + line[2, owner[fill]] * (row[fill] - line[0, owner[fill]])
    trend[~some[owner]] = 0.0  # too short for one mean: that of the series, which was subtracted
    return trend


def _lines(trend: np.ndarray, begin: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least-squares lines through rows ``begin:stop`` of each: middle row, height there, and slope."""
    count = stop - begin
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    rows = np.arange(count.sum()) + np.repeat(begin - starts, count)
    middle = (begin + stop - 1) / 2
    height = np.add.reduceat(trend[rows], starts) / count
    away = rows - np.repeat(middle, count)
    power = np.add.reduceat(away**2, starts)
    slope = np.add.reduceat(away * (trend[rows] - np.repeat(height, count)), starts) / np.maximum(power, 1e-12)
    return middle, height, slope
