"""AutocorrelatedErrors: what the last error says about the next one, learned together with the forecaster."""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted
from torch import nn

from tsformers import storage
from tsformers.data.dataframes import Frame
from tsformers.data.draws import drawn
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.preprocessing.adjusted_network import AdjustedNetwork, summed_up
from tsformers.preprocessing.one_step_errors import MOST_SERIES, one_step_errors, whiteness

SALT = 2_021_120_603
DRAWS = 200  # of a forecast that holds quantiles
WORTH_SAYING = 0.15  # of a lag-1 autocorrelation that is left
LARGEST = 0.999  # of rho; at 1 the errors would be a random walk


class Regression(NamedTuple):
    """A linear regression whose errors follow one another: ``e[t] = rho e[t - 1] + u[t]``."""

    beta: np.ndarray  # (K,)
    rho: float
    path: np.ndarray  # rho of each round


def cochrane_orcutt(
    y: Float[np.ndarray, " T"],
    x: Float[np.ndarray, "T K"],
    *,
    keep_first: bool = False,
    tolerance: float = 1e-12,
    most_rounds: int = 50,
) -> Regression:
    """Least squares with first-order autocorrelated errors, iterated.

    By turns: coefficients by least squares on ``y[t] - rho y[t-1]`` and ``x[t] - rho x[t-1]``, then ``rho`` by least
    squares of each residual on the one before it, until the coefficients stay where they are.

    Args:
        y: the target.
        x: the regressors; a constant is a column of ones.
        keep_first: keep the first row, times ``sqrt(1 - rho**2)`` (Prais and Winsten); False drops it.
        tolerance: largest change of a coefficient in the last round.
        most_rounds: rounds at most.

    Returns:
        Coefficients, rho, and rho of each round.

    Raises:
        ValueError: values are missing, or there are fewer than K + 2 rows.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = np.column_stack([np.ones(400), rng.normal(size=400)])
        >>> errors = np.zeros(401)
        >>> for t, shock in enumerate(rng.normal(size=400)): errors[t + 1] = 0.8 * errors[t] + shock
        >>> found = cochrane_orcutt(x @ [1.0, 2.0] + errors[1:], x)
        >>> round(found.rho, 2), found.beta.round(1)
        (0.79, array([0.9, 2. ]))

    Source: Cochrane & Orcutt (1949); Prais & Winsten (1954).
    """
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise ValueError("y and x must be finite; drop the rows with missing values, or fill them in")
    if len(y) < x.shape[1] + 2:
        least = x.shape[1] + 2
        raise ValueError(f"{len(y)} rows are too few for {x.shape[1]} coefficients and rho; give {least} or more")
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    path: list[float] = []
    for _ in range(most_rounds):
        path.append(_lag_one(y - x @ beta))
        rows, target = (_differenced(part, path[-1], keep_first) for part in (x, y))
        before, beta = beta, np.linalg.lstsq(rows, target, rcond=None)[0]
        if np.abs(beta - before).max() < tolerance:
            break
    return Regression(beta, path[-1], np.array(path))


