"""Classical decomposition of packed series into trend, season and remainder."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from tsformers.data.packed.moving_average_kernel import decompose_all

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

    An even period gives its two outermost rows half a weight. The season is that of the rows that the mean covers, as
    in R's ``decompose``. Within half a period of either end the trend is the straight line through the period nearest
    to it. Fewer rows than two periods have no season.

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
    width = period if period > 1 else NO_SEASON
    trend, seasonal = np.empty(len(series.y)), np.zeros((len(series.y), 1))
    offsets, anchor = (np.ascontiguousarray(part, np.int64) for part in (series.offsets, series.anchor))
    y = np.ascontiguousarray(series.y, np.float64)
    decompose_all(y, offsets, anchor, period, width, np.zeros((2, period)), trend, seasonal[:, 0])
    return Parts(trend, seasonal)
