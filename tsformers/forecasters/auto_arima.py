"""AutoARIMA: seasonal ARIMA, its orders found by stepwise search."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import least_squares
from scipy.signal import lfilter

from tsformers.forecasters.local.base import LocalForecaster, Params
from tsformers.forecasters.local.seasonal_profile import LONG_SEASON, filled, placed, seasonal_profile

SHORTEST = 10
KPSS_CRITICAL = 0.463  # 5 % level of level stationarity: Kwiatkowski et al. (1992), table 1
STRONG_SEASON = 0.64  # Wang, Smith & Hyndman (2006); the threshold is that of R's forecast package
SMALLEST_ROOT = 1.01  # Hyndman & Khandakar (2008), section 3.2: no nearly non-stationary or non-invertible model
MOST_ORDERS = 94  # models a search may try, as there
FINALISTS = 3  # best models of the search that are fitted by exact likelihood
STEADY = 1e-9  # a filter whose gain changes less has settled, and costs little from there on
EXACT_SEASON, EXACT_ROWS = 12, 1000  # beyond these an exact fit takes many seconds; the search's estimates are kept


class Order(NamedTuple):
    """What the search moves: orders of the autoregression and moving average, plain and seasonal; a constant."""

    p: int
    q: int
    sp: int
    sq: int
    constant: bool


class Fit(NamedTuple):
    """One model: its order, coefficients in statsmodels' sequence, variance of its errors, AICc."""

    order: Order
    coefficients: np.ndarray
    sigma2: float
    aicc: float


