"""The names that ``time_format=`` takes beside strptime codes."""

import re

import numpy as np

from tsformers.calendar.times.counts import prefix_of
from tsformers.calendar.times.decimal_years import step_of
from tsformers.calendar.times.epochs import decimals_of
from tsformers.calendar.times.form import TimeForm, as_texts
from tsformers.calendar.times.iso_weeks import week_pattern
from tsformers.calendar.times.month_names import LANGUAGES, spelled_words
from tsformers.calendar.times.patterns import ZONE_CODES, check_pattern, codes_of, parse_pattern, spelled, unmarked
from tsformers.calendar.times.quarters import spelling_of
from tsformers.calendar.times.ranges import RangeFormat, halves, length_of, range_in
from tsformers.errors import DataError
from tsformers.messages import Option

NAMES = ("epoch-s", "epoch-ms", "epoch-us", "epoch-ns", "decimal-year", "quarter", "iso-week", "count")
SHOWN = 100  # values that decide how a pattern is written


def form_named(time_format: str, values: np.ndarray) -> TimeForm:
    """The form that a user names.

    Args:
        time_format: strptime codes or one of ``NAMES``.
        values: (V,) distinct values of the column, which show the spelling.

    Returns:
        A form; whether the values fit is not checked.

    Raises:
        DataError: no such name, or codes that strptime does not know.

    Example:
        >>> form_named("epoch-ms", np.array([1]))
        TimeForm(kind='epoch', format='ms', text=False, digits=0)
    """
    text = values.dtype.kind == "O"
    if isinstance(time_format, str) and "%" in time_format:
        check_pattern(time_format)
        form = TimeForm("format", time_format, text)
        return spelled_form(_in_other_words(form, values) if text else form, values)
    if time_format not in NAMES:
        raise DataError(
            Option("time_format", time_format),
            f" is unknown; there are {', '.join(NAMES)}, and strptime codes such as %d.%m.%Y",
        )
    kind, _, unit = time_format.partition("-")
    if kind == "epoch":
        return TimeForm("epoch", unit, text, decimals_of(values))
    first = as_texts(values[:1])[0] if len(values) else ""
    if time_format == "decimal-year":
        step, digits = step_of(values) or ("days", max(decimals_of(values), 3))
        return TimeForm("decimal-year", step, text, digits)
    if time_format == "quarter":
        return TimeForm("quarter", spelling_of(first, bare=True) or "", True)
    if time_format == "iso-week":
        return TimeForm("iso-week", week_pattern(first) or "", True)
    prefix, digits = (prefix_of(values) if text else None) or ("", 0)
    return TimeForm("count", prefix, text, digits)


def _in_other_words(form: TimeForm, values: np.ndarray) -> TimeForm:
    """The form of ranges, or of names of months in another language, where the form itself does not fit."""
    if not len(values) or not form.read(values).bad.any():
        return form
    ranges = range_in(values[0])
    if ranges is not None and not codes_of(form.format) & {"b", "B"}:
        other = TimeForm("range", str(ranges[1]._replace(pattern=form.format)), True)
        return form if other.read(values).bad.any() else other
    pattern = re.sub("%[bB]", "%B", unmarked(form.format))
    others = [TimeForm("words", f"{language}  |{pattern}", True) for language in LANGUAGES]
    return next((one for one in others if not one.read(values).bad.any()), form)


def spelled_form(form: TimeForm, values: np.ndarray) -> TimeForm:
    """A form of strptime codes with the marks and the decimals that its values show.

    Args:
        form: any; those of kind "format" and "words" have marks.
        values: (V,) distinct values.

    Returns:
        The form itself where nothing is to be marked.

    Example:
        >>> spelled_form(TimeForm("format", "%d.%m.%Y", True), np.array(["5.12.2024"], dtype=object)).format
        '%-d.%-m.%Y'
    """
    if form.kind == "range":
        return _spelled_range(form, values)
    if form.kind not in ("format", "words"):
        return form
    texts = as_texts(values[:SHOWN])
    digits = form.digits
    if "f" in codes_of(form.format):
        digits = max((len(text.replace(",", ".").rpartition(".")[2].rstrip("ZzAaPpMm ")) for text in texts), default=0)
        digits = min(max(digits, 1), 9)
    pattern = form.format
    if form.kind == "words":
        parsed = form.read(values)
        if not parsed.bad.any() and parsed.offsets is None:
            pattern = spelled_words(pattern, values, parsed.counts, digits)
        return TimeForm("words", pattern, True, digits)
    if not codes_of(pattern) & ZONE_CODES:
        fit = ~parse_pattern(texts, pattern).bad
        pattern = spelled(pattern, texts[fit], digits) if fit.any() else pattern
    return TimeForm("format", pattern, form.text, digits)


def _spelled_range(form: TimeForm, values: np.ndarray) -> TimeForm:
    parts = RangeFormat.of(form.format)
    begins, ends = halves(values, parts)
    plain = TimeForm("format", parts.pattern, True, form.digits)
    length = length_of(plain.read(begins).counts, plain.read(ends).counts)
    spelled_begin = spelled_form(plain, begins)
    return TimeForm(
        "range", str(parts._replace(length=length or 0, pattern=spelled_begin.format)), True, spelled_begin.digits
    )
