"""Rows far ahead of their series: a wrong clock, or the end of an outage where several rows agree."""

import numpy as np
from jaxtyping import Bool, Int64

AGREEING_ROWS = 3  # rows far ahead, one after the other, that move their series


class TimeJumps:
    """How many rows of each of N series lay too far ahead, one after the other.

    Args:
        n_series: N.
        max_jump: steps that a row may lie after the last one of its series.

    Example:
        >>> jumps, zero = TimeJumps(1, max_jump=5), np.array([0])
        >>> [jumps.rejected(zero, np.array([at]), np.array([at])).item() for at in (100, 101, 102)]
        [True, True, False]
    """

    def __init__(self, n_series: int, max_jump: int) -> None:
        self.max_jump = max_jump
        self.length = np.zeros(n_series, dtype=np.int64)
        self.position = np.full(n_series, -1, dtype=np.int64)  # of the latest row too far ahead

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The state, not copied."""
        return {"ahead": self.length, "ahead_at": self.position}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take copies of what ``arrays`` gave; states of early versions have none of these."""
        if "ahead" in arrays:
            self.length, self.position = arrays["ahead"].copy(), arrays["ahead_at"].copy()

    def resize(self, n: int) -> None:
        """Room for ``n`` series; those beyond are dropped."""
        kept = min(n, len(self.length))
        self.length = np.r_[self.length[:kept], np.zeros(n - kept, dtype=np.int64)]
        self.position = np.r_[self.position[:kept], np.full(n - kept, -1)]

    def rejected(
        self, series: Int64[np.ndarray, " M"], position: Int64[np.ndarray, " M"], ahead: Int64[np.ndarray, " M"]
    ) -> Bool[np.ndarray, " M"]:
        """Which rows of distinct series lie too far ahead; where three in a row agree, the last one is accepted.

        Args:
            series: of the rows.
            position: of the rows on the grid.
            ahead: steps after the last row of the series.

        Returns:
            (M,) True where a row must not move its series.
        """
        far = ahead > self.max_jump
        step = position - self.position[series]
        agrees = far & (self.length[series] > 0) & (step <= self.max_jump)
        repeated = agrees & (step == 0)  # the same row again is no evidence
        run = np.where(agrees & (step >= 0), self.length[series] + ~repeated, far)
        accepted = run >= AGREEING_ROWS
        self.length[series] = np.where(accepted, 0, run)
        self.position[series] = np.where(far, position, -1)
        return far & ~accepted
