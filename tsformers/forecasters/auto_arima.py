"""AutoARIMA: seasonal ARIMA with orders from a stepwise search."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
from scipy.optimize import least_squares
from scipy.signal import lfilter

from tsformers.forecasters.local.base import LocalForecaster
from tsformers.forecasters.local.seasonal_profile import LONG_SEASON, interpolated, profile_at, seasonal_profile
from tsformers.forecasters.local.tasks import Params
from tsformers.validation import Between

MIN_ROWS = 10  # observed values
KPSS_CRITICAL = 0.463  # 5 % level of level stationarity: Kwiatkowski et al. (1992), table 1
STRONG_SEASON = 0.64  # of Wang, Smith & Hyndman (2006); threshold of R's forecast package
SMALLEST_ROOT = 1.01  # Hyndman & Khandakar (2008), section 3.2: no nearly non-stationary or non-invertible model
MAX_MODELS = 94  # fitted in one search, as in R's forecast package
FINALISTS = 3  # best models of the search that are fitted by exact likelihood
STEADY_STATE_TOLERANCE = 1e-9  # the Kalman gain counts as constant below this change, which is faster
MAX_EXACT_SEASON, MAX_EXACT_ROWS = 12, 1000  # above, an exact fit takes many seconds; the estimates of the search stay


class Order(NamedTuple):
    """What the search varies: orders of autoregression and moving average, non-seasonal and seasonal; a constant."""

    p: int
    q: int
    sp: int
    sq: int
    constant: bool


class Fit(NamedTuple):
    """One model: its order, coefficients in the sequence of statsmodels, variance of its errors, AICc."""

    order: Order
    coefficients: np.ndarray
    sigma2: float
    aicc: float


@dataclass(kw_only=True, repr=False, eq=False)
class AutoARIMA(LocalForecaster):
    """Seasonal ARIMA by the stepwise search of Hyndman and Khandakar.

    ``(1 - f(B)) (1 - F(B^m)) ((1 - B)^d (1 - B^m)^D y[t] - c) = (1 + g(B)) (1 + G(B^m)) e[t]``, ``e ~ Normal(0, s^2)``.
    D is 1 where the season is strong, d the number of differences until the KPSS test no longer rejects. The orders of
    f, F, g, G and the constant start from four small models and change by one at a time while AICc falls, by the
    likelihood of the conditional sum of squares; models with a root within 1.01 of the unit circle are skipped. The
    three best are then fitted by exact maximum likelihood (statsmodels' SARIMAX, state space), and the one with the
    least exact AICc is kept.

    A series of 100 to 200 quarterly or monthly values takes 0.1 to 0.5 s, most of it in the exact fits. These are left
    out, and the estimates of the search kept, for seasons above 12 or more than 1000 rows: 960 hourly values take
    0.2 s, and their prediction as much again, the state having 50 entries. A season above 24 rows is removed first as
    one fixed additive pattern, the latest season of an STL. Missing values are interpolated in the search, and left to
    the Kalman filter in the exact fits and in prediction.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season, m; None takes it from the frequency, 1 = no season.
        n_jobs: processes, as in joblib; started only where the remaining work takes longer than starting them.
        seed: of ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        max_p: highest order of f and g.
        max_seasonal: highest order of F and G.
        max_order: highest sum of the four orders.
        max_d: most differences, 0 to 2.

    Returns:
        After ``fit``: ``params_``, one dictionary per series: order, seasonal order, coefficients, variance, AICc.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that were not in the data of ``fit``.

    Example:
        >>> import pandas as pd
        >>> walk = np.cumsum(np.random.default_rng(1).normal(size=60))
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": walk})
        >>> AutoARIMA(horizon=4, seed=0).fit(frame).params_[0]["order"]
        (0, 1, 0)

    Source: Hyndman & Khandakar (2008), Automatic time series forecasting: the forecast package for R, section 3.
    """

    max_p: Annotated[int, Between(0, 10)] = 5
    max_seasonal: Annotated[int, Between(0, 3)] = 2
    max_order: Annotated[int, Between(0, 20)] = 5
    max_d: Annotated[int, Between(0, 2)] = 2

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """Orders and coefficients of one series ``y`` (T,)."""
        if np.isfinite(y).sum() < MIN_ROWS:
            raise ValueError(f"{np.isfinite(y).sum()} values, AutoARIMA needs {MIN_ROWS}")
        profile = np.zeros(1)
        if season > LONG_SEASON:
            if len(y) >= 2 * season:
                profile = seasonal_profile(y, season)
            season = 1
        season = season if len(y) >= 3 * season else 1
        y = y - profile_at(profile, 0, len(y))
        scale = float(np.nanstd(y))
        y = y / scale
        complete = interpolated(y)
        seasonal_d = int(seasonal_strength(complete, season) > STRONG_SEASON)
        w = np.subtract(complete[season:], complete[:-season]) if seasonal_d else complete
        d = differences_needed(w, self.max_d)
        w = np.diff(w, d)
        if np.ptp(w) < 1e-12:
            raise ValueError("constant after differencing")
        best = self.search(w, season, d + seasonal_d <= 1)[:FINALISTS]
        if season <= MAX_EXACT_SEASON and len(y) <= MAX_EXACT_ROWS:
            exact = [exact_fit(y, fit, d, seasonal_d, season) for fit in best]
            best = sorted((fit for fit in exact if fit), key=lambda fit: fit.aicc) or best
        fit = best[0]
        order, residual_rows = fit.order, len(w) - len(fit.coefficients)
        return {
            "order": (order.p, d, order.q),
            "seasonal_order": (order.sp, seasonal_d, order.sq, season if season > 1 else 0),
            "constant": order.constant,
            "coefficients": fit.coefficients,
            "sigma2": fit.sigma2 * len(w) / max(residual_rows, 1),
            "aicc": fit.aicc,
            "scale": scale,
            "profile": profile,
        }

    def search(self, w: np.ndarray, season: int, drift: bool) -> list[Fit]:
        """Models of the differenced ``w`` (T,) that the stepwise search fits, the best first."""
        tops = (self.max_p, self.max_p, *[self.max_seasonal if season > 1 else 0] * 2)

        def allowed(order: Order) -> bool:
            sizes = order[:4]
            within = all(0 <= size <= top for size, top in zip(sizes, tops, strict=True))
            return within and sum(sizes) <= self.max_order and (drift or not order.constant)

        return stepwise(lambda order: conditional_fit(w, order, season), allowed, tops, drift)

    def simulate(
        self, params: Params, y: np.ndarray, start: int, horizon: int, n_samples: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws (S, H) from the state space form, after filtering ``y`` (T,) with its missing values."""
        _, d, _ = params["order"]
        _, seasonal_d, _, season = params["seasonal_order"]
        if np.isfinite(y).sum() <= d + seasonal_d * season:
            raise ValueError(f"{len(y)} rows are fewer than the differences of the model need")
        profile, scale = params["profile"], params["scale"]
        adjusted = (y - profile_at(profile, start, len(y))) / scale
        level = (
            adjusted[0] if d + seasonal_d else 0.0
        )  # no part of a differenced model, but of the diffuse initial state
        paths = state_space_draws(params, adjusted - level, horizon, n_samples, rng)
        return (paths + level) * scale + profile_at(profile, start + len(y), horizon)


def seasonal_strength(y: np.ndarray, season: int) -> float:
    """``max(0, 1 - var(remainder) / var(season + remainder))`` of an STL decomposition; 0 without a season.

    Example:
        >>> round(seasonal_strength(np.tile([1.0, 0.0, -1.0, 0.0], 20), 4), 3), seasonal_strength(np.arange(9.0), 1)
        (1.0, 0.0)
    """
    from statsmodels.tsa.seasonal import STL

    if season == 1:
        return 0.0
    parts = STL(y, period=season).fit()
    both = np.var(parts.seasonal + parts.resid)
    return max(0.0, 1 - float(np.var(parts.resid) / both)) if both > 0 else 0.0


def kpss(y: np.ndarray) -> float:
    """The KPSS statistic of level stationarity, with ``3 sqrt(T) / 13`` lags of a Bartlett window.

    Example:
        >>> kpss(np.arange(50.0)) > KPSS_CRITICAL
        True
    """
    errors, n = y - y.mean(), len(y)
    lags = int(3 * np.sqrt(n) / 13)
    covariances = np.array([errors[lag:] @ errors[: n - lag] for lag in range(lags + 1)]) / n
    long_run = covariances[0] + 2 * (1 - np.arange(1, lags + 1) / (lags + 1)) @ covariances[1:]
    return float(np.sum(np.cumsum(errors) ** 2) / n**2 / long_run)


def differences_needed(y: np.ndarray, most: int) -> int:
    """How often ``y`` (T,) is differenced, ``most`` times at most, until the KPSS test does not reject stationarity.

    Example:
        >>> differences_needed(np.cumsum(np.random.default_rng(3).normal(size=300)), 2)
        1
    """
    for d in range(most):
        if np.ptp(y) < 1e-12 or kpss(y) < KPSS_CRITICAL:
            return d
        y = np.diff(y)
    return most


def stepwise(
    fit: Callable[[Order], Fit | None], allowed: Callable[[Order], bool], tops: tuple[int, ...], drift: bool
) -> list[Fit]:
    """All models fitted on a descent in AICc from four small ones, the best first."""
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
    while len(tried) < MAX_MODELS:
        better = next((o for o in neighbours(best) if allowed(o) and o not in tried and visit(o) < visit(best)), None)
        if better is None:
            break
        best = better
    found = sorted((one for one in tried.values() if one), key=lambda one: one.aicc)
    if not found:
        raise ValueError("no ARIMA model of the search is stationary and invertible")
    return found


def neighbours(order: Order) -> list[Order]:
    """Orders one step away: each of the four by one, both of a pair together, the constant.

    Example:
        >>> len(neighbours(Order(1, 1, 0, 0, False)))
        13
    """
    steps = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)]
    p, q, sp, sq, constant = order
    seasonal = [Order(p, q, sp + a, sq + b, constant) for a, b in steps]
    others = [Order(p + a, q + b, sp, sq, constant) for a, b in steps]
    return [*seasonal, *others, order._replace(constant=not constant)]


