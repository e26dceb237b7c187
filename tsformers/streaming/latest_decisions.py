"""The latest decisions of a stream, kept for a picture."""

from collections import deque
from collections.abc import Callable
from typing import Any

import pandas as pd

from tsformers.anomaly.decisions import Decision

MOST_DRAWN = 20_000  # decisions that a picture is made of
NOT_DRAWN = ("invalid", "ahead")  # statuses of rows without a place on the time axis


class LatestDecisions:
    """The latest decisions of a stream.

    Args:
        most: how many are kept.
        times: parses the times of rows; None: they stay as they are.

    Example:
        >>> latest = LatestDecisions(2)
        >>> for t in range(5):
        ...     latest(Decision("a", t, 1.5, status="tested"))
        >>> latest.frame()["ds"].tolist()
        [3, 4]
    """

    def __init__(self, most: int = MOST_DRAWN, times: Callable[[list[Any]], Any] | None = None) -> None:
        self.kept: deque[Decision] = deque(maxlen=most)
        self.times = times

    def __call__(self, decision: Decision) -> None:
        """Keep a decision, and drop the oldest beyond ``most``.

        Args:
            decision: the next one.
        """
        self.kept.append(decision)

    def frame(self) -> pd.DataFrame:
        """The decisions that can be drawn.

        Returns:
            One row a decision, one column a field.
        """
        drawn = [decision for decision in self.kept if decision.status not in NOT_DRAWN]
        frame = pd.DataFrame([{name: getattr(each, name) for name in each.__slots__} for each in drawn])
        return frame if self.times is None or frame.empty else frame.assign(ds=self.times(frame["ds"].tolist()))
