"""TimeForm: how the times of a column are written, kept so that answers are written in the same way."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tsformers.calendar.times.counts import parse_counts, write_labels
from tsformers.calendar.times.decimal_years import parse_decimal_years, write_decimal_years
from tsformers.calendar.times.epochs import parse_epochs, write_epochs
from tsformers.calendar.times.iso import parse_iso, write_iso
from tsformers.calendar.times.iso_weeks import parse_weeks, write_weeks
from tsformers.calendar.times.month_names import in_numbers, write_words
from tsformers.calendar.times.offsets import has_offset
from tsformers.calendar.times.parsed import Parsed, from_pandas_times, through_midnight
from tsformers.calendar.times.patterns import CLOCK_CODES, ZONE_CODES, codes_of, parse_pattern, unmarked, write_pattern
from tsformers.calendar.times.quarters import parse_quarters, write_quarters
from tsformers.calendar.times.ranges import RangeFormat, halves, write_ranges
from tsformers.calendar.times.zones import localize

DAY = 86_400 * 10**9
EPOCHS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


@dataclass(frozen=True)
class TimeForm:
    """What a time column looks like; saved with a model, so that later data are read and answers written alike.

    Args:
        kind: "datetime" (datetimes, ISO 8601 text), "date", "format" (strptime codes), "words" (with names of months in
            a language), "range" (of which the beginning is the time), "quarter", "iso-week", "epoch",
            "decimal-year" or "count".
        format: strptime codes of "format", "iso-week" and "datetime" as text (``%-d`` = without a leading zero),
            spelling of "quarter", unit of "epoch", step of "decimal-year", the word before the numbers of "count".
        text: answers are strings; False = datetimes or numbers.
        digits: decimals of seconds, of epochs and of decimal years; digits of counts that zeros fill.

    Example:
        >>> TimeForm("quarter", "{year}Q{quarter}", text=True).write(np.array([0]), None).tolist()
        ['1970Q1']
    """

    kind: str = "datetime"
    format: str = ""
    text: bool = False
    digits: int = 0

    @property
    def integer(self) -> bool:
        """True for plain counts, which are no dates."""
        return self.kind == "count"

    @property
    def codes(self) -> str:
        """The strptime codes of "format", "words" and "range"."""
        if self.kind == "range":
            return unmarked(RangeFormat.of(self.format).pattern)
        return unmarked(self.format.partition("|")[2] if self.kind == "words" else self.format)

    def read(self, values: np.ndarray) -> Parsed:
        """Read values without a zone.

        Args:
            values: (V,) numbers, or strings without blanks around them; best without repetitions.

        Returns:
            Counts, offsets, and which values do not fit.

        Example:
            >>> TimeForm("epoch", "s").read(np.array([1])).counts
            array([1000000000])
        """
        if self.kind == "count":
            return parse_counts(values, self.format)
        if self.kind == "epoch":
            return parse_epochs(values, self.format)
        if self.kind == "decimal-year":
            return parse_decimal_years(values, self.format, self.digits)
        if values.dtype.kind == "M":
            return from_pandas_times(pd.DatetimeIndex(values))
        texts = values if values.dtype.kind == "O" else as_texts(values)
        if self.kind == "quarter":
            return parse_quarters(texts)
        if self.kind == "iso-week":
            return parse_weeks(texts)
        if self.kind == "range":
            begins, ends = (
                TimeForm("format", self.codes).read(half) for half in halves(texts, RangeFormat.of(self.format))
            )
            return begins._replace(bad=begins.bad | ends.bad)
        if self.kind == "words":
            texts = in_numbers(texts, self.format.split(" ")[0])
        if self.kind in ("format", "words"):
            pattern = self.codes.replace("%B", "%m") if self.kind == "words" else self.format
            return through_midnight(texts, lambda some: _with_offsets(some, pattern))
        return through_midnight(texts, parse_iso)

    def parse(self, values: pd.Series, tz: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Times as counts.

        Args:
            values: as they came.
            tz: zone of values without offset; of an hour that occurs twice the first is taken.

        Returns:
            int64 counts (UTC nanoseconds, wall-clock nanoseconds without a zone, or whole numbers), and (R,) bool,
            True where a value does not fit.

        Example:
            >>> TimeForm("format", "%d.%m.%Y").parse(pd.Series(["01.01.1970", "x"]), None)[1]
            array([False,  True])
        """
        code, unique = unique_values(values)
        parsed = self.read(unique)
        counts, bad = parsed.counts, parsed.bad
        if tz is not None and not self.integer and self.kind != "epoch":
            naive = np.ones(len(bad), dtype=bool)
            if parsed.offsets is not None:
                naive = ~has_offset(as_texts(unique))
            local, _, skipped = localize(np.where(bad, 0, counts), tz)
            counts = np.where(naive, local, counts)
            bad = bad | (naive & skipped)
        return counts[code], bad[code] | (code < 0)

    def write(self, counts: np.ndarray, tz: str | None) -> pd.Index:
        """Times as they came in: the inverse of ``parse``.

        Args:
            counts: int64, see ``parse``.
            tz: zone of the answers; times of day in it bear their offset.

        Returns:
            Text, datetimes or numbers.

        Example:
            >>> TimeForm("format", "%d.%m.%Y", text=True).write(np.array([0]), None).tolist()
            ['01.01.1970']
        """
        flat = np.asarray(counts, dtype=np.int64).ravel()
        if self.kind == "count":
            return write_labels(flat, self.format, self.digits) if self.format else pd.Index(flat)
        if self.kind == "epoch":
            return write_epochs(flat, self.format, self.digits, self.text)
        index = pd.DatetimeIndex(flat.view("M8[ns]"))
        if tz is not None:
            index = index.tz_localize("UTC").tz_convert(tz)
        if self.kind == "date":
            return pd.Index(index.date) if bool((index == index.normalize()).all()) else index
        if self.kind in ("format", "words", "range"):
            pattern = self.format
            if tz is not None and codes_of(pattern) & CLOCK_CODES and not codes_of(pattern) & ZONE_CODES:
                pattern += "%z"
            if self.kind == "words":
                return write_words(index, pattern, self.digits)
            if self.kind == "range":
                return write_ranges(index, RangeFormat.of(pattern), self.digits)
            return _typed(write_pattern(index, pattern, self.digits), self.text)
        naive = index if tz is None else index.tz_localize(None)
        if self.kind == "quarter":
            return write_quarters(naive, self.format)
        if self.kind == "iso-week":
            return write_weeks(naive, self.format)
        if self.kind == "decimal-year":
            return write_decimal_years(naive, self.format, self.digits, self.text)
        return write_iso(index, self.format, self.digits) if self.text else index

    def describe(self) -> str:
        """The form in words, for the lines that say what was read.

        Example:
            >>> TimeForm("epoch", "ms").describe(), TimeForm("format", "%d.%m.%Y").describe()
            ('epoch milliseconds', 'days, %d.%m.%Y')
        """
        if self.kind == "epoch":
            return f"epoch {EPOCHS[self.format]}"
        if self.kind == "decimal-year":
            return f"decimal years, the fraction counts {self.format}"
        if self.kind == "quarter":
            return f"quarters such as {write_quarters(pd.DatetimeIndex(['2021-01-01']), self.format)[0]}"
        if self.kind == "iso-week":
            return "ISO weeks, by their Monday" if "%u" not in self.format else "days of ISO weeks"
        if self.kind == "count" and self.format:
            return f"counted, such as {self.write(np.array([1]), None)[0]!r}"
        if self.kind == "range":
            return f"{_pattern_in_words(self.codes)}, the beginning of each range"
        if self.kind in ("format", "words"):
            language = f" in {self.format.split(' ')[0]}" if self.kind == "words" else ""
            return f"{_pattern_in_words(self.codes)}{language}"
        return {"count": "whole numbers, counted", "date": "dates"}.get(self.kind, "datetimes")


