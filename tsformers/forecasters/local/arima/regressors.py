"""Known covariates as regressors: standardised, and without columns that say nothing of their own."""

from typing import NamedTuple

import numpy as np

ALIKE = 1e-8  # length that is left of a column, over its own, below which the others contain it


class Standard(NamedTuple):
    """How columns of covariates become regressors: which of them, less their centre, over their scale."""

    kept: np.ndarray  # (K',) numbers of the columns
    centre: np.ndarray  # (K',)
    scale: np.ndarray  # (K',)


def standard(x: np.ndarray, observed: np.ndarray) -> Standard:
    """Mean and deviation of each column over the observed rows; one without a deviation is left out.

    Args:
        x: (T, K).
        observed: (T,) rows that count.

    Returns:
        What ``standardised`` needs.

    Example:
        >>> standard(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([True, True]))
        Standard(kept=array([0]), centre=array([2.]), scale=array([1.]))
    """
    rows = x[observed]
    centre, scale = rows.mean(axis=0), rows.std(axis=0)
    kept = np.flatnonzero(scale > ALIKE * np.abs(rows).max(axis=0, initial=0.0))
    return Standard(kept, centre[kept], scale[kept])


def standardised(x: np.ndarray, how: Standard) -> np.ndarray:
    """Regressors (K', T) of covariates ``x`` (T, K).

    Example:
        >>> standardised(np.array([[1.0], [3.0]]), Standard(np.array([0]), np.array([2.0]), np.array([1.0])))
        array([[-1.,  1.]])
    """
    return np.ascontiguousarray(((x[:, how.kept] - how.centre) / how.scale).T)


def independent(columns: np.ndarray, always: np.ndarray) -> np.ndarray:
    """Numbers of the columns that are no combination of ``always`` and of the columns before them.

    Args:
        columns: (K, T).
        always: (J, T) columns that stay.

    Returns:
        (K',)

    Example:
        >>> columns = np.array([[0.0, 1.0, 2.0], [5.0, 5.0, 5.0], [1.0, 3.0, 5.0], [0.0, 0.0, 1.0]])
        >>> independent(columns, np.ones((1, 3))).tolist()
        [0, 3]
    """
    basis: list[np.ndarray] = []
    kept = []
    for number, column in enumerate([*always, *columns], -len(always)):
        left = column.copy()
        for unit in [*basis, *basis]:  # twice: the first pass leaves rounding errors
            left -= (unit @ left) * unit
        length = float(np.linalg.norm(left))
        if length > ALIKE * float(np.linalg.norm(column)):
            basis.append(left / length)
            kept += [number] * (number >= 0)
    return np.array(kept, dtype=int)
