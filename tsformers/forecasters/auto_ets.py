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
    additive or multiplicative, trend none, additive or damped, season none, additive or multiplicative. Each of the 15
    admissible combinations is fitted by maximum likelihood (all constants, of ``y`` as given), from several starts and
    from the optima of the models that it contains; weights lie in the usual region and the admissible one, damping in
    0.8 to 0.98, initial states near the first rows. ``params_`` describe the one with the least criterion. Its
    parameters are counted as in R: weights, level, slope, one seasonal term less than there are places, and ``s``;
    ``s**2`` is the sum of squared errors over the rows less the others. Multiplicative parts need positive values and
    relative errors with a standard deviation up to 0.5; additive errors with a multiplicative season (infinite
    variance) and multiplicative trends (explosive forecasts) are left out; a season needs two whole seasons of rows, a
    model two rows more than it has parameters, the smallest one four.

    Draws average what the data leave open: models have Akaike's weights of the criterion; the weights of a model come
    from their posterior (uniform in the region, but slopes are slow: density exp(-4 beta / alpha)), 48 particles in
    all; ``s`` and the states come from theirs. On the 645 yearly series of the M3 competition the mean absolute scaled
    error of the median is 2.68, with the model of least AICc alone 2.92. Draws come in antithetic pairs; relative
    errors are cut at 0.9, so that positive models stay positive.

    Missing rows are skipped as by a Kalman filter; a gap widens what follows. Seasons above 24 rows, and second ones,
    are tested and removed first. A series of 100 monthly rows takes 0.02 s, one of 30 yearly rows 0.006 s, one of 5,000
    hourly rows 0.8 s, in threads.

    In ``predict(new_df)`` parameters stay. A history that begins with that of ``fit`` is filtered from the initial
    states of ``fit``; another one from them or from states that fit its first rows, whichever explain it better.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency, 1 = no season.
        n_jobs: threads, as in joblib; started only where the remaining work takes longer than starting them.
        seed: of ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        criterion: the information criterion that is minimised: "aicc", "aic" or "bic".

    Returns:
        After ``fit``: ``params_``, one dictionary per series: ``spec``, ``alpha``, ``beta``, ``gamma``, ``phi``,
        ``level``, ``slope``, ``seasonals``, ``sigma``, ``loglik``, ``aicc`` and ``criterion`` of the chosen model;
        ``members`` are the particles.

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

    Source: Hyndman, Koehler, Snyder & Grose (2002); Hyndman & Khandakar (2008), section 2; Burnham & Anderson (2002),
        Model selection and multimodel inference, section 2.9 (Akaike's weights).
    """

    criterion: Literal["aicc", "aic", "bic"] = "aicc"

    compiled: ClassVar[bool] = True
    stratified: ClassVar[bool] = True
    fewest_paths: ClassVar[int] = 2048  # medians of skewed paths differ by a hundredth of their deviation between seeds

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
