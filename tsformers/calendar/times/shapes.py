"""Which forms a text can have, by its shape alone; whether they fit is tried on all values of the column."""

import re

import numpy as np

from tsformers.calendar.times.form import TimeForm
from tsformers.calendar.times.iso import ISO, iso_pattern
from tsformers.calendar.times.iso_weeks import week_pattern
from tsformers.calendar.times.month_names import LANGUAGES, MONTH_WORDS, MONTHS, WEEKDAY_WORDS, in_english
from tsformers.calendar.times.quarters import spelling_of
from tsformers.calendar.times.ranges import range_in

Readings = list[list[TimeForm]]  # in order of preference; those of one inner list exclude one another
SEP = r"([-/. ])"
CLOCK = re.compile(
    r"(?P<gap>T| +|, *|_)(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?P<f>[.,]\d{1,9})?)?"
    r"(?:(?P<b>[ ]?)(?P<p>[AaPp][Mm]))?(?:(?P<zb>[ ]?\(?)(?P<z>[zZ]|UTC|GMT|[+-]\d\d:?\d\d)(?P<ze>\)?))?$"
)
COMPACT_CLOCK = re.compile(r"(?P<gap>T| +|_)(?P<h>\d{2})(?P<m>\d{2})(?P<s>\d{2})?$")
INNER_CLOCK = re.compile(r"(?P<before>.* )\d\d:\d\d(?P<s>:\d\d)?(?P<after> .*\d{4})")  # Mon Jan 31 13:00:00 2024
INNER = "\0"  # where an inner time of day stands in its date
NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+]?\d+)?")
DATES: list[tuple[re.Pattern[str], list[list[str]]]] = [
    (re.compile(rf"\d{{4}}{SEP}\d{{1,2}}\1\d{{1,2}}"), [["%Y{0}%m{0}%d"], ["%Y{0}%d{0}%m"]]),
    (re.compile(rf"\d{{1,2}}{SEP}\d{{1,2}}\1\d{{4}}"), [["%d{0}%m{0}%Y", "%m{0}%d{0}%Y"]]),
    (re.compile(rf"\d{{1,2}}{SEP}\d{{1,2}}\1\d{{2}}"), [["%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d"]]),
    (re.compile(r"\d{4}-\d{3}()"), [["%Y-%j"]]),
    (re.compile(rf"\d{{4}}{SEP}\d{{1,2}}"), [["%Y{0}%m"]]),
    (re.compile(rf"\d{{1,2}}{SEP}\d{{4}}"), [["%m{0}%Y"]]),
    (re.compile(r"\d{4}([Mm])\d{1,2}"), [["%Y{0}%m"]]),
    (re.compile(r"\d{8}()"), [["%Y%m%d"]]),
    (re.compile(r"\d{4}()"), [["%Y"]]),
]
TOKEN = re.compile(r"\d+|[^\W\d_]+|[\W_]")


def readings_of(text: str) -> Readings:
    """The forms that a text can have.

    Args:
        text: one value, without blanks around it; no plain number.

    Returns:
        Lists of forms, in order of preference; those of one list exclude one another.

    Example:
        >>> [[form.format for form in group] for group in readings_of("05.02.2024")]
        [['%d.%m.%Y', '%m.%d.%Y']]
    """
    if ISO.fullmatch(text):
        return [[TimeForm()]]
    spelling = spelling_of(text)
    if spelling is not None:
        return [[TimeForm("quarter", spelling, text=True)]]
    week = week_pattern(text)
    if week is not None:
        return [[TimeForm("iso-week", week, text=True)]]
    date, clock, digits = _split(text)
    groups = _dates(date) or _words(date)
    if not groups and range_in(text) is not None:
        return _ranges(text)
    if not groups:
        return _foreign(date, clock, digits)
    return [[TimeForm("format", _joined(pattern, clock), True, digits) for pattern in group] for group in groups]


