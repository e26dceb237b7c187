"""Ranges of time, 01.01.2023 00:00 - 01.01.2023 01:00: their beginning is the time.

The format of such a column is ``GAP|END|LENGTH|PATTERN``: what stands between beginning and end, "clock" where the end
is a time of day only, the length in seconds, and the strptime codes of the beginning.
"""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.frequency import most_common
from tsformers.calendar.times.patterns import write_pattern

GAP = r" +(?:[-\u2013\u2014]|to|bis) +|(?<=[\dZ])/(?=\d{4}-\d\d-\d\dT)"
RANGE = re.compile(rf"(?P<begin>.*\S)(?P<gap>{GAP})(?P<end>\S.*)")
CLOCK = re.compile(r"\d\d:\d\d(:\d\d)?")
SECOND = 10**9
DAY = 86_400
MOST = 0.9  # of the ranges have one length; the clock changes in others


class RangeFormat(NamedTuple):
    """The parts of a format: the gap, whether the end is a time of day only, seconds, codes of the beginning."""

    gap: str
    clock: bool
    length: int
    pattern: str

    @classmethod
    def of(cls, written: str) -> "RangeFormat":
        """The parts of a format as a text.

        Example:
            >>> RangeFormat.of(" - |clock|900|%d.%m.%Y %H:%M").length
            900
        """
        gap, end, length, pattern = written.split("|", 3)
        return cls(gap, end == "clock", int(length), pattern)

    def __str__(self) -> str:
        return f"{self.gap}|{'clock' if self.clock else ''}|{self.length}|{self.pattern}"


def range_in(text: str) -> tuple[str, RangeFormat] | None:
    """The beginning of a range, and its format without length and codes; None where a text is no range.

    Example:
        >>> range_in("01.01.2023 00:00 - 01:00")
        ('01.01.2023 00:00', RangeFormat(gap=' - ', clock=True, length=0, pattern=''))
    """
    match = RANGE.fullmatch(text)
    if match is None:
        return None
    return match["begin"], RangeFormat(match["gap"], CLOCK.fullmatch(match["end"]) is not None, 0, "")


def halves(texts: np.ndarray, form: RangeFormat) -> tuple[np.ndarray, np.ndarray]:
    """The beginning and the end of each range.

    Args:
        texts: (V,) strings.
        form: their format.

    Returns:
        (V,) strings each; an end of a time of day has the date of its beginning; "" where a text is no range.

    Example:
        >>> one, other = halves(np.array(["1.1.2023 00:00 - 01:00"], dtype=object), RangeFormat(" - ", True, 0, ""))
        >>> one[0], other[0]
        ('1.1.2023 00:00', '1.1.2023 01:00')
    """
    parts = [text.partition(form.gap) for text in texts]
    begins, ends = ([part[at] if part[2] else "" for part in parts] for at in (0, 2))
    if form.clock:
        ends = [f"{begin[: -len(end)]}{end}" if end else "" for begin, end in zip(begins, ends, strict=True)]
    return np.array(begins, dtype=object), np.array(ends, dtype=object)


def length_of(begins: np.ndarray, ends: np.ndarray) -> int | None:
    """The length that nearly all ranges have.

    Args:
        begins: (V,) int64 nanoseconds.
        ends: (V,) int64 nanoseconds.

    Returns:
        Seconds; None where lengths differ, or are not above zero.

    Example:
        >>> length_of(np.array([0]), np.array([3600 * 10**9]))
        3600
    """
    lengths = (ends - begins) // SECOND
    lengths = np.where(lengths < 0, lengths + DAY, lengths)  # 23:00 - 00:00
    usual = most_common(lengths)
    return int(usual) if usual is not None and usual > 0 and (lengths == usual).mean() >= MOST else None


def write_ranges(stamps: pd.DatetimeIndex, form: RangeFormat, digits: int = 0) -> pd.Index:
    """Write times as ranges.

    Args:
        stamps: naive, or in a zone where the pattern has %z.
        form: their format.
        digits: decimals of seconds.

    Returns:
        Text.

    Example:
        >>> write_ranges(pd.to_datetime(["2023-01-01"]), RangeFormat(" - ", False, 3600, "%d.%m.%Y %H:%M"))[0]
        '01.01.2023 00:00 - 01.01.2023 01:00'
    """
    ends = stamps + pd.Timedelta(seconds=form.length)
    pattern = form.pattern
    if form.clock:
        pattern = re.sub("^.*?(?=%[-^#]?[HI])", "", pattern)
    return pd.Index(write_pattern(stamps, form.pattern, digits) + form.gap + write_pattern(ends, pattern, digits))
