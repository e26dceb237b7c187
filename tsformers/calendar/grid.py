"""Grid: a parsed frequency. A time stamp is a position (a count of steps) and a phase (its offset within the step)."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from pandas.tseries import offsets as po
from pandas.tseries.frequencies import to_offset

from tsformers.errors import DataError
from tsformers.messages import Option

SECOND, DAY = 10**9, 86_400 * 10**9  # nanoseconds
AGES = 106_700  # days from 1970 to either end of datetime64[ns]
THURSDAY = 3  # weekday of 1970-01-01, Monday = 0
WORKWEEK = "1111100"
OFF = -1  # phase of a stamp that is no grid point
Unit = Literal["int", "tick", "day", "bday", "week", "month", "listed"]
Edge = Literal["start", "end", "bstart", "bend"]

LEGACY = {
    **{"M": "ME", "Q": "QE", "Y": "YE", "A": "YE", "AS": "YS", "H": "h", "T": "min", "S": "s", "L": "ms", "U": "us"},
    **{"N": "ns", "BM": "BME", "BQ": "BQE", "BY": "BYE", "BA": "BYE", "BAS": "BYS", "SM": "SME", "d": "D", "C": "B"},
}
TICKS = {"h": 3600 * SECOND, "min": 60 * SECOND, "s": SECOND, "ms": 10**6, "us": 10**3, "ns": 1}
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
# pandas offset class -> months of its period, which day of the month
MONTHLY: dict[type, tuple[int, Edge]] = {
    **{po.MonthBegin: (1, "start"), po.MonthEnd: (1, "end")},
    **{po.BusinessMonthBegin: (1, "bstart"), po.BusinessMonthEnd: (1, "bend")},
    **{po.QuarterBegin: (3, "start"), po.QuarterEnd: (3, "end")},
    **{po.BQuarterBegin: (3, "bstart"), po.BQuarterEnd: (3, "bend")},
    **{po.YearBegin: (12, "start"), po.YearEnd: (12, "end"), po.BYearBegin: (12, "bstart"), po.BYearEnd: (12, "bend")},
}
_CENTURIES_AGO = np.datetime64(-AGES, "D")  # business days of one's own calendar are counted from here
LISTED = (po.SemiMonthBegin, po.SemiMonthEnd, po.WeekOfMonth, po.LastWeekOfMonth)


@dataclass(frozen=True)
class Grid:
    """A frequency, parsed: ``step`` units at a time, from a fixed origin.

    Args:
        freq: canonical name, a pandas alias or an integer step.
        unit: what ``step`` counts: integers, nanoseconds of absolute time ("tick"), wall-clock days, business days,
            weeks, months, or days listed one by one.
        step: units in a step.
        anchor: weekday of "week" (Monday = 0); month modulo ``every`` of "month".
        every: months in the named period: 1, 3 (quarters) or 12 (years).
        edge: which day of the month.
        tz: zone whose wall clock days and longer units follow; stamps are in UTC then.
        weekmask: business days of the week as seven digits, Monday first; empty = Monday to Friday.
        holidays: ISO dates that are no business days.

    Example:
        >>> Grid("2D", "day", 2)
        Grid(freq='2D', unit='day', step=2, anchor=0, every=1, edge='start', tz=None,
             weekmask='', holidays=())
    """

    freq: str | int
    unit: Unit
    step: int
    anchor: int = 0
    every: int = 1
    edge: Edge = "start"
    tz: str | None = None
    weekmask: str = ""
    holidays: tuple[str, ...] = ()

    @property
    def wall_clock(self) -> bool:
        """True where a step keeps the local time of day; shorter steps count absolute time."""
        return self.unit not in ("int", "tick")


def parse(freq: object, tz: str | None = None) -> Grid:
    """The grid that a frequency names.

    Args:
        freq: a pandas alias ("h", "15min", "D", "B", "W-FRI", "ME", "MS", "QS-OCT", "YE", ...; the older "H", "M", "Q",
            "A" too), a pandas offset (``CustomBusinessDay`` with its holidays and weekmask), a positive integer for
            integer time, or a grid.
        tz: zone of the wall clock.

    Returns:
        The grid; its ``freq`` is the canonical name.

    Raises:
        DataError: no such frequency, or one without a regular grid (business hours).

    Example:
        >>> parse("60min").freq, parse("M").freq, parse(5).freq
        ('h', 'ME', 5)
    """
    if isinstance(freq, Grid):
        return in_zone(freq, tz)
    if isinstance(freq, bool) or not isinstance(freq, int | np.integer | str | po.BaseOffset):
        raise DataError(
            Option("freq", freq), " is no frequency; pass a pandas alias such as 'h', 'D' or 'MS', or an integer step"
        )
    if isinstance(freq, int | np.integer):
        if freq < 1:
            raise DataError(Option("freq", int(freq)), " is no step of integer time; pass a positive integer")
        return Grid(int(freq), "int", int(freq))
    if type(freq) is po.CustomBusinessDay:
        return in_zone(_custom(freq), tz)
    return in_zone(_parse(freq if isinstance(freq, str) else freq.freqstr), tz)


def _custom(offset: po.CustomBusinessDay) -> Grid:
    """Business days of a calendar of one's own; the plain ones are those of "B"."""
    if offset.n < 1 or getattr(offset, "offset", pd.Timedelta(0)) != pd.Timedelta(0):
        raise DataError(Option("freq", offset), " does not go forward by whole days; pass one without an offset")
    calendar = offset.calendar
    weekmask = "".join(str(int(day)) for day in calendar.weekmask)
    holidays = tuple(str(day) for day in calendar.holidays)
    if weekmask == WORKWEEK and not holidays:
        return _parse(f"{offset.n}B")
    return Grid(offset.freqstr, "bday", offset.n, weekmask=weekmask, holidays=holidays)


