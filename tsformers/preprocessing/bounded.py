"""Bounded: forecasts that keep to a lower bound, an upper bound, or both."""

import warnings
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from tsformers import storage
from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Frame, stamps
from tsformers.data.forecast import Forecast
from tsformers.data.forecast_checks import checked_bounds
from tsformers.data.panel import Panel
from tsformers.errors import DataError, DataWarning, TsformersError
from tsformers.messages import Option
from tsformers.validation import check_settings


@dataclass(repr=False, eq=False)
class Bounded(BaseEstimator):
    """Every draw and every quantile of a forecast keeps to the bounds.

    "clip": the forecaster reads the series as they are, and what it forecasts beyond a bound is moved to the bound;
    suits counts, sales and other series that touch the bound. "log", with one bound: it reads ``log(y - lower)``, or
    ``-log(upper - y)``; draws lie strictly inside. "logit", with both: it reads ``log((y - lower) / (upper - y))``.
    Medians and quantiles carry over; the mean is that of the values after the inverse.

    Nothing is learned in ``fit``. Missing values pass. In a Pipeline this step belongs first: a step before it changes
    the bounded forecast afterwards.

    Args:
        lower: the least value; None: no bound.
        upper: the greatest value; None: no bound.
        method: "clip", "log" or "logit".

    Returns:
        After ``fit``: ``bounds_``, infinite where there is none.

    Raises:
        ValueError: at ``fit``, no bound, bounds that leave no value, or a method that takes another number of bounds.
        DataError: with "log" and "logit", a value on or beyond a bound.

    Warns:
        DataWarning: at ``fit`` with "clip", the history has values beyond a bound, which forecasts never reach.

    Example:
        >>> import pandas as pd
        >>> from tsformers import Pipeline, SeasonalNaive
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(8), "y": [0.0, 2.0, 0.0, 5.0, 1.0, 0.0, 3.0, 0.0]})
        >>> model = Pipeline([Bounded(lower=0)], SeasonalNaive(horizon=2, season_length=1, seed=0)).fit(frame)
        >>> float(model.predict().samples.min())
        0.0

    Source: Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, 3rd ed., section 13.3.
    """

    lower: float | int | None = None
    upper: float | int | None = None
    method: Literal["clip", "log", "logit"] = "clip"

    is_fixed: ClassVar[bool] = True  # the transformation does not depend on the rows of fit

    save = storage.save

    def fit(self, panel: Panel | Frame, y: Any = None) -> Self:
        """Check that bounds and history go together.

        Args:
            panel: a Panel, or a long frame.
            y: not used; scikit-learn's tools pass it.

        Returns:
            The preprocessor itself.
        """
        check_settings(self)
        bounds = checked_bounds(self.lower, self.upper)
        count = int(np.isfinite(bounds).sum())
        if self.method != "clip" and count != (other := {"log": 1, "logit": 2}[self.method]):
            remedy = Option("method", "logit" if other == 1 else "log")
            raise TsformersError(
                Option("method", self.method), f" takes {'one bound' if other == 1 else 'both bounds'}; pass ", remedy,
                f" for {'both' if other == 1 else 'one'}, or ", Option("method", "clip"),
            )  # fmt: skip
        self.bounds_: tuple[float, float] = bounds
        panel = Panel.from_frame(panel)
        if self.method == "clip":
            self._warn_beyond(panel)
        else:
            self._refuse_beyond(panel)
        return self

    def transform(self, panel: Panel | Frame) -> Panel:
        """The panel as the forecaster reads it.

        Args:
            panel: a Panel or a long frame of any series.

        Returns:
            A panel of the same series and times; with "clip" the panel itself.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: with "log" and "logit", a value on or beyond a bound.
        """
        panel = Panel.from_frame(panel)
        check_is_fitted(self, "bounds_")
        if self.method == "clip":
            return panel
        self._refuse_beyond(panel)
        lower, upper = self.bounds_
        if self.method == "logit":
            return replace(panel, y=np.log(panel.y - lower) - np.log(upper - panel.y))
        return replace(panel, y=np.log(panel.y - lower) if np.isfinite(lower) else -np.log(upper - panel.y))

    def inverse(self, forecast: Forecast, past: Panel | None = None) -> Forecast:
        """The forecast between the bounds; draws and quantiles alike.

        Args:
            forecast: of a transformed panel.
            past: not used.

        Returns:
            With "clip", ``forecast.clip``; else values strictly inside.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
            DataError: with "log", a value too large for a number.
        """
        check_is_fitted(self, "bounds_")
        if self.method == "clip":
            return forecast.clip(self.lower, self.upper)
        lower, upper = self.bounds_
        with np.errstate(over="ignore"):
            if self.method == "logit":
                share = np.exp(-np.logaddexp(0.0, -forecast.values))
                values = lower + (upper - lower) * share
            elif np.isfinite(lower):
                values = lower + np.exp(forecast.values)
            else:
                values = upper - np.exp(-forecast.values)
        beyond = ~np.isfinite(values)
        if beyond.any():
            name = plain(forecast.ids[int(np.flatnonzero(beyond.any(axis=(1, 2)))[0])])
            raise DataError(
                f"the forecast of series {name!r} is too large for a number after ",
                Option("method", self.method), "; pass ", Option("method", "clip"),
            )  # fmt: skip
        inside = values.clip(np.nextafter(lower, np.inf), np.nextafter(upper, -np.inf))
        return replace(forecast, values=inside, means=None).bounded(lower, upper)

    def _warn_beyond(self, panel: Panel) -> None:
        lower, upper = self.bounds_
        beyond = (panel.y < lower) | (panel.y > upper)
        if beyond.any():
            first = int(np.argmax(beyond))
            warnings.warn(
                DataWarning(
                    f"{int(beyond.sum())} values of the history lie beyond {self._shown()}, the first is "
                    f"{_place(panel, first)}; no forecast reaches them: check the bound"
                ),
                stacklevel=3,
            )

    def _refuse_beyond(self, panel: Panel) -> None:
        lower, upper = self.bounds_
        wrong = (panel.y <= lower) | (panel.y >= upper)
        if not wrong.any():
            return
        first = int(np.argmax(wrong))
        where = "on" if panel.y[first] in (lower, upper) else "beyond"
        parts: list[Any] = [
            f"{_place(panel, first)} lies {where} a bound, {self._shown()}, where the {self.method} has no value "
            f"({int(wrong.sum())} such values); pass ",
            Option("method", "clip"),
        ]
        raise DataError(*parts, "" if where == "on" else ", or other bounds")

    def _shown(self) -> str:
        some = (("lower", self.lower), ("upper", self.upper))
        return " and ".join(f"{name} {value:g}" for name, value in some if value is not None)


def _place(panel: Panel, row: int) -> str:
    """A value with its series and time."""
    schema = panel.schema
    when = stamps(panel.times[row : row + 1], schema)[0]
    name = plain(panel.ids[int(panel.owner[row])])
    return f"{schema.target_col}={panel.y[row]:g} of series {name!r} at {schema.time_col}={when}"
