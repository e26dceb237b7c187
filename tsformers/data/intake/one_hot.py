"""One-hot encoding of categorical columns, with the levels learned in ``fit``."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from tsformers.data.intake.source import text_of
from tsformers.errors import DataError, first_names
from tsformers.places import Places

MAX_LEVELS = 100  # of one column


def levels_of(column: pd.Series, kind: str = "static column") -> list[str]:
    """The levels of a categorical column, as text, in sorted order; missing values are none.

    Args:
        column: of any type; 1, 1.0 and "1" are one level.
        kind: of column, in messages.

    Returns:
        Its different values as text.

    Raises:
        DataError: the column has more than 100 levels.

    Example:
        >>> levels_of(pd.Series(["south", None, "north", "south"]))
        ['north', 'south']
    """
    levels = sorted({text_of(value) for value in column.dropna().unique()})
    if len(levels) > MAX_LEVELS:
        raise DataError(
            f"{kind} {str(column.name)!r} has {len(levels)} levels, {MAX_LEVELS} at most; leave the column out, group "
            "its levels, or put a number in its place"
        )
    return levels


def one_hot(
    column: pd.Series, levels: Sequence[str], kind: str = "static column", places: Places | None = None
) -> Float[np.ndarray, "N L"]:
    """The one-hot encoding of a column by the levels of ``fit``; a missing value is a row of zeros.

    Args:
        column: N values; categories count by their values, whatever their codes.
        levels: of ``fit``.
        kind: of column, in messages.
        places: where its rows stand; None = they are named by the column's index.

    Returns:
        0 and 1 as float32.

    Raises:
        DataError: a value that is none of the levels.

    Example:
        >>> one_hot(pd.Series(["south", None, "north"]), ["north", "south"])
        array([[0., 1.],
               [0., 0.],
               [1., 0.]], dtype=float32)
    """
    code, values = pd.factorize(column)
    place = {level: k for k, level in enumerate(levels)}
    at = [place.get(text_of(value), place.get(str(value), -1)) for value in values]
    if -1 in at:
        row = int(np.flatnonzero(code == at.index(-1))[0])
        where = f"series {column.index[row]!r}" if places is None else places.at(row)
        raise DataError(
            f"{kind} {str(column.name)!r} holds {str(values[at.index(-1)])!r}, first at {where}, which was not among "
            f"its levels in fit ({first_names(levels)}); replace it by one of them, or fit with rows that have it"
        )
    table = np.concatenate([np.eye(len(levels), dtype=np.float32)[at], np.zeros((1, len(levels)), dtype=np.float32)])
    return table[code]
