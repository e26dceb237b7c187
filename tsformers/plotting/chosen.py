"""The series to draw, where the caller names some or none."""

from typing import Any

import numpy as np
import pandas as pd

from tsformers.errors import TsformersError
from tsformers.messages import Option


def chosen_positions(ids: Any, known: pd.Index, most: int, what: str = "the data") -> np.ndarray:
    """Positions of the series to draw.

    Args:
        ids: one id as a text, or several; None: the first ``most``.
        known: ids of the series that can be drawn.
        most: series drawn where the caller names none.
        what: they are in, for the message.

    Returns:
        Positions in ``known``, in the order asked.

    Raises:
        ValueError: there is no such series, or none is named.

    Example:
        >>> chosen_positions("b", pd.Index(["a", "b"]), 3), chosen_positions(None, pd.Index(["a", "b"]), 1)
        (array([1]), array([0]))
    """
    chosen = known[:most] if ids is None else pd.Index([ids] if isinstance(ids, str) else ids, tupleize_cols=False)
    if not len(chosen):
        raise TsformersError(Option("ids"), f" names no series to draw; {what} has {known[:5].tolist()}")
    positions = known.get_indexer(chosen)
    if (positions < 0).any():
        name = chosen[int(np.argmax(positions < 0))]
        raise TsformersError(f"series {name!r} is not in {what}; it has {known[:5].tolist()}")
    return positions
