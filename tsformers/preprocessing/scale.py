"""Scale: every series in its own unit."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.data.dataframes import Frame
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.data.series_scale import ScaleMethod, series_scale
from tsformers.validation import check_settings


@dataclass(repr=False, eq=False)
class Scale(BaseEstimator):
    """Every series in its own unit: ``(y - location) / scale``, learned from its history.

    "standard" centres on the mean and divides by the standard deviation; "mean_abs" divides by the mean absolute value;
    "robust" centres on the median and divides by the interquartile range / 1.349. Where that is zero the mean absolute
    value divides, or 1. A series that was not in ``fit`` is measured on the history it comes with.

    The torch forecasters scale each window themselves (``scaler=``). This step scales a whole series by one unit, so
    that windows with large changes stay large, and it serves clusterers and local models.

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

    method: ScaleMethod = "standard"

    save = storage.save

    def fit(self, panel: Panel | Frame, y: Any = None) -> Self:
        """Measure the history of each series.

        Args:
            panel: a Panel, or a long frame.
            y: not used; scikit-learn's tools pass it.

        Returns:
            The preprocessor itself.
        """
        check_settings(self)
        panel = Panel.from_frame(panel)
        self.ids_: pd.Index = panel.ids
        self.location_, self.scale_ = series_scale(panel, self.method)
        return self

    def transform(self, panel: Panel | Frame) -> Panel:
        """The panel with each series in its own unit.

        Args:
            panel: a Panel or a long frame of the series of ``fit``, or of others.

        Returns:
            A panel of the same series and times.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        panel = Panel.from_frame(panel)
        location, scale = (part[panel.owner] for part in self._of(panel))
        return replace(panel, y=(panel.y - location) / scale)

    def inverse(self, forecast: Forecast, past: Panel | None = None) -> Forecast:
        """The forecast in the caller's units; draws and quantiles alike.

        Args:
            forecast: of a transformed panel.
            past: what ``transform`` was given; None: the panel of ``fit``.

        Returns:
            ``values * scale + location``.
        """
        check_is_fitted(self, "scale_")
        ids, (location, scale) = (
            (self.ids_, (self.location_, self.scale_)) if past is None else (past.ids, self._of(past))
        )
        at = ids.get_indexer(forecast.ids)
        means = None if forecast.means is None else forecast.means * scale[at, None] + location[at, None]
        values = forecast.values * scale[at, None, None] + location[at, None, None]
        return replace(forecast, values=values, means=means)

    def _of(self, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
        """Location and scale (N,) of the series of ``panel``; those that were not in ``fit`` are measured."""
        check_is_fitted(self, "scale_")
        at = self.ids_.get_indexer(panel.ids)
        location, scale = self.location_[at], self.scale_[at]
        if (new := at < 0).any():
            location[new], scale[new] = series_scale(panel.select(new), self.method)
        return location, scale
