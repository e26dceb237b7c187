"""AutoETS: the exponential smoothing model with the least AICc."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from tsformers.forecasters.local.base import LocalForecaster
from tsformers.forecasters.local.seasonal_profile import LONG_SEASON, interpolated, profile_at, seasonal_profile
from tsformers.forecasters.local.smoothing_states import States, best_initial_states, candidate_states, prepend_season
from tsformers.forecasters.local.tasks import Params

FULL_SEARCH_SEASON = 12  # rows; above it a fit has so many initial states that only the best candidates are fitted
FINALISTS = 4  # of them
MIN_ROWS = 10  # from which statsmodels can estimate initial states


class Spec(NamedTuple):
    """One model of the family, by the arguments of statsmodels."""

    error: str
    trend: str | None
    damped_trend: bool
    seasonal: str | None


@dataclass(kw_only=True, repr=False, eq=False)
class AutoETS(LocalForecaster):
    """Exponential smoothing in state space form; error, trend and season are chosen for each series.

    ``y[t] = w(x[t-1]) + r(x[t-1]) e[t]``, ``x[t] = f(x[t-1]) + g(x[t-1]) e[t]``, ``e ~ Normal(0, s**2)``: error
    additive or multiplicative, trend none, additive or damped, season none, additive or multiplicative. Each admissible
    combination is fitted by maximum likelihood and the one with the least AICc is kept. Multiplicative parts need
    positive values; additive errors with a multiplicative season (infinite variance) and multiplicative trends
    (explosive forecasts) are left out; a season needs two whole seasons of rows. That leaves 15 fits on a positive
    seasonal series: 0.2 s for 200 quarterly values, 0.5 s for 130 monthly ones. For seasons of 13 to 24 rows all are
    fitted with heuristic initial states and only the best four in full: 2 s for 960 hourly values. Seasons above 24
    rows (weekly data, quarter hours) are removed first as one fixed additive pattern, the latest season of an STL.
    Missing values are interpolated linearly. Draws are simulated from the model; they do not include the uncertainty
    of its parameters, but ``s**2`` is the sum of squared errors over the rows less the number of parameters.

    In ``predict(new_df)`` the parameters stay. The initial states of the history are those of ``fit`` or are estimated
    from its first seasons, whichever explain the history better.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency, 1 = no season.
        n_jobs: processes, as in joblib; started only where the remaining work takes longer than starting them.
        seed: of ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        criterion: the information criterion that is minimised: "aicc", "aic" or "bic".

    Returns:
        After ``fit``: ``params_``, one dictionary per series: the spec, smoothing weights, initial states, sigma.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that were not in the data of ``fit``.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(20), "y": [10.0, 20.0, 30.0, 21.0] * 5})
        >>> frame["y"] += np.sin(np.arange(20.0))
        >>> model = AutoETS(horizon=4, season_length=4, seed=0).fit(frame)
        >>> model.params_[0]["spec"][3]
        'add'

    Source: Hyndman, Koehler, Snyder & Grose (2002); Hyndman & Khandakar (2008), section 2.
    """

    criterion: Literal["aicc", "aic", "bic"] = "aicc"

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """The model of least criterion for one series ``y`` (T,)."""
        if len(y) < MIN_ROWS:
            raise ValueError(f"{len(y)} rows, AutoETS needs {MIN_ROWS}")
        y = interpolated(y)
        profile = np.zeros(1)
        if season > LONG_SEASON:
            if len(y) >= 2 * season:
                profile = seasonal_profile(y, season)
            season = 1
        y = y - profile_at(profile, 0, len(y))
        best, least, errors = None, np.inf, []
        for spec in shortlist(y, season):
            try:
                fitted = fitted_model(y, spec, season, "estimated")
            except Exception as error:  # one combination may be impossible where another is not
                errors.append(f"{error}")
                continue
            value = float(getattr(fitted, self.criterion))
            if residual_rows(fitted) > 0 and np.isfinite(fitted.params).all() and value < least:
                best, least = fitted, value
        if best is None:
            raise ValueError("; ".join(sorted(set(errors))) or "no model of the family has a finite criterion")
        return params_of(best, profile, least)

    def simulate(
        self, params: Params, y: np.ndarray, start: int, horizon: int, n_samples: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws (S, H) from the fitted model, after filtering ``y`` (T,)."""
        profile = params["profile"]
        adjusted = interpolated(y) - profile_at(profile, start, len(y))
        candidates = candidate_states(params, adjusted, start)
        best = best_initial_states(partial(filtered_model, params, adjusted), candidates, lambda result: -result.llf)
        errors = rng.standard_normal((horizon, n_samples)) * params["sigma"]
        paths = np.asarray(best.simulate(horizon, anchor="end", repetitions=n_samples, random_errors=errors))
        return paths.reshape(horizon, n_samples).T + profile_at(profile, start + len(y), horizon)