def in_zone(grid: Grid, tz: str | None) -> Grid:
    """The same frequency on the wall clock of another time zone; integer time has none.

    Args:
        grid: from ``parse``.
        tz: zone of the wall clock.

    Returns:
        The grid itself where nothing changes.

    Example:
        >>> in_zone(parse("D"), "Europe/Berlin").tz
        'Europe/Berlin'
    """
    return grid if grid.unit == "int" or grid.tz == tz else replace(grid, tz=tz)


@lru_cache(maxsize=256)
def _parse(alias: str) -> Grid:
    parts = re.fullmatch(r"(\d*)([A-Za-z]+)(-\w+)?", alias.strip())
    name = f"{parts[1]}{LEGACY.get(parts[2], parts[2])}{parts[3] or ''}" if parts else alias
    try:
        offset = to_offset(name)
    except ValueError:
        raise DataError(
            Option("freq", alias), " is no frequency; pass a pandas alias such as 'h', 'D', 'W-FRI' or 'MS'"
        ) from None
    step = offset.n
    if step < 1:
        raise DataError(Option("freq", alias), " does not go forward; pass a positive frequency")
    if type(offset) in MONTHLY:
        every, edge = MONTHLY[type(offset)]
        month = getattr(offset, "startingMonth", None) or getattr(offset, "month", None) or 1
        return Grid(offset.freqstr, "month", step * every, (month - 1) % every, every, edge)
    if isinstance(offset, po.Day):
        return Grid(offset.freqstr, "day", step)
    if isinstance(offset, po.Tick):
        return Grid(tick_name(offset.nanos), "tick", offset.nanos)
    if isinstance(offset, po.Week):
        return Grid(offset.freqstr, "week", step, WEEKDAYS.index(offset.freqstr[-3:]))
    if type(offset) is po.BusinessDay:
        return Grid(offset.freqstr, "bday", step)
    if isinstance(offset, LISTED):
        return Grid(offset.freqstr, "listed", step)
    raise DataError(
        Option("freq", alias),
        " has no regular grid; use 'h' or 'D' (what lies between becomes missing) or integer time",
    )


def as_counts(times: np.ndarray) -> np.ndarray:
    """Times as int64: nanoseconds of datetimes, integers as they are.

    Example:
        >>> as_counts(np.array(["1970-01-01T00:00:01"], "M8[s]"))
        array([1000000000])
    """
    times = np.asarray(times)
    if times.dtype.kind == "M":
        return times.astype("M8[ns]").view(np.int64)
    return times.astype(np.int64)


