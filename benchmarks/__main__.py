"""Ratios against a named peer, measured in this process: ``python -m benchmarks [NAME ...]``; one question a file."""

import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks._timing import Mebibytes

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main(chosen: list[str]) -> None:
    """Run the benchmarks called ``chosen`` (all where empty) and print one table."""
    unknown = sorted(set(chosen) - set(NAMES))
    if unknown:
        sys.exit(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    table = Table("question", "tsformers", "peer", "peer's", "ratio", "goal", title="medians of repeats, one process")
    for name in chosen or NAMES:
        for what, ours, peer, theirs, goal in import_module(f"benchmarks.{name}").run():
            table.add_row(what, _show(ours), peer, _show(theirs), f"{theirs / ours:.2f}x", goal)
    Console(width=160).print(table)


def _show(measured: float) -> str:
    if isinstance(measured, Mebibytes):
        return f"{measured:.0f} MiB"
    return f"{measured:.2f} s" if measured >= 1 else f"{1e3 * measured:.2f} ms"


if __name__ == "__main__":
    main(sys.argv[1:])