@dataclass(kw_only=True, repr=False, eq=False)
class AutoARIMA(LocalForecaster):
    """Seasonal ARIMA by the stepwise search of Hyndman and Khandakar.

    ``(1 - f(B)) (1 - F(B^m)) ((1 - B)^d (1 - B^m)^D y[t] - c) = (1 + g(B)) (1 + G(B^m)) e[t]``, ``e ~ Normal(0, s^2)``.
    D is 1 where the season is strong, d the number of differences until the KPSS test is silent. The orders of f, F, g,
    G and the constant start from four small models and move by one at a time while AICc falls, by the likelihood of the
    conditional sum of squares; models with a root within 1.01 of the unit circle are passed over. The three best
    are then fitted by exact maximum likelihood (statsmodels' SARIMAX, state space), and the least exact AICc wins.

    What it costs: 0.1 to 0.5 s a series of 100 to 200 quarterly or monthly values, most of it in the exact fits. These
    are left out, and the estimates of the search kept, for seasons above 12 or more than 1000 rows: 0.2 s for 960
    hourly values, whose prediction costs as much again, the state having 50 entries. A season
    above 24 rows is taken out first as one fixed additive pattern, the latest season of an STL. Missing values are
    interpolated in the search, and left to the Kalman filter in the exact fits and in prediction.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season, m; None takes it from the frequency, 1 = no season.
        n_jobs: processes, in joblib's counting; started only when the work left is worth it.
        seed: seeds ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        max_p: highest order of f and g.
        max_seasonal: highest order of F and G.
        max_order: highest sum of the four orders.
        max_d: most differences, 0 to 2.

    Returns:
        After ``fit``: ``params_``, one dictionary a series: order, seasonal order, coefficients, variance, AICc.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that ``fit`` has not seen.

    Example:
        >>> import pandas as pd
        >>> walk = np.cumsum(np.random.default_rng(1).normal(size=60))
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": walk})
        >>> AutoARIMA(horizon=4, seed=0).fit(frame).params_[0]["order"]
        (0, 1, 0)

    Source: Hyndman & Khandakar (2008), Automatic time series forecasting: the forecast package for R, section 3.
    """

    max_p: int = 5
    max_seasonal: int = 2
    max_order: int = 5
    max_d: int = 2

    def check(self) -> None:
        """The settings are in range, else ValueError with the remedy."""
        super().check()
        for name, most in (("max_p", 10), ("max_seasonal", 3), ("max_order", 20), ("max_d", 2)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from 0 to {most}, not {getattr(self, name)!r}")

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """Orders and coefficients of one series ``y`` (T,)."""
        if np.isfinite(y).sum() < SHORTEST:
            raise ValueError(f"{np.isfinite(y).sum()} values, AutoARIMA needs {SHORTEST}")
        profile = np.zeros(1)
        if season > LONG_SEASON:
            if len(y) >= 2 * season:
                profile = seasonal_profile(y, season)
            season = 1
        season = season if len(y) >= 3 * season else 1
        y = y - placed(profile, 0, len(y))
        scale = float(np.nanstd(y))
        y = y / scale
        whole = filled(y)
        seasonal_d = int(seasonal_strength(whole, season) > STRONG_SEASON)
        w = np.subtract(whole[season:], whole[:-season]) if seasonal_d else whole
        d = differences_needed(w, self.max_d)
        w = np.diff(w, d)
        if np.ptp(w) < 1e-12:
            raise ValueError("constant after differencing")
        best = self.search(w, season, d + seasonal_d <= 1)[:FINALISTS]
        if season <= EXACT_SEASON and len(y) <= EXACT_ROWS:
            exact = [exact_fit(y, fit, d, seasonal_d, season) for fit in best]
            best = sorted((fit for fit in exact if fit), key=lambda fit: fit.aicc) or best
        fit = best[0]
        order, spare = fit.order, len(w) - len(fit.coefficients)
        return {
            "order": (order.p, d, order.q),
            "seasonal_order": (order.sp, seasonal_d, order.sq, season if season > 1 else 0),
            "constant": order.constant,
            "coefficients": fit.coefficients,
            "sigma2": fit.sigma2 * len(w) / max(spare, 1),
            "aicc": fit.aicc,
            "scale": scale,
            "profile": profile,
        }

    def search(self, w: np.ndarray, season: int, may_drift: bool) -> list[Fit]:
        """Models of the differenced ``w`` that the stepwise search has visited, the best first."""
        tops = (self.max_p, self.max_p, *[self.max_seasonal if season > 1 else 0] * 2)

        def allowed(order: Order) -> bool:
            sizes = order[:4]
            within = all(0 <= size <= top for size, top in zip(sizes, tops, strict=True))
            return within and sum(sizes) <= self.max_order and (may_drift or not order.constant)

        return stepwise(lambda order: conditional_fit(w, order, season), allowed, tops, may_drift)

    def simulate(
        self, params: Params, y: np.ndarray, start: int, horizon: int, n_samples: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws (S, H) from the state space form, filtered through ``y`` (T,) with its missing values."""
        _, d, _ = params["order"]
        _, seasonal_d, _, season = params["seasonal_order"]
        if np.isfinite(y).sum() <= d + seasonal_d * season:
            raise ValueError(f"{len(y)} rows do not reach over the model's differences")
        profile, scale = params["profile"], params["scale"]
        adjusted = (y - placed(profile, start, len(y))) / scale
        level = adjusted[0] if d + seasonal_d else 0.0  # a differenced model knows no level, the filter's start does
        paths = state_space_draws(params, adjusted - level, horizon, n_samples, rng)
        return (paths + level) * scale + placed(profile, start + len(y), horizon)


def seasonal_strength(y: np.ndarray, season: int) -> float:
    """``max(0, 1 - var(remainder) / var(season + remainder))`` of an STL decomposition; 0 without a season."""
    from statsmodels.tsa.seasonal import STL

    if season == 1:
        return 0.0
    parts = STL(y, period=season).fit()
    both = np.var(parts.seasonal + parts.resid)
    return max(0.0, 1 - float(np.var(parts.resid) / both)) if both > 0 else 0.0


def kpss(y: np.ndarray) -> float:
    """The KPSS statistic of level stationarity, with ``3 sqrt(T) / 13`` lags of a Bartlett window."""
    errors, n = y - y.mean(), len(y)
    lags = int(3 * np.sqrt(n) / 13)
    covariances = np.array([errors[lag:] @ errors[: n - lag] for lag in range(lags + 1)]) / n
    long_run = covariances[0] + 2 * (1 - np.arange(1, lags + 1) / (lags + 1)) @ covariances[1:]
    return float(np.sum(np.cumsum(errors) ** 2) / n**2 / long_run)


def differences_needed(y: np.ndarray, most: int) -> int:
    """How often ``y`` (T,) is differenced until the KPSS test does not reject level stationarity."""
    for d in range(most):
        if np.ptp(y) < 1e-12 or kpss(y) < KPSS_CRITICAL:
            return d
        y = np.diff(y)
    return most


def stepwise(
    fit: Callable[[Order], Fit | None], allowed: Callable[[Order], bool], tops: tuple[int, ...], drift: bool
) -> list[Fit]:
    """All models fitted on the way from four small ones downhill to a least AICc, the best first."""
    starts = [(2, 2, 1, 1), (0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1)]
    capped = [[min(size, top) for size, top in zip(start, tops, strict=True)] for start in starts]
    orders = [Order(p, q, sp, sq, drift) for p, q, sp, sq in capped]
    tried: dict[Order, Fit | None] = {}

    def visit(order: Order) -> float:
        if order not in tried:
            tried[order] = fit(order)
        found = tried[order]
        return found.aicc if found else np.inf

    best = min([order for order in orders if allowed(order)] or orders[1:2], key=visit)
    while len(tried) < MOST_ORDERS:
        better = next((o for o in neighbours(best) if allowed(o) and o not in tried and visit(o) < visit(best)), None)
        if better is None:
            break
        best = better
    found = sorted((one for one in tried.values() if one), key=lambda one: one.aicc)
    if not found:
        raise ValueError("no ARIMA model of the search is stationary and invertible")
    return found


def neighbours(order: Order) -> list[Order]:
    """Orders one step away: each of the four by one, both plain or both seasonal ones together, the constant."""
    steps = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)]
    p, q, sp, sq, constant = order
    seasonal = [Order(p, q, sp + a, sq + b, constant) for a, b in steps]
    plain = [Order(p + a, q + b, sp, sq, constant) for a, b in steps]
    return [*seasonal, *plain, order._replace(constant=not constant)]


def stationary(free: np.ndarray) -> np.ndarray:
    """Coefficients of a stationary autoregression from any numbers: ``tanh`` of these are partial autocorrelations.

    Source: Monahan (1984), A note on enforcing stationarity in autoregressive-moving average models.
    """
    coefficients = np.zeros(0)
    for partial in np.tanh(free):
        coefficients = np.r_[coefficients - partial * coefficients[::-1], partial]
    return coefficients


def polynomials(free: np.ndarray, order: Order) -> list[np.ndarray]:
    """Coefficients of f, g, F and G (autoregressive with their own sign, moving average too) from any numbers."""
    parts = np.split(free, np.cumsum(order[:4])[:-1])
    return [sign * stationary(part) for part, sign in zip(parts, (1, -1, 1, -1), strict=True)]


def spread(coefficients: np.ndarray, season: int) -> np.ndarray:
    """The polynomial ``1 + c1 B^m + c2 B^2m + ...`` as powers of B."""
    powers = np.zeros(len(coefficients) * season + 1)
    powers[0] = 1.0
    powers[season::season] = coefficients
    return powers


def conditional_fit(w: np.ndarray, order: Order, season: int) -> Fit | None:
    """Least squares of the one-step errors, values before the first being at the mean; None near a unit root."""
    n, k = len(w), sum(order[:4]) + order.constant + 1
    if n - k - 1 <= 0:
        return None

    def errors(free: np.ndarray) -> np.ndarray:
        mean = free[-1] if order.constant else 0.0
        f, g, sf, sg = polynomials(free[: sum(order[:4])], order)
        left = np.convolve(spread(-f, 1), spread(-sf, season))
        right = np.convolve(spread(g, 1), spread(sg, season))
        return lfilter(left, right, w - mean)

    first = np.r_[np.zeros(sum(order[:4])), [w.mean()] * order.constant]
    # "dogbox", for scipy's "lm" answers differently from call to call in the ninth digit: same seed, same bits
    free = least_squares(errors, first, method="dogbox", max_nfev=60).x if len(first) else first
    f, g, sf, sg = polynomials(free[: sum(order[:4])], order)
    for coefficients in (-f, g, -sf, sg):
        roots = np.roots(np.r_[1.0, coefficients])  # of the reversed polynomial: the inverses
        if len(roots) and np.abs(roots).max() > 1 / SMALLEST_ROOT:
            return None
    final = errors(free)
    sigma2 = float(final @ final / n)
    if not sigma2 > 0:
        return None
    intercept = [free[-1] * (1 - f.sum()) * (1 - sf.sum())] if order.constant else []
    aicc = n * (np.log(2 * np.pi * sigma2) + 1) + 2 * k * n / (n - k - 1)
    return Fit(order, np.r_[intercept, f, g, sf, sg], sigma2, float(aicc))


def state_space(y: np.ndarray, order: tuple[int, int, int], seasonal: tuple[int, int, int, int], constant: bool) -> Any:
    """The SARIMAX of statsmodels with the given orders, on ``y`` (T,)."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    model = SARIMAX(y, order=order, seasonal_order=seasonal, trend="c" if constant else "n")
    model.ssm.tolerance = STEADY
    return model


def exact_fit(y: np.ndarray, fit: Fit, d: int, seasonal_d: int, season: int) -> Fit | None:
    """``fit`` again by exact maximum likelihood on ``y`` (T,), NaN being missing; None where that fails."""
    order = fit.order
    seasonal = (order.sp, seasonal_d, order.sq, season if season > 1 else 0)
    level = y[0] if d + seasonal_d else 0.0
    try:
        model = state_space(y - level, (order.p, d, order.q), seasonal, order.constant)
        result = model.fit(
            np.r_[fit.coefficients, fit.sigma2], method="lbfgs", maxiter=100, disp=False, cov_type="none"
        )
    except (ValueError, np.linalg.LinAlgError):
        return None
    values = np.asarray(result.params, float)
    if not (np.isfinite(values).all() and np.isfinite(result.aicc)):
        return None
    return Fit(order, values[:-1], float(values[-1]), float(result.aicc))


def state_space_draws(
    params: Params, y: np.ndarray, horizon: int, n_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws (S, H): a state from its distribution after ``y`` (T,), then the transition step by step."""
    model = state_space(y, params["order"], params["seasonal_order"], params["constant"])
    filtered = model.filter(np.r_[params["coefficients"], params["sigma2"]]).filter_results
    design, transition, selection = (model.ssm[name] for name in ("design", "transition", "selection"))
    mean, covariance = filtered.predicted_state[:, -1], filtered.predicted_state_cov[..., -1]
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    root = vectors * np.sqrt(np.clip(values, 0, None))  # rounding leaves eigenvalues of -1e-20
    states = mean + rng.standard_normal((n_samples, len(mean))) @ root.T
    shocks = rng.standard_normal((horizon, n_samples, 1)) * np.sqrt(params["sigma2"])
    intercept = model.ssm["state_intercept"].reshape(len(mean), -1)[:, -1]
    paths = np.empty((n_samples, horizon))
    for step in range(horizon):
        paths[:, step] = states @ design[0]
        states = states @ transition.T + intercept + shocks[step] @ selection.T
    return paths