@dataclass(repr=False, eq=False)
class AutocorrelatedErrors(BaseEstimator):
    """Takes the autocorrelation of a forecaster's errors into account: ``e[t] = rho e[t-1] + u[t]`` with u white.

    With a torch forecaster the network sees ``y[t] - rho y[t-1]``, and ``rho = tanh(r)`` is trained with it, by the
    same loss and a learning rate of its own; windows are scaled first. What it says of h steps ahead is
    ``y[T+h] - rho**h y[T]``: the last error, faded. For one step that is the published rule; for several it is what
    AR(1) errors leave to a direct forecaster. ``ahead="summed"`` has it say ``y[T+h] - rho y[T+h-1]``, summed up draw
    by draw as if what is new at each step were independent, which direct forecasts of several steps are not.

    With any other forecaster fit and rho take turns (Cochrane and Orcutt): rho is what one-step errors within the
    training rows say, until it stays. It sees and forecasts ``y[t] - rho y[t-1]``, and its draws are summed up.

    The value before the first of a window or series counts as its mean. After missing values the last value seen stands
    in. In a Pipeline it belongs last, just before the forecaster. Alone (``fit``, ``transform``, ``inverse``) rho is
    that of the series around their means.

    Args:
        per_series: a rho for each series (the mean of all for series that were not in fit); False: one for all.
        learning_rate: of r, for torch forecasters.
        ahead: "faded" or "summed", see above, for torch forecasters.
        inputs: the forecaster sees differences; False, with torch, it sees the values. For ablations.
        outputs: the forecaster says differences; False, with torch, it says the values. For ablations.
        tolerance: change of rho at which fit and rho stop taking turns.
        most_rounds: turns at most.

    Returns:
        After ``fit``: ``rho_``, a number, or a Series by id; ``report_``, a frame that says how autocorrelated the
        one-step errors are with ``before`` and without ``after`` the adjustment: lag-1 autocorrelation, and the p-value
        of Ljung and Box's test over ten lags (statsmodels), one row a series
        (25 of them, if there are more).

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

    per_series: bool = False
    learning_rate: float = 1e-2
    ahead: Literal["faded", "summed"] = "faded"
    inputs: bool = True
    outputs: bool = True
    tolerance: float = 1e-3
    most_rounds: int = 5

    save = storage.save

    def fit(self, panel: Panel | Frame) -> Self:
        """Learn rho of the series around their means, without a forecaster.

        Args:
            panel: a Panel, or a long frame.

        Returns:
            The preprocessor itself.
        """
        self._check()
        panel = Panel.from_frame(panel)
        self._remember(panel)
        self._set_rho(_pooled(*_lagged(panel, panel.y - self._before(panel)), panel.n_series, self.per_series))
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
        self._check()
        self._remember(panel)
        if "wrap" in inspect.signature(forecaster.fit).parameters:
            if getattr(forecaster, "likelihood", None) == "negative_binomial":
                raise ValueError(
                    "differences of counts are no counts: with AutocorrelatedErrors choose another likelihood, "
                    "for example 'student_t' or 'quantile_function'"
                )
            fitted = clone(forecaster, safe=False).fit(panel, wrap=clone(self), short=short)
            rho = fitted.network_.rho.detach().double().cpu().numpy().ravel()
            self.inside_ = True  # the network does it all
            self._set_rho(np.broadcast_to(rho, panel.n_series) if self.per_series else rho[:1])
        else:
            if not (self.inputs and self.outputs):
                raise ValueError("inputs=False and outputs=False are for torch forecasters; leave both True")
            fitted = self._take_turns(panel, forecaster, short)
        self._report(panel, fitted)
        return fitted

    def wrap(self, network: nn.Module, n_series: int, channels: int) -> AdjustedNetwork:
        """The network inside one that differences what it sees and sums up what it says.

        Args:
            network: to be asked.
            n_series: series among which ``window.series`` counts, if each gets a rho.
            channels: C.

        Returns:
            A network with ``rho`` and ``groups()``.
        """
        shape = (n_series, channels) if self.per_series else (1, 1)
        return AdjustedNetwork(
            network, shape, self.learning_rate, ahead=self.ahead, inputs=self.inputs, outputs=self.outputs
        )

    def transform(self, panel: Panel) -> Panel:
        """``y[t] - rho y[t-1]``; the panel itself where a torch network does that.

        Args:
            panel: of series that ``fit`` has seen, or of others.

        Returns:
            A panel of the same series and times; missing where either of the two values is.

        Raises:
            sklearn.exceptions.NotFittedError: before ``fit``.
        """
        check_is_fitted(self, "rho_")
        if self.inside_:
            return panel
        earlier = np.roll(panel.y, 1)
        begin = panel.offsets[:-1][np.diff(panel.offsets) > 0]
        earlier[begin] = self._before(panel)[begin]
        return replace(panel, y=panel.y - self._rho_of(panel.ids).repeat(np.diff(panel.offsets)) * earlier)

    def inverse(self, forecast: Forecast, past: Panel | None = None) -> Forecast:
        """The draws summed up from the last value of each series.

        Args:
            forecast: of a transformed panel; quantiles become 200 draws, since only draws can be summed.
            past: what ``transform`` was given; None = the panel of ``fit``.

        Returns:
            Draws of the values themselves.
        """
        check_is_fitted(self, "rho_")
        if self.inside_:
            return forecast
        forecast = drawn(forecast, DRAWS, SALT)
        last = self.last_ if past is None else _last(past)
        last = last[(self.ids_ if past is None else past.ids).get_indexer(forecast.ids)]
        rho = self._rho_of(forecast.ids)[:, None, None]
        return replace(forecast, values=summed_up(forecast.values, rho, last[:, None, None]))

    def _take_turns(self, panel: Panel, forecaster: Any, short: str) -> Any:
        """Fit, rho from the errors, fit again, until rho stays."""
        self._set_rho(np.zeros(panel.n_series if self.per_series else 1))
        fitted = clone(forecaster, safe=False).fit(panel, short=short)
        for _ in range(self.most_rounds):
            before = self._rho_of(panel.ids)
            most = panel.n_series if self.per_series else MOST_SERIES
            errors = one_step_errors(self._seen_whole(fitted), panel, forecaster.horizon, most)
            codes = panel.ids.get_indexer(errors.ids)
            e = _errors_of_values(errors.values, before[codes])
            now, earlier = e[1:], e[:-1]
            self._set_rho(_pooled(now, earlier, np.broadcast_to(codes, now.shape), panel.n_series, self.per_series))
            if np.abs(self._rho_of(panel.ids) - before).max() < self.tolerance:
                break
            fitted = clone(forecaster, safe=False).fit(self.transform(panel), short=short)
        return fitted

    def _seen_whole(self, fitted: Any) -> Callable[[Panel, int], Forecast]:
        """What forecasts values: the forecaster between ``transform`` and ``inverse``."""

        def predict(past: Panel, n_samples: int) -> Forecast:
            return self.inverse(fitted.predict(self.transform(past), n_samples=n_samples, seed=0), past)

        return predict

    def _report(self, panel: Panel, fitted: Any) -> None:
        """How autocorrelated one-step errors are, with and without the adjustment."""
        errors = one_step_errors(self._seen_whole(fitted), panel, fitted.horizon)
        rho = self._rho_of(errors.ids)
        left = whiteness(errors.values)
        unadjusted = whiteness(_errors_of_values(errors.values, rho))
        self.report_ = pd.DataFrame(
            {
                panel.schema.id_col: errors.ids,
                "rho": rho,
                "n_errors": left.n,
                "lag1_before": unadjusted.lag_one,
                "lag1_after": left.lag_one,
                "ljung_box_before": unadjusted.p_value,
                "ljung_box_after": left.p_value,
            }
        )
        told, n = left.lag_one[np.isfinite(left.lag_one)], left.n.sum()
        pooled = told.mean() if len(told) else 0.0
        if abs(pooled) > max(2 / np.sqrt(max(n, 1)), WORTH_SAYING):
            warnings.warn(
                f"one-step errors are still autocorrelated after the adjustment (lag 1: {pooled:.2f}, mean of "
                f"{len(told)} series); errors of the first order are not all there is: a longer context or a season "
                "in the forecaster may say the rest, report_ has the series",
                UserWarning,
                stacklevel=4,
            )

    def _check(self) -> None:
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be a number above 0, not {self.learning_rate!r}")
        if self.ahead not in ("faded", "summed"):
            raise ValueError(f"ahead must be 'faded' or 'summed', not {self.ahead!r}")
        if isinstance(self.most_rounds, bool) or not isinstance(self.most_rounds, int) or self.most_rounds < 1:
            raise ValueError(f"most_rounds must be a whole number of 1 or more, not {self.most_rounds!r}")

    def _remember(self, panel: Panel) -> None:
        """What ``transform`` and ``inverse`` need of the panel of fit."""
        self.ids_: pd.Index = panel.ids
        self.mean_, self.last_ = _means(panel), _last(panel)
        self.inside_ = False

    def _set_rho(self, rho: np.ndarray) -> None:
        rho = np.clip(rho, -LARGEST, LARGEST)
        self.rho_: Any = pd.Series(rho, index=self.ids_, name="rho") if self.per_series else float(rho[0])

    def _rho_of(self, ids: pd.Index) -> np.ndarray:
        """(N,) of any series."""
        if not self.per_series:
            return np.full(len(ids), self.rho_)
        at = self.ids_.get_indexer(ids)
        rho = self.rho_.to_numpy()
        return np.where(at < 0, rho.mean(), rho[at])

    def _before(self, panel: Panel) -> np.ndarray:
        """(R,) the value that stands before the first of each series: its mean in fit, else its own."""
        at = self.ids_.get_indexer(panel.ids)
        means = self.mean_[at]
        if (at < 0).any():
            means[at < 0] = _means(panel)[at < 0]
        return means.repeat(np.diff(panel.offsets))


def _differenced(part: np.ndarray, rho: float, keep_first: bool) -> np.ndarray:
    """Rows less rho times the one before; the first, which has none before, scaled to the same variance or left out."""
    rest = part[1:] - rho * part[:-1]
    return np.concatenate([np.sqrt(1 - rho**2) * part[:1], rest]) if keep_first else rest


def _lag_one(e: np.ndarray) -> float:
    """Least squares of each error on the one before it, inside (-1, 1)."""
    return float(np.clip(e[1:] @ e[:-1] / max(e[:-1] @ e[:-1], np.finfo(float).tiny), -LARGEST, LARGEST))


def _lagged(panel: Panel, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of neighbours within a history: later value, earlier value, series."""
    owner = panel.owner
    inside = (owner[1:] == owner[:-1]) & panel.in_history[1:]
    return values[1:][inside], values[:-1][inside], owner[1:][inside]


