"""Theta: simple exponential smoothing with half the slope of a trend line as drift."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter

from tsformers.forecasters.local.base import LocalForecaster
from tsformers.forecasters.local.seasonal_profile import LONG_SEASON, interpolated, profile_at, seasonal_profile
from tsformers.forecasters.local.tasks import Params
from tsformers.validation import AtLeast

SEASONALITY_Z = 1.645  # 90 %, the test of the original method
MIN_ROWS = 4


@dataclass(kw_only=True, repr=False, eq=False)
class Theta(LocalForecaster):
    """The Theta method: robust on short series, winner of the M3 competition, the fastest trained model of the package.

    A seasonality test decides whether the season is removed (by classical decomposition: multiplicative for positive
    values, else additive; seasons above 24 rows by the latest season of an STL). The seasonally adjusted series has a
    least-squares slope b. With ``theta = 2`` the mean of the two theta lines is simple exponential smoothing with drift
    ``d = b / 2``:

        y[t] = l[t-1] + d + e[t],   l[t] = l[t-1] + d + a e[t],   e ~ Normal(0, s**2)

    where ``a`` minimises the squared one-step errors of the smoothing without drift, started at the first value. Draws
    follow this state space form, so the variance h steps ahead is ``s**2 (1 + (h - 1) a**2)``. Missing values are
    interpolated linearly. A series takes about one millisecond; statsmodels is not imported for seasons up to 24.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency, 1 = no season.
        n_jobs: processes, as in joblib; started only where the remaining work takes longer than starting them.
        seed: of ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        theta: the drift is ``(theta - 1) / theta`` of the slope; 2 = the original half, 1 = none.

    Returns:
        After ``fit``: ``params_``, one dictionary per series: alpha, drift, sigma, season and whether it multiplies.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that were not in the data of ``fit``.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(8), "y": [3.0, 4, 6, 7, 9, 10, 12, 13]})
        >>> Theta(horizon=2, seed=0).fit(frame).predict(n_samples=500).mean.round(0)
        array([[14., 14.]])

    Source: Assimakopoulos & Nikolopoulos (2000); as exponential smoothing: Hyndman & Billah (2003), section 3.
    """

    theta: Annotated[float, AtLeast(1)] = 2.0

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """Slope, smoothing weight, spread and seasonal pattern of one series ``y`` (T,)."""
        if len(y) < MIN_ROWS:
            raise ValueError(f"{len(y)} rows, Theta needs {MIN_ROWS}")
        y = interpolated(y)
        pattern, multiplies = seasonal_pattern(y, season)
        adjusted = without_season(y, pattern, multiplies, 0)
        slope = float(np.polyfit(np.arange(len(y)), adjusted, 1)[0])
        alpha = smoothing_weight(adjusted)
        drift = (self.theta - 1) / self.theta * slope
        errors = one_step_errors(adjusted, alpha, drift)
        sigma = float(np.sqrt(errors @ errors / max(len(errors) - 2, 1)))
        return {"alpha": alpha, "drift": drift, "sigma": sigma, "pattern": pattern, "multiplies": multiplies}

    def simulate(
        self, params: Params, y: np.ndarray, start: int, horizon: int, n_samples: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws (S, H) of smoothing with drift from the end of ``y`` (T,)."""
        pattern, multiplies = params["pattern"], params["multiplies"]
        adjusted = without_season(interpolated(y), pattern, multiplies, start)
        alpha, drift = params["alpha"], params["drift"]
        level = (
            adjusted[-1] if len(y) == 1 else adjusted[-1] - one_step_errors(adjusted, alpha, drift)[-1] * (1 - alpha)
        )
        errors = rng.standard_normal((n_samples, horizon)) * params["sigma"]
        before = np.cumsum(errors, axis=1) - errors
        paths = level + drift * np.arange(1, horizon + 1) + alpha * before + errors
        season = profile_at(pattern, start + len(y), horizon)
        return paths * season if multiplies else paths + season


