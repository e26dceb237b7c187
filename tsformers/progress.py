"""Progress bars of long work: tqdm on a terminal, nothing elsewhere."""

import sys
from typing import Any


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


def progress(
    total: int,
    verbose: bool | None,
    title: str | None = None,
    *,
    unit: str = "it",
    done: int = 0,
    delay: float = 0.0,
    leave: bool = False,
) -> Any:
    """A progress bar on standard error, the only place that makes one.

    Args:
        total: steps of the work.
        verbose: whether to show it; None: where standard error is a terminal.
        title: stands before the bar.
        unit: of the steps.
        done: steps that were done before.
        delay: seconds before it appears, so that short work shows none.
        leave: whether it stays on the screen at the end.

    Returns:
        A context manager with ``update(n=1)`` and ``set_postfix(**values)``.

    Example:
        >>> with progress(3, verbose=False) as bar:
        ...     for _ in range(3):
        ...         bar.update()
    """
    if verbose is False or (verbose is None and not sys.stderr.isatty()):
        return HiddenBar()
    from tqdm import tqdm

    return tqdm(total=total, initial=done, desc=title, unit=unit, delay=delay, leave=leave, file=sys.stderr)