def stationary(free: np.ndarray) -> np.ndarray:
    """Coefficients of a stationary autoregression from any numbers: ``tanh`` of these are partial autocorrelations.

    Example:
        >>> stationary(np.array([0.0, np.inf])).tolist()
        [0.0, 1.0]

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


def lag_polynomial(coefficients: np.ndarray, season: int) -> np.ndarray:
    """The polynomial ``1 + c1 B^m + c2 B^2m + ...`` as powers of B.

    Example:
        >>> lag_polynomial(np.array([0.5, 0.2]), 2).tolist()
        [1.0, 0.0, 0.5, 0.0, 0.2]
    """
    powers = np.zeros(len(coefficients) * season + 1)
    powers[0] = 1.0
    powers[season::season] = coefficients
    return powers


def conditional_fit(w: np.ndarray, order: Order, season: int) -> Fit | None:
    """Least squares of the one-step errors, earlier values being at the mean; None near a unit root."""
    n, k = len(w), sum(order[:4]) + order.constant + 1
    if n - k - 1 <= 0:
        return None

    def errors(free: np.ndarray) -> np.ndarray:
        mean = free[-1] if order.constant else 0.0
        f, g, sf, sg = polynomials(free[: sum(order[:4])], order)
        left = np.convolve(lag_polynomial(-f, 1), lag_polynomial(-sf, season))
        right = np.convolve(lag_polynomial(g, 1), lag_polynomial(sg, season))
        return lfilter(left, right, w - mean)

    initial = np.r_[np.zeros(sum(order[:4])), [w.mean()] * order.constant]
    # "dogbox" repeats bit for bit; scipy's "lm" differs from call to call in the ninth digit
    free = least_squares(errors, initial, method="dogbox", max_nfev=60).x if len(initial) else initial
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
    model.ssm.tolerance = STEADY_STATE_TOLERANCE
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
