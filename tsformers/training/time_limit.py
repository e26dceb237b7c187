"""A limit of time on training: a run that reaches it ends with an exception, which says how fast it was."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LEAST_STEPS = 3  # after the first one, from which the speed of a run is known

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

    The first step, which may pay for compilation, counts as time before the run.

    Args:
        seconds: from now.
        from_first_step: count from the end of the first step instead; three further steps and a check are taken before
            the run ends.

    Example:
        >>> StopWatch(60.0).due
        False
    """

    def __init__(self, seconds: float, from_first_step: bool = False) -> None:
        self.began = time.perf_counter()
        self.limit, self.from_first_step = seconds, from_first_step
        self.first: float | None = None
        self.steps, self.checks, self.spent = 0, 0, 0.0  # since the first step; seconds of checks

    @property
    def due(self) -> bool:
        """Whether the time is over."""
        if not self.from_first_step:
            return time.perf_counter() - self.began > self.limit
        return self.first is not None and self.steps >= LEAST_STEPS and time.perf_counter() - self.first > self.limit

    @contextmanager
    def checking(self) -> Iterator[None]:
        """A block that checks the validation windows."""
        began = time.perf_counter()
        yield
        self.checks, self.spent = self.checks + 1, self.spent + time.perf_counter() - began

    def stepped(self, check: Callable[[], object]) -> None:
        """A step was taken.

        Args:
            check: of the validation windows, by the training loop.

        Raises:
            OutOfTime: the time is over.
        """
        if self.first is None:
            self.first, self.checks, self.spent = time.perf_counter(), 0, 0.0
        else:
            self.steps += 1
        if not self.due:
            return
        if self.from_first_step and not self.checks:
            check()
        stepping = time.perf_counter() - self.first - self.spent
        raise OutOfTime(self.first - self.began, stepping / max(self.steps, 1), self.spent / max(self.checks, 1))


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
