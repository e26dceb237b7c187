"""Where the windows of a backtest lie: cutoffs counted back from the end of each series, and the data before them."""

import warnings
from dataclasses import dataclass

import numpy as np

from tsformers.data.dataframes import stamps
from tsformers.data.panel import Panel
from tsformers.errors import DataError

MIN_OBSERVED = 2  # values that a series must have before a cutoff
NAMED = 5  # series that a message lists by name


@dataclass(frozen=True, eq=False)
class Origins:
    """The rolling origins of a panel: W windows of H steps.

    Args:
        panel: all data.
        kept: (N, W) rows of history before each cutoff; 0 where a series is too short for a window.
        horizon: H steps after each cutoff.

    Example:
        >>> import pandas as pd
        >>> panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": range(10), "y": np.arange(10.0)}))
        >>> origins = rolling_origins(panel, horizon=3, windows=2, step=2)
        >>> origins.seen(0).y.tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0]
        >>> origins.truth(0)[0].tolist()
        [[5.0, 6.0, 7.0]]
    """

    panel: Panel
    kept: np.ndarray
    horizon: int

    @property
    def windows(self) -> list[int]:
        """The windows that any series is long enough for, earliest first."""
        return [int(k) for k in np.flatnonzero(self.kept.any(axis=0))]

    def series(self, window: int) -> np.ndarray:
        """Positions of the series that take part in a window."""
        return np.flatnonzero(self.kept[:, window])

    def seen(self, window: int, horizon: int = 0) -> Panel:
        """The data before a window's cutoffs and nothing else, but for ``horizon`` rows of known covariates."""
        series = self.series(window)
        panel = self.panel if len(series) == self.panel.n_series else self.panel.select(series)
        return panel.until(panel.offsets[:-1] + self.kept[series, window], horizon)

    def truth(self, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What happened: values (n, H), their stored times (n, H), and the times of the last rows seen (n,)."""
        series = self.series(window)
        cutoffs = self.panel.offsets[series] + self.kept[series, window]
        rows = cutoffs[:, None] + np.arange(self.horizon)
        return self.panel.y[rows], self.panel.times[rows], self.panel.times[cutoffs - 1]

    def cutoff(self, window: int) -> object:
        """The latest of a window's cutoffs, as the caller would write it."""
        return stamps(self.truth(window)[2].max(keepdims=True), self.panel.schema)[0]

    def fits(self, refit: bool | int) -> list[int]:
        """The windows at whose cutoffs a model is fitted: the first, every n-th, and those that bring new series."""
        there = np.asarray(self.windows)
        present = self.kept[:, there] > 0
        every = len(there) if refit is False else int(refit)
        due = np.arange(len(there)) % every == 0
        due[1:] |= (present[:, 1:] & ~present[:, :-1]).any(axis=0)
        return [int(k) for k in there[due]]


def rolling_origins(panel: Panel, horizon: int, windows: int, step: int) -> Origins:
    """Cutoffs of W windows: number k (0 = the earliest) lies ``horizon + (W - 1 - k) * step`` rows before each end.

    A window is left to a series with at least two values before its cutoff.

    Args:
        panel: all data.
        horizon: H rows forecast after a cutoff.
        windows: W.
        step: rows between cutoffs.

    Returns:
        The origins.

    Raises:
        DataError: no series is long enough for one window.

    Warns:
        UserWarning: some series are too short for some windows; one warning for all.
    """
    starts, ends = panel.offsets[:-1], panel.ends
    back = horizon + (windows - 1 - np.arange(windows)) * step
    cutoffs = np.maximum(ends[:, None] - back, starts[:, None])
    observed = np.concatenate([[0], np.cumsum(~np.isnan(panel.y))])
    fits = observed[cutoffs] - observed[starts][:, None] >= MIN_OBSERVED
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
        named = ", ".join(f"{panel.ids[i]!r}" for i in np.flatnonzero(short)[:NAMED])
        warnings.warn(
            f"{int(short.sum())} of {panel.n_series} series ({named}{', ...' if short.sum() > NAMED else ''}) are too "
            f"short for all windows, and {int((~fits).sum())} of their windows are left out; {windows} windows need "
            f"{every} rows, so ask for fewer windows or a shorter step to score all series alike",
            UserWarning,
            stacklevel=3,
        )
    return Origins(panel, np.where(fits, cutoffs - starts[:, None], 0), horizon)
