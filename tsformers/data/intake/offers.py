"""Refusals of frames with several readings: each is offered with the option that chooses it."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.bins import suggest
from tsformers.calendar.frequency import guess_freq
from tsformers.calendar.grid import DAY, OFF, decompose, parse
from tsformers.calendar.times.zones import zones_that_repeat
from tsformers.calendar.timestamps import looks_like_times
from tsformers.data.intake.asked import Names
from tsformers.data.intake.bound import times_of
from tsformers.data.intake.columns import RowNames
from tsformers.data.intake.kinds import date_parts, is_time_name, kind_of, shows_clock_times
from tsformers.data.intake.source import Source, text_of
from tsformers.errors import DataError, first_names
from tsformers.messages import Either, Option, Part, joined

MOST = 12  # columns that a message names
FEW = 10  # rows, below which how often ids repeat shows nothing
AGGREGATES = joined([Option("aggregate", "sum"), Option("aggregate", "mean")])
WIDE = Either("tsf.from_wide(df)", "--wide", "wide = true")
ROWS = Either("tsf.from_wide(df, series='rows')", "--wide-rows", "wide_rows = true")
NUMBERED = re.compile(r"([^\d]*)(\d+)")


class Repeats(NamedTuple):
    """Whether the times of a table without ids stand more than once, and why they may.

    Args:
        row: the first that repeats a time; None = each time stands once.
        zones: whose clock change repeats all the times that stand twice.
        repeated: rows that repeat a time.
        bins: the length of bins for times that lie on no grid; empty = they lie on one.

    Example:
        >>> Repeats(None).zones
        ()
    """

    row: int | None
    zones: Names = ()
    repeated: int = 0
    bins: str = ""


ONCE = Repeats(None)


def repeats_of(source: Source, times: Names, time_format: str | None = None, tz: str | None = None) -> Repeats:
    """The times that stand more than once.

    Args:
        source: the table.
        times: columns of times.
        time_format: of the times.
        tz: their zone, whose repeated hours are kept apart.

    Returns:
        The first row that repeats a time, and the zones that explain all of them.

    Example:
        >>> hours = pd.date_range("2023-10-28", periods=48, freq="h", tz="Europe/Berlin").tz_localize(None)
        >>> frame = pd.DataFrame({"time": hours})
        >>> repeats_of(Source(frame), ("time",)).zones[0], repeats_of(Source(frame), ("time",), tz="Europe/Berlin").row
        ('Europe/Berlin', None)
    """
    cells = source.cells(times[0]) if len(times) == 1 else source.joined(times)
    again = cells.duplicated().to_numpy()
    if not again.any():
        return ONCE
    row, count = int(again.argmax()), int(again.sum())
    lookup = RowNames(pd.Index(["y"]), np.zeros(len(cells), dtype=np.int64))
    try:
        read = times_of(source, times, lookup, time_format, tz)
    except DataError:  # is raised again where the roles are settled
        return Repeats(row, repeated=count)
    distinct, n = np.unique(read.counts, return_counts=True)
    bins = "" if read.integer else _bins(distinct, read.tz)
    if tz is not None:
        again = pd.Series(read.counts).duplicated().to_numpy()
        return Repeats(int(again.argmax()) if again.any() else None, (), int(again.sum()), bins)
    if read.integer or read.tz is not None or read.form.kind == "epoch":
        return Repeats(row, (), count, bins)
    return Repeats(row, tuple(zones_that_repeat(distinct[n > 1])) if n.max() == 2 else (), count, bins)


def _bins(distinct: np.ndarray, tz: str | None) -> str:
    """The length of bins for times off any grid, days where there are two weeks of them; empty where a grid has all."""
    if len(distinct) < 3:
        return ""
    ends = np.array([0, len(distinct)])
    grid = parse(guess_freq(np.arange(len(distinct)), distinct, ends, tz, False), tz)
    phase = decompose(distinct, grid)[1]
    if (phase != OFF).all() and (phase == phase[0]).all():
        return ""
    return "D" if distinct[-1] - distinct[0] >= 14 * DAY else suggest(distinct, ends, tz)


def several_times(source: Source, names: Sequence[str]) -> DataError:
    """Two columns may be the time.

    Args:
        source: the table.
        names: of the columns.

    Returns:
        The refusal, which offers each, and a day and a time of day together.

    Example:
        >>> frame = pd.DataFrame({"opened": ["2024-01-01"], "closed": ["2024-02-01"]})
        >>> print(several_times(Source(frame), ["opened", "closed"]))
        the frame has several columns of times; pass time_col='opened' or time_col='closed'
    """
    clocks = [name for name in names if shows_clock_times(source.frame[name])]
    days = [name for name in names if name not in clocks]
    offers: list[Part] = [Option("time_col", [days[0], clock]) for clock in clocks[:1] if days]
    whole = date_parts(names)
    if whole:
        offers, names = [Option("time_col", whole)], [name for name in names if name not in whole]
    offers += [Option("time_col", name) for name in names[:MOST]]
    return DataError(f"{source.places.what} has several columns of times; pass ", joined(offers))


def no_date(source: Source, clock: str, days: Sequence[str]) -> DataError:
    """The column of times holds times of a day without a date.

    Args:
        source: the table.
        clock: the column.
        days: columns that hold dates.

    Returns:
        The refusal, which offers a column of dates together with it.

    Example:
        >>> print(no_date(Source(pd.DataFrame({"Time": ["13:30"]})), "Time", ["Date"]))
        column 'Time' of the frame holds times of a day without a date, such as '13:30' at row 0; with the column of
        dates pass time_col=['Date', 'Time']
    """
    at = int(source.frame[clock].notna().to_numpy().argmax())
    start = (
        f"column {clock!r} of {source.places.what} holds times of a day without a date, such as "
        f"{source.cells(clock).iloc[at]!r} at {source.places.at(at)}; "
    )
    if days:
        return DataError(start, "with the column of dates pass ", Option("time_col", [days[0], clock]))
    return DataError(
        start, "write the date before each, or add a column of dates, and pass both as ",
        Option("time_col", ["date", clock]),
    )  # fmt: skip


def no_time(source: Source, rows: Sequence[str]) -> DataError:
    """No column is named like a time or reads as one.

    Args:
        source: the table.
        rows: columns that number the rows.

    Returns:
        The refusal.

    Example:
        >>> print(no_time(Source(pd.DataFrame({"a": ["x"], "b": [1]})), []))
        the frame has no column of times among 'a', 'b'; say which it is with time_col=, and how it reads with
        time_format=
    """
    what, names = source.places.what, list(source.frame.columns)
    if rows:
        return DataError(
            f"{what} has no column of times among {_listed(names)}; if its rows are one step apart, pass ",
            Option("time_col", rows[0]), ", else say which it is with ", Option("time_col"),
        )  # fmt: skip
    if source.text and len(names) == 1:
        marks = [mark for mark in str(names[0]) if not (mark.isalnum() or mark in " _-.'\"")]
        return DataError(
            f"{what} has a single column, {_listed(names)}; if its cells are separated in another way, pass ",
            Option("sep", *marks[:1]), "; if lines stand above its header, pass their number with ",
            Option("skip_rows"),
        )  # fmt: skip
    skip = ("; if lines stand above the header, pass their number with ", Option("skip_rows")) if source.text else ()
    return DataError(
        f"{what} has no column of times among {_listed(names)}; say which it is with ", Option("time_col"),
        ", and how it reads with ", Option("time_format"), *skip,
    )  # fmt: skip


def times_in_header(source: Source) -> DataError | None:
    """Where the names of the columns are times, each row is a series.

    Args:
        source: the table.

    Returns:
        The refusal, None where the names are no times.

    Example:
        >>> print(times_in_header(Source(pd.DataFrame([["a", 1, 2, 3]], columns=["land", "2020", "2021", "2022"]))))
        the frame has times as the names of its columns ('2020' to '2022'), one series a row; pass
        tsf.from_wide(df, series='rows')
    """
    found = time_labels(source.frame.columns)
    if len(found) < 3 or (source.table is None and _only_numbered(source.frame, found)):
        return None
    return DataError(
        f"{source.places.what} has times as the names of its columns ({str(found[0])!r} to {str(found[-1])!r}), one "
        "series a row; pass ", ROWS,
    )  # fmt: skip


def time_labels(names: pd.Index) -> list[object]:
    """Those names of columns that are times: dates, years, or one word with numbers that count, such as W0, W1, ...

    Args:
        names: of all columns.

    Returns:
        The longest run of them; empty where less than half of the names are times.

    Example:
        >>> time_labels(pd.Index(["shop", "W0", "W1", "W2"])), time_labels(pd.Index(["a", "b"]))
        (['W0', 'W1', 'W2'], [])
    """
    if isinstance(names, pd.DatetimeIndex | pd.PeriodIndex):
        return list(names)
    for first in range(min(len(names), MOST)):
        tail = list(names[first:])
        if 2 * len(tail) < len(names) or len(tail) < 2:
            break
        if _count_up(tail) or looks_like_times(pd.Series([str(name) for name in tail]), True):
            return tail
    return []


def _only_numbered(frame: pd.DataFrame, labels: Sequence[object]) -> bool:
    """Whether nothing names the rows of a frame whose columns s0, s1, ... may as well be series."""
    unnamed = len(labels) == frame.shape[1] and isinstance(frame.index, pd.RangeIndex)
    return unnamed and not looks_like_times(pd.Series([str(name) for name in labels]), True)


def _count_up(names: Sequence[object]) -> bool:
    parts = [NUMBERED.fullmatch(str(name)) for name in names]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or len({part[1] for part in found}) > 1:
        return False
    numbers = [int(part[2]) for part in found]
    return all(b - a == 1 for a, b in pairwise(numbers)) and len(numbers) > 2


def no_target(source: Source, taken: Sequence[str]) -> DataError:
    """No column of numbers is left for the values.

    Args:
        source: the table.
        taken: columns of ids and times.

    Returns:
        The refusal.

    Example:
        >>> print(no_target(Source(pd.DataFrame({"ds": [1], "a": ["x"]})), ["ds"]))
        the frame has no column of numbers beside 'ds' for the values (it has 'a' of text such as 'x'); say which it is
        with target_col=
    """
    rest = [name for name in source.frame.columns if name not in taken]
    shown = [_example(source.frame[name], name) if len(rest) < 4 else repr(name) for name in rest[:MOST]]
    have = f" (it has {', '.join(shown)}{', ...' if len(rest) > MOST else ''})" if rest else ""
    return DataError(
        f"{source.places.what} has no column of numbers beside {_listed(taken)} for the values{have}; say which it is "
        "with ", Option("target_col"),
    )  # fmt: skip


def _example(column: pd.Series, name: str) -> str:
    """A column with what stands in it."""
    kind = kind_of(column)
    if kind == "empty":
        return f"{name!r} without a value"
    return f"{name!r} of text such as {str(column.dropna().iloc[0])[:30]!r}" if kind == "text" else repr(name)


def many_numbers(
    source: Source,
    ids: Sequence[str],
    times: Sequence[str],
    numbers: Sequence[str],
    again: Repeats = ONCE,
    one: bool = False,
) -> DataError:
    """Several columns of numbers: each may be a series, or one is the target and the others are covariates.

    Args:
        source: the table.
        ids: columns of ids.
        times: columns of times.
        numbers: the columns of numbers.
        again: the times that stand more than once.
        one: each column is no series of its own: there are ids, or rows are added up.

    Returns:
        The refusal, with both readings.

    Example:
        >>> frame = pd.DataFrame({"day": [1, 2], "east": [1, 2], "west": [3, 4]})
        >>> print(many_numbers(Source(frame), [], ["day"], ["east", "west"]))
        the frame has several columns of numbers: if each is a series, pass tsf.from_wide(df); if one is the target
        and the others are covariates, pass target_col='east' or target_col='west'
    """
    what = source.places.what
    targets = joined([Option("target_col", name) for name in numbers[:MOST]])
    if ids or one:
        return DataError(
            f"{what} has several columns of numbers; say which is the target, and the others are covariates: pass ",
            targets,
        )
    if again.row is None or again.zones:
        return DataError(
            f"{what} has several columns of numbers: if each is a series, pass ", WIDE,
            "; if one is the target and the others are covariates, pass ", targets,
        )  # fmt: skip
    free = [name for name in source.frame.columns if name not in times]
    whole = _date_parts(source, times, free)
    free = [name for name in free if name not in whole]
    left = [name for name in numbers if name not in whole]
    together: list[Part] = [Option("time_col", whole), " for the time"] if whole else []
    if whole and not source.joined(whole).duplicated().any():
        targets = joined([Option("target_col", name) for name in left[:MOST]])
        return DataError(f"{what} has several rows at one time of {_listed(times)}; pass ", *together, " and ", targets)
    times = whole or times
    offer = _id_offer(source, times, free, {name: kind_of(source.frame[name]) for name in free})
    left = [name for name in left if name not in offer[1]] or left
    targets = joined([Option("target_col", name) for name in left[:MOST]])
    totals = [] if whole else _totals(again, None)
    added = ["; if the rows are to be added up, pass ", *totals, " in place of the ids"] if totals else []
    return DataError(
        f"{what} has several rows at one time of {_listed(times)}, and several columns of numbers; pass ", *together,
        *([", "] if whole else []), offer[0], " for the ids and ", targets, *added,
    )  # fmt: skip


def several_series(
    source: Source,
    times: Sequence[str],
    free: Sequence[str],
    kinds: Mapping[str, str],
    again: Repeats,
    resample: str | None = None,
) -> DataError:
    """Without ids, times stand more than once: the rows belong to several series.

    Args:
        source: the table.
        times: columns of times.
        free: columns without a role.
        kinds: what they hold.
        again: the times that stand more than once.
        resample: the bins that were asked for.

    Returns:
        The refusal, which offers the zone whose clock change repeats the times, and the column that tells rows apart.

    Example:
        >>> frame = pd.DataFrame({"day": [1, 1], "shop": ["a", "b"], "sales": [3, 4]})
        >>> print(several_series(Source(frame), ["day"], ["shop"], {"shop": "text"}, Repeats(1)))
        the frame has several rows at one time of 'day', such as row 1: if they belong to several series, pass
        id_col='shop'
    """
    assert again.row is not None
    at = source.places.at(again.row)
    start = f"{source.places.what} has several rows at one time of {_listed(times)}, such as {at}"
    clocks = [name for name in free if shows_clock_times(source.frame[name])]
    parts: list[Part] = []
    whole: list[str] = []
    if again.zones:
        cells = source.cells(times[0]) if len(times) == 1 else source.joined(times)
        zones = joined([Option("tz", zone) for zone in again.zones])
        parts = [f" ({text_of(cells.iloc[again.row])}): if a clock change repeats that hour, pass ", zones]
    elif whole := _date_parts(source, times, free):
        parts = [f": if {' and '.join(map(repr, whole))} make the time together, pass ", Option("time_col", whole)]
        if not source.joined(whole).duplicated().any():
            return DataError(start, *parts)
        times, free = whole, [name for name in free if name not in whole]
    elif clocks and len(times) == 1:
        parts = [f": if {clocks[0]!r} is the time of day, pass ", Option("time_col", [times[0], clocks[0]])]
    offer, names = _id_offer(source, times, [name for name in free if name not in clocks], kinds)
    if names and whole:
        return DataError(start, *parts, " and ", offer, " for the ids")
    totals = [] if again.zones or clocks else _totals(again, resample)
    if names:
        parts += ["; if" if parts else ": if", " they belong to several series, pass ", offer]
        return DataError(start, *parts, *(["; if they are to be added up, pass ", *totals] if totals else []))
    if parts:
        return DataError(start, *parts)
    return DataError(
        start, ", and no column tells them apart: if they are to be added up or averaged, pass ",
        Option("resample", again.bins or "D"), " with the length of a bin and ", AGGREGATES,
        "; if they are several series, name the column of ids with ", Option("id_col"),
    )  # fmt: skip


def _totals(again: Repeats, resample: str | None) -> list[Part]:
    """How rows of one time become one, where bins were asked for or the times lie on no grid."""
    if resample is not None:
        return [AGGREGATES, " beside ", Option("resample", resample)]
    if not again.bins:
        return []
    return [Option("resample", again.bins), " with ", Option("aggregate", "sum")]


def time_in_parts(source: Source, ids: Sequence[str], times: Sequence[str]) -> DataError | None:
    """The time of a table with ids is a year where year and month are wanted.

    Args:
        source: the table.
        ids: columns of ids.
        times: the column of times.

    Returns:
        The refusal where columns beside the time tell the rows of each series apart; else None.

    Example:
        >>> frame = pd.DataFrame({"id": ["a", "a"], "year": [2024, 2024], "month": [1, 2], "y": [1, 2]})
        >>> print(time_in_parts(Source(frame), ["id"], ["year"]))
        the frame has several rows of a series at one time of 'year'; pass time_col=['year', 'month']
    """
    whole = date_parts(list(source.frame.columns))
    if not {*times} < {*whole} or not source.frame.duplicated([*ids, *times]).any():
        return None
    if source.frame.duplicated([*ids, *whole]).any():
        return None
    start = f"{source.places.what} has several rows of a series at one time of {_listed(times)}; pass "
    return DataError(start, Option("time_col", whole))


def _date_parts(source: Source, times: Sequence[str], free: Sequence[str]) -> list[str]:
    """Columns that make a date only together, such as a year and a month; the times are the first of them."""
    names = date_parts([*times, *(name for name in free if name not in times)])
    more = bool(names) and source.joined(names).nunique() > source.frame[names[0]].nunique()
    return names if more and {*times} < {*names} else []


def _id_offer(
    source: Source, times: Sequence[str], free: Sequence[str], kinds: Mapping[str, str]
) -> tuple[Part, list[str]]:
    """Columns that make each time unique, alone or joined: text before whole numbers; else all columns of text."""
    stamp = pd.Series(_codes(source, times))
    texts, whole, codes = _possible_ids(source, free, kinds)

    def apart(names: Sequence[str]) -> bool:
        return not pd.concat([stamp, *(codes[name] for name in names)], axis=1).duplicated().any()

    singles = [name for pool in (texts, whole) for name in pool if apart([name])]
    known_names = [name for name in singles if name in texts] or singles
    if known_names:
        return joined([Option("id_col", name) for name in known_names]), known_names
    for pair in (*combinations(texts, 2), *combinations((*texts, *whole), 2)):
        if apart(pair):
            return Option("id_col", list(pair)), list(pair)
    if len(texts) > 2 and apart(texts):
        return Option("id_col", texts), texts
    if texts:
        return joined([Option("id_col", name) for name in texts]), texts
    return Option("id_col"), []


def more_ids(source: Source, ids: Sequence[str], times: Sequence[str], free: Sequence[str]) -> list[Part]:
    """Columns that, joined to those of ids, leave no two rows of a series at one time.

    Args:
        source: the table.
        ids: columns of ids.
        times: columns of times.
        free: other columns.

    Returns:
        The options; empty where no column does.

    Example:
        >>> frame = pd.DataFrame({"day": [1, 1, 2, 2], "shop": "n", "item": ["a", "b", "a", "b"]})
        >>> print(joined(more_ids(Source(frame), ["shop"], ["day"], ["item"])))
        id_col=['shop', 'item']
    """
    free = [name for name in free if name not in (*ids, *times)]
    texts, whole, codes = _possible_ids(source, free, {name: kind_of(source.frame[name]) for name in free})
    stamp = pd.Series(_codes(source, times))
    series = pd.Series(_codes(source, ids))
    for pool in (texts, whole):
        found = []
        for name in pool:
            several = pd.concat([series, codes[name]], axis=1)
            many = len(stamp) >= FEW and 2 * (~several.duplicated()).sum() > len(stamp)
            if not many and not several.assign(at=stamp).duplicated().any():
                found.append(name)
        if found:
            return [Option("id_col", [*ids, name]) for name in found]
    return []


def _possible_ids(
    source: Source, free: Sequence[str], kinds: Mapping[str, str]
) -> tuple[list[str], list[str], dict[str, pd.Series]]:
    """Columns of text and of whole numbers that may be ids, with codes; not those that nearly number the rows."""
    texts = [name for name in free if kinds.get(name) == "text" and not is_time_name(name)]
    whole = [name for name in free if kinds.get(name) == "number" and _whole(source.frame[name])]
    codes = {name: pd.Series(pd.factorize(source.frame[name])[0]) for name in (*texts, *whole)}
    rows = len(source.frame)
    kept = {name for name, code in codes.items() if not (rows >= FEW and 2 * code.nunique() > rows)}
    return [name for name in texts if name in kept][:MOST], [name for name in whole if name in kept][:MOST], codes


def _codes(source: Source, times: Sequence[str]) -> object:
    return pd.factorize(source.cells(times[0]) if len(times) == 1 else source.joined(times))[0]


def _whole(column: pd.Series) -> bool:
    return bool(pd.api.types.is_integer_dtype(column.dtype))


def _listed(names: Sequence[object]) -> str:
    return (
        ", ".join(repr(name) for name in names[:MOST]) + (", ..." if len(names) > MOST else "")
        if names
        else first_names(names)
    )
