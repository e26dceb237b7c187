"""Plain counting: whole numbers that are no dates."""

import numpy as np
import pandas as pd

from tsformers.calendar.times.parsed import Parsed

LARGEST = 2**61  # beyond which differences of integer times overflow


def parse_counts(values: np.ndarray) -> Parsed:
    """Read whole numbers below 2**61.

    Args:
        values: (V,) strings or numbers.

    Returns:
        The numbers.

    Example:
        >>> parse_counts(np.array(["7", "7.5"], dtype=object)).bad
        array([False,  True])
    """
    if values.dtype.kind in "iu":
        bad = ~(values < LARGEST) | ~(values > -LARGEST)
        return Parsed(np.where(bad, 0, values).astype(np.int64), None, bad)
    if values.dtype.kind != "f":
        series = pd.Series(values, dtype=object).astype(str)
        whole = series.str.fullmatch(r"\s*[+-]?\d{1,18}\s*").to_numpy(dtype=bool)
        if whole.all():
            exact = np.array([int(value) for value in series], dtype=np.int64)
            return Parsed(exact, None, np.zeros(len(exact), dtype=bool))
        values = pd.to_numeric(series, errors="coerce").to_numpy(np.float64)
    with np.errstate(invalid="ignore"):
        bad = ~(values < LARGEST) | ~(values > -LARGEST) | (values != np.round(values))
    return Parsed(np.where(bad, 0, values).astype(np.int64), None, bad)
