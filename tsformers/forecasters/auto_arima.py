"""AutoARIMA: seasonal ARIMA, with known covariates as regressors; orders from a stepwise search by exact likelihood."""

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, Unpack

import numpy as np

from tsformers.data.dataframes import Frame
from tsformers.data.intake.asked import names_of
from tsformers.data.panel import Panel, Roles
from tsformers.errors import DataWarning
from tsformers.forecasters.local.arima.draws import History, Member, combined, drawn
from tsformers.forecasters.local.arima.fits import Fit, Sample, free_covariance
from tsformers.forecasters.local.arima.forecast import constant_column, expanded, filtered, regression
from tsformers.forecasters.local.arima.preparation import Data, prepared, sample_of
from tsformers.forecasters.local.arima.reduction import reduced
from tsformers.forecasters.local.arima.regressors import Standard, standardised
from tsformers.forecasters.local.arima.search import Limits, best_fits
from tsformers.forecasters.local.base import LocalForecaster
from tsformers.forecasters.local.tasks import Params
from tsformers.messages import Option, Part, joined
from tsformers.validation import Between

MIN_ROWS = 10  # observed values
FEWEST_FREEDOM = 4  # degrees of freedom of the draws, so that they have a variance and more


@dataclass(kw_only=True, repr=False, eq=False)
class AutoARIMA(LocalForecaster):
    """Seasonal ARIMA by the stepwise search of Hyndman and Khandakar, with known covariates as regressors.

    ``(1 - f(B)) (1 - F(B^m)) ((1 - B)^d (1 - B^m)^D (y[t] - b x[t]) - c) = (1 + g(B)) (1 + G(B^m)) e[t]``,
    ``e ~ Normal(0, s^2)``. D is 1 where the season is strong; d is the number of differences until the KPSS test no
    longer rejects, and 1 where fewer than 100 values without a strong season may be a random walk (Dickey-Fuller).
    Orders of f, F, g, G and the constant start from five small models and change by one at a time while AICc falls.
    Each model is fitted by exact maximum likelihood, ``c`` and ``b`` by generalised least squares inside: by the
    recursions of Morf, Sidhu and Kailath on complete series, by the Kalman filter where rows are missing; unknown first
    values have no prior. No root of the model that is kept is within 1.01 of the unit circle; that of G may be at 1.01,
    where a season does not change. The mean of an undifferenced series is always estimated, so that the origin of y
    does not matter. Where a line, with a season or not, or a parabola explains all values, it is continued.

    The mean of the draws is that of the model with the least AICc. Their variance holds shocks, the state at the end,
    the errors of all coefficients to first order, and, by weights of AICc, what up to five models within 6 of the best
    say otherwise; Student's t has the degrees of freedom of ``s^2``. A place of the season that was never observed has
    the mean and the variance of the others. Without two neighbouring rows in eight places, p and q are 0.

    ``known=`` columns become regressors; one that does not vary, or that others explain, is left out with a warning.

    A core fits and forecasts 200 yearly (M3), 50 monthly (M3) or 5 hourly series (M4, m = 24) a second; with missing
    rows a fifth of that.

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
        After ``fit``: ``params_``, one dictionary per series: "order", "seasonal_order", "constant"; coefficients "ar",
        "ma", "seasonal_ar", "seasonal_ma", "regression" of the columns kept and "intercept" (the mean, or the slope a
        row), "sigma2", "loglik" and "aicc", Gaussian with all constants, of the differenced y as given.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that were not in the data of ``fit``.

    Warns:
        DataWarning: names known covariates that add nothing.

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
        past: list[Part] = [Option("past", [*found])] if (found := names_of(roles.get("past"))) else []
        unused = past + ([Option("static")] if roles.get("static") is not None else [])
        if unused:
            verb = " is not used: leave it out" if len(unused) == 1 else " are not used: leave them out"
            parts = ("AutoARIMA takes known covariates only; ", joined(unused, " and "), verb)
            warnings.warn(DataWarning(*parts), stacklevel=2)
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
        sample = sample_of(data)
        searched = reduced(sample)
        fits = best_fits(sample, searched, Limits(self.max_p, self.max_seasonal, self.max_order))
        members = [fitted(fit, data, sample) for fit in fits]
        weights = np.exp(0.5 * (fits[0].aicc - np.array([fit.aicc for fit in fits])))
        for member, weight in zip(members, weights / weights.sum(), strict=True):
            member["weight"] = float(weight)
        left_out = [column for column in range(x.shape[1]) if column not in data.standard.kept]
        return {
            **params_of(fits[0], data, members[0]),
            "models": members,
            "kept": data.standard.kept,
            "x_centre": data.standard.centre,
            "x_scale": data.standard.scale,
            "left_out": tuple(left_out),
            "search": "all rows" if searched is sample else f"{searched.rows} values, gaps filled in",
        }

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
        d, (_, seasonal_d, _, season) = params["order"][1], params["seasonal_order"]
        season, rows, scale = max(season, 1), len(y), params["scale"]
        if rows <= d + seasonal_d * season:
            raise ValueError(f"{rows} rows are fewer than the differences of the model need")
        how = Standard(params["kept"], params["x_centre"], params["x_scale"])
        regressors = standardised(np.empty((rows + horizon, 0)) if x is None else x, how)
        regressors[:, rows:][np.isnan(regressors[:, rows:])] = 0.0  # the mean: of a step that the data lack
        y = np.where(np.isfinite(regressors[:, :rows]).all(axis=0), (y - params["centre"]) / scale, np.nan)
        members = [Member(**{name: model[name] for name in Member._fields}) for model in params["models"]]
        means, spread = combined(members, History(y, regressors, d, seasonal_d, season))
        return drawn(means, spread, params["freedom"], n_samples, rng) * scale + params["centre"]

    def _warn_of_columns_left_out(self) -> None:
        counts = Counter(column for params in self.params_ for column in params.get("left_out", ()))
        if counts:
            names, n = self.panel_.schema.known, len(self.params_)
            listed = ", ".join(f"{names[column]!r} (in {counts[column]} of {n})" for column in sorted(counts))
            text = f"AutoARIMA leaves out columns that do not vary or that others explain: {listed}"
            warnings.warn(DataWarning(text), stacklevel=3)


def fitted(fit: Fit, data: Data, sample: Sample) -> Params:
    """The members of ``Member``, but for the weight, and the degrees of freedom and rows of a fit."""
    order = fit.order
    columns = np.vstack([data.y, data.x, constant_column(len(data.y), *data.differences)])
    model = expanded(fit.free, order[:4], *data.differences)
    found = regression(filtered(model, columns if order.constant else columns[:-1]))
    freedom = max(found.used - len(fit.free) - len(found.coefficients), 1)
    return {
        "sizes": tuple(order[:4]),
        "constant": order.constant,
        "free": fit.free,
        "free_covariance": free_covariance(sample, fit),
        "regression": found.coefficients,
        "uncertainty": found.covariance,
        "variance": found.square / freedom,
        "freedom": freedom,
        "used": found.used,
    }


def params_of(fit: Fit, data: Data, member: Params) -> Params:
    """What users look at of the best model, in the units of y, and how these are reached."""
    import tsformers.forecasters.local.arima.polynomial_kernels as kernels

    order, (d, seasonal_d, season), scale = fit.order, data.differences, data.scale
    parts = zip(
        ("ar", "ma", "seasonal_ar", "seasonal_ma"),
        order[:4],
        kernels.factors(fit.free, np.array(order[:4])) * [[1], [-1], [1], [-1]],
        strict=True,
    )
    coefficients = {name: part[:size] for name, size, part in parts}
    scaled = member["regression"] * scale
    slopes = scaled[: len(data.x)] / data.standard.scale
    intercept = float(scaled[-1]) if order.constant else 0.0
    if d + seasonal_d == 0:
        intercept += data.centre - float(slopes @ data.standard.centre)
    return {
        "order": (order.p, d, order.q),
        "seasonal_order": (order.sp, seasonal_d, order.sq, season if season > 1 else 0),
        "constant": order.constant,
        **coefficients,
        "regression": slopes,
        "intercept": intercept,
        "sigma2": float(member["variance"] * scale**2),
        "loglik": float(fit.loglik - member["used"] * np.log(scale)),
        "aicc": float(fit.aicc + 2 * member["used"] * np.log(scale)),
        "freedom": max(member["freedom"], FEWEST_FREEDOM),
        "centre": data.centre,
        "scale": scale,
    }
