"""Times by strptime codes, such as %d.%m.%Y.

A mark before the letter says how the part is written, and changes nothing in reading: ``%-d`` without a leading zero,
``%^b`` in capitals, ``%#b`` in small letters, ``%-z`` without a colon, ``%#z`` without minutes, ``%^z`` as Z.
"""

import re

import numpy as np
import pandas as pd

from tsformers.calendar.times.offsets import text_offsets
from tsformers.calendar.times.parsed import Parsed, from_pandas_times
from tsformers.errors import DataError
from tsformers.messages import Option

CODE = re.compile(r"%([-^#]?)([A-Za-z%])")
KNOWN = frozenset("aAbBdfGHIjmMpSuUVwWyYzZ%")
CLOCK_CODES = frozenset("HI")
DATE_AND_CLOCK = re.compile(r"((?:%[YymdbBj]|[-/.])+)([ T])((?:%[HIMSfp]|[:., ])+)")
MANY = 5_000  # texts whose dates and times of day are read apart
ZONE_CODES = frozenset("zZ")
UNPADDED = {"d": "day", "m": "month", "H": "hour", "M": "minute", "S": "second"}


def codes_of(pattern: str) -> frozenset[str]:
    """The letters of the codes in a pattern.

    Example:
        >>> sorted(codes_of("%-d.%m.%Y"))
        ['Y', 'd', 'm']
    """
    return frozenset(code for _, code in CODE.findall(pattern))


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that strptime cannot read.

    Args:
        pattern: strptime codes.

    Raises:
        DataError: an unknown code, or codes that do not make a date.

    Example:
        >>> check_pattern("%d.%m.%Y")
    """
    unknown = sorted(codes_of(pattern) - KNOWN)
    if unknown or "%" in CODE.sub("", pattern):
        code = f"%{unknown[0]}" if unknown else "%"
        raise DataError(
            Option("time_format", pattern),
            f" has the code {code!r}, which is unknown; write %Y %m %d %H %M %S %b %j ...",
        )
    try:
        _read(np.array(["-"], dtype=object), pattern)
    except ValueError as error:
        raise DataError(Option("time_format", pattern), f" cannot be read: {error}") from None
    if not codes_of(pattern) & {"Y", "y", "G"}:
        raise DataError(Option("time_format", pattern), " has no year; add %Y or %y")


def parse_pattern(texts: np.ndarray, pattern: str) -> Parsed:
    """Read texts by a pattern.

    Args:
        texts: (V,) strings.
        pattern: strptime codes; a week without a weekday is its Monday.

    Returns:
        Counts; UTC where the pattern has %z.

    Example:
        >>> parse_pattern(np.array(["2.1.1970"], dtype=object), "%d.%m.%Y").counts // 10**9
        array([86400])
    """
    zoned = bool(codes_of(pattern) & ZONE_CODES)
    parts = DATE_AND_CLOCK.fullmatch(unmarked(pattern))
    if parts is not None and len(texts) >= MANY:
        return _in_two(texts, parts[1], parts[2], parts[3])
    read = _read(texts, pattern)
    return from_pandas_times(read, text_offsets(texts) if zoned else None)


def _in_two(texts: np.ndarray, date: str, gap: str, clock: str) -> Parsed:
    """Dates and times of day apart, since few of either are different."""
    halves = [text.partition(gap) for text in texts]
    code, dates = pd.factorize(np.array([half[0] for half in halves], dtype=object))
    day = from_pandas_times(_read(np.asarray(dates, dtype=object), date))
    at, times = pd.factorize(np.array([half[2] for half in halves], dtype=object))
    time = from_pandas_times(_read("1970-01-01 " + np.asarray(times, dtype=object), f"%Y-%m-%d {clock}"))
    whole = np.array([half[1] != "" for half in halves], dtype=bool)
    return Parsed(day.counts[code] + time.counts[at], None, day.bad[code] | time.bad[at] | ~whole)


def _read(texts: np.ndarray, pattern: str) -> pd.Series:
    plain = unmarked(pattern)
    found = codes_of(plain)
    series = pd.Series(texts, dtype=object)
    for week, weekday in (("V", "u"), ("U", "w"), ("W", "w")):
        if week in found and not found & {"u", "w", "a", "A"}:
            series, plain = series + " 1", f"{plain} %{weekday}"
    return pd.to_datetime(series, format=plain, errors="coerce", utc=bool(found & ZONE_CODES))


def write_pattern(stamps: pd.DatetimeIndex, pattern: str, digits: int = 0) -> pd.Index:
    """Write times by a pattern.

    Args:
        stamps: naive, or in a zone where the pattern has %z.
        pattern: strptime codes.
        digits: decimals of %f.

    Returns:
        Text.

    Example:
        >>> write_pattern(pd.to_datetime(["2024-03-05"]), "%-d.%m.%Y").tolist()
        ['5.03.2024']
    """
    whole = np.full(len(stamps), "", dtype=object)
    for piece in re.findall(r"%[-^#]?[A-Za-z%]|[^%]+", pattern):
        whole = whole + _piece(stamps, piece, digits)
    return pd.Index(whole, dtype=object)


def spelled(pattern: str, texts: np.ndarray, digits: int = 0) -> str:
    """The variant of a pattern that writes texts as they are.

    Args:
        pattern: strptime codes that read all of the texts, without %z.
        texts: some values of the column.
        digits: decimals of %f.

    Returns:
        The first variant that gives the same texts, else the pattern.

    Example:
        >>> spelled("%d-%b-%Y", np.array(["5-JAN-2024", "12-FEB-2024"], dtype=object))
        '%-d-%^b-%Y'
    """
    stamps = pd.DatetimeIndex(parse_pattern(texts, pattern).counts.view("M8[ns]"))
    return next((one for one in variants(pattern) if (write_pattern(stamps, one, digits) == texts).all()), pattern)


def _piece(stamps: pd.DatetimeIndex, piece: str, digits: int) -> "np.ndarray | str":
    if not piece.startswith("%"):
        return piece
    if piece == "%f":
        nanoseconds = np.asarray(stamps.as_unit("ns").asi8 % 10**9)
        return np.array([f"{value:09d}"[: digits or 6] for value in nanoseconds], dtype=object)
    if piece == "%-I":
        return np.asarray((stamps.hour + 11) % 12 + 1).astype(str).astype(object)
    if piece.startswith("%-") and piece[2] in UNPADDED:
        return np.asarray(getattr(stamps, UNPADDED[piece[2]])).astype(str).astype(object)
    if piece.endswith("z"):
        return _offsets(stamps, piece)
    text = np.asarray(stamps.strftime(unmarked(piece)), dtype=object)
    if piece[1] in "^#":
        return np.array([value.upper() if piece[1] == "^" else value.lower() for value in text], dtype=object)
    return text


def _offsets(stamps: pd.DatetimeIndex, piece: str) -> np.ndarray:
    """Offsets from UTC: +01:00 (%z), +0100 (%-z), +01 (%#z), Z where it is none (%^z)."""
    code, texts = pd.factorize(np.asarray(stamps.strftime("%z"), dtype=object))
    colons = [f"{text[:3]}:{text[3:5]}" for text in texts]
    short = {
        "%-z": [text[:5] for text in texts],
        "%#z": [text[:3] if text.endswith("00") else colon for text, colon in zip(texts, colons, strict=True)],
        "%^z": ["Z" if colon == "+00:00" else colon for colon in colons],
    }
    return np.array(short.get(piece, colons), dtype=object)[code]


def variants(pattern: str) -> list[str]:
    """The ways of writing a pattern, the plain one first.

    Args:
        pattern: strptime codes without marks.

    Returns:
        Patterns with marks for numbers without leading zeros and for names in capitals or small letters.

    Example:
        >>> variants("%d.%m.%Y")
        ['%d.%m.%Y', '%-d.%-m.%Y', '%-d.%m.%Y', '%d.%-m.%Y']
    """
    numbers = [pattern]
    for letters in ("dmHI", "HI", "dm", "d", "m"):
        numbers.append(re.sub(rf"%([{letters}])", r"%-\1", pattern))
    found = [re.sub(r"%([aAbBp])", rf"%{mark}\1", one) for mark in ("", "^", "#") for one in numbers]
    return list(dict.fromkeys(found))


def unmarked(pattern: str) -> str:
    """A pattern as strptime takes it.

    Example:
        >>> unmarked("%-d.%-m.%Y")
        '%d.%m.%Y'
    """
    return CODE.sub(r"%\2", pattern)
