"""The form of a column by the evidence of all its values; where two forms fit, both are offered."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import numpy as np
import pandas as pd

from tsformers.calendar.times.counts import prefix_of
from tsformers.calendar.times.digits import (
    dates_of,
    decimal_years_of,
    epochs_of,
    fits,
    is_whole,
    short_dates_of,
    typed_form,
    weeks_of,
    whole,
)
from tsformers.calendar.times.form import TimeForm
from tsformers.calendar.times.iso import iso_pattern
from tsformers.calendar.times.named import spelled_form
from tsformers.calendar.times.parsed import FIRST_YEAR, LAST_YEAR, Parsed, plausible
from tsformers.calendar.times.patterns import unmarked
from tsformers.calendar.times.quarters import is_fiscal
from tsformers.calendar.times.ranges import RangeFormat
from tsformers.calendar.times.shapes import NUMBER, Readings, readings_of
from tsformers.errors import DataError
from tsformers.messages import Option, joined

DAY = 86_400 * 10**9  # nanoseconds
SAMPLE = 100  # values whose shapes are looked at, spread over the column
FIRST_HELD, LAST_HELD = 1678, 2261  # whole years that nanoseconds hold
ZONE_NAME = re.compile(r"\d:\d\d(?::\d\d)? ?\(?([A-Z]{2,5})\)?$")
COUNT = TimeForm("count")
Refuse = Callable[..., NoReturn]  # a value by its position, why, and a remedy other than the usual one


def form_of(values: np.ndarray, place: str, refuse: Refuse, text_file: bool) -> tuple[TimeForm, Parsed]:
    """The form of a column, and its values in that form.

    Args:
        values: (V,) distinct strings or numbers.
        place: the column in messages.
        refuse: raises the error about one value.
        text_file: True where the column stands in a file of text, in which four digits may be years.

    Returns:
        The only form that fits all values, and what it reads.

    Raises:
        DataError: none fits, or several do.

    Example:
        >>> def refuse(position, why, *remedy):
        ...     raise DataError(why)
        >>> form_of(np.array(["2021Q1", "2021Q2"], dtype=object), "column 'ds'", refuse, False)[0].kind
        'quarter'
    """
    if values.dtype.kind != "O":
        return _number_form(values, place, refuse, text_file)
    sample = _sample(values)
    if 2 * sum(NUMBER.fullmatch(text) is not None for text in sample) > len(sample):
        numeric = pd.Series(values, dtype=object).str.fullmatch(NUMBER.pattern).to_numpy(dtype=bool)
        if not numeric.all():
            refuse(int(np.argmin(numeric)), "is no number as the others are")
        return _number_form(values, place, refuse, True)
    return _text_form(values, place, refuse)


def _number_form(values: np.ndarray, place: str, refuse: Refuse, text_file: bool) -> tuple[TimeForm, Parsed]:
    form = number_form(values, place, text_file)
    if form is None:
        refuse(_not_whole(values), "is no whole number, epoch or decimal year")
    return form, form.read(values)


def number_form(values: np.ndarray, place: str, text_file: bool) -> TimeForm | None:
    """The form of numbers: dates, epochs, decimal years, else counts.

    Args:
        values: (V,) distinct numbers, or strings of them.
        place: the column in messages.
        text_file: see ``form_of``.

    Returns:
        A form; None where the numbers are not whole and are neither epochs nor decimal years.

    Raises:
        DataError: whole numbers that may be dates in a form that has to be named.

    Example:
        >>> number_form(np.array([1990, 1991]), "column 'ds'", True).format
        '%Y'
    """
    text = values.dtype.kind == "O"
    numbers = whole(values)
    if numbers is None:
        return epochs_of(values) or decimal_years_of(values)
    form = dates_of(numbers) if text_file else typed_form(numbers)
    if form is None and text_file:
        form = epochs_of(values)
    if form is not None:
        return replace(form, text=text)
    weeks = weeks_of(numbers, text_file)
    if weeks is not None:
        _offer(place, values, [weeks], "may be years and weeks, or counts")
    short = short_dates_of(values) if text else []
    if short:
        _offer(place, values, short, "may be dates, or counts")
    return replace(COUNT, text=text)


def _offer(place: str, values: np.ndarray, forms: list[TimeForm], why: str) -> NoReturn:
    options = [Option("time_format", unmarked(form.format)) for form in forms]
    raise DataError(
        f"{place}: {values[0]} to {values[-1]} {why}; pass ", joined([*options, Option("time_format", "count")])
    )


def _text_form(texts: np.ndarray, place: str, refuse: Refuse) -> tuple[TimeForm, Parsed]:
    sample = _sample(texts)
    groups: Readings = []
    for text in sample:
        groups += [group for group in readings_of(text) if group not in groups]
    for group in groups:
        likely = [form for form in group if fits(form, np.array(sample, dtype=object))]
        fitting = [(form, parsed) for form, parsed in ((one, one.read(texts)) for one in likely) if is_whole(parsed)]
        fitting = _without_odd_years(fitting)
        if len({parsed.counts.tobytes() for _, parsed in fitting}) > 1:
            options = [Option("time_format", form.codes) for form, _ in fitting]
            raise DataError(
                f"{place}: {texts[0]!r} to {texts[-1]!r} can be read in {len(fitting)} ways, and no value decides; "
                "pass ",
                joined([*options]),
            )
        if fitting:
            form, parsed = fitting[0]
            form = spelled_form(form, texts)
            if form.kind == "range" and not RangeFormat.of(form.format).length:
                refuse(0, "is a range, and these differ in length", "; leave the beginning alone in the column")
            return form, parsed
    label = prefix_of(texts)
    if label is not None:
        form = TimeForm("count", label[0], True, label[1])
        return form, form.read(texts)
    _refuse_misfit(groups, texts, refuse)


def _without_odd_years(fitting: list[tuple[TimeForm, Parsed]]) -> list[tuple[TimeForm, Parsed]]:
    """The readings without those that begin with a year of two digits and step oddly: 28/01/24 is a 28th then."""
    kept = [(form, parsed) for form, parsed in fitting if not form.codes.startswith("%y") or _is_even(parsed.counts)]
    return kept or fitting


def _is_even(counts: np.ndarray) -> bool:
    """Whether times have nearly equal steps, and those of months and years stand on the first of a month."""
    different = np.unique(counts)
    steps = np.diff(different)
    if len(steps) == 0:
        return True
    first = different.view("M8[ns]").astype("M8[M]").astype("M8[ns]").view(np.int64)
    return bool(steps.max() <= 1.2 * steps.min() and (steps.max() < 20 * DAY or (first == different).all()))


def _refuse_misfit(groups: Readings, texts: np.ndarray, refuse: Refuse) -> NoReturn:
    """Name the value that does not fit the form which fits most of the others."""
    forms = [form for group in groups for form in group]
    best = None
    for form in forms:
        parsed = form.read(texts)
        early = parsed.bad | ~plausible(parsed.counts)
        if best is None or early.sum() < best[1].sum():
            best = form, early, parsed.bad
    named = ZONE_NAME.search(texts[0])
    if named is not None and named[1].upper() not in ("AM", "PM", "UTC", "GMT"):
        why = f"ends in the name of a zone, {named[1]}; write its offset, such as +01:00, or take it off and pass "
        refuse(0, why, Option("tz"), " with a zone such as Europe/Berlin")
    if is_fiscal(texts[0]):
        why = "is a quarter of a fiscal year, which may begin in any month; pass "
        refuse(0, why, Option("time_format", "quarter"), " to read it as a quarter of the calendar")
    years = pd.Series(texts, dtype=object).str.extract(r"(?<!\d)(\d{4})(?!\d)")[0].astype(float).to_numpy()
    if best is None or (best[2].all() and not (years > LAST_HELD).all() and not (years < FIRST_HELD).all()):
        refuse(0, "is no time that is recognised")
    form, early, bad = best
    at = int(np.argmax(early))
    span = f"lies outside the years {FIRST_YEAR} to {LAST_YEAR} that are recognised"
    if bad[at] and (years[at] < FIRST_HELD or years[at] > LAST_HELD):
        why = f"; times reach from {FIRST_HELD} to {LAST_HELD}: leave such rows out, or number the rows and pass "
        refuse(at, span, why, Option("time_format", "count"))
    if not bad[at]:
        refuse(
            at, span, "; pass ", Option("time_format", _codes_of(form, texts)), " to read it as it is, or correct it"
        )
    refuse(at, f"does not fit {example_of(form)} as the others do")


def _codes_of(form: TimeForm, texts: np.ndarray) -> str:
    """What ``time_format`` takes for a form."""
    if form.kind == "datetime":
        return unmarked(iso_pattern(texts)[0])
    return form.codes if form.kind in ("format", "words", "range") else form.kind


def example_of(form: TimeForm) -> str:
    """A form in a message about a value that does not fit it.

    Example:
        >>> example_of(TimeForm()), example_of(TimeForm("format", "%-d.%m.%Y"))
        ('ISO 8601 (2024-01-31 13:00)', '%d.%m.%Y')
    """
    if form.kind == "datetime":
        return "ISO 8601 (2024-01-31 13:00)"
    return unmarked(form.format) if form.kind == "format" else form.describe()


def _not_whole(values: np.ndarray) -> int:
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(np.float64)
    with np.errstate(invalid="ignore"):
        return int(np.argmax(~np.isfinite(numbers) | (numbers != np.floor(numbers))))


def _sample(values: np.ndarray) -> list[str]:
    return [str(value) for value in values[np.unique(np.linspace(0, len(values) - 1, SAMPLE).astype(int))]]
