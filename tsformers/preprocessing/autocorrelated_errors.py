"""AutocorrelatedErrors: the lag-1 autocorrelation of forecast errors, learned together with the forecaster."""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted
from torch import nn

from tsformers import storage
from tsformers.data.dataframes import Frame
from tsformers.data.draws import drawn
from tsformers.data.forecast import Forecast
from tsformers.data.intake.ids import id_columns
from tsformers.data.panel import Panel
from tsformers.errors import TsformersError
from tsformers.messages import Setting
from tsformers.preprocessing.adjusted_network import AdjustedNetwork, summed_up
from tsformers.preprocessing.lag_one import (
    history_means,
    lag_one_regression,
    last_observed,
    neighbours,
    unadjusted_errors,
)
from tsformers.preprocessing.one_step_errors import MOST_SERIES, autocorrelation_report, one_step_errors
from tsformers.validation import Above, AtLeast, check_settings

SALT = 2_021_120_603
DRAWS = 200  # of a forecast that holds quantiles
WORTH_A_WARNING = 0.15  # lag-1 autocorrelation that is left after the adjustment
LARGEST = 0.999  # of rho; at 1 the errors would be a random walk


@dataclass(repr=False, eq=False)
class AutocorrelatedErrors(BaseEstimator):
    """Adjusts a forecaster for autocorrelated errors: ``e[t] = rho e[t-1] + u[t]`` with white noise u.

    A torch network reads ``y[t] - rho y[t-1]``, and ``rho = tanh(r)`` is trained with it, by the same loss and at a
    learning rate of its own; windows are scaled first. Its output for h steps ahead is ``y[T+h] - rho**h y[T]``: the
    last error, faded. For one step that is the published rule; for several it is the part of AR(1) errors that a direct
    forecaster has to forecast. With ``ahead="summed"`` its output is ``y[T+h] - rho y[T+h-1]``, summed up draw by draw
    as if the innovations of the steps were independent, which those of direct forecasts are not.

    With any other forecaster, fit and rho are alternated (Cochrane and Orcutt): rho is estimated on one-step errors
    within the training rows until it converges. The forecaster reads and forecasts ``y[t] - rho y[t-1]``, and its draws
    are summed up.

    The value before the first of a window or series counts as its mean. A missing last value is replaced by the last
    observed one. In a Pipeline this step belongs last, just before the forecaster. Alone (``fit``, ``transform``,
    ``inverse``) rho is that of the series around their means.

    Args:
        per_series: a rho for each series (the mean of all for series that were not in fit); False: one for all; None:
            one for all in a torch forecaster, which all series train, else one for each.
        learning_rate: of r, for torch forecasters.
        ahead: "faded" or "summed", see above, for torch forecasters.
        inputs: the forecaster reads differences; False, with torch: the values. For ablations.
        outputs: the forecaster gives differences; False, with torch: the values. For ablations.
        tolerance: change of rho at which the alternation of fit and rho ends.
        most_rounds: rounds of the alternation, at most.

    Returns:
        After ``fit``: ``rho_``, a number (where there are several their mean), with ``per_series=True`` a Series by id;
        after ``fit_with`` also ``report_``, a frame of the autocorrelation of one-step errors without (``before``) and
        with (``after``) the adjustment: at lag 1, and the p-value of the Ljung-Box test over ten lags (statsmodels),
        one row a series (25 of them, if there are more).

    Raises:
        ValueError: at ``fit``, a setting is out of range, or a torch forecaster for counts.

    Warns:
        UserWarning: autocorrelation is left after the adjustment.

    Example:
        >>> from tsformers import Pipeline, SeasonalNaive
        >>> walk = np.random.default_rng(0).normal(size=81).cumsum()
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(80), "y": walk[1:] - 0.6 * walk[:-1]})
        >>> model = Pipeline([AutocorrelatedErrors()], SeasonalNaive(horizon=2, season_length=1, seed=0)).fit(frame)
        >>> round(model.steps_[0].rho_, 1), model.predict().samples.shape
        (-0.4, (1, 100, 2))

    Source: Sun, Lang & Boning (2021), Adjusting for Autocorrelated Errors in Neural Networks for Time Series, eq. 3
        and 4; Cochrane & Orcutt (1949).
    """

    per_series: bool | None = None
    learning_rate: Annotated[float, Above(0)] = 1e-2
    ahead: Literal["faded", "summed"] = "faded"
    inputs: bool = True
    outputs: bool = True
    tolerance: Annotated[float, AtLeast(0)] = 1e-3
    most_rounds: Annotated[int, AtLeast(1)] = 5

    save = storage.save

    def fit(self, panel: Panel | Frame, y: Any = None) -> Self:
        """Learn rho of the series around their means, without a forecaster.

        Args:
            panel: a Panel, or a long frame.
            y: not used; scikit-learn's tools pass it.

        Returns:
            The preprocessor itself.
        """
        check_settings(self)
        panel = Panel.from_frame(panel)
        self._remember(panel)
        pairs = neighbours(panel, panel.y - self._before(panel))
        own = self.per_series is not False
        self._set_rho(lag_one_regression(*pairs, panel.n_series, own), own)
        return self

    def fit_with(self, panel: Panel, forecaster: Any, short: str = "error") -> Any:
        """Learn rho together with a forecaster.

        Args:
            panel: what to learn from.
            forecaster: not fitted; a copy is.
            short: handed on to its ``fit``.

        Returns:
            The fitted copy.

        Raises:
            ValueError: a setting is out of range, or the forecaster is a torch model of counts.
        """
        check_settings(self)
        self._remember(panel)
        if "wrap" in inspect.signature(forecaster.fit).parameters:
            if getattr(forecaster, "likelihood", None) == "negative_binomial":
                raise ValueError(
                    "differences of counts are no counts: with AutocorrelatedErrors choose another likelihood, "
                    "for example 'student_t' or 'quantile_function'"
                )
            fitted = clone(forecaster, safe=False).fit(panel, wrap=clone(self), short=short)
            rho = fitted.network_.rho.detach().double().cpu().numpy().ravel()
            self.inside_ = True  # the network differences and sums up
            own = bool(self.per_series)
            self._set_rho(np.broadcast_to(rho, panel.n_series) if own else rho[:1], own)
        else:
            if not (self.inputs and self.outputs):
                raise TsformersError(
                    Setting("inputs", False),
                    " and ",
                    Setting("outputs", False),
                    " are for torch forecasters; leave both out",
                )
            fitted = self._alternate(panel, forecaster, short)
        self._report(panel, fitted)
        return fitted

    def wrap(self, network: nn.Module, n_series: int, channels: int) -> AdjustedNetwork:
        """The network wrapped in one that differences its inputs and undoes it on its outputs.

        Args:
            network: has ``loss`` and ``sample``.
            n_series: how many series ``window.series`` refers to, if each gets a rho.
            channels: C.

        Returns:
            A network with ``rho`` and ``groups()``.
        """
        shape = (n_series, channels) if self.per_series else (1, 1)
        return AdjustedNetwork(
            network, shape, self.learning_rate, ahead=self.ahead, inputs=self.inputs, outputs=self.outputs
        )

    def transform(self, panel: Panel | Frame) -> Panel:
        """``y[t] - rho y[t-1]``; the panel itself where a torch network does that.

        Args:
            panel: a Panel or a long frame of the series of ``fit``, or of others.

        Returns:
            A panel of the same series and times; missing where either of the two values is.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        panel = Panel.from_frame(panel)
        check_is_fitted(self, "rho_")
        if self.inside_:
            return panel
        earlier = np.roll(panel.y, 1)
        firsts = panel.offsets[:-1][np.diff(panel.offsets) > 0]
        earlier[firsts] = self._before(panel)[firsts]
        return replace(panel, y=panel.y - self._rho_of(panel.ids)[panel.owner] * earlier)

    def inverse(self, forecast: Forecast, past: Panel | None = None) -> Forecast:
        """The draws summed up from the last value of each series.

        Args:
            forecast: of a transformed panel; quantiles become 200 draws, since only draws can be summed.
            past: what ``transform`` was given; None: the panel of ``fit``.

        Returns:
            Draws of the values themselves.
        """
        check_is_fitted(self, "rho_")
        if self.inside_:
            return forecast
        forecast = drawn(forecast, DRAWS, SALT)
        last = self.last_ if past is None else last_observed(past)
        last = last[(self.ids_ if past is None else past.ids).get_indexer(forecast.ids)]
        rho = self._rho_of(forecast.ids)[:, None, None]
        return replace(forecast, values=summed_up(forecast.values, rho, last[:, None, None]), means=None)

    def _alternate(self, panel: Panel, forecaster: Any, short: str) -> Any:
        """Fit, rho from the errors, fit again, until rho converges; the last fit is under the last rho."""
        own = self.per_series is not False
        rho = np.zeros(panel.n_series if own else 1)
        moving = np.ones(panel.n_series, dtype=bool)  # series whose rho has not converged; others keep theirs
        self._set_rho(rho, own)
        fitted = clone(forecaster, safe=False).fit(panel, short=short)
        for _ in range(self.most_rounds):
            most = panel.n_series if own else MOST_SERIES
            some = panel if moving.all() else panel.select(moving)
            errors = one_step_errors(self._predictor(fitted), some, forecaster.horizon, most)
            codes = panel.ids.get_indexer(errors.ids)
            e = unadjusted_errors(errors.values, self._rho_of(errors.ids))
            now, earlier = e[1:], e[:-1]
            found = lag_one_regression(now, earlier, np.broadcast_to(codes, now.shape), panel.n_series, own)
            found = np.clip(found, -LARGEST, LARGEST)
            moved = (np.abs(found - rho) >= self.tolerance) & (moving if own else True)
            if not moved.any():
                break
            rho = np.where(moved, found, rho)
            moving = moved if own else moving
            self._set_rho(rho, own)
            fitted = clone(forecaster, safe=False).fit(self.transform(panel), short=short)
        return fitted

    def _predictor(self, fitted: Any) -> Callable[[Panel, int], Forecast]:
        """Forecasts of the values themselves: the forecaster between ``transform`` and ``inverse``."""

        def predict(past: Panel, n_samples: int) -> Forecast:
            return self.inverse(fitted.predict(self.transform(past), n_samples=n_samples, seed=0), past)

        return predict

    def _report(self, panel: Panel, fitted: Any) -> None:
        """Autocorrelation of one-step errors without and with the adjustment; a warning where some is left."""
        errors = one_step_errors(self._predictor(fitted), panel, fitted.horizon)
        rho = self._rho_of(errors.ids)
        report = autocorrelation_report(errors.values, unadjusted_errors(errors.values, rho))
        self.report_ = pd.DataFrame({**id_columns(errors.ids, panel.schema), "rho": rho, **report})
        lag_one, n = report["lag1_after"], report["n_errors"].sum()
        lag_one = lag_one[np.isfinite(lag_one)]
        mean = lag_one.mean() if len(lag_one) else 0.0
        if abs(mean) > max(2 / np.sqrt(max(n, 1)), WORTH_A_WARNING):
            warnings.warn(
                f"one-step errors are still autocorrelated after the adjustment (lag 1: {mean:.2f}, mean of "
                f"{len(lag_one)} series): they are not of the first order alone; a longer context or a season in the "
                "forecaster may explain the rest, report_ has the series",
                UserWarning,
                stacklevel=4,
            )

    def _remember(self, panel: Panel) -> None:
        """Keeps what ``transform`` and ``inverse`` need of the panel of ``fit``."""
        self.ids_: pd.Index = panel.ids
        self.mean_, self.last_ = history_means(panel), last_observed(panel)
        self.inside_ = False

    def _set_rho(self, rho: np.ndarray, own: bool) -> None:
        rho = np.clip(rho, -LARGEST, LARGEST)
        self.rhos_: np.ndarray | None = rho if own else None
        self.rho_: Any = pd.Series(rho, index=self.ids_, name="rho") if self.per_series else float(rho.mean())

    def _rho_of(self, ids: pd.Index) -> np.ndarray:
        """(N,) of any series."""
        rho = vars(self).get("rhos_", self.rho_)  # models saved by earlier versions have rho_ alone
        if rho is None or np.ndim(rho) == 0:
            return np.full(len(ids), self.rho_)
        at, rho = self.ids_.get_indexer(ids), np.asarray(rho)
        return np.where(at < 0, rho.mean(), rho[at])

    def _before(self, panel: Panel) -> np.ndarray:
        """(R,) the value before the first of each series: its mean in ``fit``, or its own if it was not there."""
        at = self.ids_.get_indexer(panel.ids)
        means = self.mean_[at]
        if (at < 0).any():
            means[at < 0] = history_means(panel)[at < 0]
        return means[panel.owner]
