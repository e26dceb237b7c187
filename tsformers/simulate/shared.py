"""Functions of all simulations: categorical draws, long frames, checks of sizes."""

from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]
Seed = int | np.random.Generator | None


def draw_categorical(probability: Array, random: np.random.Generator) -> Array:
    """An index for each row of probabilities, never one of probability 0.

    Example:
        >>> draw_categorical(np.array([[0.0, 1.0], [1.0, 0.0]]), np.random.default_rng(0))
        array([1, 0])
    """
    reached = np.cumsum(probability, axis=1)
    drawn = (reached <= random.random(len(reached))[:, None] * reached[:, -1:]).sum(1)
    return np.minimum(drawn, probability.shape[1] - 1)


def series_frame(name: str, y: Array, regime: Array, latent: dict[str, Array]) -> pd.DataFrame:
    """A long frame of series named ``name``-0, ``name``-1, ...

    Example:
        >>> series_frame("a", np.ones((2, 1)), np.zeros((2, 1), dtype=int), {})
          unique_id  ds    y  regime
        0       a-0   0  1.0       0
        1       a-1   0  1.0       0
    """
    n_series, length = y.shape
    digits = len(str(n_series - 1))
    ids = np.array([f"{name}-{i:0{digits}d}" for i in range(n_series)], dtype=object)
    columns = {"y": y, "regime": regime, **latent}
    return pd.DataFrame(
        {"unique_id": np.repeat(ids, length), "ds": np.tile(np.arange(length), n_series)}
        | {column: values.ravel() for column, values in columns.items()}
    )


def check_size(n_series: int, length: int) -> None:
    """There is at least one series of at least one step.

    Example:
        >>> check_size(0, 5)
        Traceback (most recent call last):
        ValueError: n_series is 0 and length 5; both must be at least 1
    """
    if n_series < 1 or length < 1:
        raise ValueError(f"n_series is {n_series} and length {length}; both must be at least 1")
