"""A limit of time on training: a run that reaches it ends with an exception, which says how fast it was."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

LEAST_STEPS, LEAST_SECONDS = 3, 1.0  # after the first step, from which the speed of a run is known
CHECKING = 0.15  # seconds of checks in one of steps

_WATCH: ContextVar["StopWatch | None"] = ContextVar("watch", default=None)


class OutOfTime(Exception):
    """Training was stopped by ``limited``; it says how fast it was.

    Args:
        before: seconds from the beginning of the block to the end of the first step, which may pay for compilation.
        step: seconds of a step.

    Example:
        >>> OutOfTime(1.0, 0.01).seconds(400)
        5.6
    """

    def __init__(self, before: float, step: float) -> None:
        super().__init__("training was stopped at the limit of time")
        self.before, self.step = before, step

    def seconds(self, steps: int) -> float:
        """How long a whole run would take.

        Args:
            steps: of the run.

        Returns:
            Seconds, with those before the first step and checks of the validation windows.
        """
        return self.before + steps * self.step * (1 + CHECKING)


Judge: TypeAlias = Callable[[OutOfTime, int], None]


class StopWatch:
    """The times of a run, and when it is to end; a run that is not ended is not changed.

    Args:
        seconds: from now.
        judge: see ``limited``.

    Example:
        >>> watch = StopWatch(60.0)
        >>> watch.stepped(total=10)
        >>> watch.steps
        0
    """

    def __init__(self, seconds: float, judge: Judge | None = None) -> None:
        self.began = time.perf_counter()
        self.limit, self.judge = seconds, judge
        self.first: float | None = None
        self.steps, self.checks = 0, 0.0  # since the first step; seconds of checks

    @contextmanager
    def checking(self) -> Iterator[None]:
        """A block that checks the validation windows, which is no part of a step."""
        began = time.perf_counter()
        yield
        self.checks += time.perf_counter() - began

    def stepped(self, total: int) -> None:
        """A step was taken.

        Args:
            total: steps of the whole run.

        Raises:
            OutOfTime: the time is over, or the judge says so.
        """
        now = time.perf_counter()
        if self.first is None:
            self.first, self.checks = now, 0.0
            return
        self.steps += 1
        stepping = now - self.first - self.checks
        speed = OutOfTime(self.first - self.began, stepping / self.steps)
        if now - self.began > self.limit:
            raise speed
        if self.judge is not None and self.steps >= LEAST_STEPS and stepping > LEAST_SECONDS:
            judge, self.judge = self.judge, None
            judge(speed, total)


@contextmanager
def limited(seconds: float, judge: Judge | None = None) -> Iterator[None]:
    """A block in which training ends with ``OutOfTime`` once the time is over.

    Args:
        seconds: from the beginning of the block.
        judge: is called once, when the speed of the first run is known (after a second of steps), with the speed and
            the steps of the run; it may raise the speed, which ends the run.

    Raises:
        OutOfTime: between two steps.

    Example:
        >>> with limited(60.0):
        ...     current_watch().limit
        60.0
    """
    token = _WATCH.set(StopWatch(seconds, judge))
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