def _pooled(now: np.ndarray, earlier: np.ndarray, owner: np.ndarray, n_series: int, per_series: bool) -> np.ndarray:
    """Least squares of errors on the ones before them: for each series, or over all, each series in its own units."""
    seen = np.isfinite(now) & np.isfinite(earlier)
    now, earlier, owner = now[seen], earlier[seen], owner[seen]
    cross = np.bincount(owner, now * earlier, minlength=n_series)
    power = np.bincount(owner, earlier**2, minlength=n_series)
    known = power > 0
    rho = np.divide(cross, power, out=np.zeros(n_series), where=known)
    if per_series:
        return np.where(known, rho, rho[known].mean() if known.any() else 0.0)
    count = np.bincount(owner, minlength=n_series)
    return np.array([np.average(rho[known], weights=count[known]) if known.any() else 0.0])


def _errors_of_values(new: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """Errors (K, N) without the adjustment, from what was new at each step: ``e[k] = u[k] + rho e[k-1]``."""
    return summed_up(np.nan_to_num(new).T, rho[:, None], np.zeros((1, 1))).T


def _means(panel: Panel) -> np.ndarray:
    """(N,) mean of each history; 0 without a value."""
    owner, seen = panel.owner, np.isfinite(panel.y) & panel.in_history
    count = np.bincount(owner[seen], minlength=panel.n_series)
    return np.bincount(owner[seen], panel.y[seen], minlength=panel.n_series) / np.maximum(count, 1)


def _last(panel: Panel) -> np.ndarray:
    """(N,) last value seen of each history; 0 without one."""
    seen = np.flatnonzero(np.isfinite(panel.y) & panel.in_history)
    last = np.zeros(panel.n_series)
    last[panel.owner[seen]] = panel.y[seen]  # the last assignment stays
    return last
