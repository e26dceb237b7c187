"""SIGTERM and Ctrl-C, noted so that the rows at hand are finished first."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stop_signals() -> Iterator[Callable[[], int]]:
    """SIGTERM and Ctrl-C end the work after the rows at hand; a second one ends it at once.

    Returns:
        A context whose value is a function: the number of the first signal that came, 0 before.

    Example:
        >>> with stop_signals() as stopped:
        ...     stopped()
        0
    """
    received: list[int] = []

    def note(number: int, _: Any) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    previous: dict[int, Any] = {}
    try:
        for number in (int(signal.SIGTERM), int(signal.SIGINT)):
            previous[number] = signal.signal(number, note)
    except ValueError:  # not the main thread, which alone may set handlers
        pass
    try:
        yield lambda: received[0] if received else 0
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
