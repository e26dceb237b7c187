"""From a shuffled or sorted frame to a Panel, against a plain sort of the same frame: 100,000 series of 100 rows."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pandas as pd

from tsformers.panel import Panel

N_SERIES, ROWS, REPEATS = 100_000, 100, 3
GOAL = "at least 0.33x (3x of the sort)"


def run() -> list[tuple[str, float, str, float, str]]:
    """Medians of three: what, ours in seconds, name of the peer, the peer in seconds, goal."""
    in_order = frame()
    shuffled = in_order.sample(frac=1, random_state=0).reset_index(drop=True)
    peer = "pandas sort_values"
    rows = []
    for what, data in (("shuffled frame to Panel", shuffled), ("sorted frame to Panel", in_order)):
        ours, theirs = [], []
        for _ in range(REPEATS):
            theirs.append(seconds(lambda data=data: data.sort_values(["unique_id", "ds"])))
            ours.append(seconds(lambda data=data: Panel.from_frame(data)))
        rows.append((f"{what}, {N_SERIES} x {ROWS}", median(ours), peer, median(theirs), GOAL))
    return rows


def frame() -> pd.DataFrame:
    ids = np.array([f"series_{i:06d}" for i in range(N_SERIES)], dtype=object)
    days = pd.date_range("2024-01-01", periods=ROWS).to_numpy()
    y = np.random.default_rng(0).normal(size=N_SERIES * ROWS)
    return pd.DataFrame({"unique_id": np.repeat(ids, ROWS), "ds": np.tile(days, N_SERIES), "y": y})


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    for what, ours, peer, theirs, goal in run():
        print(f"{what}: {ours:.2f} s, {peer} {theirs:.2f} s, {theirs / ours:.2f}x, goal {goal}")