def _ranges(text: str) -> Readings:
    found = range_in(text)
    assert found is not None
    begin, form = found
    groups = [[(iso_pattern(np.array([begin]))[0] if one.kind == "datetime" else one.format, one.digits)
               for one in group if one.kind in ("datetime", "format")] for group in readings_of(begin)]  # fmt: skip
    return [
        [TimeForm("range", str(form._replace(pattern=pattern)), True, digits) for pattern, digits in group]
        for group in groups
    ]


def _foreign(date: str, clock: str, digits: int) -> Readings:
    """Forms of a date with the name of a month in another language, one list a language."""
    found: Readings = []
    for language in LANGUAGES:
        english = in_english(date, language, MONTHS)
        for group in _words(english) if english is not None else []:
            patterns = [_joined(re.sub("%[bB]", "%B", pattern), clock) for pattern in group]
            found.append([TimeForm("words", f"{language}  |{pattern}", True, digits) for pattern in patterns])
    return found


def _joined(pattern: str, clock: str) -> str:
    return pattern.replace(INNER, clock) if INNER in pattern else pattern + clock


def _split(text: str) -> tuple[str, str, int]:
    """The date, the pattern of the time of day behind it, and the decimals of its seconds."""
    match = CLOCK.search(text)
    if match is not None:
        found = match.groupdict()
        hour = "%I" if found["p"] else "%H"
        pattern = f"{found['gap']}{hour}:%M" + (":%S" if found["s"] else "")
        if found["f"]:
            pattern += f"{found['f'][0]}%f"
        if found["p"]:
            pattern += f"{found['b']}%p"
        if found["z"]:
            pattern += f"{found['zb']}{'%Z' if found['z'] in ('UTC', 'GMT') else '%z'}{found['ze']}"
        return text[: match.start()], pattern, len(found["f"] or ".") - 1
    match = INNER_CLOCK.fullmatch(text)
    if match is not None:
        return f"{match['before']}{INNER}{match['after']}", "%H:%M" + (":%S" if match["s"] else ""), 0
    match = COMPACT_CLOCK.search(text)
    if match is not None and re.fullmatch(r"\d{8}|.*[^\d].*\d{4}", text[: match.start()]):
        return text[: match.start()], f"{match['gap']}%H%M" + ("%S" if match["s"] else ""), 0
    return text, "", 0


def _dates(date: str) -> list[list[str]]:
    for shape, patterns in DATES:
        match = shape.fullmatch(date)
        if match is not None:
            return [[pattern.format(match[1]) for pattern in group] for group in patterns]
    return []


def _words(date: str) -> list[list[str]]:
    """Patterns of a date with the name of a month in it."""
    pieces, n_short, months, years = [], 0, 0, 0
    for token in TOKEN.findall(date):
        word = token.lower()
        if word in MONTH_WORDS:
            months += 1
            pieces.append(MONTH_WORDS[word])
        elif word in WEEKDAY_WORDS:
            pieces.append(WEEKDAY_WORDS[word])
        elif token.isdigit() and len(token) == 4:
            years += 1
            pieces.append("%Y")
        elif token.isdigit() and len(token) <= 2:
            n_short += 1
            pieces.append("#")
        elif (token.isalpha() and word not in ("de", "del")) or token.isdigit():
            return []
        else:
            pieces.append("%%" if token == "%" else token)
    if months != 1 or years > 1 or n_short + years not in (1, 2):
        return []
    fills = {(0, 1): [[""]], (1, 1): [["%d"]], (1, 0): [["%y"]], (2, 0): [["%d%y"], ["%y%d"]]}.get((n_short, years), [])
    return [[_filled(pieces, fill) for fill in group] for group in fills]


def _filled(pieces: list[str], fill: str) -> str:
    codes = iter(re.findall("%.", fill))
    return "".join(next(codes) if piece == "#" else piece for piece in pieces)