def one_step_errors(y: np.ndarray, alpha: float, drift: float) -> np.ndarray:
    """One-step errors (T - 1,) of smoothing from ``y[0]``: ``e[t+1] = y[t+1] - y[t] - d + (1 - a) e[t]``.

    Example:
        >>> one_step_errors(np.array([1.0, 3.0, 3.0]), 0.5, 0.0)
        array([2., 1.])
    """
    return lfilter([1.0], [1.0, alpha - 1.0], np.diff(y) - drift)


def smoothing_weight(y: np.ndarray) -> float:
    """The weight in [0, 1] with the least squared one-step errors: the best of a grid, then refined around it.

    Example:
        >>> smoothing_weight(np.arange(5.0))
        1.0
    """
    grid = np.linspace(0.0, 1.0, 21)

    def loss(alpha: float) -> float:
        errors = one_step_errors(y, alpha, 0.0)
        return float(errors @ errors)

    losses = [loss(alpha) for alpha in grid]
    best = int(np.argmin(losses))
    neighbours = (grid[max(best - 1, 0)], grid[min(best + 1, 20)])
    refined = minimize_scalar(loss, bounds=neighbours, method="bounded", options={"xatol": 1e-6})
    return float(refined.x) if refined.fun < losses[best] else float(grid[best])


def is_seasonal(y: np.ndarray, season: int) -> bool:
    """The autocorrelation of ``y`` (T,) at one season is outside its 90 % bounds under a moving average of lower order.

    Example:
        >>> is_seasonal(np.tile([1.0, 0.0, -1.0, 0.0], 5), 4)
        True
    """
    centred = y - y.mean()
    rho = np.array([centred[lag:] @ centred[: len(y) - lag] for lag in range(1, season + 1)]) / (centred @ centred)
    return bool(abs(rho[-1]) > SEASONALITY_Z * np.sqrt((1 + 2 * rho[:-1] @ rho[:-1]) / len(y)))


def seasonal_pattern(y: np.ndarray, season: int) -> tuple[np.ndarray, bool]:
    """Seasonal terms (m,) by position ``row % m``, and whether they multiply; a single zero without a season.

    Example:
        >>> seasonal_pattern(np.tile([1.0, 0.0, -1.0, 0.0], 5), 4)
        (array([ 1.,  0., -1.,  0.]), False)
    """
    if season == 1 or len(y) < 2 * season or not is_seasonal(y, season):
        return np.zeros(1), False
    if season > LONG_SEASON:
        return seasonal_profile(y, season), False
    if y.min() > 0:
        factors = classical_season(y, season, multiplies=True)
        if factors.min() > 0:
            return factors, True
    return classical_season(y, season, multiplies=False), False


def classical_season(y: np.ndarray, season: int, multiplies: bool) -> np.ndarray:
    """Means (m,), by season position, of ``y`` (T,) without its centred moving average; they average 1 or 0.

    Example:
        >>> classical_season(np.tile([1.0, 3.0], 5), 2, multiplies=True)
        array([0.5, 1.5])
    """
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    trend = np.convolve(y, weights / season, mode="valid")
    half = season // 2
    inner = y[half : half + len(trend)]
    parts = inner / trend if multiplies else inner - trend
    position = np.arange(half, half + len(trend)) % season
    means = np.bincount(position, weights=parts, minlength=season) / np.bincount(position, minlength=season)
    return means / means.mean() if multiplies else means - means.mean()


def without_season(y: np.ndarray, pattern: np.ndarray, multiplies: bool, start: int) -> np.ndarray:
    """``y`` (T,), whose first row is ``start`` steps after that of the training history, seasonally adjusted.

    Example:
        >>> without_season(np.array([4.0, 2.0]), np.array([1.0, -1.0]), False, 2)
        array([3., 3.])
    """
    season = profile_at(pattern, start, len(y))
    return y / season if multiplies else y - season
