"""Midnight written as 24:00, the end of a day: read as 00:00 of the next."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tsformers.calendar.times.parsed import Parsed

DAY = 86_400 * 10**9
END_OF_DAY = r"^(.*\d[T ,_] ?)24(:?00(?::?00(?:[.,]0+)?)?)(?!\d|:)"


def through_midnight(texts: np.ndarray, read: Callable[[np.ndarray], Parsed]) -> Parsed:
    """Read texts, 24:00 among them.

    Args:
        texts: (V,) strings.
        read: reads texts that have no 24:00.

    Returns:
        What ``read`` gives, and the next day for a 24:00.

    Example:
        >>> from tsformers.calendar.times.iso import parse_iso
        >>> through_midnight(np.array(["1970-01-01 24:00"], dtype=object), parse_iso).counts // DAY
        array([1])
    """
    parsed = read(texts)
    rest = np.flatnonzero(parsed.bad)
    if len(rest):
        rest = rest[pd.Series(texts[rest], dtype=object).str.contains("24", regex=False).to_numpy(dtype=bool)]
    if not len(rest):
        return parsed
    series = pd.Series(texts[rest], dtype=object)
    begun = series.str.replace(END_OF_DAY, r"\g<1>00\2", regex=True)
    changed = (begun != series).to_numpy(dtype=bool)
    if not changed.any():
        return parsed
    rest = rest[changed]
    again = read(begun.to_numpy(dtype=object)[changed])
    offsets = parsed.offsets
    if offsets is None and again.offsets is not None:
        offsets = np.zeros(len(texts), dtype=np.int64)
    if offsets is not None and again.offsets is not None:
        offsets = offsets.copy()
        offsets[rest] = again.offsets
    counts, bad = parsed.counts.copy(), parsed.bad.copy()
    counts[rest], bad[rest] = again.counts + np.where(again.bad, 0, DAY), again.bad
    return Parsed(counts, offsets, bad)
