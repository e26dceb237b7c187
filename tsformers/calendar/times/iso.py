"""ISO 8601 dates and times: 2024-01-31, 2024-01-31T13:00:00.5+01:00, 20240131T1300Z."""

import re

import numpy as np
import pandas as pd

from tsformers.calendar.times.offsets import has_offset, text_offsets
from tsformers.calendar.times.parsed import Parsed, from_pandas_times
from tsformers.calendar.times.patterns import write_pattern

CLOCK = r"(?:\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)"
ZONE = r"(?:[zZ]|UTC|[+-]\d\d(?::?\d\d)?)"
ISO = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[Tt ]{CLOCK} ?{ZONE}?)?|\d{{8}}T{CLOCK}{ZONE}?")

PARTS = re.compile(
    r"\d{4}(?P<dash>-?)\d\d-?\d\d"
    r"(?:(?P<gap>[Tt ])\d\d(?P<m>(?P<colon>:?)\d\d)?(?P<s>:?\d\d)?(?:(?P<point>[.,])(?P<f>\d+))?"
    r"(?P<blank> ?)(?P<zone>[zZ]|UTC|[+-]\d\d(?P<zm>:?\d\d)?)?)?"
)
PATTERN = re.compile(
    r"(?P<date>%Y-?%m-?%d)(?:(?P<gap>[Tt ])(?P<clock>%H(?::?%M)?(?::?%S)?)(?P<f>[.,]%f)?(?P<zone>.*))?"
)
UNITS = (86_400 * 10**9, 3600 * 10**9, 60 * 10**9, 10**9)  # day, hour, minute, second


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


def iso_pattern(texts: np.ndarray) -> tuple[str, int]:
    """How ISO 8601 texts are written.

    Args:
        texts: (V,) strings that all are such.

    Returns:
        Codes of ``write_pattern`` for the longest of them, and the decimals of its seconds.

    Example:
        >>> iso_pattern(np.array(["2024-01-01", "2024-01-01T12:00Z"], dtype=object))
        ('%Y-%m-%dT%H:%M%^z', 0)
    """
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    found = PARTS.fullmatch(texts[int(lengths.argmax())]) if len(texts) else None
    if found is None:
        return "%Y-%m-%dT%H:%M:%S", 0
    date = "%Y-%m-%d" if found["dash"] else "%Y%m%d"
    if not found["gap"]:
        return date, 0
    colon = found["colon"] or ""
    clock = "%H" + (f"{colon}%M" if found["m"] else "") + (f"{colon}%S" if found["s"] else "")
    fraction = f"{found['point']}%f" if found["f"] else ""
    return f"{date}{found['gap']}{clock}{fraction}{found['blank']}{_zone_code(found)}", min(len(found["f"] or ""), 9)


def _zone_code(found: re.Match[str]) -> str:
    """The code of an offset: Z, the name UTC, +01:00, +0100 or +01."""
    zone = found["zone"] or ""
    if not zone or zone == "UTC":
        return "%Z" if zone else ""
    if zone in "zZ":
        return "%^z"
    return "%#z" if found["zm"] is None else "%z" if ":" in found["zm"] else "%-z"


def write_iso(stamps: pd.DatetimeIndex, pattern: str, digits: int) -> pd.Index:
    """Write ISO 8601 texts; a pattern that is too short for the times grows.

    Args:
        stamps: naive, or in a zone, whose offset is written behind a time of day.
        pattern: from ``iso_pattern``.
        digits: decimals of seconds.

    Returns:
        Text.

    Example:
        >>> write_iso(pd.to_datetime(["2024-01-01"]), "%Y-%m-%d", 0).tolist()
        ['2024-01-01']
        >>> write_iso(pd.to_datetime(["2024-01-01 12:00"]).tz_localize("UTC"), "%Y-%m-%d", 0).tolist()
        ['2024-01-01 12:00:00+00:00']
    """
    found = PATTERN.fullmatch(pattern)
    assert found is not None
    naive = stamps if stamps.tz is None else stamps.tz_localize(None)
    counts = naive.as_unit("ns").asi8
    date, clock, fraction, zone = found["date"], found["clock"] or "", found["f"] or "", found["zone"] or ""
    colon = ":" if "-" in date else ""
    full = f"%H{colon}%M{colon}%S"
    finest = next((k for k, unit in enumerate(UNITS) if not (counts % unit).any()), len(UNITS))
    if (finest > 0 and not clock) or (finest > 2 and "%S" not in clock):
        clock = full
    elif finest == 2 and "%M" not in clock:
        clock = f"%H{colon}%M"
    if finest == len(UNITS) and not fraction:
        fraction, digits = ".%f", 9 if (counts % 1000).any() else 6
    if not clock:
        return write_pattern(naive, date)
    if stamps.tz is None:
        zone = ""
    elif not zone or (zone.strip() == "%Z" and str(stamps.tz) != "UTC"):
        zone = "%z" if colon else "%-z"
    gap = found["gap"] or (" " if colon else "T")
    return write_pattern(stamps, f"{date}{gap}{clock}{fraction}{zone}", digits)
