"""AutoETS: the exponential smoothing model with the least AICc."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from tsformers.forecasters.local.base import LocalForecaster
from tsformers.forecasters.local.ets.averaging import learned
from tsformers.forecasters.local.ets.continuation import drawn
from tsformers.forecasters.local.ets.selection import FEWEST_ROWS, admitted
from tsformers.forecasters.local.ets.states import FAMILY, LONGEST_SEASON
from tsformers.forecasters.local.tasks import Params


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

    compiled: ClassVar[bool] = True
    stratified: ClassVar[bool] = True

    def removes_long_seasons(self) -> bool:
        """Seasons above 24 rows, and second ones, are tested and removed first."""
        return True

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """The model of least criterion for one series ``y`` (T,)."""
        season = season if season <= LONGEST_SEASON else 1
        specs = admitted(y, season, FAMILY)
        if not specs:
            raise ValueError(f"{np.isfinite(y).sum()} observed rows, AutoETS needs {FEWEST_ROWS}")
        return learned(y, season, specs, self.criterion)

    def simulate(
        self, params: Params, y: np.ndarray, start: int, horizon: int, n_samples: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws (S, H) from the fitted model, after filtering ``y`` (T,)."""
        return drawn(params, y, start, horizon, n_samples, rng)
