"""The held-out windows of Auto: the last ones of each series, of a seeded choice of series where there are many."""

from typing import NamedTuple

import numpy as np

from tsformers.data.panel import Panel
from tsformers.scoring.reference import seasonal_scale

MOST_SERIES = 300  # scored
LEAST_SERIES = 20  # however long the horizon
MOST_NUMBERS = 2_000_000  # quantiles of the scored windows of one candidate
WANTED = 200  # scored windows
FEWEST, MOST_WINDOWS = 2, 10  # of a series, where its history allows
LEAST_ROWS = 3  # before a window, and values among them
SHARE = 1 / 3  # of a history that is held out at most, where it is more than one window
MOST_ROWS = 2_000  # from which the scale of a series is taken
LEAST_SCALE = 0.01  # of the mean size of a series


class HeldOutWindows(NamedTuple):
    """Windows at the end of n series: each is fitted on the rows before its own first window."""

    panel: Panel  # n series that have a window
    windows: np.ndarray  # (n,) how many
    scored: np.ndarray  # (m,) positions of the series that are scored
    truth: np.ndarray  # (W, m, H), NaN = missing or no window; the last window last
    scale: np.ndarray  # (m,) seasonal naive error before the windows, NaN = unknown

    @property
    def n_windows(self) -> int:
        """W."""
        return len(self.truth)

    @property
    def n_scored(self) -> int:
        """How many windows hold a value."""
        return int(np.isfinite(self.truth).any(axis=2).sum())

    def training(self) -> Panel:
        """The rows before the first window of each series.

        Returns:
            A panel of n series.
        """
        return self.panel.until(self.panel.ends - self.windows * self.truth.shape[2])

    def at(self, window: int, series: np.ndarray) -> tuple[np.ndarray, Panel]:
        """Some of the scored series as they were known before a window.

        Args:
            window: from 0 to W - 1.
            series: positions among the scored ones.

        Returns:
            Positions of those that have the window, and their panel, with the known covariates of the window.
        """
        horizon = self.truth.shape[2]
        here = series[self.windows[self.scored[series]] >= self.n_windows - window]
        part = self.panel.select(self.scored[here])
        return here, part.until(part.ends - (self.n_windows - window) * horizon, horizon)


def held_out(panel: Panel, horizon: int, season: int, seed: int) -> HeldOutWindows | None:
    """The windows that candidates are compared on.

    A series has a window where three rows, and more than a season, come before it; further ones where they leave two
    thirds of its rows, two seasons and two horizons before them. There are 2 windows a series, and up to 10 where
    series are few, so that there are 200 in all. Windows do not overlap. Of more than 300 series (fewer where horizons
    are long) a random choice is scored, which depends on the seed alone.

    Args:
        panel: N series.
        horizon: H.
        season: rows of one season.
        seed: of the choice.

    Returns:
        The windows; None where no series has one.

    Example:
        >>> import pandas as pd
        >>> found = held_out(Panel.from_frame(pd.Series(range(60))), 4, 1, seed=0)
        >>> found.windows, found.training().lengths, found.truth[-1]
        (array([5]), array([40]), array([[56., 57., 58., 59.]]))
    """
    lengths = panel.lengths
    before = LEAST_ROWS if season == 1 else max(LEAST_ROWS, season + 1)
    counts = np.concatenate([[0], np.cumsum(np.isfinite(panel.y))])

    def observed(windows: np.ndarray) -> np.ndarray:
        """How many values come before the windows."""
        return counts[np.maximum(panel.ends - windows * horizon, panel.offsets[:-1])] - counts[panel.offsets[:-1]]

    one = (lengths - horizon >= before) & (observed(np.ones(len(lengths), dtype=np.int64)) >= LEAST_ROWS)
    if not one.any():
        return None
    most = int(np.clip(-(-WANTED // one.sum()), FEWEST, MOST_WINDOWS))
    more = np.minimum(lengths * SHARE, lengths - max(2 * season, 2 * horizon, before)) // horizon
    windows = np.where(one, np.clip(more, 1, most), 0).astype(np.int64)
    windows = np.where(one & (observed(windows) < LEAST_ROWS), 1, windows)
    usable = np.flatnonzero(one)
    part, windows = panel.select(usable), windows[usable]
    n_windows = int(windows.max())
    size = min(MOST_SERIES, max(LEAST_SERIES, MOST_NUMBERS // (n_windows * horizon * 23)))
    scored = np.arange(len(usable))
    if len(usable) > size:
        scored = np.sort(np.random.default_rng(seed).choice(len(usable), size, replace=False))
    truth = np.full((n_windows, len(scored), horizon), np.nan)
    for window in range(n_windows):
        left = n_windows - window
        here = windows[scored] >= left
        first = part.ends[scored[here]] - left * horizon
        truth[window, here] = part.y[first[:, None] + np.arange(horizon)]
    return HeldOutWindows(part, windows, scored, truth, _scales(part, windows, scored, horizon, season))


def _scales(panel: Panel, windows: np.ndarray, scored: np.ndarray, horizon: int, season: int) -> np.ndarray:
    part = panel.select(scored)
    before = part.until(part.ends - windows[scored] * horizon)
    past = before.padded(min(int(before.lengths.max()), MOST_ROWS))
    size = np.nansum(np.abs(past), axis=1) / np.maximum(np.isfinite(past).sum(axis=1), 1)
    scale = seasonal_scale(past, season)
    known = np.isfinite(scale) & (np.maximum(scale, LEAST_SCALE * size) > 0)
    return np.where(known, np.maximum(scale, LEAST_SCALE * size), np.nan)
