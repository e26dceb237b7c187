"""Which column is what: ids, times, values, covariates; two readings are both offered, the only one is taken."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from tsformers.calendar.timestamps import looks_like_times
from tsformers.data.intake.asked import Asked, Names
from tsformers.data.intake.columns import check_columns
from tsformers.data.intake.kinds import (
    Kind,
    counts_rows,
    date_parts,
    first_odd_cell,
    is_time_name,
    kind_of,
    mostly_numbers,
    shows_clock_times,
)
from tsformers.data.intake.offers import (
    ONCE,
    Repeats,
    many_numbers,
    no_date,
    no_target,
    no_time,
    repeats_of,
    several_series,
    several_times,
    time_in_parts,
    times_in_header,
)
from tsformers.data.intake.source import Source

NUMBERS = ("number", "truth")
RARE = 0.05  # share of rows that repeat a time, below which they are one series in bins


class Columns(NamedTuple):
    """Roles of the columns of a frame.

    Args:
        ids: columns of ids, joined where there are several; empty = one series, called after the target.
        times: columns of times, joined where there are several.
        target: column of values.
        past: covariates known up to the cutoff.
        left_out: columns without a role, each with the reason.
        together: rows that repeat a time and become one row with others of their bin.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"day": pd.to_datetime(["2024-01-01"]), "sales": 1.0, "remark": "x"})
        >>> find_roles(Source(frame), Asked())
        Columns(ids=(), times=('day',), target='sales', past=(), left_out=(('remark', 'text'),), together=0)
    """

    ids: Names
    times: Names
    target: str
    past: Names
    left_out: tuple[tuple[str, str], ...]
    together: int = 0


class Search(NamedTuple):
    """The columns that are looked at, with what they hold, and the reasons of those that are not."""

    source: Source
    asked: Asked
    kinds: dict[str, Kind]
    aside: dict[str, str]


def find_roles(source: Source, asked: Asked) -> Columns:
    """The roles of the columns, by what was asked for, else by names and values.

    Args:
        source: the table.
        asked: what the caller chose.

    Returns:
        The roles.

    Raises:
        DataError: a column that was asked for is missing, or there are several readings: each is offered.
    """
    frame, what = source.frame, source.places.what
    check_columns(frame, _wanted(asked), (*asked.known, *(asked.past or ())), what)
    ids = asked.ids if asked.ids is not None else ("unique_id",) if "unique_id" in frame.columns else ()
    usual = {*ids, "ds" if asked.times is None else asked.times[0], asked.target or "y"}
    kinds, aside = _sorted_out(source, [name for name in frame.columns if name not in usual], asked)
    search = Search(source, asked, kinds, aside)
    times = asked.times or _times(search, ids)
    if len(times) == 1 and asked.time_format is None and _lacks_dates(frame[times[0]]):
        others = [name for name in (*kinds, *frame.columns.intersection(["ds"])) if name != times[0]]
        raise no_date(source, times[0], [name for name in others if _holds_dates(source, name)])
    if ids and asked.times is None and (parted := time_in_parts(source, ids, times)) is not None:
        raise parted
    target = asked.target if asked.target is not None else _target(search, ids, times)
    together = 0
    if not ids and not source.series:
        together = _refuse_several_series(search, times, target)
    taken = {*ids, *times, target, *asked.known}
    past, left_out = _others(search, taken)
    return Columns(ids, times, target, past, left_out, together)


def _wanted(asked: Asked) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for keyword, names in (("id_col", asked.ids), ("time_col", asked.times)):
        wanted |= {keyword if k == 0 else f"{keyword}[{k}]": name for k, name in enumerate(names or ())}
    return wanted if asked.target is None else {**wanted, "target_col": asked.target}


def _sorted_out(source: Source, names: Sequence[str], asked: Asked) -> tuple[dict[str, Kind], dict[str, str]]:
    """What the free columns hold, and those that have no role whatever the others are."""
    kinds: dict[str, Kind] = {}
    aside: dict[str, str] = {}
    for name in names:
        if source.unclear(name):
            kinds[name] = "number"
            continue
        column = source.numeric(name)
        kind = kinds[name] = kind_of(column)
        if name in asked.columns:
            continue
        if kind == "empty":
            aside[name] = "no value"
        elif counts_rows(name, column):
            aside[name] = "a row number"
    return kinds, aside


def _times(search: Search, ids: Names) -> Names:
    """The column of times: ``ds``, else the only one that is named like a time, or reads as one."""
    frame = search.source.frame
    if "ds" in frame.columns and "ds" not in (*ids, *search.asked.columns):
        return ("ds",)
    free = [name for name in search.kinds if name not in (*search.asked.columns, *search.aside, *ids, "value")]
    named = [name for name in free if is_time_name(name)]
    sure = [name for name in free if _reads_as_times(search, name, named)]
    found = [name for name in sure if search.kinds[name] not in NUMBERS] or sure
    found = found or [name for name in named if search.kinds[name] in NUMBERS] or named
    if len(found) > 1:
        raise several_times(search.source, found)
    if found:
        return (found[0],)
    rows = [name for name, why in search.aside.items() if why == "a row number"]
    raise times_in_header(search.source) or no_time(search.source, rows)


def _reads_as_times(search: Search, name: str, named: Sequence[str]) -> bool:
    kind = search.kinds[name]
    if kind == "time":
        return True
    if kind == "number":
        return name in named and looks_like_times(search.source.cells(name), search.source.text)
    return kind == "text" and looks_like_times(search.source.cells(name), search.source.text)


def _lacks_dates(column: pd.Series) -> bool:
    return shows_clock_times(column) and bool(column.dropna().iloc[:9].astype(str).str.contains(":").all())


def _holds_dates(source: Source, name: str) -> bool:
    kind = kind_of(source.frame[name])
    if kind == "number":
        return is_time_name(name) and looks_like_times(source.cells(name), source.text)
    return kind == "time" or (kind == "text" and looks_like_times(source.cells(name), source.text))


def _target(search: Search, ids: Names, times: Names) -> str:
    """The column of values: ``y``, else ``value``, else the only column of numbers."""
    source = search.source
    for name in ("y", "value"):
        if name in source.frame.columns and name not in (*ids, *times, *search.asked.known, *(search.asked.past or ())):
            return name
    free = [name for name in search.kinds if name not in (*search.asked.columns, *search.aside, *ids, *times)]
    numbers = [name for name in free if search.kinds[name] == "number" or _odd_cell(search, name) is not None]
    numbers = numbers or [name for name in free if search.kinds[name] == "text" and mostly_numbers(source.frame[name])]
    numbers = numbers or [name for name in free if search.kinds[name] == "truth"]
    if len(numbers) == 1:
        return numbers[0]
    if numbers:
        asked = search.asked
        one = bool(ids) or asked.aggregate is not None
        again = ONCE if one else repeats_of(source, times, asked.time_format, asked.tz)
        raise many_numbers(source, ids, times, numbers, again, one)
    raise no_target(source, (*ids, *times))


def _odd_cell(search: Search, name: str) -> int | None:
    """The first cell of a column of text that would else be one of numbers."""
    return first_odd_cell(search.source.frame[name]) if search.kinds[name] == "text" else None


def _why_text(search: Search, name: str) -> str:
    source, odd = search.source, _odd_cell(search, name)
    if odd is None:
        return "text"
    return f"text, such as {str(source.cells(name).iloc[odd])[:30]!r} at {source.places.at(odd)}"


def _refuse_several_series(search: Search, times: Names, target: str) -> int:
    """Without ids, each time stands once, but in bins; how many rows that a text tells apart are brought together."""
    source, asked = search.source, search.asked
    again = repeats_of(source, times, asked.time_format, asked.tz)
    if again.row is None:
        return 0
    free = [name for name in search.kinds if name not in (*search.aside, *times, target, *asked.known)]
    texts = any(search.kinds[name] == "text" for name in free)
    if asked.resample is None or (texts and not _one_series(search, times, free, again)):
        raise several_series(source, times, free, search.kinds, again, asked.resample)
    return again.repeated


def _one_series(search: Search, times: Names, free: Sequence[str], again: Repeats) -> bool:
    """Whether rows of one time are one series in bins: where an aggregate was asked for, or few rows repeat a time."""
    frame = search.source.frame
    if date_parts([*times, *(name for name in free if name not in times)]):
        return False
    if any(shows_clock_times(frame[name]) for name in free) and str(search.asked.resample)[-1:].islower():
        return False  # bins of hours want the time of day
    return search.asked.aggregate is not None or again.repeated < RARE * len(frame)


def _others(search: Search, taken: set[str]) -> tuple[Names, tuple[tuple[str, str], ...]]:
    """The past covariates, and the columns left out."""
    past, left = [], []
    for name, kind in search.kinds.items():
        if name in taken:
            continue
        reason = search.aside.get(name)
        if search.asked.past is not None:
            if name in search.asked.past:
                continue
            reason = reason or "not among past"
        if reason is None and kind not in NUMBERS:
            texts = _why_text(search, name) if kind == "text" else ""
            reason = {"text": texts, "time": "times", "empty": "no value"}.get(kind, "neither numbers nor text")
        if reason is None:
            past.append(name)
        else:
            left.append((name, reason))
    return (tuple(past) if search.asked.past is None else search.asked.past), tuple(left)
