"""Progress of long work: bars on a terminal; in commands also lines where standard error is no terminal."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

Reporting = Literal["library", "command", "quiet"]
PATIENCE = 2.0  # seconds of silence before progress is shown
BETWEEN_LINES = 60.0  # seconds from one line to the next, where there is no terminal
BETWEEN_TICKS = 1.0  # seconds between two looks at the clock on a terminal

_REPORTING: ContextVar[Reporting] = ContextVar("reporting", default="library")
_WAITING: ContextVar["_Waiting | None"] = ContextVar("waiting", default=None)


@contextmanager
def reporting(mode: Reporting) -> Iterator[None]:
    """How progress is reported inside the block.

    Args:
        mode: "library": bars on a terminal; "command": lines elsewhere too; "quiet": nothing.

    Example:
        >>> with reporting("quiet"):
        ...     is_quiet()
        True
    """
    token = _REPORTING.set(mode)
    try:
        yield
    finally:
        _REPORTING.reset(token)


def is_quiet() -> bool:
    """Whether notes and progress are silenced.

    Example:
        >>> is_quiet()
        False
    """
    return _REPORTING.get() == "quiet"


class HiddenBar:
    """A progress bar that shows nothing.

    Example:
        >>> with HiddenBar() as bar:
        ...     bar.update(3)
    """

    def __enter__(self) -> "HiddenBar":
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self, n: int = 1) -> None:
        """Nothing is shown."""

    def set_postfix(self, **_: object) -> None:
        """Nothing is shown."""


class LineBar(HiddenBar):
    """Progress as lines on standard error: the first after two seconds, then one a minute.

    Args:
        total: steps of the work.
        title: stands before the count.
        unit: of the steps.
        done: steps that were done before.

    Example:
        >>> LineBar(300, "training", "step", 0).line()
        'training: 0 of 300 steps'
    """

    def __init__(self, total: int, title: str, unit: str, done: int) -> None:
        self.total, self.title, self.unit, self.done = total, title, unit.strip().removesuffix("s"), done
        self.due = time.monotonic() + PATIENCE

    def update(self, n: int = 1) -> None:
        """Count steps, and print a line where one is due."""
        self.done += n
        now = time.monotonic()
        if now >= self.due and self.done < self.total:
            print(self.line(), file=sys.stderr, flush=True)
            self.due = now + BETWEEN_LINES

    def line(self) -> str:
        """What is printed."""
        return f"{self.title}: {self.done:,} of {self.total:,} {self.unit}s"


def progress(
    total: int,
    verbose: bool | None,
    title: str | None = None,
    *,
    unit: str = "it",
    done: int = 0,
    delay: float | None = None,
    leave: bool = False,
) -> Any:
    """A progress bar on standard error, the only place that makes one.

    Args:
        total: steps of the work.
        verbose: whether to show it; None: where standard error is a terminal, and in commands.
        title: stands before the bar.
        unit: of the steps.
        done: steps that were done before.
        delay: seconds before it appears; None = two, or none where ``verbose`` is True.
        leave: whether it stays on the screen at the end.

    Returns:
        A context manager with ``update(n=1)`` and ``set_postfix(**values)``.

    Example:
        >>> with progress(3, verbose=False) as bar:
        ...     for _ in range(3):
        ...         bar.update()
    """
    mode, terminal = _REPORTING.get(), sys.stderr.isatty()
    if verbose is False or mode == "quiet" or (verbose is None and not terminal and mode == "library"):
        return HiddenBar()
    if (waiting := _WAITING.get()) is not None:
        waiting.stop()
    if mode == "command" and not terminal:
        return LineBar(total, title or "progress", unit, done)
    from tqdm import tqdm

    patience = delay if delay is not None else 0.0 if verbose else PATIENCE
    return tqdm(total=total, initial=done, desc=title, unit=unit, delay=patience, leave=leave, file=sys.stderr)


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """Work in a command that counts no steps: after two seconds it is named, with the seconds on a terminal.

    A progress bar inside the block takes over.

    Args:
        title: of the work, such as "reading sales.csv".

    Example:
        >>> with waiting("reading"):
        ...     pass
    """
    if _REPORTING.get() != "command" or _WAITING.get() is not None:
        yield
        return
    shown = _Waiting(title)
    token = _WAITING.set(shown)
    shown.thread.start()
    try:
        yield
    finally:
        _WAITING.reset(token)
        shown.stop()


class _Waiting:
    """A thread that says what is waited for."""

    def __init__(self, title: str) -> None:
        self.title, self.began, self.over = title, time.monotonic(), threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def stop(self) -> None:
        """End, and clear the line of a terminal."""
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()

    def _run(self) -> None:
        terminal, width = sys.stderr.isatty(), 0
        pause = PATIENCE
        while not self.over.wait(pause):
            pause = BETWEEN_TICKS if terminal else BETWEEN_LINES
            text = f"{self.title}: {time.monotonic() - self.began:.0f} s"
            width = max(width, len(text))
            print(f"\r{text}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)
        if width and terminal:
            print("\r" + " " * width + "\r", end="", file=sys.stderr, flush=True)
