"""SeasonalNaive: the last season repeated, all series at once."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tsformers.data.blocks.panel_blocks import row_blocks
from tsformers.data.panel import Panel
from tsformers.forecasters.local.base import LocalForecaster, observed_spans
from tsformers.forecasters.local.naive_walk import History, naive_errors, naive_samples
from tsformers.forecasters.local.tasks import Params


@dataclass(kw_only=True, repr=False, eq=False)
class SeasonalNaive(LocalForecaster):
    """Repeats the last season, with errors that grow from season to season: the baseline of every comparison.

    ``y[t + h] = y[t + h - k m] + e_1 + ... + e_k`` with ``k = ceil(h / m)`` and ``e ~ Normal(0, s**2)``; ``s`` is the
    root mean square of ``y[t] - y[t - m]`` in the history of ``fit``: the variance is ``k s**2``. A missing value is
    replaced by the one a season earlier, which adds one more error. A series without two values one season apart is a
    random walk from its last value (``m = 1``); a single row is repeated. All series are drawn in one array operation.
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

    def learn(self, panel: Panel, season: int) -> tuple[list[Params], list[str]]:
        """The errors of all series, in ``errors_``; nothing falls back."""
        observed_spans(panel)
        blocks = [naive_errors(History(p.y, p.offsets, p.ends), season) for _, p in row_blocks(panel)]
        self.errors_ = np.concatenate(blocks)
        return [], [""] * panel.n_series

    def draw(self, panel: Panel, n_samples: int, keys: np.ndarray) -> np.ndarray:
        """Draws (N, S, H); errors of ``fit`` where it has some, those of this history elsewhere."""
        observed_spans(panel)
        history = History(panel.y, panel.offsets, panel.ends)
        where = self.panel_.ids.get_indexer(panel.ids)
        errors = np.where((where >= 0)[:, None], self.errors_[where], np.nan)
        errors = np.where(np.isfinite(errors), errors, naive_errors(history, self.season_))
        return naive_samples(history, self.season_, errors, keys, n_samples, self.horizon)

    def learned(self) -> dict[str, object]:
        """What ``fit`` has learned, ready to be serialised."""
        return {**super().learned(), "errors_": self.errors_}
