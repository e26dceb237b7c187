"""Paths of exponential smoothing models."""

import numpy as np

from tsformers.forecasters.local.ets.kernels import LEAST
from tsformers.jit import compiled_nogil

MOST = 0.9  # the largest relative error of a step: what multiplies stays positive, mean and median stay where they are


@compiled_nogil()
def paths(
    states: np.ndarray,
    first: int,
    m: int,
    relative: bool,
    multiplies: bool,
    weights: np.ndarray,
    sigma: float,
    normals: np.ndarray,
) -> np.ndarray:
    """Draw a model from its states.

    Args:
        states: (S, 2 + m) level, slope and seasonal terms of each path; changed.
        first: row of the first step, which says at which place of the season it stands.
        m: rows of one season.
        relative: errors are relative; then forecasts stay positive.
        multiplies: the season multiplies.
        weights: (S, 4) alpha, beta, gamma, phi of each path.
        sigma: standard deviation of an error.
        normals: (S, H) standard normal.

    Returns:
        (S, H).
    """
    n, horizon = normals.shape
    values = np.empty((n, horizon))
    for i in range(n):
        alpha, beta, gamma, phi = weights[i, 0], weights[i, 1], weights[i, 2], weights[i, 3]
        level, slope = states[i, 0], states[i, 1]
        for h in range(horizon):
            j = 2 + (first + h) % m
            e, s = sigma * normals[i, h], states[i, j]
            slope *= phi
            line = level + slope
            if relative:
                e = min(max(e, -MOST), MOST)
            if multiplies:
                line = max(line, LEAST)
                values[i, h] = line * s * (1.0 + e)
                e_season, e = s * e, line * e
            else:
                mu = line + s
                if relative:
                    mu = max(mu, LEAST)
                    e *= mu
                values[i, h] = mu + e
                e_season = e
            level = line + alpha * e
            slope += beta * e
            states[i, j] = s + gamma * e_season
    return values
