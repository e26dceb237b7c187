"""ISO 8601 dates and times: 2024-01-31, 2024-01-31T13:00:00.5+01:00, 20240131T1300Z."""

import re

import numpy as np
import pandas as pd

from tsformers.calendar.times.offsets import has_offset, text_offsets
from tsformers.calendar.times.parsed import Parsed, from_pandas_times

CLOCK = r"(?:\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)"
ZONE = r"(?:[zZ]|UTC|[+-]\d\d(?::?\d\d)?)"
ISO = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[Tt ]{CLOCK} ?{ZONE}?)?|\d{{8}}T{CLOCK}{ZONE}?")


def parse_iso(texts: np.ndarray) -> Parsed:
    """Read ISO 8601 texts.

    Args:
        texts: (V,) strings.

    Returns:
        Counts; UTC where a text has an offset.

    Example:
        >>> parse_iso(np.array(["1970-01-01T01:00+01:00"], dtype=object)).counts
        array([0])
    """
    aware = has_offset(texts)
    read = pd.to_datetime(pd.Series(texts, dtype=object), format="ISO8601", errors="coerce", utc=True)
    parsed = from_pandas_times(read, text_offsets(texts) if aware.any() else None)
    rest = np.flatnonzero(parsed.bad)
    if len(rest):  # a decimal comma, and a blank or a name before the offset
        cleaned = pd.Series(texts[rest], dtype=object).str.replace(",", ".", regex=False)
        cleaned = cleaned.str.replace(r" ?(?:UTC|GMT)$", "Z", regex=True).str.replace(r" ([+-])", r"\1", regex=True)
        again = from_pandas_times(pd.to_datetime(cleaned, format="ISO8601", errors="coerce", utc=True))
        parsed.counts[rest], parsed.bad[rest] = again.counts, again.bad
    return parsed
