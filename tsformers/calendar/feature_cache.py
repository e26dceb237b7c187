"""Calendar features of an endless stream of steps, computed in blocks and kept until every series has passed them."""

import numpy as np

from tsformers.calendar.features import time_features
from tsformers.calendar.grid import Grid, beyond, compose, like_times
from tsformers.errors import DataError

BLOCK_STEPS = 512  # computed at once


class PhaseFeatures:
    """Calendar features of the grid positions of one phase, computed in blocks.

    Args:
        first: the first grid position; earlier ones are not available.
        phase: offset of the stamps within a step.
        grid: of the series.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> PhaseFeatures(0, 0, parse("h")).at(np.array([3])).shape
        (1, 4)
    """

    def __init__(self, first: int, phase: int, grid: Grid) -> None:
        self.first, self.phase, self.grid = first, phase, grid
        self.features = self._computed(first, BLOCK_STEPS)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Features (M, F) at ``positions`` (M,)."""
        missing = int(positions.max()) - self.first - len(self.features) + 1
        if missing > 0:
            more = self._computed(self.first + len(self.features), max(missing, BLOCK_STEPS))
            self.features = np.concatenate([self.features, more])
        return self.features[positions - self.first]

    def drop(self, before: int) -> None:
        """Drop the features of earlier positions."""
        past = max(0, min(before - self.first, len(self.features)))
        self.first, self.features = self.first + past, self.features[past:]

    def _computed(self, first: int, steps: int) -> np.ndarray:
        positions = np.arange(first, first + steps)
        stamps = stamps_at(positions, np.full(steps, self.phase), self.grid)
        return time_features(stamps, self.grid).astype(np.float32)


class FeatureCache:
    """Calendar features of many series: one ``PhaseFeatures`` for those on the full hour, one for those at half past.

    Args:
        position: (N,) grid positions of the last steps.
        phase: (N,) offsets of the series' stamps within a step.
        grid: of the series.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> cache = FeatureCache(np.array([0, 0]), np.array([0, 0]), parse("h"))
        >>> cache.after(np.array([0, 23]), np.array([0, 1]))[:, 0].round(3)  # hours 1 and 0 of the next day
        array([-0.457, -0.5  ], dtype=float32)
    """

    def __init__(self, position: np.ndarray, phase: np.ndarray, grid: Grid) -> None:
        different, self.which = np.unique(phase, return_inverse=True)
        self.phases = [PhaseFeatures(int(position[phase == one].min()), int(one), grid) for one in different]
        self.held = self._held()

    def after(self, position: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Features (M, F) of the step after ``position`` (N,), for the series ``rows`` (M,)."""
        following = position[rows] + 1
        if len(self.phases) == 1:
            found = self.phases[0].at(following)
        else:
            which = self.which[rows]
            parts = [(which == k, self.phases[k].at(following[which == k])) for k in np.unique(which)]
            found = np.empty((len(rows), parts[0][1].shape[1]), np.float32)
            for mine, values in parts:
                found[mine] = values
        if self._held() > 2 * self.held:
            for k, one in enumerate(self.phases):
                one.drop(int(position[self.which == k].min()))
            self.held = max(self._held(), self.held)
        return found

    def _held(self) -> int:
        return sum(len(one.features) for one in self.phases)


def stamps_at(position: np.ndarray, phase: np.ndarray, grid: Grid) -> np.ndarray:
    """Time stamps of grid positions.

    Args:
        position: (...) int64.
        phase: (...) int64.
        grid: of the series.

    Returns:
        (...) datetime64[ns] or int64.

    Raises:
        DataError: beyond the year 2262.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> stamps_at(np.array([3]), np.array([0]), parse("D")).astype("M8[D]")
        array(['1970-01-04'], dtype='datetime64[D]')
    """
    if beyond(position, phase, grid).any():
        raise DataError("the stream has reached the year 2262, where time stamps end; use integer time")
    return like_times(compose(position, phase, grid), grid)
