"""Progress bars of long work: tqdm on a terminal, silence elsewhere."""

import sys
from typing import Any


class Silence:
    """A progress bar that shows nothing."""

    def __enter__(self) -> "Silence":
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self) -> None:
        """Nothing is shown."""

    def set_postfix(self, **_: object) -> None:
        """Nothing is shown."""


def progress(total: int, verbose: bool | None, title: str | None = None) -> Any:
    """A progress bar on standard error; None: where that is a terminal."""
    if verbose is False or (verbose is None and not sys.stderr.isatty()):
        return Silence()
    from tqdm import tqdm

    return tqdm(total=total, desc=title, file=sys.stderr, unit="step", leave=False)
