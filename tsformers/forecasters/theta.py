"""Theta: simple exponential smoothing with half the drift of a trend line."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter

from tsformers.forecasters.local.base import LocalForecaster, Params
from tsformers.forecasters.local.seasonal_profile import LONG_SEASON, filled, placed, seasonal_profile

SEASONALITY_Z = 1.645  # 90 %, the test of the original method
SHORTEST = 4


@dataclass(kw_only=True, repr=False, eq=False)
class Theta(LocalForecaster):
    """The Theta method: robust on short series, the winner of the M3 competition, and the cheapest model here.

    A seasonality test decides whether the season is taken out (by classical decomposition: multiplicative for positive
    values, else additive; seasons above 24 rows by the latest season of an STL). What is left has a least-squares slope
    b. With ``theta = 2`` the mean of the two theta lines is simple exponential smoothing with drift ``d = b / 2``:

        y[t] = l[t-1] + d + e[t],   l[t] = l[t-1] + d + a e[t],   e ~ Normal(0, s**2)

    where ``a`` minimises the squared one-step errors of the smoothing without drift, started at the first value. Draws
    follow this state space form, so the variance h steps ahead is ``s**2 (1 + (h - 1) a**2)``. Missing values are
    interpolated linearly. About one millisecond a series; nothing of statsmodels is loaded for seasons up to 24.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency, 1 = no season.
        n_jobs: processes, in joblib's counting; started only when the work left is worth it.
        seed: seeds ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        theta: the drift is ``(theta - 1) / theta`` of the slope; 2 = the original half, 1 = none.

    Returns:
        After ``fit``: ``params_``, one dictionary a series with alpha, drift, sigma, season and whether it multiplies.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that ``fit`` has not seen.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(8), "y": [3.0, 4, 6, 7, 9, 10, 12, 13]})
        >>> Theta(horizon=2, seed=0).fit(frame).predict(n_samples=500).mean.round(0)
        array([[14., 14.]])

    Source: Assimakopoulos & Nikolopoulos (2000); as exponential smoothing: Hyndman & Billah (2003), section 3.
    """

    theta: float = 2.0

    def check(self) -> None:
        """The settings are in range, else ValueError with the remedy."""
        super().check()
        if self.theta < 1:
            raise ValueError(f"theta must be 1 or more, not {self.theta}")

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """Slope, smoothing weight, spread and seasonal pattern of one series ``y`` (T,)."""
        if len(y) < SHORTEST:
            raise ValueError(f"{len(y)} rows, Theta needs {SHORTEST}")
        y = filled(y)
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
        adjusted = without_season(filled(y), pattern, multiplies, start)
        alpha, drift = params["alpha"], params["drift"]
        level = (
            adjusted[-1] if len(y) == 1 else adjusted[-1] - one_step_errors(adjusted, alpha, drift)[-1] * (1 - alpha)
        )
        errors = rng.standard_normal((n_samples, horizon)) * params["sigma"]
        before = np.cumsum(errors, axis=1) - errors
        paths = level + drift * np.arange(1, horizon + 1) + alpha * before + errors
        season = placed(pattern, start + len(y), horizon)
        return paths * season if multiplies else paths + season


def one_step_errors(y: np.ndarray, alpha: float, drift: float) -> np.ndarray:
    """One-step errors (T - 1,) of smoothing from ``y[0]``: ``e[t+1] = y[t+1] - y[t] - d + (1 - a) e[t]``."""
    return lfilter([1.0], [1.0, alpha - 1.0], np.diff(y) - drift)


def smoothing_weight(y: np.ndarray) -> float:
    """The weight in [0, 1] with the least squared one-step errors: the best of a grid, then refined beside it."""
    grid = np.linspace(0.0, 1.0, 21)

    def loss(alpha: float) -> float:
        errors = one_step_errors(y, alpha, 0.0)
        return float(errors @ errors)

    losses = [loss(alpha) for alpha in grid]
    best = int(np.argmin(losses))
    beside = (grid[max(best - 1, 0)], grid[min(best + 1, 20)])
    refined = minimize_scalar(loss, bounds=beside, method="bounded", options={"xatol": 1e-6})
    return float(refined.x) if refined.fun < losses[best] else float(grid[best])


def is_seasonal(y: np.ndarray, season: int) -> bool:
    """The autocorrelation of ``y`` (T,) at one season is beyond its 90 % bounds under a moving average below it."""
    centred = y - y.mean()
    rho = np.array([centred[lag:] @ centred[: len(y) - lag] for lag in range(1, season + 1)]) / (centred @ centred)
    return bool(abs(rho[-1]) > SEASONALITY_Z * np.sqrt((1 + 2 * rho[:-1] @ rho[:-1]) / len(y)))


def seasonal_pattern(y: np.ndarray, season: int) -> tuple[np.ndarray, bool]:
    """Seasonal terms (m,) by place ``row % m``, and whether they multiply; a single zero where there is no season."""
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
    """Means (m,), by place of the season, of ``y`` without its centred moving average; they average 1 or 0."""
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    trend = np.convolve(y, weights / season, mode="valid")
    half = season // 2
    inner = y[half : half + len(trend)]
    parts = inner / trend if multiplies else inner - trend
    place = np.arange(half, half + len(trend)) % season
    means = np.bincount(place, weights=parts, minlength=season) / np.bincount(place, minlength=season)
    return means / means.mean() if multiplies else means - means.mean()


def without_season(y: np.ndarray, pattern: np.ndarray, multiplies: bool, start: int) -> np.ndarray:
    """``y`` (T,), which begins ``start`` steps into the training history, seasonally adjusted."""
    season = placed(pattern, start, len(y))
    return y / season if multiplies else y - season
