"""Quarters in words: 2020Q1, 2020-Q1, Q1 2020, 1Q15, 1. Quartal 2020."""

import re

import numpy as np
import pandas as pd

from tsformers.calendar.times.parsed import Parsed

FIRST_SHORT = 69  # years of two digits are 1969 to 2068
GAP = r"(?P<gap>,? ?'|, |[ \-/_.:]?)"
LETTER = r"(?P<letter>[QqTt]|[Qq]uart(?:er|al) ?|QUARTER ?|[Qq](?:tr|TR)\.? ?|[Tt]rim(?:\.|estre)? ?|[Kk]wartaal ?)"
LATTER = r"(?P<letter>[QqTt]|\.? ?(?:[Qq]uart(?:er|al)|QUARTER|[Qq](?:tr|TR)\.?|[Tt]rim(?:\.|estre)?|[Kk]wartaal))"
YEAR, QUARTER = r"(?P<year>\d{4})", r"(?P<quarter>[1-4])"  # T, and Trimestre, in the Romance languages
SPELLINGS = {
    "{{year}}{gap}{letter}{{quarter}}": f"{YEAR}{GAP}{LETTER}{QUARTER}",
    "{{year}}{gap}{{quarter}}{letter}": f"{YEAR}{GAP}{QUARTER}{LATTER}",
    "{letter}{{quarter}}{gap}{{year}}": f"{LETTER}{QUARTER}{GAP}{YEAR}",
    "{{quarter}}{letter}{gap}{{year}}": f"{QUARTER}{LATTER}{GAP}{YEAR}",
}
SHORT = {
    template.replace("{{year}}", "{{short}}"): shape.replace(YEAR, r"(?P<year>\d\d)").replace("[QqTt]", "[Qq]")
    for template, shape in SPELLINGS.items()
}
FISCAL = {  # FY2015Q1: the quarter of a year that begins elsewhere; only where asked for
    re.sub(r"(\{\{(?:year|short)\}\})", r"{fy}\1", template): shape.replace(
        "(?P<year>", r"(?P<fy>[Ff][Yy][ -]?)(?P<year>"
    )
    for template, shape in (SPELLINGS | SHORT).items()
}
BARE = {"{{year}}{gap}{{quarter}}": r"(?P<year>\d{4})(?P<gap>[ \-/_.:])(?P<quarter>[1-4])"}  # only where asked for
NAMED = SPELLINGS | SHORT
ASKED = NAMED | FISCAL | BARE


def is_fiscal(text: str) -> bool:
    """Whether a text is the quarter of a fiscal year.

    Example:
        >>> is_fiscal("FY2015Q1"), is_fiscal("Q1 FY15"), is_fiscal("2015Q1")
        (True, True, False)
    """
    return any(re.fullmatch(shape, text) for shape in FISCAL.values())


def spelling_of(text: str, bare: bool = False) -> str | None:
    """How a quarter is spelled, {year} (or {short}) and {quarter} in place of its numbers; None = no quarter.

    Args:
        text: of one time.
        bare: take "1986 1" too, which is a month without further knowledge, and quarters of fiscal years.

    Returns:
        The spelling.

    Example:
        >>> spelling_of("1986 Q1"), spelling_of("q3/1986"), spelling_of("1986")
        ('{year} Q{quarter}', 'q{quarter}/{year}', None)
    """
    for template, shape in (ASKED if bare else NAMED).items():
        match = re.fullmatch(shape, text)
        if match is not None:
            return template.format(**{key: match[key] for key in ("gap", "letter", "fy") if key in match.groupdict()})
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
    for shape in ASKED.values():
        found = series.str.extract(f"^{shape}$")
        fits = found["year"].notna().to_numpy(dtype=bool)
        year[fits], quarter[fits] = (found.loc[fits, name].astype(float) for name in ("year", "quarter"))
    year = np.where(year < 100, year + np.where(year < FIRST_SHORT, 2000, 1900), year)
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
        [
            spelled.format(year=y, short=f"{y % 100:02d}", quarter=q)
            for y, q in zip(stamps.year, stamps.quarter, strict=True)
        ],
        dtype=object,
    )
