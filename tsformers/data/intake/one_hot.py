"""One-hot encoding of categorical columns, with the levels learned in ``fit``."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from tsformers.errors import DataError

MAX_LEVELS = 100  # of one column


def levels_of(column: pd.Series) -> list[str]:
    """The levels of a categorical column, as text, in sorted order; missing values are none.

    Args:
        column: of any type that is not a number.

    Returns:
        Its different values as text.

    Raises:
        DataError: the column has more than 100 levels.

    Example:
        >>> levels_of(pd.Series(["south", None, "north", "south"]))
        ['north', 'south']
    """
    levels = sorted(column.dropna().astype(str).unique())
    if len(levels) > MAX_LEVELS:
        raise DataError(
            f"static column {str(column.name)!r} has {len(levels)} levels, {MAX_LEVELS} at most; leave the column "
            "out, group its levels, or put a number in its place"
        )
    return levels


def one_hot(column: pd.Series, levels: list[str]) -> Float[np.ndarray, "N L"]:
    """The one-hot encoding of a column; other values and missing ones are rows of zeros.

    Args:
        column: N values.
        levels: of ``fit``.

    Returns:
        0 and 1 as float32.

    Example:
        >>> one_hot(pd.Series(["south", None, "east"]), ["north", "south"])
        array([[0., 1.],
               [0., 0.],
               [0., 0.]], dtype=float32)
    """
    text = column.astype(str).where(column.notna(), None).to_numpy(dtype=object)
    return (text[:, None] == np.array(levels, dtype=object)).astype(np.float32)
