"""A limit of time on training: a run that reaches it ends with an exception, which says how fast it was."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_WATCH: ContextVar["StopWatch | None"] = ContextVar("watch", default=None)


class OutOfTime(Exception):
    """Training was stopped by ``limited``.

    Args:
        before: seconds from the beginning of the block to the first step.
        step: seconds of a step.
        check: seconds of a check of the validation windows.

    Example:
        >>> OutOfTime(1.0, 0.01, 0.1).seconds(200, 20)
        5.0
    """

    def __init__(self, before: float, step: float, check: float) -> None:
        super().__init__("training was stopped at the limit of time")
        self.before, self.step, self.check = before, step, check

    def seconds(self, steps: int, checks: int) -> float:
        """How long a whole run would take.

        Args:
            steps: of the run.
            checks: of the run.

        Returns:
            Seconds, those before the first step included.
        """
        return self.before + steps * self.step + checks * self.check


class StopWatch:
    """The times of a run, and when it is to end.

    Args:
        seconds: from now.
        from_first_step: count from the first step instead; the run ends after a check.

    Example:
        >>> StopWatch(1.0).due
        False
    """

    def __init__(self, seconds: float, from_first_step: bool = False) -> None:
        self.began = time.perf_counter()
        self.limit, self.from_first_step = seconds, from_first_step
        self.first: float | None = None
        self.steps, self.checks, self.checking = 0, 0, 0.0

    @property
    def due(self) -> bool:
        """Whether the time is over."""
        start = self.first if self.from_first_step else self.began
        return start is not None and time.perf_counter() - start > self.limit

    def start(self) -> None:
        """A run begins its first step."""
        if self.first is None:
            self.first = time.perf_counter()

    def checked(self, seconds: float) -> None:
        """A check took so long."""
        self.checks, self.checking = self.checks + 1, self.checking + seconds

    def stepped(self) -> None:
        """A step was taken."""
        self.steps += 1

    def stop(self) -> OutOfTime:
        """The exception that ends the run."""
        first = self.began if self.first is None else self.first
        stepping = time.perf_counter() - first - self.checking
        return OutOfTime(first - self.began, stepping / max(self.steps, 1), self.checking / max(self.checks, 1))


@contextmanager
def limited(seconds: float, *, from_first_step: bool = False) -> Iterator[None]:
    """A block in which training ends with ``OutOfTime`` once the time is over.

    Args:
        seconds: from the beginning of the block.
        from_first_step: count from the first step instead, and check the validation windows once before the end, so
            that the exception knows what a check costs.

    Raises:
        OutOfTime: between two steps.

    Example:
        >>> with limited(60.0):
        ...     current_watch().due
        False
    """
    token = _WATCH.set(StopWatch(seconds, from_first_step))
    try:
        yield
    finally:
        _WATCH.reset(token)


def current_watch() -> StopWatch | None:
    """The watch of the block around; None: training takes the time it takes.

    Example:
        >>> current_watch() is None
        True
    """
    return _WATCH.get()
