"""The bouncing ball: two regimes, up and down."""

import numpy as np
import pandas as pd

from tsformers.simulate.shared import Seed, check_size, series_frame

BALL_STARTS = 10  # initial heights: 0, 1, ..., 9


def bouncing_ball(
    n_series: int = 100,
    length: int = 100,
    *,
    low: float = 0.0,
    high: float = 10.0,
    max_speed: float = 0.5,
    noise: float = 0.1,
    latent: bool = False,
    seed: Seed = None,
) -> pd.DataFrame:
    """Height of a ball between two walls, observed with noise; it falls in regime 0 and rises in regime 1.

    Each ball starts at one of ten heights, evenly spaced from the lower wall, with a velocity of its own, uniform
    between ``-max_speed`` and ``max_speed``, and reverses after the step that took it beyond a wall. So a whole passage
    lasts ``(high - low) / speed`` steps: the hazard of a change grows with the age of a run.

    Args:
        n_series: number of balls.
        length: steps of each.
        low: the lower wall.
        high: the upper wall.
        max_speed: in heights a step.
        noise: standard deviation of the observations around the height.
        latent: also give ``position`` and ``velocity``.
        seed: whole number or numpy generator; None differs each time.

    Returns:
        The frame.

    Raises:
        ValueError: fewer than one series or step, walls in the wrong order, a speed not between 0 and the distance of
            the walls, or noise below 0.

    Example:
        >>> bouncing_ball(2, 3, noise=0.0, seed=0)
          unique_id  ds         y  regime
        0    ball-0   0  8.000000       0
        1    ball-0   1  7.769787       0
        2    ball-0   2  7.539573       0
        3    ball-1   0  6.000000       0
        4    ball-1   1  5.540974       0
        5    ball-1   2  5.081947       0

    Source: Dong, Seybold, Murphy & Bui (2020), Collapsed Amortized Variational Inference for Switching Nonlinear
        Dynamical Systems, ICML; in this form: Ansari et al. (2021), Deep Explicit Duration Switching Models for Time
        Series, NeurIPS.
    """
    check_size(n_series, length)
    if not (low < high and 0 < max_speed <= high - low and noise >= 0):
        raise ValueError(
            f"low is {low}, high {high}, max_speed {max_speed}, noise {noise}; they must be low < high, "
            "0 < max_speed <= high - low and noise >= 0"
        )
    random = np.random.default_rng(seed)
    y = low + (high - low) / BALL_STARTS * random.integers(0, BALL_STARTS, n_series)
    v = random.uniform(-max_speed, max_speed, n_series)
    position, velocity = np.empty((2, n_series, length))
    for t in range(length):
        position[:, t], velocity[:, t] = y, v
        y = y + v
        v = np.where(((y > high) & (v > 0)) | ((y < low) & (v < 0)), -v, v)
    observed = position + noise * random.standard_normal(position.shape)
    extra = {"position": position, "velocity": velocity} if latent else {}
    return series_frame("ball", observed, (velocity >= 0).astype(np.int64), extra)
