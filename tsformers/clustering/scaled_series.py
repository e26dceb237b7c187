"""Many series as clusterers read them: packed rows, each series in its own unit."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64

from tsformers.data.panel import Panel
from tsformers.data.series_scale import ScaleMethod, series_scale
from tsformers.errors import DataError


class ScaledSeries(NamedTuple):
    """N series in R packed rows."""

    y: Float[np.ndarray, " R"]  # in the unit of its own series, NaN = missing
    starts: Int64[np.ndarray, " N"]
    stops: Int64[np.ndarray, " N"]
    blank: Bool[np.ndarray, " N"]  # only zeros and missing values

    def select(self, series: np.ndarray) -> "ScaledSeries":
        """The series at these positions; rows stay where they are."""
        return ScaledSeries(self.y, self.starts[series], self.stops[series], self.blank[series])

    @property
    def n_observed(self) -> Float[np.ndarray, " N"]:
        """Observed values of each series."""
        observed = np.concatenate([[0.0], np.cumsum(~np.isnan(self.y))])
        return observed[self.stops] - observed[self.starts]


def read_scaled(panel: Panel, unit: ScaleMethod | None) -> ScaledSeries:
    """The histories of a panel, each in its own unit, so that clusters differ in shape and not in size.

    Args:
        panel: N series.
        unit: as in ``Scale``; None: the caller's.

    Returns:
        The series.

    Example:
        >>> import pandas as pd
        >>> series = read_scaled(Panel.from_frame(pd.Series([1.0, 3.0, np.nan], name="a")), "mean_abs")
        >>> series.y, series.n_observed
        (array([0.5, 1.5, nan]), array([2.]))
    """
    counts = ~np.isnan(panel.y) & (panel.y != 0) & panel.in_history
    y = panel.y.copy()
    if unit is not None:
        location, scale = series_scale(panel, unit)
        y = (panel.y - location[panel.owner]) / scale[panel.owner]
    y[~panel.in_history] = np.nan
    blank = np.bincount(panel.owner[counts], minlength=panel.n_series) == 0
    return ScaledSeries(y, panel.offsets[:-1], panel.ends, blank)


def require_series(usable: Bool[np.ndarray, " N"], n_clusters: int, needed: str) -> None:
    """There are at least as many usable series as clusters.

    Args:
        usable: series from which a cluster can be learned.
        n_clusters: K.
        needed: what such a series has, for the message.

    Raises:
        DataError: there are fewer.

    Example:
        >>> require_series(np.array([True, False]), 2, "two values")
        Traceback (most recent call last):
        tsformers.errors.DataError: 2 clusters need as many series with two values, not all of them zero; there are 1
        such series; lower n_clusters, or give more series
    """
    if usable.sum() < n_clusters:
        raise DataError(
            f"{n_clusters} clusters need as many series with {needed}, not all of them zero; there are "
            f"{int(usable.sum())} such series; lower n_clusters, or give more series"
        )
