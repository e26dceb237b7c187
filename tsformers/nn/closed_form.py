"""Ridge regression in closed form, its penalty chosen on validation rows: numpy, no torch."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

PENALTIES = 10.0 ** np.arange(-6, 4)  # tried, in units of the mean eigenvalue of the second moments of the inputs


class FittedMap(NamedTuple):
    """A linear map and what it was fitted with."""

    weight: Float[np.ndarray, "T H"]
    errors: Float[np.ndarray, " H"]  # mean absolute errors on the validation rows
    best: int  # position of the penalty
    validated: bool  # whether there were validation rows


def fit_map(
    rows: Iterable[tuple[np.ndarray, np.ndarray]], validation: Iterable[tuple[np.ndarray, np.ndarray]]
) -> FittedMap | None:
    """The ridge regression of outputs on inputs; only second moments are kept in memory.

    Args:
        rows: inputs (M, T) and outputs (M, H), batch by batch, in float64.
        validation: rows that choose the penalty; without any it is the middle one, and ``errors`` are estimated from
            the second moments of ``rows``.

    Returns:
        The map; None without a row.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 3))
        >>> fitted = fit_map([(x, x[:, :1])], [(x, x[:, :1])])
        >>> fitted.weight.ravel().round(3).tolist()
        [1.0, 0.0, 0.0]

    Source: Hoerl & Kennard (1970), Ridge regression.
    """
    n, square, cross, power = 0, np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1)
    for x, y in rows:
        n, square, cross, power = n + len(x), square + x.T @ x, cross + x.T @ y, power + (y**2).sum(0)
    if not n:
        return None
    size, axes = np.linalg.eigh(square / n)
    turned = axes.T @ (cross / n)
    tried = [axes @ (turned / np.maximum(size + (each * size.mean() or 1.0), 1e-300)[:, None]) for each in PENALTIES]
    errors, kept = np.zeros((len(tried), cross.shape[1])), 0
    for x, y in validation:
        errors += np.stack([np.abs(x @ weight - y).sum(0) for weight in tried])
        kept += len(x)
    best = int(errors.sum(1).argmin()) if kept else len(tried) // 2
    weight = tried[best]
    left = power - 2 * (weight * cross).sum(0) + (weight * (square @ weight)).sum(0)
    found = errors[best] / kept if kept else np.sqrt(np.maximum(left, 0) / n * 2 / np.pi)
    return FittedMap(weight, found, best, kept > 0)
