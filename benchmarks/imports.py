"""What does a user wait for before anything happens? Processes of their own, each started anew."""

import subprocess
import sys

from benchmarks._timing import Row, medians


def run() -> list[Row]:
    """What, our seconds, the peer, its seconds, the goal."""

    def python(*arguments: str) -> None:
        subprocess.run([sys.executable, "-P", *arguments], check=True, capture_output=True)

    ours, pandas, help_, forecast = medians(
        lambda: python("-c", "import tsformers"),
        lambda: python("-c", "import pandas"),
        lambda: python("-m", "tsformers", "--help"),
        lambda: python("-m", "tsformers", "forecast", "--help"),
        repeats=7,
    )
    return [
        ("import tsformers", ours, "import pandas", pandas, ">= 1x"),
        ("tsformers --help", help_, "allowed", 0.5, ">= 1x"),
        ("tsformers forecast --help", forecast, "allowed", 0.5, ">= 1x"),
    ]
