"""Numbers in their written forms: decimal comma or point, thousands in groups, markers of missing values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SIGN, POWER = r"^\s*[+\-\x{2212}]?", r"([eE][+-]?[0-9]+)?\s*$"
SPECIAL = r"|^\s*[+-]?(inf|Inf|INF|infinity|Infinity)\s*$"
BLANKS = " \u00a0\u2009\u202f\u2019'"  # between groups of three digits
GROUPED = rf"[0-9]{{1,3}}([{BLANKS}][0-9]{{3}})+"
COMMAS = r"[1-9][0-9]{0,2}(,[0-9]{2,3})*,[0-9]{3}"  # 1,234,567, and 12,34,567 as in India
POINTS = r"[1-9][0-9]{0,2}(\.[0-9]{3})+"
POINT = rf"{SIGN}([0-9]+\.?[0-9]*|\.[0-9]+|({GROUPED}|{COMMAS})(\.[0-9]*)?){POWER}{SPECIAL}"
COMMA = rf"{SIGN}([0-9]+,?[0-9]*|,[0-9]+|({GROUPED}|{POINTS})(,[0-9]*)?){POWER}{SPECIAL}"
MONEY = r"[€$£¥₹₽₩]|(?:US|A|C|R)\$|EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|BRL|JPY|CNY|INR|CAD|AUD|zł|kr|Kč"
NO_UNIT = r"(?:[aApP]\.?[mM]|UTC|GMT|[A-Z]{2,3}T|Z|h|Uhr|st|nd|rd|th)\b"  # of a time of day, or of a rank
UNIT = rf"^\s*(?P<before>[+\-]?)(?P<money>{MONEY})?\s?(?P<number>[+\-]?[0-9.,][0-9.,{BLANKS}]*?)"
UNIT += rf"(?P<unit>\s?(?:{MONEY})|\s(?!{NO_UNIT})[A-Za-zµμ°Ω][A-Za-zµμ°Ω/²³0-9]{{0,7}})?\s*$"
PLAIN = r"^[-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"  # what pyarrow reads by itself
WHOLE = r"^[-]?[0-9]{1,18}$"


@dataclass(frozen=True)
class NumberForm:
    """How the numbers of a column are written.

    Args:
        decimal: "." or ","; "" where no cell shows one.
        grouped: thousands stand in groups.
        plain: needs no rewriting.
        whole: whole numbers only.
        odd: blanks, signs or words stand in cells.
        both: every cell that has a mark fits either decimal mark; ``decimal`` is then the mark that stands there.
        unit: currency or unit that stood beside each number and was taken off.
    """

    decimal: str
    grouped: bool = False
    plain: bool = False
    whole: bool = False
    both: bool = False
    odd: bool = False
    unit: str = ""


def number_form(cells: Any, decimal: str | None = None) -> NumberForm | None:
    """The form of a column of numbers.

    Args:
        cells: pyarrow array of text, null where missing.
        decimal: the mark that was asked for; None = by the cells.

    Returns:
        The form; None where a cell is no number or there are none.

    Example:
        >>> number_form(pa.array(["1.010,5", "2"])).decimal
        ','
        >>> number_form(pa.array(["1,010"])).both, number_form(pa.array(["1,01"])).both
        (True, False)
    """
    if len(cells) == cells.null_count:
        return None
    if _all(cells, WHOLE):
        return NumberForm("", plain=True, whole=True)
    if decimal != "," and _all(cells, PLAIN):
        has_point = _any(cells, ".")
        return NumberForm("." if has_point else "", plain=True, both=has_point and not decimal and _all(cells, COMMA))
    point = decimal != "," and _all(cells, POINT)
    comma = decimal != "." and _all(cells, COMMA)
    if not point and not comma:
        return None
    has_comma, has_point = _any(cells, ","), _any(cells, ".")
    odd = _any_odd(cells)
    grouped = odd and _any(cells, *BLANKS)
    if point and comma and (has_comma or has_point):
        return NumberForm("," if has_comma else ".", grouped, both=True, odd=odd)
    if point:
        return NumberForm("." if has_point else "", grouped or has_comma, odd=odd)
    return NumberForm("," if has_comma or has_point else "", grouped or has_point, odd=odd)


def signed(cells: Any) -> Any:
    """Text with the sign of negative numbers in front: (5) and 5- as accountants write them.

    Args:
        cells: pyarrow array of text.

    Returns:
        Such an array.

    Example:
        >>> signed(pa.array(["(1,5)", "7-", "3"])).to_pylist()
        ['-1,5', '-7', '3']
    """
    cells = pc.replace_substring_regex(cells, r"^\s*\(([^()-]*[0-9][^()-]*)\)\s*$", r"-\1")
    return pc.replace_substring_regex(cells, r"^\s*([0-9][0-9., ]*)-\s*$", r"-\1")


def without_unit(cells: Any) -> tuple[Any, str]:
    """Numbers without the currency or unit that stands beside each of them.

    A percent sign stays: 5 % may be 5 or 0.05.

    Args:
        cells: pyarrow array of text, null where missing.

    Returns:
        The numbers, still text, and what was taken off; the cells themselves and "" where it is not the same in all.

    Example:
        >>> without_unit(pa.array(["5,00 €", "-1,50 €"]))[1], without_unit(pa.array(["$1", "2 kWh"]))[1]
        ('€', '')
    """
    left = cells.drop_null()
    first = re.match(UNIT, left[0].as_py().replace("\u2212", "-")) if len(left) else None
    shown = (first["money"] or first["unit"] or "").strip() if first is not None else ""
    twice = first is not None and bool(first["money"] and first["unit"])
    if first is None or not shown or twice or not _all(cells, re.escape(shown)):
        return cells, ""
    if not re.fullmatch(MONEY, shown) and pc.count_distinct(left).as_py() == 1:
        return cells, ""  # a name such as "42 Berlin"
    bare = pc.replace_substring(cells, shown, "", max_replacements=1)
    bare = pc.replace_substring_regex(bare, r"^\s*([+-]?)\s*", r"\1")
    ends = pc.starts_with(cells, shown) if first["money"] else pc.ends_with(pc.utf8_trim_whitespace(cells), shown)
    signed = pc.match_substring_regex(cells, rf"^\s*[+-]?{re.escape(shown)}")
    return (bare, shown) if pc.all(pc.or_(ends, signed)).as_py() else (cells, "")


def to_numbers(cells: Any, form: NumberForm, decimal: str) -> Any:
    """Text as numbers.

    Args:
        cells: pyarrow array of text that ``number_form`` has accepted.
        form: its answer.
        decimal: the decimal mark, "." or ",".

    Returns:
        pyarrow array of int64 where all are whole, else of float64.

    Example:
        >>> cells = pa.array(["1.010,5", None])
        >>> to_numbers(cells, number_form(cells), ",").to_pylist()
        [1010.5, None]
    """
    if not form.plain or decimal == ",":
        cells = pc.replace_substring(cells, "." if decimal == "," else ",", "")
        cells = pc.replace_substring(cells, ",", ".") if decimal == "," else cells
        if form.odd:
            cells = pc.replace_substring_regex(cells, rf"[+\s{BLANKS}]", "")
            cells = pc.replace_substring(cells, "\u2212", "-")
            cells = pc.replace_substring_regex(cells, r"^(-?)[iI].*$", r"\1inf")
    return cells.cast(pa.int64() if _all(cells, WHOLE) else pa.float64())


def without_missing(cells: Any, markers: Sequence[str]) -> Any:
    """Text with nulls in the place of markers.

    Args:
        cells: pyarrow array of text.
        markers: what means "missing".

    Returns:
        Such an array.

    Example:
        >>> without_missing(pa.array(["1", "NA "]), ["", "NA"]).to_pylist()
        ['1', None]
    """
    known = pa.array(list(markers), pa.string())
    gone = pc.is_in(cells, value_set=known)
    if _any(cells, " "):
        gone = pc.or_(gone, pc.is_in(pc.utf8_trim_whitespace(cells), value_set=known))
    return pc.if_else(gone, pa.scalar(None, pa.string()), cells) if pc.any(gone).as_py() else cells


def _all(cells: Any, pattern: str) -> bool:
    """Whether all cells match; most that do not show it among the first."""
    few = pc.all(pc.match_substring_regex(cells[:100], pattern)).as_py() is not False
    return few and bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())


def _any(cells: Any, *marks: str) -> bool:
    trimmed = pc.utf8_trim_whitespace(cells) if len(marks) > 1 else cells
    return any(pc.any(pc.match_substring(trimmed, mark)).as_py() for mark in marks)


def _any_odd(cells: Any) -> bool:
    """Whether blanks, signs or letters other than those of plain numbers stand in a cell."""
    return bool(pc.any(pc.match_substring_regex(cells, r"[^0-9.,eE-]")).as_py())