def like_times(counts: np.ndarray, grid: Grid) -> np.ndarray:
    """The inverse of ``as_counts``: datetime64[ns], or int64 where the grid is one of integers.

    Example:
        >>> like_times(np.array([0]), parse("D"))
        array(['1970-01-01T00:00:00.000000000'], dtype='datetime64[ns]')
    """
    return counts if grid.unit == "int" else counts.view("M8[ns]")


def tick_name(nanoseconds: int) -> str:
    """Alias of a step of absolute time, in the largest unit that divides it.

    Example:
        >>> tick_name(900 * 10**9), tick_name(86400 * 10**9)
        ('15min', '24h')
    """
    name = next(name for name, size in TICKS.items() if nanoseconds % size == 0)
    count = nanoseconds // TICKS[name]
    return name if count == 1 else f"{count}{name}"


def to_local(utc: np.ndarray, tz: str | None) -> np.ndarray:
    """Wall-clock nanoseconds of UTC nanoseconds; a midnight skipped by a clock change counts as midnight.

    Example:
        >>> int(to_local(np.array([0]), "Europe/Berlin")[0]) // 10**9
        3600
    """
    if tz is None:
        return utc
    local, before = (_shift(utc - back, tz) for back in (0, 1))
    midnight = local - local % DAY
    skipped = (local - before > 1) & (before < midnight)
    return np.where(skipped, midnight, local)


def _shift(utc: np.ndarray, tz: str) -> np.ndarray:
    index = pd.DatetimeIndex(utc.ravel().view("M8[ns]")).tz_localize("UTC").tz_convert(tz).tz_localize(None)
    return index.asi8.reshape(utc.shape)


def to_utc(local: np.ndarray, tz: str | None) -> np.ndarray:
    """UTC nanoseconds of wall-clock nanoseconds; of an hour that occurs twice the first, of a skipped one the next.

    Example:
        >>> int(to_utc(np.array([3600 * 10**9]), "Europe/Berlin")[0])
        0
    """
    if tz is None:
        return local
    index = pd.DatetimeIndex(local.ravel().view("M8[ns]"))
    first = np.ones(len(index), dtype=bool)
    return index.tz_localize(tz, ambiguous=first, nonexistent="shift_forward").asi8.reshape(local.shape)


