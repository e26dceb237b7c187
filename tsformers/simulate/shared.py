"""What simulations share: random choices, frames, checks of sizes."""

from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]
Seed = int | np.random.Generator | None
SWITCH = ((0.1, 0.2, 0.7), (0.3, 0.5, 0.2), (0.3, 0.3, 0.4))
LASTING = ({6: 2, 11: 5, 16: 7, 20: 3}, {8: 5, 17: 8, 19: 6, 20: 1}, {13: 3, 16: 7, 18: 5, 20: 2})
BURN_IN = 200  # steps before the first that is shown


def choose(probability: Array, random: np.random.Generator) -> Array:
    """An index for each row, never one of probability 0."""
    reached = np.cumsum(probability, axis=1)
    drawn = (reached <= random.random(len(reached))[:, None] * reached[:, -1:]).sum(1)
    return np.minimum(drawn, probability.shape[1] - 1)


def to_frame(name: str, y: Array, regime: Array, hidden: dict[str, Array]) -> pd.DataFrame:
    """Series after each other."""
    n_series, length = y.shape
    digits = len(str(n_series - 1))
    ids = np.array([f"{name}-{i:0{digits}d}" for i in range(n_series)], dtype=object)
    columns = {"y": y, "regime": regime, **hidden}
    return pd.DataFrame(
        {"unique_id": np.repeat(ids, length), "ds": np.tile(np.arange(length), n_series)}
        | {column: values.ravel() for column, values in columns.items()}
    )


def check_sizes(n_series: int, length: int) -> None:
    """Whether there is anything to draw."""
    if n_series < 1 or length < 1:
        raise ValueError(f"n_series is {n_series} and length {length}; both must be at least 1")
