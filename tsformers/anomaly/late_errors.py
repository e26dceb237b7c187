"""The errors of calibration rows, learned when their forecast has served its last row: a block of series at a time."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from tsformers.anomaly.forecast_cache import ForecastCache
from tsformers.anomaly.p_values import Arrays, PValue
from tsformers.anomaly.ring_buffers import Contexts
from tsformers.distributions.marginals import Marginals


class LateErrors:
    """Calibration rows that wait for their forecast, so that the draws of all series are never held at once.

    Nothing is tested in calibration, so a forecast is not needed before the next one is due. Contexts can be read as
    they were at its origin until then: the numbers are those of a forecast made at once.

    Args:
        cache: origins of the forecasts; their values are not kept in it.
        contexts: of all series.
        p_value: learns the errors.
        arrays: its state, changed in place.
        names: of all series.
    """

    def __init__(
        self, cache: ForecastCache, contexts: Contexts, p_value: PValue, arrays: Arrays, names: pd.Index
    ) -> None:
        self.cache, self.contexts, self.names = cache, contexts, names
        self.p_value, self.arrays = p_value, arrays
        self.series: np.ndarray | None = None  # those that were ready at the origin
        self.waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def renew(self, position: int) -> None:
        """Learn what waits for the forecast so far; the next rows wait for one from what is known before a position."""
        self.learn()
        self.series = self.cache.start_renewal(position, self.contexts)

    def add(
        self, series: Int64[np.ndarray, " M"], position: Int64[np.ndarray, " M"], y: Float[np.ndarray, " M"]
    ) -> None:
        """Rows of distinct series, later than all of theirs; those without a value teach nothing."""
        observed = ~np.isnan(y)
        self.waiting.append((series[observed], position[observed], y[observed]))

    def learn(self) -> None:
        """Forecast, and learn the errors of the rows that wait; rows of series without a forecast are left out."""
        if self.series is None:
            return
        empty = np.empty(0, dtype=np.int64)
        waiting = [list(part) for part in zip(*self.waiting, (empty, empty, empty * 1.0), strict=True)]
        self.waiting = []
        series = np.concatenate(waiting.pop(0))
        order = np.argsort(series, kind="stable")  # series by series, each in order of time
        series = series[order]
        position, y = (np.concatenate(waiting.pop(0))[order] for _ in range(2))
        del order
        for own, forecast in self.cache.blocks(self.series, self.contexts, self.names):
            firsts, stops = np.searchsorted(series, own), np.searchsorted(series, own, side="right")
            lengths = stops - firsts
            if not lengths.any():
                continue
            place = np.repeat(np.arange(len(own)), lengths)
            rows = np.arange(len(place)) + np.repeat(firsts - np.cumsum(lengths) + lengths, lengths)
            step = position[rows] - self.cache.origin[series[rows]] - 1
            drawn = np.ascontiguousarray(forecast.values[place, :, step])
            self.p_value.calibrate(self.arrays, series[rows], y[rows], Marginals(drawn, forecast.levels))
        self.series = None
