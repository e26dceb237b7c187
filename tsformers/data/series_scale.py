"""Location and scale of each series, measured on its observed values."""

from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from tsformers.data.panel import Panel

ScaleMethod = Literal["standard", "mean_abs", "robust"]

IQR_OF_NORMAL = 1.3489795003921634  # interquartile range of the standard normal distribution


def series_scale(panel: Panel, method: ScaleMethod) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Location and scale of the history of each series of a panel.

    Args:
        panel: N series; missing values are left out.
        method: "standard" (mean, standard deviation), "mean_abs" (0, mean absolute value) or "robust" (median,
            interquartile range / 1.349). Where that scale is zero it is the mean absolute value, or 1.

    Returns:
        Locations and scales.

    Example:
        >>> panel = Panel.from_frame(pd.Series([1.0, 3.0, np.nan, 5.0], name="a"))
        >>> series_scale(panel, "mean_abs")
        (array([0.]), array([3.]))
    """
    owner = panel.owner
    observed = np.isfinite(panel.y) & panel.in_history
    return location_and_scale(panel.y[observed], owner[observed], panel.n_series, method)


def location_and_scale(
    y: Float[np.ndarray, " R"], owner: Int64[np.ndarray, " R"], n_series: int, method: ScaleMethod
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Location and scale of packed values.

    Args:
        y: observed values.
        owner: the series of each.
        n_series: N; a series may have no value: its location is 0 and its scale 1.
        method: as in ``series_scale``.

    Returns:
        Locations and scales.

    Example:
        >>> location_and_scale(np.array([1.0, 3.0, 7.0]), np.array([0, 0, 2]), 3, "standard")
        (array([2., 0., 7.]), array([1., 1., 7.]))
    """
    n = np.maximum(np.bincount(owner, minlength=n_series), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(owner, values, minlength=n_series) / n

    size = mean(np.abs(y))
    fallback = np.where(size > 0, size, 1.0)
    if method == "mean_abs":
        return np.zeros(n_series), fallback
    location = mean(y)
    spread = np.sqrt(mean((y - location[owner]) ** 2))
    least = 16 * np.finfo(np.float64).eps * size  # below: nothing but rounding
    if method == "robust":
        quartiles = pd.Series(y).groupby(owner).quantile(np.array([0.25, 0.5, 0.75])).unstack()
        lower, location, upper = quartiles.reindex(np.arange(n_series)).fillna(0.0).to_numpy().T
        spread = np.where(upper - lower > least, (upper - lower) / IQR_OF_NORMAL, spread)
    return location.copy(), np.where(spread > least, spread, fallback)