def admissible(y: np.ndarray, season: int) -> list[Spec]:
    """The combinations that ``y`` (T,) allows.

    Example:
        >>> len(admissible(np.arange(1.0, 41.0), 4)), len(admissible(np.arange(40.0), 4))
        (15, 6)
    """
    positive = y.min() > 0
    seasons: list[str | None] = [None]
    if season > 1 and len(y) >= 2 * season:
        seasons += ["add", "mul"] if positive else ["add"]
    return [
        Spec(error, trend, damped, seasonal)
        for error in (("add", "mul") if positive else ("add",))
        for trend, damped in ((None, False), ("add", False), ("add", True))
        for seasonal in seasons
        if not (error == "add" and seasonal == "mul")
    ]


def shortlist(y: np.ndarray, season: int) -> list[Spec]:
    """The combinations to fit on ``y`` (T,): all, or for long seasons the best with heuristic initial states.

    Example:
        >>> len(shortlist(np.arange(1.0, 41.0), 4))
        15
    """
    specs = admissible(y, season)
    if season <= FULL_SEARCH_SEASON or len(specs) <= FINALISTS:
        return specs
    values = []
    for spec in specs:
        try:
            quick = fitted_model(y, spec, season, "heuristic")
            n_states = 1 + (spec.trend is not None) + season * (spec.seasonal is not None)
            k = len(quick.params) + n_states + 1
            value = float(-2 * quick.llf + 2 * k * len(y) / (len(y) - k - 1)) if len(y) > k + 1 else np.inf
        except Exception:  # what cannot be fitted is no candidate
            value = np.inf
        values.append(value)
    return [specs[i] for i in np.argsort(values, kind="stable")[:FINALISTS]]


def fitted_model(y: np.ndarray, spec: Spec, season: int, initial_states: str) -> Any:
    """The maximum-likelihood result of statsmodels; ``initial_states`` is "estimated" or "heuristic"."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    periods = season if spec.seasonal else None
    model = ETSModel(y, **spec._asdict(), seasonal_periods=periods, initialization_method=initial_states)
    return model.fit(disp=False)


def residual_rows(fitted: Any) -> int:
    """The denominator of AICc: rows less the parameters, the variance among them, less one."""
    return int(fitted.nobs - len(fitted.params) - 2)


def params_of(fitted: Any, profile: np.ndarray, criterion: float) -> Params:
    """Parameters of a fitted ETSModel, whose results keep the whole history."""
    model = fitted.model
    values = dict(zip(model.param_names, np.asarray(fitted.params, float), strict=True))
    seasonals = [float(values[name]) for name in values if name.startswith("initial_seasonal")]
    spec = Spec(model.error, model.trend, bool(model.damped_trend), model.seasonal)
    return {
        "spec": tuple(spec),
        "weights": np.array([v for name, v in values.items() if not name.startswith("initial")]),
        "level": float(values["initial_level"]),
        "slope": float(values.get("initial_trend", 0.0)),
        "seasonals": np.array(seasonals[::-1]),  # in the order of time; statsmodels puts the latest first
        "seasonal": spec.seasonal,
        "phi": float(values.get("damping_trend", 1.0)),
        "sigma": float(np.sqrt(np.sum(np.asarray(fitted.resid) ** 2) / (residual_rows(fitted) + 2))),
        "profile": profile,
        "criterion": criterion,
    }


def filtered_model(params: Params, y: np.ndarray, states: States) -> Any:
    """The fitted model after filtering ``y`` (T,) from given initial states."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    spec = Spec(*params["spec"])
    y, (level, slope, seasonals) = prepend_season(params, y, states)
    model = ETSModel(
        y,
        **spec._asdict(),
        seasonal_periods=len(seasonals) if spec.seasonal else None,
        initialization_method="known",
        initial_level=level,
        initial_trend=slope if spec.trend else None,
        initial_seasonal=seasonals if spec.seasonal else None,
    )
    return model.smooth(params["weights"])
