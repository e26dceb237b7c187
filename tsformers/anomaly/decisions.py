"""Decision, the answer to a row; the statuses of rows, and why a row is not tested."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

STATUSES = ("tested", "missing", "late", "duplicate", "ahead", "unseen", "waiting", "off_grid", "invalid")
TESTED, MISSING, LATE, DUPLICATE, AHEAD, UNSEEN, WAITING, OFF_GRID, INVALID = range(len(STATUSES))
WHY = (
    "",
    "no value",
    "before the last row of its series",
    "at the time of the last row of its series",
    "more than {jump} steps after the last row of its series",
    "this series was not in the data of fit",
    "its context of {rows} rows is not full yet, or holds no value",
    "between two steps of its series",
    "",
)  # of statuses; that of an invalid row is its own
EVENTS = ("rows", *STATUSES, "alarms", "gaps", "replaced", "shifts", "refreshes")
FIELDS = ("expected", "lower", "upper", "p_value", "level", "anomaly")


@dataclass(frozen=True, slots=True)
class Decision:
    """A detector's answer to one row.

    Args:
        unique_id: the series, as the row had it.
        ds: the time, as the row had it.
        y: the value; NaN where there was none, or none that could be read.
        expected: the expected value of the forecast; NaN without one.
        lower: lower end of the forecast's central interval.
        upper: upper end of it.
        p_value: the probability, under the null, of a value at least as extreme; NaN where the row was not tested.
        level: the level of the test.
        anomaly: ``p_value <= level``: an alarm.
        status: "tested", or what else: one of ``STATUSES``; ``docs/anomalies.md`` explains each.
        why: why the row was not tested, in a few words.

    Example:
        >>> Decision("a", 7, 1.5).status
        'invalid'
    """

    unique_id: Any
    ds: Any
    y: float
    expected: float = float("nan")
    lower: float = float("nan")
    upper: float = float("nan")
    p_value: float = float("nan")
    level: float = float("nan")
    anomaly: bool = False
    status: str = "invalid"
    why: str = ""


class Answers(NamedTuple):
    """The decisions about M rows, as columns."""

    expected: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p_value: np.ndarray
    level: np.ndarray
    anomaly: np.ndarray
    status: np.ndarray  # (M,) positions in ``STATUSES``

    @classmethod
    def blank(cls, status: np.ndarray) -> "Answers":
        """Answers to rows of these statuses, before any test.

        Example:
            >>> Answers.blank(np.array([LATE])).level
            array([nan])
        """
        expected, lower, upper, p_value, level = np.full((5, len(status)), np.nan)
        anomaly = np.zeros(len(status), dtype=bool)
        return cls(expected, lower, upper, p_value, level, anomaly, status.copy())

    def columns(self) -> dict[str, np.ndarray]:
        """The columns of the answer by name, without id, time and value."""
        return {name: getattr(self, name) for name in FIELDS}

    def words(self) -> list[str]:
        """The statuses by name."""
        return [STATUSES[code] for code in self.status.tolist()]
