"""Offsets from UTC at the end of texts: Z, +01, +0100, +01:00."""

import re

import numpy as np
import pandas as pd

SECOND = 10**9
ENDING = re.compile(r"(?:\d|[.,]\d+|[AaPp][Mm]) ?(?:([zZ]|\(?(?:UTC|GMT)\)?)|([+-])(\d\d)(?::?(\d\d))?)$")
LONGEST = 8  # characters of an ending that decide


def has_offset(texts: np.ndarray) -> np.ndarray:
    """Which texts end in an offset; a date such as 2024-01-31 does not.

    Args:
        texts: (V,) strings.

    Returns:
        (V,) bool.

    Example:
        >>> has_offset(np.array(["2024-01-31 12:00", "2024-01-31T12Z", "2024-01-31"], dtype=object))
        array([False,  True, False])
    """
    return np.isfinite(_offset_of(texts))


def text_offsets(texts: np.ndarray) -> np.ndarray:
    """Offsets in nanoseconds, 0 where a text has none.

    Args:
        texts: (V,) strings.

    Returns:
        (V,) int64.

    Example:
        >>> text_offsets(np.array(["2024-01-31 12:00+01:00"], dtype=object)) // SECOND
        array([3600])
    """
    return np.nan_to_num(_offset_of(texts)).astype(np.int64) * SECOND


def _offset_of(texts: np.ndarray) -> np.ndarray:
    """(V,) seconds; NaN where there is none. Few different endings occur."""
    code, endings = pd.factorize(np.array([text[-LONGEST:] for text in texts], dtype=object))
    found = np.array([_seconds(str(ending)) for ending in endings], dtype=np.float64)
    offsets = found[code] if len(found) else np.empty(0)
    maybe = np.flatnonzero(np.isfinite(offsets))
    if len(maybe):  # "01-31-2024" and "2024-01-31" end like offsets: a clock must stand before
        timed = pd.Series(texts[maybe], dtype=object).str.contains(r"\d[:T]\d\d|T\d|\d \d\d?[+\-zZ ]", regex=True)
        offsets[maybe[~timed.to_numpy(dtype=bool)]] = np.nan
    return offsets


def _seconds(ending: str) -> float:
    match = ENDING.search(ending)
    if match is None:
        return np.nan
    if match[1]:
        return 0.0
    return (3600.0 * int(match[3]) + 60.0 * int(match[4] or 0)) * (-1 if match[2] == "-" else 1)
