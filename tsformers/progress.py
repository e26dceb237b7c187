"""Progress of long work: bars on a terminal; in commands also lines where standard error is no terminal."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

Reporting = Literal["library", "command", "quiet"]
PATIENCE = 2.0  # seconds of silence before progress is shown
BETWEEN_LINES = 60.0  # seconds from one line to the next, where there is no terminal
BETWEEN_TICKS = 1.0  # seconds between two looks at the clock on a terminal

_REPORTING: ContextVar[Reporting] = ContextVar("reporting", default="library")
_WAITING: ContextVar["_Speaker | None"] = ContextVar("waiting", default=None)


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
        'training: 0 of 300 steps done'
    """

    def __init__(self, total: int, title: str, unit: str, done: int) -> None:
        self.total, self.title, self.unit, self.done = total, title, unit.strip().removesuffix("s"), done
        self.speaker = _Speaker(self.line, terminal=False)

    def __enter__(self) -> "LineBar":
        self.speaker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.speaker.stop()

    def update(self, n: int = 1) -> None:
        """Count steps."""
        self.done += n

    def line(self) -> str:
        """What is printed."""
        return f"{self.title}: {self.done:,} of {self.total:,} {self.unit}s done"


class TerminalBar:
    """A bar of tqdm on a terminal, which appears after its delay even before the first step is done.

    Args:
        bar: of tqdm.
        delay: seconds before it appears.

    Example:
        >>> TerminalBar(None, 2.0).delay
        2.0
    """

    def __init__(self, bar: Any, delay: float) -> None:
        self.bar, self.delay = bar, delay
        self.timer = threading.Timer(delay, self._appear)
        self.timer.daemon = True

    def __enter__(self) -> "TerminalBar":
        if self.delay:
            self.timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self.bar.close()

    def update(self, n: int = 1) -> None:
        """Count steps."""
        self.bar.update(n)

    def set_postfix(self, **values: object) -> None:
        """Show values behind the bar."""
        self.bar.set_postfix(**values)

    def _appear(self) -> None:
        self.bar.refresh()


def progress(
    total: int,
    verbose: bool | None,
    title: str | None = None,
    *,
    unit: str = "step",
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
    if (waited := _WAITING.get()) is not None:
        waited.stop()
    if mode == "command" and not terminal:
        return LineBar(total, title or "progress", unit, done)
    from tqdm import tqdm

    patience = delay if delay is not None else 0.0 if verbose else PATIENCE
    bar = tqdm(total=total, initial=done, desc=title, unit=unit, delay=patience, leave=leave, file=sys.stderr)
    return TerminalBar(bar, patience)


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
    began = time.monotonic()
    speaker = _Speaker(lambda: f"{title}: {time.monotonic() - began:.0f} s", terminal=sys.stderr.isatty())
    token = _WAITING.set(speaker)
    speaker.start()
    try:
        yield
    finally:
        _WAITING.reset(token)
        speaker.stop()


class _Speaker:
    """A thread that says how work goes on: on a terminal in one line that is cleared at the end, else in lines."""

    def __init__(self, line: Callable[[], str], *, terminal: bool) -> None:
        self.line, self.terminal, self.over = line, terminal, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self.thread.start()

    def stop(self) -> None:
        """End, and clear the line of a terminal."""
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()

    def _run(self) -> None:
        width, pause = 0, PATIENCE
        while not self.over.wait(pause):
            pause = BETWEEN_TICKS if self.terminal else BETWEEN_LINES
            text = self.line()
            width = max(width, len(text))
            shown, end = (f"\r{text}", "") if self.terminal else (text, "\n")
            print(shown, end=end, file=sys.stderr, flush=True)
        if width and self.terminal:
            print("\r" + " " * width + "\r", end="", file=sys.stderr, flush=True)
