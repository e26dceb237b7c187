"""Dynamic optimised Theta of one adjusted series: fixed weights, each with its best level and theta, averaged.

The weights of the average are the likelihoods, so that no rounding makes a forecast jump from one alpha to another.
"""

import numpy as np

from tsformers.forecasters.local.theta_kernels import (
    STARTS,
    Filtered,
    dynamic_paths,
    dynamic_sums,
    least_squares,
    loss_of,
    observed_line,
    running_lines,
)
from tsformers.jit import compiled_nogil

ALPHAS = np.array((0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99))
LEAST_WEIGHT = 1e-3  # of the likeliest alpha's: below, an alpha is left out, its weight falling to 0 without a jump
NOISE = 3e-5  # errors of this share of the range are rounding: squares are differences of sums, true to 1e-16 of them


@compiled_nogil()
def dynamic_theta(d: np.ndarray, lines: np.ndarray, path: np.ndarray) -> None:
    """Forecasts of ``d`` (n,), whose first row is there, into ``path`` (H,); ``lines`` (2, n) is room."""
    n, horizon, grid = len(d), len(path), len(ALPHAS)
    sums, fits = np.empty(9), np.empty((grid, 4))
    line = running_lines(d, lines[0], lines[1])
    _, spread, count = observed_line(d, d[0])
    path[:] = 0.0
    best, total = np.inf, 0.0
    for k in range(grid):
        logs, errors = dynamic_sums(d, lines[0], lines[1], ALPHAS[k], sums)
        level, w, squares = least_squares(sums, STARTS * spread)
        fits[k, 0] = loss_of(squares + count * (NOISE * spread) ** 2, logs, errors)
        fits[k, 1], fits[k, 2] = sums[6] + level * sums[7] + w * sums[8], w
        best = min(best, fits[k, 0])
    still = np.zeros((1, horizon))
    for k in range(grid):
        share = (best / fits[k, 0]) ** (0.5 * count) if fits[k, 0] > 0 else 1.0
        share = max(share - LEAST_WEIGHT, 0.0)
        if share > 0:
            end = Filtered(fits[k, 1], 0.0, 0.0, 0.0, count, line)
            found = dynamic_paths(n, end, ALPHAS[k], fits[k, 2], np.zeros(1), still)
            total += share
            for h in range(horizon):
                path[h] += share * found[0, h]
    for h in range(horizon):
        path[h] = d[0] + path[h] / total
