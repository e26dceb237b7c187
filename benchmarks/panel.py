"""How long does a frame take to become a Panel? Against pandas sorting the same frame, 100,000 series of 100 rows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks.timing import Row, compare, take_turns
from tsformers.data.panel import Panel

N_SERIES, ROWS, REPEATS = 100_000, 100, 3
GOAL = "at least 0.33x (3x of the sort)"


def run() -> Iterator[Row]:
    """Shuffled, then sorted."""
    in_order = frame()
    shuffled = in_order.sample(frac=1, random_state=0).reset_index(drop=True)
    for order, data in (("shuffled", shuffled), ("sorted", in_order)):
        ours, theirs = take_turns(
            lambda data=data: Panel.from_frame(data),
            lambda data=data: data.sort_values(["unique_id", "ds"]),
            repeats=REPEATS,
            warm_up=False,
        )
        yield compare(
            f"frame to Panel, {N_SERIES:,} series x {ROWS} rows, {order}", ours, "pandas sort_values", theirs, GOAL
        )


def frame() -> pd.DataFrame:
    """Daily noise in order of series and day."""
    ids = np.array([f"series_{i:06d}" for i in range(N_SERIES)], dtype=object)
    days = pd.date_range("2024-01-01", periods=ROWS).to_numpy()
    y = np.random.default_rng(0).normal(size=N_SERIES * ROWS)
    return pd.DataFrame({"unique_id": np.repeat(ids, ROWS), "ds": np.tile(days, N_SERIES), "y": y})
