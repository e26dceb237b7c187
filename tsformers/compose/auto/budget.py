"""The time that is left of a limit."""

import math
import time

MARGIN = 1.1  # estimates are multiplied by
CLOCK = time.perf_counter


def now() -> float:
    """Seconds of a clock.

    Example:
        >>> now() <= now()
        True
    """
    return CLOCK()


class Budget:
    """A limit in seconds from the moment it is made.

    Args:
        limit: seconds; None: none.

    Example:
        >>> Budget(None).left, Budget(None).allows(1e9)
        (inf, True)
    """

    def __init__(self, limit: float | None) -> None:
        self.limit = math.inf if limit is None else float(limit)
        self.began = now()
        self.longest_start = 0.0  # seconds that a candidate took to compile
        self.longest_before = 0.0  # and a network before its second step, where it cannot be stopped

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return now() - self.began

    @property
    def left(self) -> float:
        """Seconds until the limit; negative after it."""
        return self.limit - self.spent

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self.limit < math.inf

    def allows(self, seconds: float, reserved: float = 0.0) -> bool:
        """Whether work of so many seconds fits, with a margin of a tenth.

        Args:
            seconds: estimated.
            reserved: for other work after it.

        Returns:
            True or False.
        """
        return MARGIN * (seconds + reserved) <= self.left
