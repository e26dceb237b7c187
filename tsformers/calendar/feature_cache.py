"""Stamps and calendar features of steps that go on and on."""

import numpy as np

from tsformers.calendar.features import time_features
from tsformers.calendar.grid import beyond, compose, like_times, parse
from tsformers.errors import DataError

CLOCK_STEPS = 512  # looked up at once


class Clock:
    """Calendar features of series that tick together, looked up in blocks and then forgotten.

    Args:
        first: a position on the grid of time; what comes before it cannot be asked for.
        phase: where between two points of the grid the series tick.
        freq: of the series.
        tz: zone of the wall clock.
    """

    def __init__(self, first: int, phase: int, freq: str | int, tz: str | None) -> None:
        self.first, self.phase, self.freq, self.tz = first, phase, freq, tz
        self.features = self._look_up(first, CLOCK_STEPS)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Features (M, F) at ``positions`` (M,)."""
        missing = int(positions.max()) - self.first - len(self.features) + 1
        if missing > 0:
            more = self._look_up(self.first + len(self.features), max(missing, CLOCK_STEPS))
            self.features = np.concatenate([self.features, more])
        return self.features[positions - self.first]

    def forget(self, before: int) -> None:
        """Drops what lies before a position."""
        past = max(0, min(before - self.first, len(self.features)))
        self.first, self.features = self.first + past, self.features[past:]

    def _look_up(self, first: int, steps: int) -> np.ndarray:
        positions = np.arange(first, first + steps)
        stamps = stamps_at(positions, np.full(steps, self.phase), self.freq, self.tz)
        return time_features(stamps, self.freq, self.tz).astype(np.float32)


class Clocks:
    """A clock for each set of series that tick together: those at the full hour have one, those at half past another.

    Args:
        position: (N,) of the last steps on the grid of time.
        phase: (N,) of the series.
        freq: of the series.
        tz: zone of the wall clock.
    """

    def __init__(self, position: np.ndarray, phase: np.ndarray, freq: str | int, tz: str | None) -> None:
        phases, self.which = np.unique(phase, return_inverse=True)
        self.each = [Clock(int(position[phase == one].min()), int(one), freq, tz) for one in phases]
        self.held = self._held()

    def after(self, position: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Features of the steps that follow ``position`` (N,) in ``rows`` (M,)."""
        following = position[rows] + 1
        if len(self.each) == 1:
            found = self.each[0].at(following)
        else:
            which = self.which[rows]
            parts = [(which == k, self.each[k].at(following[which == k])) for k in np.unique(which)]
            found = np.empty((len(rows), parts[0][1].shape[1]), np.float32)
            for mine, features in parts:
                found[mine] = features
        if self._held() > 2 * self.held:
            for k, clock in enumerate(self.each):
                clock.forget(int(position[self.which == k].min()))
            self.held = max(self._held(), self.held)
        return found

    def _held(self) -> int:
        return sum(len(clock.features) for clock in self.each)


def stamps_at(position: np.ndarray, phase: np.ndarray, freq: str | int, tz: str | None) -> np.ndarray:
    """Stamps of steps by their positions on the grid of time.

    Raises:
        DataError: beyond the year 2262.
    """
    grid = parse(freq, tz)
    if beyond(position, phase, grid).any():
        raise DataError("the stream has come to the year 2262, where times end; use integer time")
    return like_times(compose(position, phase, grid), grid)