def decompose(times: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Position and phase of each stamp: regular series have positions one apart and one phase.

    Args:
        times: (...) int64, integers or (UTC) nanoseconds.
        grid: from ``parse``.

    Returns:
        Positions and phases, each (...) int64; phase ``OFF`` where the stamp is no grid point (a Sunday under "B").

    Example:
        >>> decompose(np.array([3, 5, 8]), parse(2))
        (array([1, 2, 4]), array([1, 1, 0]))
    """
    if not grid.wall_clock:
        position, phase = np.divmod(times, grid.step)
        return position, phase
    local = to_local(times, grid.tz)
    if grid.unit == "day":
        position, phase = np.divmod(local, grid.step * DAY)
        return position, phase
    day, clock = np.divmod(local, DAY)
    count, on = _count(day, grid)
    position, rest = np.divmod(count, grid.step)
    return position, np.where(on, rest * DAY + clock, OFF)


def compose(position: np.ndarray, phase: np.ndarray, grid: Grid) -> np.ndarray:
    """Stamps from positions and phases: the inverse of ``decompose``.

    Args:
        position: (...) int64.
        phase: (...) int64, broadcast against ``position``; none of them ``OFF``.
        grid: from ``parse``.

    Returns:
        (...) int64, integers or (UTC) nanoseconds.

    Example:
        >>> compose(np.array([1, 2]), np.array([1, 1]), parse(2))
        array([3, 5])
    """
    if not grid.wall_clock:
        return position * grid.step + phase
    if grid.unit == "day":
        return to_utc(position * (grid.step * DAY) + phase, grid.tz)
    rest, clock = np.divmod(phase, DAY)
    return to_utc(_day(position * grid.step + rest, grid) * DAY + clock, grid.tz)


def beyond(position: np.ndarray, phase: np.ndarray, grid: Grid) -> np.ndarray:
    """Which stamps ``compose`` cannot represent, because int64 nanoseconds end in the year 2262.

    Args:
        position: (...) int64.
        phase: (...) int64, none of them ``OFF``.
        grid: from ``parse``.

    Returns:
        (...) bool; with a time zone, and for half months and the like, the last days of that time count as beyond too.

    Example:
        >>> last = np.datetime64("2262-04-11", "D").astype(np.int64)
        >>> beyond(np.array([last, last + 1]), np.zeros(2, np.int64), parse("D"))
        array([False,  True])
    """
    end = np.iinfo(np.int64).max - (0 if grid.tz is None else 2 * DAY)
    if grid.unit in ("int", "tick", "day"):
        return position > (end - phase) // (grid.step * DAY if grid.unit == "day" else grid.step)
    rest, clock = np.divmod(phase, DAY)
    count = position * grid.step + rest
    if grid.unit == "listed":
        days, origin = _listed(grid.freq, 0, AGES)
        return count + origin >= len(days)
    return _day(count, grid) > (end - clock) // DAY


def _count(day: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Units since the origin, and whether the day is a grid point."""
    if grid.unit == "week":
        count, rest = np.divmod(day + THURSDAY - grid.anchor, 7)
        return count, rest == 0
    if grid.weekmask:
        calendar = _business_days(grid.weekmask, grid.holidays)
        days = day.astype("M8[D]")
        return np.busday_count(_CENTURIES_AGO, days, busdaycal=calendar), np.is_busday(days, busdaycal=calendar)
    if grid.unit == "bday":
        week, weekday = np.divmod(day + THURSDAY, 7)
        return 5 * week + np.minimum(weekday, 4), weekday < 5
    if grid.unit == "month":
        month = day.view("M8[D]").astype("M8[M]").astype(np.int64)
        count = month - grid.anchor
        return count, (day == edge_day(month, grid.edge)) & (count % grid.every == 0)
    days, origin = _listed(grid.freq, int(day.min(initial=0)), int(day.max(initial=0)))
    index = np.minimum(np.searchsorted(days, day), len(days) - 1)
    return index - origin, days[index] == day


def _day(count: np.ndarray, grid: Grid) -> np.ndarray:
    """Day number of a count of units."""
    if grid.unit == "week":
        return 7 * count + grid.anchor - THURSDAY
    if grid.weekmask:
        calendar = _business_days(grid.weekmask, grid.holidays)
        return np.busday_offset(_CENTURIES_AGO, count, roll="forward", busdaycal=calendar).astype(np.int64)
    if grid.unit == "bday":
        week, weekday = np.divmod(count, 5)
        return 7 * week + weekday - THURSDAY
    if grid.unit == "month":
        return edge_day(count + grid.anchor, grid.edge)
    days, origin = _listed(grid.freq, int(count.min(initial=0)) * 31, int(count.max(initial=0)) * 31)
    return days[count + origin]


def edge_day(month: np.ndarray, edge: Edge) -> np.ndarray:
    """Day number of the first or last (business) day of a month; both count from 1970.

    Example:
        >>> edge_day(np.array([0, 1]), "end")
        array([30, 58])
    """
    late = edge in ("end", "bend")
    day = (month + late).astype("M8[M]").astype("M8[D]").astype(np.int64) - late
    weekday = (day + THURSDAY) % 7
    if edge == "bstart":
        return day + np.where(weekday > 4, 7 - weekday, 0)
    if edge == "bend":
        return day - np.maximum(weekday - 4, 0)
    return day


@lru_cache(maxsize=16)
def _business_days(weekmask: str, holidays: tuple[str, ...]) -> np.busdaycalendar:
    return np.busdaycalendar(weekmask, np.array(holidays, dtype="M8[D]"))


@lru_cache(maxsize=16)
def _listed(freq: str | int, first: int, last: int) -> tuple[np.ndarray, int]:
    """Days of an irregular calendar rule from before ``first`` to after ``last``, and where 1970 begins among them."""
    base = to_offset(re.sub(r"^\d+", "", str(freq)))
    start, stop = (pd.Timestamp(day * DAY) for day in (max(min(first, 0) - 70, -AGES), min(max(last, 0) + 70, AGES)))
    days = pd.date_range(start, stop, freq=base).as_unit("ns").asi8 // DAY
    return days, int(np.searchsorted(days, 0))
