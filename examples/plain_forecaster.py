"""Your own forecaster without torch in one file: the drift method.

    python examples/plain_forecaster.py  # checks the contract, then a backtest beside SeasonalNaive

In commands and job files, ``--plugin examples/plain_forecaster.py`` makes it available as "Drift".
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import tsformers as tsf
from tsformers.testing import check_forecaster


@dataclass(kw_only=True, repr=False, eq=False)
class Drift(BaseEstimator):
    """A line through the first and the last value, and a random walk around it.

    Settings are fields and learned attributes end in ``_``, so scikit-learn's ``clone`` and ``repr`` work; with
    ``tsf.save`` as a method the model can be saved.
    """

    horizon: int
    seed: int | None = None

    save = tsf.save

    def fit(self, data: Any, **roles: Any) -> "Drift":
        """``data`` is a frame or, in backtests, a Panel; ``from_frame`` accepts both."""
        self.panel_ = tsf.Panel.from_frame(data, **roles)
        return self

    def predict(
        self, data: Any = None, *, future: Any = None, static: Any = None, n_samples: int = 100, seed: int | None = None
    ) -> tsf.Forecast:
        """The forecast after the end of each series of ``data``; None: of the data of ``fit``."""
        check_is_fitted(self, "panel_")
        panel = self.panel_ if data is None else self.panel_.like(data)
        rng = np.random.default_rng(self.seed if seed is None else seed)
        values = np.empty((panel.n_series, n_samples, self.horizon))
        for i in range(panel.n_series):
            y = panel.y[panel.offsets[i] : panel.ends[i]]
            y = y[np.isfinite(y)]
            steps = np.diff(y) if len(y) > 1 else np.zeros(1)
            errors = rng.normal(0, steps.std(), (n_samples, self.horizon))
            values[i] = y[-1] + np.cumsum(steps.mean() + errors, axis=1)
        times = panel.future_times(self.horizon)
        return tsf.Forecast(panel.ids, times, values, freq=panel.freq, schema=panel.schema)


FORECASTERS = {"Drift": Drift}


def main() -> None:
    """Check the contract of forecasters, then print a backtest."""
    check_forecaster(Drift(horizon=4))
    print("The contract holds.")
    models = {"naive": tsf.SeasonalNaive(horizon=8), "drift": Drift(horizon=8)}
    result = tsf.backtest(models, tsf.load_dataset("macrodata"), windows=4, step=4)
    print(result.summary()[["model", "crps", "skill", "coverage_80"]].round(2).to_string())


if __name__ == "__main__":
    main()
