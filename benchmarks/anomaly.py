"""How many rows a second does one processor answer, in batches and one by one? Beside river's HalfSpaceTrees."""

import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

import tsformers as tsf
from benchmarks.timing import Row, compare, take_turns, without_peer

SERIES, STEPS, ROWS = 1000, 400, 1000
HORIZON = 168  # a week of hours: one forecast serves it
PEER = 200
GOAL = "<= 50 ms: 20,000 rows a second"
MODELS: dict[str, Any] = {
    "SeasonalNaive": tsf.SeasonalNaive(horizon=HORIZON, seed=0),
    "HoltWinters(trend=None, seasonal=None)": tsf.HoltWinters(
        horizon=HORIZON, seasonal=None, trend=None, seed=0, n_jobs=1
    ),
    "LRU, a day instead of a week": tsf.LRU(  # training does not change the cost of a forecast
        horizon=24, context_length=96, max_steps=10, seed=0, device="cpu", verbose=False
    ),
}


def run() -> Iterator[Row]:
    """Each forecaster: a batch of all series, then one row of one series."""
    river = _river() if find_spec("river") else None
    for name, model in MODELS.items():
        control = tsf.fdr.SAFFRON(alpha=0.05, decay=0.99)
        detector = tsf.AnomalyDetector(model, control, refresh=model.horizon, calibration=133, verbose=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that 133 errors a series are few: only the time matters here
            detector.fit(_frame(0, STEPS))
        week = [_frame(STEPS + k, 1) for k in range(2 * HORIZON)]  # two forecasts and the rows until each is renewed
        (whole,) = take_turns(
            lambda d=detector, w=week: [d.detect(f) for f in w], repeats=1, warm_up=False, clock=process_time
        )  # type: ignore[misc]
        what = f"{name}: a batch of {SERIES:,} rows, one a series, forecasts included"
        yield _beside_river(what, whole / len(week), river, SERIES, GOAL)
        step = count(STEPS + 2 * HORIZON)

        def update(detector: Any = detector, step: Any = step) -> None:
            detector.update(
                {"unique_id": "s0000", "ds": pd.Timestamp("2024") + pd.Timedelta(hours=next(step)), "y": 0.1}
            )

        update()  # the first row makes the next forecast
        (single,) = take_turns(update, repeats=model.horizon // 2, warm_up=False, clock=process_time)
        yield _beside_river(f"{name}: one row, between two forecasts", single, river, 1, "<= 1 ms")


def _beside_river(what: str, ours: np.ndarray, river: np.ndarray | None, rows: int, goal: str) -> Row:
    """A row against river, whose seconds a row are None where it is not installed."""
    peer = "river HalfSpaceTrees, row by row"
    if river is None:
        return without_peer(what, ours, peer, "river", goal)
    return compare(what, ours, peer, rows * river, goal)


def _frame(first: int, steps: int) -> pd.DataFrame:
    """Hourly sine waves with noise, in order of time."""
    rng, t = np.random.default_rng(first), np.arange(first, first + steps)
    y = rng.normal(size=(steps, SERIES)) + 3 * np.sin(t * 2 * np.pi / 24)[:, None]
    ids = np.tile([f"s{i:04d}" for i in range(SERIES)], steps)
    stamps = np.repeat(pd.Timestamp("2024").to_datetime64() + t * np.timedelta64(1, "h"), SERIES)
    return pd.DataFrame({"unique_id": ids, "ds": stamps, "y": y.ravel()})


def _river() -> np.ndarray:
    """Seconds a row of river's HalfSpaceTrees, one for one series."""
    from river.anomaly import HalfSpaceTrees

    trees = HalfSpaceTrees(seed=0)
    values = np.random.default_rng(0).random(PEER).tolist()

    def call() -> None:
        for value in values:
            trees.score_one({"y": value})
            trees.learn_one({"y": value})

    return take_turns(call, repeats=5, clock=process_time)[0] / PEER
