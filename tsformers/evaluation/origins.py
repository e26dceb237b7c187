"""Rolling origins: cutoffs counted back from the end of each series, the history before and the actuals after them."""

import warnings
from dataclasses import dataclass

import numpy as np

from tsformers.data.dataframes import stamps
from tsformers.data.panel import Panel
from tsformers.errors import DataError, first_names

MIN_OBSERVED = 2  # values of a series before a cutoff


@dataclass(frozen=True, eq=False)
class Origins:
    """The rolling origins of a panel: W windows of H steps.

    Args:
        panel: all data.
        n_history: (N, W) rows before each cutoff; 0 where a series is too short for a window.
        horizon: H steps after each cutoff.
        history_rows: at most so many rows of a series before a cutoff; None = all.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(10), "y": np.arange(10.0)}))
        >>> origins = rolling_origins(panel, horizon=3, windows=2, step=2)
        >>> origins.history(0).y.tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0]
        >>> origins.actuals(0)[0].tolist()
        [[5.0, 6.0, 7.0]]
    """

    panel: Panel
    n_history: np.ndarray
    horizon: int
    history_rows: int | None = None

    @property
    def windows(self) -> list[int]:
        """The windows that any series is long enough for, earliest first."""
        return [int(k) for k in np.flatnonzero(self.n_history.any(axis=0))]

    def series(self, window: int) -> np.ndarray:
        """Positions of the series that are long enough for a window."""
        return np.flatnonzero(self.n_history[:, window])

    def history(self, window: int, horizon: int = 0) -> Panel:
        """What a model is given before a window's cutoffs, and ``horizon`` rows of known covariates after them."""
        past = self.whole_history(window, horizon)
        return past if self.history_rows is None else past.tail(self.history_rows)

    def whole_history(self, window: int, horizon: int = 0) -> Panel:
        """All data before a window's cutoffs, and ``horizon`` rows of known covariates after them."""
        series = self.series(window)
        panel = self.panel if len(series) == self.panel.n_series else self.panel.select(series)
        return panel.until(panel.offsets[:-1] + self.n_history[series, window], horizon)

    def actuals(self, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values after the cutoffs (n, H), their stored times (n, H), and the times of the last history rows (n,)."""
        series = self.series(window)
        cutoffs = self.panel.offsets[series] + self.n_history[series, window]
        rows = cutoffs[:, None] + np.arange(self.horizon)
        return self.panel.y[rows], self.panel.times[rows], self.panel.times[cutoffs - 1]

    def cutoff(self, window: int) -> object:
        """The latest of a window's cutoffs, in the caller's type of time."""
        return stamps(self.actuals(window)[2].max(keepdims=True), self.panel.schema)[0]

    def fit_windows(self, refit: bool | int) -> list[int]:
        """The windows at whose cutoffs a model is fitted: the first, every n-th, and those that bring new series."""
        windows = np.asarray(self.windows)
        present = self.n_history[:, windows] > 0
        every = len(windows) if refit is False else int(refit)
        due = np.arange(len(windows)) % every == 0
        due[1:] |= (present[:, 1:] & ~present[:, :-1]).any(axis=0)
        return [int(k) for k in windows[due]]


def rolling_origins(panel: Panel, horizon: int, windows: int, step: int, history_rows: int | None = None) -> Origins:
    """Cutoffs of W windows: number k (0 = the earliest) lies ``horizon + (W - 1 - k) * step`` rows before each end.

    A series takes part in a window if it has at least two observed values before the cutoff.

    Args:
        panel: all data.
        horizon: H rows to forecast after a cutoff.
        windows: W cutoffs.
        step: rows between cutoffs.
        history_rows: at most so many rows of a series before a cutoff are given to models; None = all.

    Returns:
        The origins.

    Raises:
        DataError: no series is long enough for one window.

    Warns:
        UserWarning: some series are too short for some windows; one warning for all.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(10), "y": np.arange(10.0)}))
        >>> rolling_origins(panel, horizon=3, windows=2, step=2).n_history
        array([[5, 7]])
    """
    starts, ends = panel.offsets[:-1], panel.ends
    back = horizon + (windows - 1 - np.arange(windows)) * step
    cutoffs = np.maximum(ends[:, None] - back, starts[:, None])
    observed = np.concatenate([[0], np.cumsum(~np.isnan(panel.y))])
    first = starts[:, None] if history_rows is None else np.maximum(starts[:, None], cutoffs - history_rows)
    fits = observed[cutoffs] - observed[first] >= MIN_OBSERVED
    need = horizon + MIN_OBSERVED
    every = need + (windows - 1) * step
    if not fits.any():
        raise DataError(
            f"no series is long enough for one window: a horizon of {horizon} needs {need} rows, {MIN_OBSERVED} of "
            f"them values before the cutoff ({every} rows for {windows} windows), and the longest series has "
            f"{int((ends - starts).max())}; give longer series or a shorter horizon"
        )
    short = ~fits.all(axis=1)
    if short.any():
        warnings.warn(
            f"{int(short.sum())} of {panel.n_series} series ({first_names(panel.ids[short])}) are too "
            f"short for all windows, and {int((~fits).sum())} of their windows are left out; {windows} windows need "
            f"{every} rows, so ask for fewer windows or a shorter step to score all series alike",
            UserWarning,
            stacklevel=3,
        )
    return Origins(panel, np.where(fits, cutoffs - starts[:, None], 0), horizon, history_rows)
