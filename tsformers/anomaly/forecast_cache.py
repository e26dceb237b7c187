"""The latest forecast of all series: which rows it still serves, and its renewal in one batch."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64

from tsformers.anomaly.ring_buffers import Contexts
from tsformers.anomaly.settings import Setup, needed_rows
from tsformers.data.blocks.forecast_blocks import forecast_blocks
from tsformers.data.forecast import Forecast
from tsformers.data.intake.silent_series import silence_accepted
from tsformers.distributions.marginals import Marginals


def marginals_of(forecast: Forecast, step: int = 0) -> Marginals:
    """The predictive distributions of one step of a forecast, a row for each of its series.

    Args:
        forecast: of M series.
        step: from 0, the first step ahead.

    Returns:
        Its marginals, rows in the order of ``forecast.ids``.

    Raises:
        IndexError: the forecast does not reach that far.

    Example:
        >>> forecast = Forecast(pd.Index(["a"]), np.array([[7, 8]]), np.array([[[1.0, 4.0], [3.0, 6.0]]]))
        >>> marginals_of(forecast, step=1).values
        array([[4., 6.]])
    """
    return Marginals(forecast.values[:, :, step], forecast.levels)


class ForecastCache:
    """The latest forecast of N series, and how old it is.

    Args:
        setup: the settings of the detector.
        n_series: N.
    """

    def __init__(self, setup: Setup, n_series: int) -> None:
        self.setup, self.grid = setup, setup.like.grid
        self.rows_since = np.full(n_series, setup.refresh, dtype=np.int64)  # rows of each series since the forecast
        self.origin = np.full(n_series, -1, dtype=np.int64)  # position of the last step before the forecast
        self.row = np.full(n_series, -1, dtype=np.int64)  # of each series in the forecast; -1: it has none
        self.values: np.ndarray | None = None  # (H, n, S), or (H, n, Q) with levels
        self.levels: tuple[float, ...] | None = None
        self.outdated = False  # contexts were amended after the forecast
        self.n_forecasts = 0  # made so far
        self.n_fitted = len(setup.like.ids)  # the first series, those of ``fit``
        self._least_rows = needed_rows(setup.forecaster)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The running state of each series, not copied."""
        return {"since": self.rows_since, "origin": self.origin, "row": self.row}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take copies of what ``arrays`` gave."""
        self.rows_since, self.origin, self.row = (arrays[name].copy() for name in ("since", "origin", "row"))

    def resize(self, n: int) -> None:
        """Room for ``n`` series: new ones have no forecast, those beyond are dropped."""
        kept = min(n, len(self.row))
        self.rows_since = np.r_[self.rows_since[:kept], np.full(n - kept, self.setup.refresh)]
        self.origin, self.row = (np.r_[part[:kept], np.full(n - kept, -1)] for part in (self.origin, self.row))

    def ready(self, series: Int64[np.ndarray, " M"], contexts: Contexts) -> Bool[np.ndarray, " M"]:
        """Which series have rows enough to be forecast: those of ``fit``, and others once their context is full."""
        rows = contexts.last[series] - contexts.first[series] + 1
        return rows >= np.where(series < self.n_fitted, self._least_rows, self.setup.rows)

    def due(
        self, series: Int64[np.ndarray, " M"], position: Int64[np.ndarray, " M"], contexts: Contexts
    ) -> Bool[np.ndarray, " M"]:
        """Which rows need a new forecast before they are tested."""
        lead = position - self.origin[series]
        old = (self.rows_since[series] >= self.setup.refresh) | (lead < 1) | (lead > self.setup.horizon) | self.outdated
        return old & self.ready(series, contexts)

    def marginals(self, series: Int64[np.ndarray, " M"], position: Int64[np.ndarray, " M"]) -> Marginals:
        """The predictive distributions of rows of series that have a forecast."""
        assert self.values is not None
        return Marginals(self.values[position - self.origin[series] - 1, self.row[series]], self.levels)

    def start_renewal(self, position: int, contexts: Contexts) -> Int64[np.ndarray, " K"]:
        """Move the origins to what is known before ``position``; the next ``predict`` forecasts from there.

        Args:
            position: of the row that needs a new forecast.
            contexts: of all series.

        Returns:
            The series that are ready to be forecast.
        """
        every = np.arange(len(contexts))
        ahead = position - contexts.last
        behind = np.ones(len(every), dtype=bool) if self.setup.aligned else ahead > self.setup.horizon
        self.origin = np.where(behind, position - 1, contexts.last)
        self.rows_since[:] = 0
        self.outdated = False
        self.n_forecasts += 1
        return every[self.ready(every, contexts)]

    def blocks(
        self, series: Int64[np.ndarray, " K"], contexts: Contexts, names: pd.Index, quiet: bool = False
    ) -> Iterator[tuple[Int64[np.ndarray, " n"], Forecast]]:
        """Forecast some series from their origins, and note the row of each; a block at a time where the model can.

        Args:
            series: to be forecast; those without a value in their context get no forecast.
            contexts: of all series.
            names: of all series.
            quiet: no warnings.

        Yields:
            The series of a block, and their forecast.

        Raises:
            DataError: the forecaster cannot forecast one of these series.
        """
        setup, done = self.setup, 0
        self.row[:] = -1
        panel, series = contexts.panel(series, self.origin[series], setup.rows, self.grid, setup.like, names[series])
        if not len(series):
            return
        seed = setup.seed + self.n_forecasts
        blocks = forecast_blocks(setup.forecaster, panel, n_samples=setup.n_samples, seed=seed)
        while True:
            with silence_accepted():
                if quiet or self.n_forecasts > 1:
                    warnings.simplefilter("ignore")  # once is enough: each renewal would name the same series
                block = next(blocks, None)
            if block is None:
                return
            own = panel.ids.get_indexer(block.ids)
            here = np.flatnonzero(own >= 0)
            self.row[series[own[here]]] = done + here
            done += len(own)
            yield series[own[here]], block if len(here) == len(own) else block.select(here)

    def predict(
        self, series: Int64[np.ndarray, " K"], contexts: Contexts, names: pd.Index, quiet: bool = False
    ) -> None:
        """Forecast some series and keep it; arguments and errors as for ``blocks``."""
        self.values, self.levels = None, None
        values, done = None, 0
        for own, block in self.blocks(series, contexts, names, quiet):
            if values is None:
                values = np.empty((block.horizon, len(series), block.values.shape[1]))
            values[:, done : done + len(own)] = block.values.transpose(2, 0, 1)
            done += len(own)
            self.levels = block.levels
        if values is not None:
            self.values = values if done == len(series) else np.ascontiguousarray(values[:, :done])

    @property
    def is_left_out(self) -> bool:
        """The latest forecast serves rows and is not kept: ``remake`` makes it again."""
        return self.values is None and not self.outdated and bool((self.row >= 0).any())

    def remake(self, contexts: Contexts, names: pd.Index) -> None:
        """The latest forecast again, from the contexts as they were: for a state that was kept without it."""
        row = self.row.copy()
        self.predict(np.flatnonzero(row >= 0), contexts, names, quiet=True)
        assert (self.row == row).all()
