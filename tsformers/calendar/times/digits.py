"""Which forms plain numbers can have: dates of the calendar first, then epochs by their digits, else counts."""

import numpy as np
import pandas as pd

from tsformers.calendar.frequency import most_common
from tsformers.calendar.times.decimal_years import numbers_of, step_of
from tsformers.calendar.times.epochs import DIGITS, decimals_of
from tsformers.calendar.times.form import TimeForm
from tsformers.calendar.times.parsed import FIRST_YEAR, LAST_YEAR, Parsed, plausible

DATES = {
    4: ("%Y",),
    6: ("%Y%m",),
    7: ("%Y%j",),
    8: ("%Y%m%d",),
    10: ("%Y%m%d%H",),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S",),
}
LATER_CENTURIES = 1900  # ten digits of earlier years are epoch seconds of 2024 and the like
EARLY_EPOCH = 10  # a column of epochs may begin at a tenth of the least number of its digits


def dates_of(numbers: np.ndarray) -> TimeForm | None:
    """The form of whole numbers that are all dates: years, yyyymm, yyyyddd, yyyymmdd, yyyymmddhh and longer.

    Args:
        numbers: (V,) int64.

    Returns:
        A form, or None.

    Example:
        >>> dates_of(np.array([20240131, 20240201])).format, dates_of(np.array([20240132]))
        ('%Y%m%d', None)
    """
    digits = len(str(int(numbers.max(initial=0))))
    if digits not in DATES or numbers.min(initial=0 if not len(numbers) else numbers[0]) < 10 ** (digits - 1):
        return None
    first = FIRST_YEAR if digits != 10 else LATER_CENTURIES
    years = numbers // 10 ** (digits - 4)
    if years.min() < first or years.max() > LAST_YEAR:
        return None
    form = TimeForm("format", DATES[digits][0], text=True)
    return form if fits(form, numbers) else None


def weeks_of(numbers: np.ndarray, text_file: bool = True) -> TimeForm | None:
    """The form of six digits that are all ISO years and weeks.

    Args:
        numbers: (V,) int64.
        text_file: False asks for more: several years, and steps that are more regular as weeks than as numbers.

    Returns:
        A form, or None.

    Example:
        >>> weeks_of(np.array([201852, 201901])).format
        '%G%V'
    """
    form = TimeForm("format", "%G%V", text=True)
    inside = len(numbers) and numbers.min() >= FIRST_YEAR * 100 and numbers.max() < (LAST_YEAR + 1) * 100
    if not inside or not fits(form, numbers):
        return None
    return form if text_file or _regular(form, numbers) else None


def typed_form(numbers: np.ndarray) -> TimeForm | None:
    """The form of whole numbers of a typed column, where every value is a date and the steps fit the calendar.

    Args:
        numbers: (V,) int64 distinct values.

    Returns:
        A form, or None for counts; numbers of four digits are counts.

    Example:
        >>> typed_form(np.array([20240130, 20240131, 20240201])).format, typed_form(np.array([2023, 2024]))
        ('%Y%m%d', None)
    """
    form = dates_of(numbers)
    if form is not None:
        return form if form.format not in ("%Y", "%Y%j") and _regular(form, numbers) else None
    form = epochs_of(numbers)
    if form is None or form.format != "s" or len(numbers) < 2:
        return form
    step = most_common(np.diff(np.sort(numbers)))
    return form if step is not None and (60 % step == 0 or step % 60 == 0) else None


def _regular(form: TimeForm, numbers: np.ndarray) -> bool:
    """Whether numbers step as regularly as dates as they do as numbers; six digits must cross a year."""
    rising = np.sort(numbers)
    if len(rising) < 2 or (len(str(rising[0])) == 6 and rising[0] // 100 == rising[-1] // 100):
        return False
    counts = form.read(rising).counts
    months = counts.view("M8[ns]").astype("M8[M]").astype(np.int64)
    return max(_most_share(np.diff(counts)), _most_share(np.diff(months))) >= _most_share(np.diff(rising))


def _most_share(steps: np.ndarray) -> float:
    return float(np.mean(steps == most_common(steps)))


def short_dates_of(texts: np.ndarray) -> list[TimeForm]:
    """The forms of digits in another order than that of the calendar: ddmmyyyy, mmddyyyy, yymmdd, ddmmyy.

    Args:
        texts: (V,) strings of whole numbers, none of them all dates of the calendar.

    Returns:
        All that fit.

    Example:
        >>> [form.format for form in short_dates_of(np.array(["31012024", "01022024"], dtype=object))]
        ['%d%m%Y']
    """
    lengths = {len(text) for text in texts}
    patterns = {8: ("%d%m%Y", "%m%d%Y"), 6: ("%y%m%d", "%d%m%y", "%m%d%y")}
    if len(lengths) != 1 or len(texts) < 2:
        return []
    forms = [TimeForm("format", pattern, text=True) for pattern in patterns.get(lengths.pop(), ())]
    return [form for form in forms if fits(form, texts)]


def epochs_of(values: np.ndarray) -> TimeForm | None:
    """The unit of numbers with as many digits as epochs have: 10 s, 13 ms, 16 us, 19 ns.

    Args:
        values: (V,) strings or numbers, all of them numbers.

    Returns:
        A form, or None.

    Example:
        >>> epochs_of(np.array([1704067200000])).format
        'ms'
    """
    floats = numbers_of(values)
    for unit, digits in DIGITS.items():
        if 10.0 ** (digits - 1) <= floats.max(initial=0) < 10.0**digits:
            if floats.min() < 10.0 ** (digits - 1) / EARLY_EPOCH:
                return None
            form = TimeForm("epoch", unit, text=values.dtype.kind == "O", digits=decimals_of(values))
            return form if fits(form, values) else None
    return None


def decimal_years_of(values: np.ndarray) -> TimeForm | None:
    """The form of numbers with a fraction that are all decimal years; 2024.01 to 2024.12 as text are months.

    Example:
        >>> decimal_years_of(np.array([1949.0, 1949.083])).digits
        3
    """
    if values.dtype.kind == "O" and pd.Series(values, dtype=object).str.fullmatch(r"\d{4}\.(0[1-9]|1[0-2])").all():
        return TimeForm("format", "%Y.%m", text=True)
    found = step_of(values)
    return None if found is None else TimeForm("decimal-year", found[0], values.dtype.kind == "O", found[1])


def fits(form: TimeForm, values: np.ndarray) -> bool:
    """Whether all values are plausible times of a form.

    Example:
        >>> fits(TimeForm("epoch", "s"), np.array([10**12]))
        False
    """
    return is_whole(form.read(values))


def is_whole(parsed: Parsed) -> bool:
    """Whether all of what was read is a plausible time.

    Example:
        >>> is_whole(TimeForm("epoch", "s").read(np.array([0, 10**9])))
        True
    """
    return not parsed.bad.any() and bool(plausible(parsed.counts).all())


def whole(values: np.ndarray) -> np.ndarray | None:
    """Values as int64 where all of them are whole numbers, else None; a sign or a leading zero is none of a date.

    Example:
        >>> whole(np.array(["7", "8"], dtype=object)), whole(np.array([7.5]))
        (array([7, 8]), None)
    """
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        safe = np.isfinite(values).all() and (np.abs(values) < 2**61).all() and (values == np.floor(values)).all()
        return values.astype(np.int64) if safe else None
    series = pd.Series(values, dtype=object)
    if not series.str.fullmatch(r"[+-]?\d{1,18}|[1-8]\d{18}").all():
        return None
    return np.array([int(value) for value in values], dtype=np.int64)
