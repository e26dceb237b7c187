"""Decimal years: 1949.083 is February 1949; the fraction counts months, their middles, or days."""

import numpy as np
import pandas as pd

from tsformers.calendar.times.epochs import decimals_of
from tsformers.calendar.times.parsed import FIRST_YEAR, LAST_YEAR, Parsed

DAY = 86_400 * 10**9
STEPS = ("months", "mid-months", "days")


def numbers_of(values: np.ndarray) -> np.ndarray:
    """Values as float64, NaN where one is no number.

    Example:
        >>> numbers_of(np.array(["1949.083", "x"], dtype=object))
        array([1949.083,      nan])
    """
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    return pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(np.float64)


def parse_decimal_years(values: np.ndarray, step: str, digits: int) -> Parsed:
    """Read decimal years.

    Args:
        values: (V,) strings or floats.
        step: "months" and "mid-months" give the first of the month, "days" the day.
        digits: decimals, which bound how far a fraction may lie from its month.

    Returns:
        Wall-clock nanoseconds.

    Example:
        >>> parse_decimal_years(np.array(["1970.083"], dtype=object), "months", 3).counts // DAY
        array([31])
    """
    years = numbers_of(values)
    bad = ~((years >= FIRST_YEAR) & (years < LAST_YEAR + 1))
    years = np.where(bad, 1970.0, years)
    year = np.floor(years)
    if step in ("months", "mid-months"):
        shift = 0.5 if step == "mid-months" else 0.0
        month = np.round((years - year) * 12 - shift)
        bad |= np.abs(year + (month + shift) / 12 - years) > _tolerance(digits)
        first = ((year - 1970) * 12 + month).astype(np.int64).astype("M8[M]")
        return Parsed(first.astype("M8[ns]").view(np.int64), None, bad)
    start, length = _years(year.astype(np.int64))
    day = np.floor((years - year) * length + 0.5 * 10.0**-digits * length + 1e-6).astype(np.int64)
    return Parsed((start + np.minimum(day, length - 1)) * DAY, None, bad)


def _tolerance(digits: int) -> float:
    return 0.5 * 10.0 ** -min(digits, 9) * (1 + 1e-6) + (0.5 * 10.0**-3 if digits >= 3 else 0.0)


def _years(year: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First day, and number of days, of each year."""
    start, stop = ((year + k - 1970).astype("M8[Y]").astype("M8[D]").astype(np.int64) for k in (0, 1))
    return start, stop - start


def step_of(values: np.ndarray) -> tuple[str, int] | None:
    """What the fractions count, and the number of decimals; None where the values are no decimal years.

    Example:
        >>> step_of(np.array(["1949.000", "1949.083"], dtype=object)), step_of(np.array(["12.5"], dtype=object))
        (('months', 3), None)
    """
    digits = decimals_of(values)
    if digits < 1:
        return None
    for step in STEPS:
        if not parse_decimal_years(values, step, digits).bad.any() and (step != "days" or digits >= 3):
            return step, digits
    return None


def write_decimal_years(stamps: pd.DatetimeIndex, step: str, digits: int, text: bool) -> pd.Index:
    """Write decimal years.

    Args:
        stamps: naive.
        step: see ``parse_decimal_years``.
        digits: decimals.
        text: True writes strings, False float64.

    Returns:
        Text or numbers.

    Example:
        >>> write_decimal_years(pd.to_datetime(["1949-02-01"]), "months", 3, True).tolist()
        ['1949.083']
    """
    year = np.asarray(stamps.year, dtype=np.int64)
    if step == "days":
        start, length = _years(year)
        fraction = (stamps.as_unit("ns").asi8 // DAY - start) / length
    else:
        fraction = (np.asarray(stamps.month) - (0.5 if step == "mid-months" else 1.0)) / 12
    values = year + fraction
    if not text:
        return pd.Index(np.round(values, digits))
    return pd.Index([f"{value:.{digits}f}" for value in values], dtype=object)
