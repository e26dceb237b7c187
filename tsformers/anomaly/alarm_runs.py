"""Runs of consecutive alarms: what replaces their values in the context, and when a run is a level shift."""

import numpy as np
from jaxtyping import Bool, Float, Int64

from tsformers.anomaly.ring_buffers import Contexts


class AlarmRuns:
    """How many alarms each of N series has had in a row, and the values that raised them.

    Args:
        n_series: N.
        shift_after: alarms in a row that make a level shift; None: never.
        replace: values that raise an alarm do not enter the context.

    Example:
        >>> runs = AlarmRuns(1, shift_after=2, replace=True)
        >>> values, zero = np.array([[9.0]]), np.array([0])
        >>> runs.record(values, zero, np.array([5]), zero, np.array([True]), np.array([1.0])), values, runs.length
        (1, array([[1.]]), array([1]))
    """

    def __init__(self, n_series: int, shift_after: int | None, replace: bool) -> None:
        self.shift_after, self.replace = shift_after, replace
        width = shift_after or 0
        self.length = np.zeros(n_series, dtype=np.int64)
        self.values = np.full((n_series, width), np.nan)  # what raised the alarms of the run
        self.positions = np.full((n_series, width), -1, dtype=np.int64)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The state, not copied."""
        return {"run": self.length, "held": self.values, "held_at": self.positions}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take copies of what ``arrays`` gave."""
        self.length, self.values, self.positions = (arrays[name].copy() for name in ("run", "held", "held_at"))

    def resize(self, n: int) -> None:
        """Room for ``n`` series: new ones have had no alarm, those beyond are dropped."""
        kept, width = min(n, len(self.length)), self.values.shape[1]
        self.length = np.r_[self.length[:kept], np.zeros(n - kept, dtype=np.int64)]
        self.values = np.concatenate([self.values[:kept], np.full((n - kept, width), np.nan)])
        self.positions = np.concatenate([self.positions[:kept], np.full((n - kept, width), -1)])

    def record(
        self,
        values: Float[np.ndarray, "M P1"],
        at: Int64[np.ndarray, " K"],
        position: Int64[np.ndarray, " K"],
        series: Int64[np.ndarray, " K"],
        anomaly: Bool[np.ndarray, " K"],
        expected: Float[np.ndarray, " K"],
    ) -> int:
        """Count the alarms of K tested rows; with ``replace``, write what was expected over what raised them.

        Args:
            values: of M rows, targets first; changed in place.
            at: which of them were tested.
            position: of the tested rows.
            series: of the tested rows, distinct.
            anomaly: which of them raised an alarm.
            expected: their expected values.

        Returns:
            How many values were replaced.
        """
        self.length[series] = np.where(anomaly, self.length[series] + 1, 0)
        if not self.replace:
            return 0
        replaced = anomaly.copy()
        if self.shift_after:
            turn = self.length[series] - 1
            kept = anomaly & (turn < self.shift_after)
            self.values[series[kept], turn[kept]] = values[at[kept], 0]
            self.positions[series[kept], turn[kept]] = position[kept]
            replaced &= self.length[series] < self.shift_after
        values[at[replaced], 0] = expected[replaced]
        return int(replaced.sum())

    def restore_shifts(self, series: Int64[np.ndarray, " M"], contexts: Contexts) -> int:
        """Where a run has just become a level shift, the values that raised its alarms enter the context after all.

        Args:
            series: of the latest rows, distinct.
            contexts: changed in place.

        Returns:
            How many series have shifted.
        """
        shifted = series[self.length[series] == self.shift_after]
        shifted = shifted[self.positions[shifted, -1] == contexts.last[shifted]] if self.replace else shifted[:0]
        if len(shifted):
            owner = np.repeat(shifted, self.values.shape[1])
            contexts.amend(owner, self.positions[shifted].ravel(), self.values[shifted].ravel())
        return len(shifted)
