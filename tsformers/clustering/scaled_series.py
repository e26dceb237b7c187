"""Many series as clustering sees them: each in a unit of its own."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64

from tsformers.data.panel import Panel
from tsformers.errors import DataError
from tsformers.preprocessing.scale import METHODS, Scale

Unit = Literal["mean_abs", "standard", "robust"]
UNITS = (*METHODS, None)


class Micro(NamedTuple):
    """N series in R packed rows."""

    y: Float[np.ndarray, " R"]  # in units of its own series, NaN = missing
    starts: Int64[np.ndarray, " N"]
    stops: Int64[np.ndarray, " N"]
    blank: Bool[np.ndarray, " N"]  # nothing but zeros and missing values

    def select(self, series: np.ndarray) -> "Micro":
        """The series at these positions; rows stay where they are."""
        return Micro(self.y, self.starts[series], self.stops[series], self.blank[series])


def read_micro(panel: Panel, unit: Unit | None) -> Micro:
    """The histories of a panel, each in its own unit.

    Args:
        panel: N series.
        unit: as in ``Scale``, None: the caller's.

    Returns:
        The series.

    Example:
        >>> import pandas as pd
        >>> read_micro(Panel.from_frame(pd.Series([1.0, 3.0, np.nan], name="a")), "mean_abs").y
        array([0.5, 1.5, nan])

    Source: ours; without units of their own, clusters would be classes of size, not of shape.
    """
    counts = ~np.isnan(panel.y) & (panel.y != 0) & panel.in_history
    y = panel.y.copy() if unit is None else Scale(unit).fit(panel).transform(panel).y
    y[~panel.in_history] = np.nan
    blank = np.bincount(panel.owner[counts], minlength=panel.n_series) == 0
    return Micro(y, panel.offsets[:-1], panel.ends, blank)


def refuse_few(telling: Bool[np.ndarray, " N"], n_clusters: int, needed: str) -> None:
    """There are at least as many series as clusters.

    Args:
        telling: series from which something can be learned.
        n_clusters: K.
        needed: what such a series has, for the message.

    Raises:
        DataError: there are not.
    """
    if telling.sum() < n_clusters:
        raise DataError(
            f"{n_clusters} clusters need as many series with {needed}, not all of them zero; there are "
            f"{int(telling.sum())} such series; lower n_clusters, or give more series"
        )
