"""How long does a backtest of many series take beside the naive forecast in a loop in pandas?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

import tsformers as tsf
from benchmarks.timing import Row, compare, take_turns

SERIES, ROWS, SEASON, HORIZON = 414, 900, 24, 48


def run() -> Iterator[Row]:
    """One window, three scores."""
    rng = np.random.default_rng(0)
    hours = pd.date_range("2024-01-01", periods=ROWS, freq="h")
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat([f"H{i}" for i in range(SERIES)], ROWS),
            "ds": np.tile(hours, SERIES),
            "y": rng.normal(size=SERIES * ROWS) + 5 * np.sin(np.tile(np.arange(ROWS), SERIES) * np.pi / 12),
        }
    )
    metrics = ["crps", "mase", "coverage_80"]

    def ours() -> None:
        tsf.backtest(tsf.SeasonalNaive(horizon=HORIZON), frame, windows=1, metrics=metrics, verbose=False)

    def plain() -> None:
        for _, series in frame.groupby("unique_id"):
            y = series["y"].to_numpy()
            point = np.tile(y[-HORIZON - SEASON : -HORIZON], HORIZON // SEASON)
            np.abs(y[-HORIZON:] - point).mean()

    mine, peer = take_turns(ours, plain, repeats=3)
    what = f"backtest: {SERIES} hourly series x {ROWS} rows, one window, three scores"
    yield compare(what, mine, "allowed", 10.0, ">= 1x")
    yield compare(what, mine, "a loop in pandas: point forecast and MAE only", peer, "none")
