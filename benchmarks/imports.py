"""How long do the import of the package and the help of its commands take? Each call is a new process."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.timing import Row, compare, take_turns


def run() -> Iterator[Row]:
    """The package, and the help of its commands."""

    def python(*arguments: str) -> None:
        subprocess.run([sys.executable, "-P", *arguments], check=True, capture_output=True)

    ours, pandas, help_, forecast = take_turns(
        lambda: python("-c", "import tsformers"),
        lambda: python("-c", "import pandas"),
        lambda: python("-m", "tsformers", "--help"),
        lambda: python("-m", "tsformers", "forecast", "--help"),
        repeats=7,
    )
    yield compare("import tsformers", ours, "import pandas", pandas, ">= 1x")
    yield compare("tsformers --help", help_, "allowed", 0.5, ">= 1x")
    yield compare("tsformers forecast --help", forecast, "allowed", 0.5, ">= 1x")
