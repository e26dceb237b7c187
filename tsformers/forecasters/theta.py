"""Theta: exponential smoothing with a share of a trend line's slope, standard or dynamic and optimised."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from tsformers.errors import TsformersError
from tsformers.forecasters.local.base import LocalForecaster
from tsformers.forecasters.local.draws import normals
from tsformers.forecasters.local.tasks import Params
from tsformers.forecasters.local.theta_kernels import (
    dynamic_filter,
    dynamic_fit,
    dynamic_paths,
    initial_level,
    observed_line,
    smoothed,
    smoothing_weight,
)
from tsformers.forecasters.local.theta_season import seasonal_pattern
from tsformers.messages import Setting
from tsformers.validation import AtLeast

MIN_ROWS = 4  # observed
LEAST, MOST = 0.1, 0.99  # weights of the dynamic model, as in the authors' package


@dataclass(kw_only=True, repr=False, eq=False)
class Theta(LocalForecaster):
    """The Theta method: robust on short series, winner of the M3 competition, the fastest trained model of the package.

    A seasonality test decides whether the season is removed (by classical decomposition: multiplicative for positive
    values, else additive; seasons above 24 rows where the data show them, as in all local models). The seasonally
    adjusted series has a least-squares slope b. With ``theta = 2`` the mean of the two theta lines is simple
    exponential smoothing with drift ``d = b / 2``:

        y[t] = l[t-1] + d + e[t],   l[t] = l[t-1] + d + a e[t],   e ~ Normal(0, s**2)

    where ``a`` maximises the likelihood of the smoothing without drift, started at the first value. Draws follow this
    state space form, so the variance h steps ahead is ``s**2 (1 + (h - 1) a**2)``.

    ``method="dynamic"`` is the dynamic optimised Theta model: the trend line is that of the rows so far, and the
    smoothing weight, the initial level and theta maximise the likelihood together:

        y[t] = l[t-1] + (1 - 1/theta) ((1-a)**(t-1) A[t-1] + (1 - (1-a)**t) / a B[t-1]) + e[t]
        l[t] = a y[t] + (1-a) l[t-1],   A[t], B[t] = intercept and slope of the least-squares line of y[1..t]

    For a given weight its errors are linear in initial level and 1 - 1/theta, so one search over the weight (0.1 to
    0.99) finds the optimum. Each draw is continued through its own level and line.

    Missing values are skipped: they add ``a**2 s**2`` each to the variance of the level, until values come again. The
    standard errors of the season enter the draws.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency, 1 = no season.
        n_jobs: threads; started only where the remaining work takes longer than starting them.
        seed: of ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        method: "standard", or "dynamic": slower, often better on long series with a changing trend.
        theta: of the standard method; the drift is ``(theta - 1) / theta`` of the slope: 2 = the original half, 1 =
            none. The dynamic method estimates it.

    Returns:
        After ``fit``: ``params_``, one dictionary per series: alpha, sigma, seasonal pattern, its standard errors and
        whether it multiplies; drift, or (dynamic) initial level and ``w = 1 - 1/theta``.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that were not in the data of ``fit``.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(8), "y": [3.0, 4, 6, 7, 9, 10, 12, 13]})
        >>> Theta(horizon=2, seed=0).fit(frame).predict(n_samples=500).mean.round(1)
        array([[13.7, 14.5]])
        >>> Theta(horizon=2, method="dynamic", seed=0).fit(frame).predict(n_samples=500).mean.round(1)
        array([[14.4, 15.7]])

    Source: Assimakopoulos & Nikolopoulos (2000); as exponential smoothing: Hyndman & Billah (2003), section 3; dynamic:
    Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler (2016), section 3.2.
    """

    method: Literal["standard", "dynamic"] = "standard"
    theta: Annotated[float, AtLeast(1)] = 2.0

    compiled: ClassVar[bool] = True
    stratified: ClassVar[bool] = True

    def removes_long_seasons(self) -> bool:
        """Seasons above 24 rows are tested and removed by the base."""
        return True

    def check(self) -> None:
        """The settings are in range, and none is idle."""
        super().check()
        if self.method == "dynamic" and self.theta != 2:
            raise TsformersError(
                Setting("theta", self.theta), " belongs to ", Setting("method", "standard"), "; the dynamic method "
                "estimates theta: leave it out",
            )  # fmt: skip

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """Slope, smoothing weight, spread and seasonal pattern of one series ``y`` (T,)."""
        observed = np.count_nonzero(~np.isnan(y))
        if observed < MIN_ROWS:
            raise ValueError(f"{observed} observed rows, Theta needs {MIN_ROWS}")
        pattern, errors, multiplies = seasonal_pattern(y, season)
        adjusted = without_season(y, pattern, multiplies, 0)
        params: Params = {"pattern": pattern, "pattern_errors": errors, "multiplies": multiplies}
        if self.method == "dynamic":
            alpha, level, w = dynamic_fit(adjusted, LEAST, MOST)
            end = dynamic_filter(adjusted, alpha, level, w)
            sigma = float(np.sqrt(end.squares / max(end.n_errors - 3, 1)))
            return {"alpha": alpha, "level": float(adjusted[0] + level), "w": w, "sigma": sigma, **params}
        alpha = smoothing_weight(adjusted)
        drift = (self.theta - 1) / self.theta * observed_line(adjusted, adjusted[0])[0]
        end = smoothed(adjusted, alpha, drift)
        sigma = float(np.sqrt(end.squares / max(end.n_errors - 2, 1)))
        return {"alpha": alpha, "drift": drift, "sigma": sigma, **params}

    def simulate(
        self, params: Params, y: np.ndarray, start: int, horizon: int, n_samples: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws (S, H) of the state space form from the end of ``y`` (T,); rows i and i + S // 2 are antithetic."""
        pattern, alpha, sigma = params["pattern"], params["alpha"], params["sigma"]
        adjusted = without_season(y, pattern, params["multiplies"], start)
        places = min(len(pattern), horizon) if len(pattern) > 1 else 0
        noise = normals(rng, n_samples, horizon + 1 + places)
        errors, first = noise[:, :horizon] * sigma, adjusted[0]
        if "drift" in params:
            end = smoothed(adjusted, alpha, params["drift"])
            level_errors = noise[:, horizon] * (sigma * np.sqrt(end.gap))
            middle = end.level + params["drift"] * np.arange(1, horizon + 1)
            paths = middle + level_errors[:, None] + alpha * (np.cumsum(errors, axis=1) - errors) + errors
        else:
            level = params["level"] - first if start == 0 else initial_level(adjusted, alpha, params["w"])
            end = dynamic_filter(adjusted, alpha, level, params["w"])
            level_errors = noise[:, horizon] * (sigma * np.sqrt(end.gap))
            paths = dynamic_paths(len(y), end, alpha, params["w"], level_errors, errors)
        if not places:
            return paths + first
        ahead = np.arange(horizon)
        errors_ahead = params["pattern_errors"].take(start + len(y) + ahead, mode="wrap")
        doubts = noise[:, horizon + 1 + ahead % places] * errors_ahead
        season = pattern.take(start + len(y) + ahead, mode="wrap")
        if params["multiplies"]:  # the doubt multiplies the middle, so that the draws stay antithetic
            middle = (paths[0] + paths[n_samples // 2]) / 2 if n_samples > 1 else paths[0]
            return (paths + first) * season + (middle + first) * doubts
        return paths + first + season + doubts


def without_season(y: np.ndarray, pattern: np.ndarray, multiplies: bool, start: int) -> np.ndarray:
    """``y`` (T,), whose first row is ``start`` steps after that of the training history, seasonally adjusted.

    Example:
        >>> without_season(np.array([4.0, 2.0]), np.array([1.0, -1.0]), False, 2)
        array([3., 3.])
    """
    season = pattern.take(np.arange(start, start + len(y)), mode="wrap")
    return y / season if multiplies else y - season
