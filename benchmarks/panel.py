"""From a shuffled or sorted frame to a Panel, against a plain sort of the same frame: 100,000 series of 100 rows."""

import numpy as np
import pandas as pd

from benchmarks._timing import Row, medians
from tsformers.data.panel import Panel

N_SERIES, ROWS, REPEATS = 100_000, 100, 3
GOAL = "at least 0.33x (3x of the sort)"


def run() -> list[Row]:
    """Medians of three: what, ours in seconds, name of the peer, the peer in seconds, goal."""
    in_order = frame()
    shuffled = in_order.sample(frac=1, random_state=0).reset_index(drop=True)
    rows = []
    for what, data in (("shuffled frame to Panel", shuffled), ("sorted frame to Panel", in_order)):
        ours, theirs = medians(
            lambda data=data: Panel.from_frame(data),
            lambda data=data: data.sort_values(["unique_id", "ds"]),
            repeats=REPEATS,
            warm_up=False,
        )
        rows.append((f"{what}, {N_SERIES} x {ROWS}", ours, "pandas sort_values", theirs, GOAL))
    return rows


def frame() -> pd.DataFrame:
    ids = np.array([f"series_{i:06d}" for i in range(N_SERIES)], dtype=object)
    days = pd.date_range("2024-01-01", periods=ROWS).to_numpy()
    y = np.random.default_rng(0).normal(size=N_SERIES * ROWS)
    return pd.DataFrame({"unique_id": np.repeat(ids, ROWS), "ds": np.tile(days, N_SERIES), "y": y})
