"""How long does a text table take to become a frame? Against pandas.read_csv with the right options, 300,000 rows."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.timing import Row, compare, take_turns
from tsformers.data.files.read import read_table

N_ROWS, REPEATS = 300_000, 5
GOAL = "at least 0.33x (3x of pandas)"


def run() -> Iterator[Row]:
    """Each dialect in turn."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text, options in dialects():
            path = Path(folder) / f"{name.replace(' ', '_')}.csv"
            path.write_text(text, encoding="utf-8")
            ours, theirs = take_turns(
                lambda path=path: read_table(path),
                lambda path=path, options=options: pd.read_csv(path, **options),
                repeats=REPEATS,
            )
            yield compare(f"read {N_ROWS:,} rows, {name}", ours, "pandas read_csv", theirs, GOAL)


def dialects() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, content, and the options with which pandas reads it."""
    days = pd.date_range("1990-01-01", periods=N_ROWS // 30).strftime("%Y-%m-%d")
    values = np.random.default_rng(0).normal(1000, 300, (N_ROWS, 2)).round(2)
    frame = pd.DataFrame(
        {"unique_id": np.repeat([f"shop {i:02d}" for i in range(30)], len(days)), "ds": np.tile(days, 30)}
    ).assign(y=values[:, 0], price=values[:, 1])
    yield "plain", frame.to_csv(index=False), {}
    text = "A title\n" + frame.to_csv(index=False, sep=";", decimal=",")
    yield "semicolons and decimal commas", text, {"sep": ";", "decimal": ",", "skiprows": 1}
    english = frame.assign(y=[f"{y:,.2f}" for y in frame["y"]], price=[f"{y:,.2f}" for y in frame["price"]])
    yield "thousands in groups", english.to_csv(index=False), {"thousands": ","}
