"""AutoARIMA: seasonal ARIMA, with known covariates as regressors; orders from a stepwise search by exact likelihood."""

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, Unpack

import numpy as np

from tsformers.data.dataframes import Frame
from tsformers.data.panel import Panel, Roles
from tsformers.errors import DataWarning
from tsformers.forecasters.local.arima.forecast import (
    constant_column,
    expanded,
    filtered,
    outlook,
    places_filled,
    regression,
)
from tsformers.forecasters.local.arima.preparation import Data, prepared, sample_of
from tsformers.forecasters.local.arima.regressors import Standard, standardised
from tsformers.forecasters.local.arima.search import Fit, Limits, best_fit
from tsformers.forecasters.local.base import LocalForecaster
from tsformers.forecasters.local.draws import normals
from tsformers.forecasters.local.tasks import Params
from tsformers.validation import Between

MIN_ROWS = 10  # observed values


@dataclass(kw_only=True, repr=False, eq=False)
class AutoARIMA(LocalForecaster):
    """Seasonal ARIMA by the stepwise search of Hyndman and Khandakar, with known covariates as regressors.

    ``(1 - f(B)) (1 - F(B^m)) ((1 - B)^d (1 - B^m)^D (y[t] - b x[t]) - c) = (1 + g(B)) (1 + G(B^m)) e[t]``,
    ``e ~ Normal(0, s^2)``. D is 1 where the season is strong, d the number of differences until the KPSS test no longer
    rejects. The orders of f, F, g, G and the constant start from five small models and change by one at a time while
    AICc falls; models with a root within 1.01 of the unit circle are passed over. Each model is fitted by exact maximum
    likelihood: the filter of Morf, Sidhu and Kailath on complete series, the Kalman filter where rows are missing, with
    unknown first values that have no prior; ``c`` and ``b`` by generalised least squares inside. Where the differences
    are constant, the rule goes on without noise. The mean is never left out, so that the origin of y does not matter.

    Draws are exact draws from the Gaussian distribution of what follows: the shocks to come, the state at the end, and
    the uncertainty of ``c`` and ``b``; not that of the orders and the other coefficients, for which ``s^2`` is divided
    by the rows less the number of coefficients. A place of the season that was never observed has the mean and the
    variance of the others.

    ``known=`` columns become regressors: a column that does not vary, or that others explain, is left out with a
    warning. With one core, 100 monthly values take 10 to 40 ms.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season, m; None takes it from the frequency, 1 = no season.
        n_jobs: threads, as in joblib; started only where the remaining work takes longer than starting them.
        seed: of ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        max_p: highest order of f and g.
        max_seasonal: highest order of F and G.
        max_order: highest sum of the four orders.
        max_d: most differences, 0 to 2; with the seasonal one 2 at most.

    Returns:
        After ``fit``: ``params_``, one dictionary per series: order, seasonal order, constant, coefficients ("ar",
        "ma", "seasonal_ar", "seasonal_ma", and "regression" of standardised columns with the constant last), variance,
        log-likelihood, AICc.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that were not in the data of ``fit``.

    Warns:
        DataWarning: names known covariates that say nothing of their own.

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

    uses_covariates: ClassVar[bool] = True
    compiled: ClassVar[bool] = True
    stratified: ClassVar[bool] = True

    def removes_long_seasons(self) -> bool:
        """Seasons above 24 rows, and second ones, are removed before ``fit_one``."""
        return True

    def fit(self, data: Frame | Panel, y: Any = None, **roles: Unpack[Roles]) -> Self:
        """Fit a model to each series; ``roles`` are the keywords of ``Panel.from_frame``."""
        super().fit(data, y, **roles)
        self._warn_of_columns_left_out()
        return self

    def fit_one(self, y: np.ndarray, season: int, x: np.ndarray | None = None) -> Params:
        """Orders and coefficients of one series ``y`` (T,) with known covariates ``x`` (T, K)."""
        x = np.empty((len(y), 0)) if x is None else x
        rows = int((np.isfinite(y) & np.isfinite(x).all(axis=1)).sum())
        if rows < MIN_ROWS:
            raise ValueError(f"{rows} values, AutoARIMA needs {MIN_ROWS}")
        data = prepared(y, x, season, self.max_d)
        fit = best_fit(sample_of(data), Limits(self.max_p, self.max_seasonal, self.max_order))
        left_out = [column for column in range(x.shape[1]) if column not in data.standard.kept]
        return {**params_of(fit, data), "left_out": tuple(left_out)}

    def simulate(
        self,
        params: Params,
        y: np.ndarray,
        start: int,
        horizon: int,
        n_samples: int,
        rng: np.random.Generator,
        x: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draws (S, H) of what follows ``y`` (T,), known covariates being ``x`` (T + H, K)."""
        (p, d, q), (sp, seasonal_d, sq, season) = params["order"], params["seasonal_order"]
        season, rows, scale = max(season, 1), len(y), params["scale"]
        model = expanded(params["free"], (p, q, sp, sq), d, seasonal_d, season)
        if rows <= len(model.lags):
            raise ValueError(f"{rows} rows are fewer than the differences of the model need")
        how = Standard(params["kept"], params["x_centre"], params["x_scale"])
        constant = constant_column(rows + horizon, d, seasonal_d, season)[None, : (rows + horizon) * params["constant"]]
        regressors = standardised(np.empty((rows + horizon, 0)) if x is None else x, how)
        known = np.vstack([regressors, constant.reshape(-1, rows + horizon)])
        past, future = known[:, :rows], known[:, rows:]
        if not np.isfinite(future).all():
            raise ValueError("a known covariate is missing in the steps to forecast")
        evidence = np.where(np.isfinite(past).all(axis=0), (y - params["centre"]) / scale, np.nan)
        variance = params["sigma2"] / scale**2
        evidence, noise = places_filled(evidence, season if seasonal_d else 1, variance)
        history = filtered(model, np.vstack([evidence, np.nan_to_num(past)]), noise)
        means, spread = outlook(model, history, params["regression"], params["uncertainty"], future)
        root = np.linalg.cholesky(spread) * np.sqrt(variance)
        return (means + normals(rng, n_samples, horizon) @ root.T) * scale + params["centre"]

    def _warn_of_columns_left_out(self) -> None:
        counts = Counter(column for params in self.params_ for column in params.get("left_out", ()))
        if counts:
            names, n = self.panel_.schema.known, len(self.params_)
            listed = ", ".join(f"{names[column]!r} (in {counts[column]} of {n})" for column in sorted(counts))
            text = f"AutoARIMA leaves out columns that do not vary or that others explain: {listed}"
            warnings.warn(DataWarning(text), stacklevel=3)


