"""Quarters in words: 2020Q1, 2020-Q1, Q1 2020, 1986 Q1."""

import re

import numpy as np
import pandas as pd

from tsformers.calendar.times.parsed import Parsed

GAP = r"(?P<gap>[ \-/_.:]?)"
LETTER = r"(?P<letter>[QqTt])"  # T in the Romance languages
YEAR, QUARTER = r"(?P<year>\d{4})", r"(?P<quarter>[1-4])"
SPELLINGS = {
    "{{year}}{gap}{letter}{{quarter}}": f"{YEAR}{GAP}{LETTER}{QUARTER}",
    "{{year}}{gap}{{quarter}}{letter}": f"{YEAR}{GAP}{QUARTER}{LETTER}",
    "{letter}{{quarter}}{gap}{{year}}": f"{LETTER}{QUARTER}{GAP}{YEAR}",
    "{{quarter}}{letter}{gap}{{year}}": f"{QUARTER}{LETTER}{GAP}{YEAR}",
}
BARE = {"{{year}}{gap}{{quarter}}": r"(?P<year>\d{4})(?P<gap>[ \-/_.:])(?P<quarter>[1-4])"}  # only where asked for


def spelling_of(text: str, bare: bool = False) -> str | None:
    """How a quarter is spelled, {year} and {quarter} in place of its numbers; None where the text is no quarter.

    Args:
        text: of one time.
        bare: take "1986 1" too, which is a month without further knowledge.

    Returns:
        The spelling.

    Example:
        >>> spelling_of("1986 Q1"), spelling_of("q3/1986"), spelling_of("1986")
        ('{year} Q{quarter}', 'q{quarter}/{year}', None)
    """
    for template, shape in (SPELLINGS | (BARE if bare else {})).items():
        match = re.fullmatch(shape, text)
        if match is not None:
            return template.format(**{key: match[key] for key in ("gap", "letter") if key in match.groupdict()})
    return None


def parse_quarters(texts: np.ndarray) -> Parsed:
    """Read quarters of any spelling as their first day.

    Args:
        texts: (V,) strings.

    Returns:
        Wall-clock nanoseconds.

    Example:
        >>> parse_quarters(np.array(["1970Q2"], dtype=object)).counts // (86400 * 10**9)
        array([90])
    """
    series = pd.Series(texts, dtype=object)
    year, quarter = np.full(len(series), np.nan), np.full(len(series), np.nan)
    for shape in (SPELLINGS | BARE).values():
        found = series.str.extract(f"^{shape}$")
        fits = found["year"].notna().to_numpy(dtype=bool)
        year[fits], quarter[fits] = (found.loc[fits, name].astype(float) for name in ("year", "quarter"))
    bad = np.isnan(year) | (year < 1678) | (year > 2261)
    month = np.where(bad, 0, (year - 1970) * 12 + 3 * (quarter - 1)).astype(np.int64)
    return Parsed(month.astype("M8[M]").astype("M8[ns]").view(np.int64), None, bad)


def write_quarters(stamps: pd.DatetimeIndex, spelling: str) -> pd.Index:
    """Write the quarters that hold the stamps.

    Args:
        stamps: naive.
        spelling: from ``spelling_of``; empty = 2020Q1.

    Returns:
        Text.

    Example:
        >>> write_quarters(pd.to_datetime(["2024-04-01"]), "Q{quarter} {year}").tolist()
        ['Q2 2024']
    """
    spelled = spelling or "{year}Q{quarter}"
    return pd.Index(
        [spelled.format(year=y, quarter=q) for y, q in zip(stamps.year, stamps.quarter, strict=True)], dtype=object
    )
