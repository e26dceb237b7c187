"""Which recurrent cell remembers one value over hundreds of steps of noise: LRU, S4D or GRU?

    python examples/long_memory.py           # 50 steps back, 60 batches, quick
    python examples/long_memory.py 500 2000  # 500 steps back, 2,000 batches: docs/results/lru.md

The first value of a series lies between -1 and 1 and is marked by a covariate; noise follows, and LAG steps later the
last value equals the first. A forecaster that does not remember it has an error of 0.5 on average.
"""

import sys
import time

import numpy as np
import pandas as pd

import tsformers as tsf

NOISE = 0.1


def panel(n_series: int, lag: int, seed: int) -> pd.DataFrame:
    """A long frame of ``n_series`` series of ``lag + 1`` rows."""
    rng = np.random.default_rng(seed)
    y = NOISE * rng.normal(size=(n_series, lag + 1))
    y[:, 0] = y[:, -1] = rng.uniform(-1, 1, n_series)
    ids, ds = np.repeat(np.arange(n_series), lag + 1), np.tile(np.arange(lag + 1), n_series)
    return pd.DataFrame({"unique_id": ids, "ds": ds, "y": y.ravel(), "mark": (ds == 0).astype(float)})


def evaluate(cell: str, lag: int, steps: int) -> tuple[float, float, int]:
    """Mean absolute error on new series, seconds of training, and the number of weights."""
    model = tsf.LRU(
        horizon=1,
        context_length=lag,
        cell=cell,
        d_model=32,
        d_state=32,
        start="last",
        dropout=0.0,
        r_min=1 - 2 / lag,
        r_max=1 - 0.2 / lag,
        max_steps=steps,
        batch_size=16,
        learning_rate=3e-3,
        scaler=None,
        validation_windows=0,
        likelihood="normal",
        seed=0,
    )
    began = time.perf_counter()
    model.fit(panel(3000, lag, seed=0))
    seconds = time.perf_counter() - began
    new = panel(200, lag, seed=1)
    ends = new["ds"] == lag
    forecast = model.predict(new[~ends])
    error = float(np.abs(forecast.median[:, 0] - new.loc[ends, "y"].to_numpy()).mean())
    return error, seconds, sum(weight.numel() for weight in model.network_.parameters())


def main(lag: int = 50, steps: int = 60) -> None:
    """Print one line a cell."""
    print(f"the first value, {lag} steps back, after {steps} batches of 16; without memory the error is 0.5")
    for cell in ("lru", "s4d", "gru"):
        error, seconds, size = evaluate(cell, lag, steps)
        print(f"{cell}: mean absolute error {error:.3f}, {size:,} weights, trained in {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
