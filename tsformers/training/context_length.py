"""The choice of the context length and of the number of validation windows."""

from collections.abc import Sequence

import numpy as np

MAX_DEFAULT_CONTEXT = 336  # steps, unless the horizon needs more: two weeks of hours
TARGET_VALIDATION_WINDOWS = 64  # enough to tell a better network from a loss that is lower by chance


def preferred_context(horizon: int, cycles: Sequence[int]) -> int:
    """The context length where series are long enough.

    The longest of: twice the horizon; twice each cycle, where that is 336 steps (two weeks of hours) or less; each
    longer cycle once, where it is itself 336 steps or less.

    Args:
        horizon: H.
        cycles: steps in a season, and in longer cycles.

    Returns:
        T.

    Example:
        >>> preferred_context(8, [4]), preferred_context(24, [24, 168]), preferred_context(8, [1440, 10080])
        (16, 336, 16)
        >>> preferred_context(8, [48, 336])
        336
    """
    spans = [2 * cycle if 2 * cycle <= MAX_DEFAULT_CONTEXT else cycle for cycle in cycles]
    return max([2 * horizon, *(span for span in spans if span <= MAX_DEFAULT_CONTEXT)])


def default_validation(lengths: np.ndarray, horizon: int) -> int:
    """How many validation windows of each series there are where the caller does not say.

    So many that there are 64 in all, as far as they take up no more than a tenth of the median series; at least one of
    each series.

    Args:
        lengths: (N,) rows of history.
        horizon: H.

    Returns:
        A number of windows.

    Example:
        >>> default_validation(np.array([10_000, 10_000]), 24), default_validation(np.full(100, 10_000), 24)
        (32, 1)
        >>> default_validation(np.array([500]), 24)
        2
    """
    wanted = -(-TARGET_VALIDATION_WINDOWS // len(lengths))
    return max(1, min(wanted, int(np.median(lengths)) // (10 * horizon)))


def default_context(lengths: np.ndarray, horizon: int, cycles: Sequence[int]) -> int:
    """The context length chosen where the caller gives none and every series is to be used.

    The preferred one, see ``preferred_context``; but short enough that the shortest series of at least two horizons
    has a training window and a validation window; not shorter than the horizon where that is possible.

    Args:
        lengths: (N,) rows of history.
        horizon: H.
        cycles: steps in a season, and in longer cycles.

    Returns:
        T, at least 1.

    Example:
        >>> default_context(np.array([200, 150]), 8, [4]), default_context(np.array([20]), 8, [4])
        (16, 8)
    """
    wanted = preferred_context(horizon, cycles)
    long_enough = lengths[lengths >= 2 * horizon]
    if len(long_enough):
        return min(wanted, max(horizon, int(long_enough.min()) - 2 * horizon))
    return max(1, min(wanted, int(lengths.max()) - horizon))
