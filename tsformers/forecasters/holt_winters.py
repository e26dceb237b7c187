"""HoltWinters: level, trend and season, each smoothed exponentially."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from tsformers.errors import TsformersError
from tsformers.forecasters.local.base import LocalForecaster
from tsformers.forecasters.local.ets.averaging import learned
from tsformers.forecasters.local.ets.continuation import drawn
from tsformers.forecasters.local.ets.selection import FEWEST_ROWS, admitted
from tsformers.forecasters.local.ets.states import LONGEST_SEASON, Spec
from tsformers.forecasters.local.tasks import Params
from tsformers.messages import Setting

ROWS_A_PARAMETER = 2  # below it smaller models compete with the one that was set


@dataclass(kw_only=True, repr=False, eq=False)
class HoltWinters(LocalForecaster):
    """Triple exponential smoothing; trend and season are settings.

    With ``f[t] = l[t-1] + p b[t-1]`` and an additive season: ``y[t] = f[t] + s[t-m] + e[t]``, ``l[t] = f[t] + a e[t]``,
    ``b[t] = p b[t-1] + b' e[t]``, ``s[t] = s[t-m] + g e[t]``. A multiplicative season has
    ``y[t] = f[t] s[t-m] (1 + e[t])``. Weights and initial states maximise the Gaussian likelihood of the errors, as in
    ``AutoETS``, which says how draws average over what the data leave open (here: weights, and with "auto" the kinds of
    season). A season needs two whole seasons of rows, else it is left out. Where there are fewer than two rows a
    parameter, the model without damping and the one without trend compete by AICc; four rows are enough. Missing rows
    are skipped as by a Kalman filter; a gap widens what follows. Seasons above 24 rows, and second ones, are tested and
    removed first, unless ``seasonal`` is None. A series of 100 monthly rows takes 0.01 s, one of 5,000 hourly rows
    0.4 s ("auto" tries three seasons), in threads.

    In ``predict(new_df)`` parameters stay. A history that begins with that of ``fit`` is filtered from the initial
    states of ``fit``; another one from them or from states that fit its first rows, whichever explain it better.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season; None takes it from the frequency, 1 = no season.
        n_jobs: threads, as in joblib; started only where the remaining work takes longer than starting them.
        seed: of ``predict``; None = fresh draws.
        verbose: show a progress bar on a terminal.
        trend: "add" or None.
        damped: the trend is damped (``p < 1``); an undamped one extrapolates a change of slope at the end too far.
        seasonal: "add", "mul" (positive values only), None, or "auto": the one of these three with the least AICc.

    Returns:
        After ``fit``: ``params_``, one dictionary per series, as of ``AutoETS``.

    Raises:
        ValueError: a setting is out of its range.
        DataError: at ``predict``, ids that were not in the data of ``fit``.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(24), "y": [10.0, 20.0, 30.0, 21.0] * 6})
        >>> frame["y"] += np.arange(24.0) + np.sin(np.arange(24.0))
        >>> forecast = HoltWinters(horizon=4, season_length=4, seed=0).fit(frame).predict()
        >>> forecast.samples.shape, int(forecast.mean.argmax())
        ((1, 100, 4), 2)

    Source: Holt (1957); Winters (1960), Forecasting sales by exponentially weighted moving averages.
    """

    trend: Literal["add"] | None = "add"
    damped: bool = True
    seasonal: Literal["add", "mul", "auto"] | None = "auto"

    compiled: ClassVar[bool] = True
    stratified: ClassVar[bool] = True
    fewest_paths: ClassVar[int] = 2048  # medians of skewed paths differ by a hundredth of their deviation between seeds

    def removes_long_seasons(self) -> bool:
        """Seasons above 24 rows, and second ones, are tested and removed first, unless there shall be none."""
        return self.seasonal is not None

    def fit_one(self, y: np.ndarray, season: int) -> Params:
        """Weights and initial states of one series ``y`` (T,)."""
        season = season if season <= LONGEST_SEASON else 1
        specs = admitted(y, season, self.specs(y, season))
        if not specs:
            raise ValueError(f"{np.isfinite(y).sum()} observed rows, HoltWinters needs {FEWEST_ROWS}")
        return learned(y, season, specs, "aicc")

    def specs(self, y: np.ndarray, season: int) -> list[Spec]:
        """The models that the settings allow on ``y`` (T,), and on few rows those without damping and without trend."""
        kinds = {"auto": (None, "add", "mul"), None: (None,)}.get(self.seasonal, (self.seasonal,))
        if season == 1 or len(y) < 2 * season:
            kinds = (None,)
        if kinds == ("mul",) and np.nanmin(y) <= 0:
            raise TsformersError("a multiplicative season needs positive values; write ", Setting("seasonal", "add"))
        trends = [(self.trend, self.damped and self.trend is not None)]
        few = ROWS_A_PARAMETER * (6 + season * (kinds != (None,)))
        if self.trend and np.isfinite(y).sum() < few:
            trends += [(self.trend, False), (None, False)]
        return [
            Spec("mul" if kind == "mul" else "add", trend, damped, kind)
            for kind in kinds
            for trend, damped in dict.fromkeys(trends)
        ]

    def simulate(
        self, params: Params, y: np.ndarray, start: int, horizon: int, n_samples: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws (S, H) from the smoothing equations, after smoothing ``y`` (T,)."""
        return drawn(params, y, start, horizon, n_samples, rng)
