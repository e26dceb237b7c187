"""What a stream of LRU takes in: histories in groups of similar length, covariates checked and scaled."""

from typing import Any

import numpy as np

from tsformers.data.panel import Panel
from tsformers.errors import DataError

PIECE_STEPS = 2048  # of a history read in one pass
MAX_STEPS = 1 << 17  # of all series read in one pass


def rows_before_a_value(panel: Panel) -> np.ndarray:
    """(N,) rows of each history before its first value; -1 where there is none.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(3), "y": [np.nan, np.nan, 1.0]})
        >>> rows_before_a_value(Panel.from_frame(frame))
        array([2])
    """
    observed = np.flatnonzero(~np.isnan(panel.y))
    place = np.searchsorted(observed, panel.offsets[:-1])
    first = np.append(observed, len(panel.y))[place]
    return np.where(first < panel.ends, first - panel.offsets[:-1], -1)


def reading_groups(lengths: np.ndarray) -> list[np.ndarray]:
    """Series to be read together: as many pieces each, and ``MAX_STEPS`` steps at most.

    Args:
        lengths: (N,) rows of each history.

    Returns:
        Positions of the series of each group.

    Example:
        >>> [group.tolist() for group in reading_groups(np.array([3000, 5, 10]))]
        [[1, 2], [0]]
    """
    order = np.argsort(lengths, kind="stable")
    pieces = -(-lengths[order] // PIECE_STEPS)
    groups = []
    for same in np.split(order, np.flatnonzero(np.diff(pieces)) + 1):
        size = max(1, MAX_STEPS // min(int(lengths[same].max()), PIECE_STEPS))
        groups += [same[first : first + size] for first in range(0, len(same), size)]
    return groups


def scaled_covariates(given: Any, rows: int, units: np.ndarray, kind: str, what: str) -> np.ndarray:
    """Covariates (M, K), standardised as in ``fit``.

    Args:
        given: by the caller, or None.
        rows: M.
        units: (2, K), mean and standard deviation of each.
        kind: "known" or "past".
        what: a description of the values, for messages.

    Returns:
        Standardised values in single precision, missing ones 0.

    Raises:
        DataError: values are lacking, too many, infinite, or missing where they must be known.

    Example:
        >>> scaled_covariates([3.0, 5.0], 2, np.array([[1.0], [2.0]]), "known", "their values").ravel()
        array([1., 2.], dtype=float32)
    """
    width = units.shape[1]
    if given is None and not width:
        return np.zeros((rows, 0))
    if given is None:
        raise DataError(f"the model has {width} {kind} covariates; give {kind}=({rows}, {width}), {what}")
    table = np.asarray(given, dtype=np.float64)
    if table.size != rows * width or (table.ndim > 1 and table.shape != (rows, width)):
        raise DataError(f"{kind} must have shape ({rows}, {width}), {what}; got {table.shape}")
    if np.isinf(table).any() or (kind == "known" and np.isnan(table).any()):
        raise DataError(f"{kind} holds NaN or infinite values; give {what}")
    standard = (table.reshape(rows, width) - units[0]) / units[1]
    return np.nan_to_num(standard, nan=0.0).astype(np.float32)  # as batches have them