def _typed(texts: pd.Index, text: bool) -> pd.Index:
    return texts if text else pd.Index(texts.to_numpy(dtype=object).astype(np.int64))


def _with_offsets(texts: np.ndarray, pattern: str) -> Parsed:
    """Texts of a pattern without %z, some or all of which have an offset behind their time of day."""
    parsed = parse_pattern(texts, pattern)
    codes = codes_of(pattern)
    if not parsed.bad.any() or codes & ZONE_CODES or not codes & CLOCK_CODES:
        return parsed
    rest = np.flatnonzero(parsed.bad)
    again = parse_pattern(texts[rest], f"{pattern}%z")
    if again.bad.all():
        return parsed
    offsets = np.zeros(len(texts), dtype=np.int64)
    assert again.offsets is not None
    parsed.counts[rest], parsed.bad[rest], offsets[rest] = again.counts, again.bad, again.offsets
    return parsed._replace(offsets=offsets)


def _pattern_in_words(pattern: str) -> str:
    codes = codes_of(pattern)
    if codes & {"H", "I"}:
        unit = "times"
    elif codes & {"d", "j", "u", "w", "a", "A"}:
        unit = "days"
    elif codes & {"m", "b", "B"}:
        unit = "months"
    else:
        unit = "weeks" if codes & {"V", "U", "W"} else "years"
    short = ", years 1969 to 2068" if "y" in codes else ""
    return f"{unit}, {unmarked(pattern)}{short}"


def as_texts(values: np.ndarray) -> np.ndarray:
    """Values as an object array of strings without blanks around them; whole floats lose their point.

    Example:
        >>> as_texts(np.array([2024.0, 2025.0])).tolist()
        ['2024', '2025']
    """
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == np.floor(values)).all():
        values = values.astype(np.int64)
    return np.array([str(value).strip() for value in values], dtype=object)


def unique_values(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values in order of appearance, and the position of each row's among them (-1 = missing).

    Args:
        values: strings (blanks around them are dropped), numbers or datetimes.

    Returns:
        (R,) codes and (V,) values: object arrays of strings, or numbers.

    Example:
        >>> unique_values(pd.Series([" a", "b", "a"]))[0].tolist()
        [0, 1, 0]
    """
    code, unique = pd.factorize(values)
    held = np.asarray(unique)
    if held.dtype.kind in "iufM":
        return code, held
    try:
        texts = np.array([value.strip() for value in held], dtype=object)
    except AttributeError:
        texts = as_texts(held)
    if bool((texts == held).all()):
        return code, texts
    again, distinct = pd.factorize(texts)
    return np.where(code < 0, -1, again[code]), np.asarray(distinct, dtype=object)