def params_of(fit: Fit, data: Data) -> Params:
    """What ``simulate`` needs of a fit, and what users look at, in the units of y."""
    import tsformers.forecasters.local.arima.polynomial_kernels as kernels

    order, (d, seasonal_d, season), scale = fit.order, data.differences, data.scale
    model = expanded(fit.free, order[:4], d, seasonal_d, season)
    columns = np.vstack([data.y, data.x, constant_column(len(data.y), d, seasonal_d, season)])
    found = regression(filtered(model, columns[: len(columns) - (not order.constant)]))
    spare = max(found.used - len(fit.free) - len(found.coefficients), 1)
    params: Params = {}
    first = 0
    for name, size, sign in zip(("ar", "ma", "seasonal_ar", "seasonal_ma"), order[:4], (1, -1, 1, -1), strict=True):
        params[name] = sign * kernels.stationary(fit.free, first, size)
        first += size
    return {
        "order": (order.p, d, order.q),
        "seasonal_order": (order.sp, seasonal_d, order.sq, season if season > 1 else 0),
        "constant": order.constant,
        **params,
        "free": fit.free,
        "regression": found.coefficients,
        "uncertainty": found.covariance,
        "sigma2": found.square / spare * scale**2,
        "loglik": fit.loglik - found.used * float(np.log(scale)),
        "aicc": fit.aicc + 2 * found.used * float(np.log(scale)),
        "centre": data.centre,
        "scale": scale,
        "kept": data.standard.kept,
        "x_centre": data.standard.centre,
        "x_scale": data.standard.scale,
    }
