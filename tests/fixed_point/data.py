"""Small seeded data that all cases share."""

from typing import Any

import numpy as np
import pandas as pd

import tsformers as tsf

daily = tsf.testing.make_frame


def even(n: int = 3, rows: int = 60, seed: int = 0) -> pd.DataFrame:
    """Daily series that all end on one day."""
    return daily(n, rows, seed=seed).groupby("unique_id").head(rows - n + 1).reset_index(drop=True)


def hourly(rows: int = 96, n: int = 3, start: str = "2024-01-01", seed: int = 0) -> pd.DataFrame:
    """Hourly rows with a season of a day, some far out, some missing, sorted by time."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(rows, n)) + 3 * np.sin(np.arange(rows) * 2 * np.pi / 24)[:, None]
    y[rng.random((rows, n)) < 0.02] += 20
    y[rng.random((rows, n)) < 0.02] = np.nan
    times = np.repeat(pd.date_range(start, periods=rows, freq="h"), n)
    return pd.DataFrame({"unique_id": np.tile([f"s{i}" for i in range(n)], rows), "ds": times, "y": y.ravel()})


def counts(seed: int = 0) -> pd.DataFrame:
    """Two daily series of whole numbers, many of them zero."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", periods=70)
    parts = [pd.DataFrame({"unique_id": f"c{i}", "ds": days, "y": rng.poisson(1.0 + 4 * i, 70)}) for i in range(2)]
    return pd.concat(parts, ignore_index=True).astype({"y": float})


def gaps(seed: int = 0) -> pd.DataFrame:
    """Daily series with missing rows and missing values, unsorted."""
    frame, rng = daily(3, 70, seed=seed), np.random.default_rng(seed)
    frame.loc[rng.random(len(frame)) < 0.05, "y"] = np.nan
    inner = np.r_[False, False, rng.random(len(frame) - 3) < 0.05, False]
    return frame[~inner].sample(frac=1, random_state=seed)


def with_covariates(horizon: int = 4, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A frame with a known and a past covariate, the future of the known one, and statics."""
    frame, rng = daily(3, 70 + horizon, seed=seed), np.random.default_rng(seed)
    frame["price"] = rng.normal(size=len(frame))
    frame["visits"] = rng.normal(size=len(frame)).cumsum()
    frame["y"] += 2 * frame["price"]
    ahead = frame.groupby("unique_id").cumcount(ascending=False) < horizon
    static = pd.DataFrame({"unique_id": ["s0", "s1", "s2"], "size": [1.0, 3.0, 2.0]})
    return frame[~ahead], frame.loc[ahead, ["unique_id", "ds", "price"]], static


def two_kinds(n: int = 12, rows: int = 50, seed: int = 0) -> pd.DataFrame:
    """Series of two autoregressions, two thirds of one and a third of the other."""
    rng, y = np.random.default_rng(seed), np.zeros((n, rows))
    slope = np.where(np.arange(n) % 3 < 2, 0.9, -0.8)
    for t in range(1, rows):
        y[:, t] = slope * y[:, t - 1] + rng.normal(size=n)
    return pd.DataFrame({"unique_id": np.repeat(np.arange(n), rows), "ds": np.tile(np.arange(rows), n), "y": y.ravel()})


def p_values(n: int = 400, seed: int = 0) -> np.ndarray:
    """Uniform, but for one in ten that is small."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.1, rng.beta(0.05, 20, n), rng.random(n))


def tiny(**other: Any) -> dict[str, Any]:
    """Settings of a network that trains for a moment."""
    return {"horizon": 4, "context_length": 16, "max_steps": 6, "batch_size": 8, "seed": 0, "verbose": False} | other
