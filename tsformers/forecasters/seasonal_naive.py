"""SeasonalNaive: the last season repeated, all series at once."""

import warnings
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from tsformers.data.blocks.panel_blocks import row_blocks
from tsformers.data.panel import Panel
from tsformers.errors import DataWarning
from tsformers.forecasters.local.base import LocalForecaster, listed, observed_spans
from tsformers.forecasters.local.naive_walk import History, naive_errors, naive_means, naive_samples, without_pairs
from tsformers.forecasters.local.tasks import Params


@dataclass(kw_only=True, repr=False, eq=False)
class SeasonalNaive(LocalForecaster):
    """Repeats the last season, with errors that grow from season to season: the baseline of every comparison.

    ``y[t + h] = y[t + h - k m] + e_1 + ... + e_k`` with ``k = ceil(h / m)`` and ``e ~ Normal(0, s**2)``; ``s`` is the
    root mean square of ``y[t] - y[t - m]`` in the history of ``fit``: the variance is ``k s**2``. A missing value is
    replaced by the one a season earlier, which adds one more error. Isolated values far from all others count as data
    here: the baseline repeats what it is given.

    Only pairs of observed values count. Where no two are one season apart, ``s`` comes from values at the same position
    k seasons apart, each difference divided by the square root of k; where there are none of these either, the series
    is a random walk from its last value (``m = 1``), with the differences of values k steps apart in the same way. A
    warning names such series. So only a constant series, one that repeats a season whole, or one of a single row has
    no spread. Mean and median are exact: the values of the last season. All series are drawn in one array operation.
    For a series that was not in the data of ``fit``, ``s`` comes from the history given to ``predict``.

    Args:
        horizon: steps to forecast, H.
        season_length: rows of one season, m; None takes it from the frequency, 1 is the naive forecast.
        n_jobs: not used here.
        seed: of ``predict``; None = fresh draws.
        verbose: not used here.

    Returns:
        After ``fit``: ``errors_`` (N, 2), root mean square of the differences over one season and over one step.

    Raises:
        ValueError: a setting is out of its range.
        DataError: a series without an observed value.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(6), "y": [1.0, 5.0, 2.0, 1.0, 5.0, 2.0]})
        >>> SeasonalNaive(horizon=4, season_length=3).fit(frame).predict().mean
        array([[1., 5., 2., 1.]])

    Source: Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, 3rd ed., sections 5.2 and 5.5.
    """

    leaves_out_absurd_cells: ClassVar[bool] = False
    forecasts_new_series: ClassVar[bool] = True

    def learn(self, panel: Panel, season: int) -> tuple[list[Params], list[str]]:
        """The errors of all series, in ``errors_``; nothing falls back."""
        observed_spans(panel)
        histories = [History(p.y, p.offsets, p.ends) for _, p in row_blocks(panel)]
        self.errors_ = np.concatenate([naive_errors(history, season) for history in histories])
        wanting = np.concatenate([without_pairs(history, season) for history in histories])
        if wanting.any():
            apart = "one row apart" if season == 1 else f"one season of {season} rows apart"
            warnings.warn(
                DataWarning(
                    f"SeasonalNaive: {wanting.sum()} of {panel.n_series} series have no two values {apart}; their "
                    f"spread is that of values at other distances, as of a random walk: {listed(panel.ids[wanting])}"
                ),
                stacklevel=3,
            )
        return [], [""] * panel.n_series

    def draw(self, panel: Panel, n_samples: int, keys: np.ndarray) -> np.ndarray:
        """Draws (N, S, H); errors of ``fit`` where it has some, those of this history elsewhere."""
        history, errors = self._end(panel)
        return naive_samples(history, self.season_, errors, keys, n_samples, self.horizon)

    def exact_means(self, panel: Panel) -> np.ndarray | None:
        """Means (N, H): values of the last season, which are the medians too."""
        history, errors = self._end(panel)
        return naive_means(history, self.season_, errors, self.horizon)

    def _end(self, panel: Panel) -> tuple[History, np.ndarray]:
        observed_spans(panel)
        history = History(panel.y, panel.offsets, panel.ends)
        where = self.panel_.ids.get_indexer(panel.ids)
        errors = np.where((where >= 0)[:, None], self.errors_[where], np.nan)
        if np.isnan(errors).any():
            errors = np.where(np.isfinite(errors), errors, naive_errors(history, self.season_))
        return history, errors

    def learned(self) -> dict[str, object]:
        """What ``fit`` has learned, ready to be serialised."""
        return {**super().learned(), "errors_": self.errors_}

    def relearn(self, learned: dict[str, object]) -> None:
        """Take over what ``learned`` gave; what an earlier version gave is counted again, without a warning."""
        if "periods_" in learned:
            super().relearn(learned)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.fit(cast(Panel, learned["panel_"]))
