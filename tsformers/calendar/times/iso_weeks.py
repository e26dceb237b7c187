"""ISO weeks: 2020-W15, 2020W15, with a weekday 2020-W15-3."""

import re

import numpy as np
import pandas as pd

from tsformers.calendar.times.parsed import Parsed
from tsformers.calendar.times.patterns import parse_pattern, write_pattern

WEEK = re.compile(r"\d{4}(-?)([Ww])\d\d(?:(-?)([1-7]))?")


def week_pattern(text: str) -> str | None:
    """The pattern of a week; None where the text is no ISO week.

    Example:
        >>> week_pattern("2020-W15"), week_pattern("2020W153"), week_pattern("2020")
        ('%G-W%V', '%GW%V%u', None)
    """
    match = WEEK.fullmatch(text)
    if match is None:
        return None
    return f"%G{match[1]}{match[2]}%V" + ("" if match[4] is None else f"{match[3]}%u")


def parse_weeks(texts: np.ndarray) -> Parsed:
    """Read ISO weeks of any spelling as their Monday, or the weekday that is named.

    Args:
        texts: (V,) strings.

    Returns:
        Wall-clock nanoseconds.

    Example:
        >>> parse_weeks(np.array(["1970-W02"], dtype=object)).counts // (86400 * 10**9)
        array([4])
    """
    basic = pd.Series(texts, dtype=object).str.replace("-", "", regex=False).str.upper()
    days = basic.where(basic.str.len() == 8, basic + "1")
    return parse_pattern(days.to_numpy(dtype=object), "%GW%V%u")


def write_weeks(stamps: pd.DatetimeIndex, pattern: str) -> pd.Index:
    """Write the weeks that hold the stamps.

    Args:
        stamps: naive.
        pattern: from ``week_pattern``; empty = 2020-W15.

    Returns:
        Text.

    Example:
        >>> write_weeks(pd.to_datetime(["2019-12-30"]), "").tolist()
        ['2020-W01']
    """
    return write_pattern(stamps, pattern or "%G-W%V")
