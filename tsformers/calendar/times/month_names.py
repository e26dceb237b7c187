"""Dates with the name of a month in German, French, Spanish, Italian, Dutch, Portuguese, or English of the press.

The format of such a column is ``LANGUAGE SPELLING CASE|PATTERN``, as in ``German 0 |%-d. %B %Y``: which of the ways of
writing the names in that language, "^" for capitals, "#" for small letters, "=" for a capital at the beginning, and
strptime codes with %B for the name.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from tsformers.calendar.times.patterns import variants, write_pattern

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_WORDS = {**dict.fromkeys(MONTHS, "%B"), **{name[:3]: "%b" for name in MONTHS}}  # "may" is both: %b reads it
WEEKDAY_WORDS = {**dict.fromkeys(WEEKDAYS, "%A"), **{name[:3]: "%a" for name in WEEKDAYS}}
NAMES = {
    "English": (
        "January February March April May June July August September October November December",
        "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec",
        "Jan Feb March April May June July Aug Sept Oct Nov Dec",
        "Jan Feb Mar Apr May June July Aug Sept Oct Nov Dec",
    ),
    "German": (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jänner Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Jan Feb März Apr Mai Juni Juli Aug Sept Okt Nov Dez",
        "Jan Feb Maerz Apr Mai Juni Juli Aug Sept Okt Nov Dez",
        "Januar Februar Maerz April Mai Juni Juli August September Oktober November Dezember",
    ),
    "French": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
        "jan fév mar avr mai jun jul aoû sep oct nov déc",
        "jan fév mars avr mai juin juil août sep oct nov déc",
    ),
    "Spanish": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "enero febrero marzo abril mayo junio julio agosto setiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "ene feb mar abr may jun jul ago sept oct nov dic",
    ),
    "Italian": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "genn febbr mar apr magg giugno luglio ag sett ott nov dic",
    ),
    "Dutch": (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "jan feb mrt apr mei juni juli aug sept okt nov dec",
    ),
    "Portuguese": (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
    ),
}
LANGUAGES = tuple(NAMES)
CASES: dict[str, Callable[[str], str]] = {"": str, "^": str.upper, "#": str.lower, "=": str.capitalize}
SHOWN = 500  # values that decide how the names are written


@cache
def spellings(language: str) -> tuple[tuple[str, ...], ...]:
    """The ways of writing the twelve names: with and without accents, without points, with one where a name is cut.

    Example:
        >>> spellings("German")[0][2], ("Jan.", "Feb.", "März") in {names[:3] for names in spellings("German")}
        ('März', True)
    """
    tables = [tuple(names.split()) for names in NAMES[language]]
    full = tables[0]
    tables += [tuple(map(_bare, names)) for names in tables]
    tables += [tuple(n if n in full or n == _bare(f) else f"{n}." for n, f in zip(names, full, strict=True))
               for names in tables]  # fmt: skip
    tables += [tuple(f"{name.rstrip('.')}." for name in names) for names in tables]
    return tuple(dict.fromkeys(tables))


def _bare(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))


@cache
def _months(language: str) -> tuple[re.Pattern[str], dict[str, int]]:
    """A pattern of any name of a month, with its point, and the month of each."""
    months = {name.rstrip(".").lower(): month for names in spellings(language) for month, name in enumerate(names, 1)}
    words = "|".join(sorted(months, key=len, reverse=True))
    return re.compile(rf"(?<![^\W\d_])({words})(?![^\W\d_])\.?", re.IGNORECASE), months


def in_numbers(texts: np.ndarray, language: str) -> np.ndarray:
    """Texts with the number of the month in the place of its name.

    Args:
        texts: (V,) strings.
        language: of ``LANGUAGES``.

    Returns:
        (V,) strings.

    Example:
        >>> in_numbers(np.array(["5. März 2024"], dtype=object), "German").tolist()
        ['5. 03 2024']
    """
    pattern, months = _months(language)
    return np.array(
        [pattern.sub(lambda found: f"{months[found[1].lower()]:02d}", text) for text in texts], dtype=object
    )


def in_english(text: str, language: str, names: tuple[str, ...]) -> str | None:
    """A text with the English name of the month; None where it holds none of that language, or more than one.

    Args:
        text: a date.
        language: of ``LANGUAGES``.
        names: the twelve English names.

    Returns:
        Text.

    Example:
        >>> in_english("enero 2020", "Spanish", ("january",) * 12)
        'january 2020'
    """
    pattern, months = _months(language)
    replaced, times = pattern.subn(lambda found: names[months[found[1].lower()] - 1], text)
    return replaced if times == 1 else None


def write_words(stamps: pd.DatetimeIndex, written: str, digits: int = 0) -> pd.Index:
    """Write dates with the name of the month.

    Args:
        stamps: naive, or in a zone where the pattern has %z.
        written: a format as in the head of this module.
        digits: decimals of seconds.

    Returns:
        Text.

    Example:
        >>> write_words(pd.to_datetime(["2024-03-05"]), "German 0 |%-d. %B %Y").tolist()
        ['5. März 2024']
    """
    head, _, pattern = written.partition("|")
    language, number, case = head.split(" ")
    names = np.array([CASES[case](name) for name in spellings(language)[int(number or 0)]], dtype=object)
    before, _, after = pattern.partition("%B")
    month = names[np.asarray(stamps.month) - 1]
    return pd.Index(
        write_pattern(stamps, before, digits).to_numpy(object)
        + month
        + write_pattern(stamps, after, digits).to_numpy(object),
        dtype=object,
    )


def spelled_words(written: str, texts: np.ndarray, counts: np.ndarray, digits: int = 0) -> str:
    """The format that writes texts as they are.

    Args:
        written: a format that reads all of the texts.
        texts: (V,) strings.
        counts: (V,) int64 nanoseconds, as they were read.
        digits: decimals of seconds.

    Returns:
        The first format that gives the same texts, else the format.

    Example:
        >>> spelled_words("French  |%B %Y", np.array(["MARS 1970"], dtype=object), np.array([59 * 86400 * 10**9]))
        'French 0 ^|%B %Y'
    """
    head, _, pattern = written.partition("|")
    language = head.split(" ")[0]
    some = np.unique(np.linspace(0, len(texts) - 1, SHOWN).astype(int))
    stamps, shown = pd.DatetimeIndex(counts[some].view("M8[ns]")), texts[some]
    plain = [one for one in variants(pattern) if "%B" in one]
    for number in range(len(spellings(language))):
        for case in CASES:
            for one in plain:
                form = f"{language} {number} {case}|{one}"
                if (
                    write_words(stamps[:1], form, digits)[0] == shown[0]
                    and (write_words(stamps, form, digits) == shown).all()
                ):
                    return form
    return f"{language} 0 |{pattern}"
