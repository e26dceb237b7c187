"""Scale: every series in units of its own."""

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel

METHODS = ("standard", "mean_abs", "robust")
IQR_OF_NORMAL = 1.3489795003921634  # interquartile range of the standard normal distribution


@dataclass(repr=False, eq=False)
class Scale(BaseEstimator):
    """Every series in units of its own: ``(y - location) / scale``, learned from its history.

    "standard" centres on the mean and divides by the standard deviation; "mean_abs" divides by the mean absolute value;
    "robust" centres on the median and divides by the interquartile range / 1.349. Where that is zero the mean absolute
    value divides, or 1. A series that ``fit`` has not seen is measured by the history it comes with.

    The torch forecasters scale each window themselves (``scaler=``); what this adds is one unit for a whole series, so
    that windows of restless times stay large, and a scale for clusterers and local models.

    Args:
        method: "standard", "mean_abs" or "robust".

    Returns:
        After ``fit``: ``ids_``, ``location_`` and ``scale_`` (N,).

    Raises:
        ValueError: at ``fit``, an unknown method.

    Example:
        >>> panel = Panel.from_frame(pd.Series([1.0, 3.0, 5.0], name="a"))
        >>> Scale().fit(panel).transform(panel).y.round(2)
        array([-1.22,  0.  ,  1.22])

    Source: textbook.
    """

    method: Literal["standard", "mean_abs", "robust"] = "standard"

    save = storage.save

    def fit(self, panel: Panel | Frame) -> Self:
        """Measure the history of each series.

        Args:
            panel: a Panel, or a long frame.

        Returns:
            The preprocessor itself.
        """
        if self.method not in METHODS:
            raise ValueError(f"method={self.method!r} is unknown; choose one of {', '.join(METHODS)}")
        panel = Panel.from_frame(panel)
        self.ids_: pd.Index = panel.ids
        self.location_, self.scale_ = self._measured(panel)
        return self

    def transform(self, panel: Panel) -> Panel:
        """The panel in units of its series.

        Args:
            panel: of series that ``fit`` has seen, or of others.

        Returns:
            A panel of the same series and times.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        location, scale = (part[panel.owner] for part in self._of(panel))
        return replace(panel, y=(panel.y - location) / scale)

    def inverse(self, forecast: Forecast, past: Panel | None = None) -> Forecast:
        """The forecast in the caller's units; draws and quantiles alike.

        Args:
            forecast: of a transformed panel.
            past: what ``transform`` was given; None = the panel of ``fit``.

        Returns:
            ``values * scale + location``.
        """
        check_is_fitted(self, "scale_")
        ids, (location, scale) = (
            (self.ids_, (self.location_, self.scale_)) if past is None else (past.ids, self._of(past))
        )
        at = ids.get_indexer(forecast.ids)
        return replace(forecast, values=forecast.values * scale[at, None, None] + location[at, None, None])

    def _of(self, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
        """Location and scale (N,) of the series of ``panel``; those that were not in fit are measured."""
        check_is_fitted(self, "scale_")
        at = self.ids_.get_indexer(panel.ids)
        location, scale = self.location_[at], self.scale_[at]
        if (new := at < 0).any():
            location[new], scale[new] = self._measured(panel.select(new))
        return location, scale

    def _measured(self, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
        """Location and scale (N,) of the histories of ``panel``."""
        seen = np.isfinite(panel.y) & panel.in_history
        y, owner = panel.y[seen], panel.owner[seen]
        n = np.maximum(np.bincount(owner, minlength=panel.n_series), 1)

        def mean(values: np.ndarray) -> np.ndarray:
            return np.bincount(owner, values, minlength=panel.n_series) / n

        size = mean(np.abs(y))
        fallback = np.where(size > 0, size, 1.0)
        if self.method == "mean_abs":
            return np.zeros(panel.n_series), fallback
        location = mean(y)
        spread = np.sqrt(mean((y - location[owner]) ** 2))
        least = 16 * np.finfo(np.float64).eps * size  # below: nothing but rounding
        if self.method == "robust":
            quartiles = pd.Series(y).groupby(owner).quantile(np.array([0.25, 0.5, 0.75])).unstack()
            lower, location, upper = quartiles.reindex(np.arange(panel.n_series)).fillna(0.0).to_numpy().T
            spread = np.where(upper - lower > least, (upper - lower) / IQR_OF_NORMAL, spread)
        return location.copy(), np.where(spread > least, spread, fallback)
