"""Epochs: seconds, milliseconds, microseconds or nanoseconds since 1970 in UTC, whole or with a fraction."""

import re

import numpy as np
import pandas as pd

from tsformers.calendar.times.parsed import Parsed

SCALES = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}  # nanoseconds
DIGITS = {"s": 10, "ms": 13, "us": 16, "ns": 19}  # of the whole part, from 2001 to 2286
NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?(?:[eE]\+?(\d+))?")
FLOAT_DIGITS = {"s": 6, "ms": 3, "us": 0, "ns": 0}  # decimals that a float64 of today's stamps holds


def parse_epochs(values: np.ndarray, unit: str) -> Parsed:
    """Read epochs exactly.

    Args:
        values: (V,) strings, integers or floats.
        unit: "s", "ms", "us" or "ns".

    Returns:
        UTC nanoseconds, without offsets.

    Example:
        >>> parse_epochs(np.array(["1.25"], dtype=object), "s").counts
        array([1250000000])
    """
    scale = SCALES[unit]
    if values.dtype.kind in "iu":
        bad = np.abs(values.astype(np.float64)) > 9.2e18 / scale
        return Parsed(np.where(bad, 0, values).astype(np.int64) * scale, None, bad)
    if values.dtype.kind == "f":
        bad = ~(np.abs(values) < 9.2e18 / scale)
        known = np.where(bad, 0.0, values)
        whole = np.floor(known)
        part = np.round((known - whole) * 10 ** FLOAT_DIGITS[unit]).astype(np.int64)
        return Parsed(whole.astype(np.int64) * scale + part * (scale // 10 ** FLOAT_DIGITS[unit]), None, bad)
    exact = [_exact(str(value), scale) for value in values]
    bad = np.array([value is None for value in exact], dtype=bool)
    return Parsed(np.array([value or 0 for value in exact], dtype=np.int64), None, bad)


def _exact(text: str, scale: int) -> int | None:
    match = NUMBER.fullmatch(text.strip())
    if match is None or (match[4] and int(match[4]) > 20):
        return None
    fraction = match[3] or ""
    exponent = int(match[4] or 0)
    count = int(match[2] + fraction) * scale * 10**exponent
    whole = count // 10 ** len(fraction)
    return None if whole >= 2**63 else -whole if match[1] == "-" else whole


def decimals_of(values: np.ndarray) -> int:
    """The most decimals that any of the values has, at most 9.

    Example:
        >>> decimals_of(np.array(["1", "1.25"], dtype=object)), decimals_of(np.array([0.5, 2.0]))
        (2, 1)
    """
    if values.dtype.kind in "iu":
        return 0
    if values.dtype.kind == "f":
        return next((d for d in range(9) if (np.round(values, d) == values).all()), 9)
    return min(9, max((len(str(value).partition(".")[2]) for value in values), default=0))


def write_epochs(counts: np.ndarray, unit: str, digits: int, text: bool) -> pd.Index:
    """Write epochs.

    Args:
        counts: UTC nanoseconds.
        unit: "s", "ms", "us" or "ns".
        digits: decimals.
        text: True writes strings, False numbers.

    Returns:
        Text, int64, or float64 where there are decimals.

    Example:
        >>> write_epochs(np.array([1_250_000_000]), "s", 2, True).tolist()
        ['1.25']
    """
    whole, rest = np.divmod(counts, SCALES[unit])
    if not text:
        return pd.Index(np.round(whole + rest / SCALES[unit], digits) if digits else whole)
    if not digits:
        return pd.Index(whole.astype(str).astype(object))
    whole, rest = np.divmod(np.abs(counts), SCALES[unit])
    sign, part = np.where(counts < 0, "-", ""), rest * 10**digits // SCALES[unit]
    return pd.Index([f"{s}{w}.{p:0{digits}d}" for s, w, p in zip(sign, whole, part, strict=True)], dtype=object)
