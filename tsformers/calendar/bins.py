"""Bins of time: which bin a stamp falls into, and the rule whose bins fit stamps that lie on no grid.

A bin is named by its beginning and holds what comes before the next one. Days and longer bins follow the wall clock of
the zone, ``W-MON`` begins on Monday, rules of month ends (``ME``) give bins that begin on the first. Shorter bins count
absolute time from midnight.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from tsformers.calendar.frequency import most_common, within
from tsformers.calendar.grid import DAY, MONTHS, SECOND, THURSDAY, WEEKDAYS, Grid, decompose, parse, to_local
from tsformers.errors import DataError
from tsformers.messages import Option

HOUR = 3600 * SECOND
STEPS = {  # steps that are offered, in nanoseconds
    **{f"{n}ms" if n > 1 else "ms": n * 10**6 for n in (1, 10, 100)},
    **{f"{n}s" if n > 1 else "s": n * SECOND for n in (1, 2, 5, 10, 15, 20, 30)},
    **{f"{n}min" if n > 1 else "min": n * 60 * SECOND for n in (1, 2, 5, 10, 15, 20, 30)},
    **{f"{n}h" if n > 1 else "h": n * HOUR for n in (1, 2, 3, 4, 6, 8, 12)},
}
NEAR, MOST = 0.1, 0.6  # stamps step steadily where share MOST of the steps lies within NEAR of their median


def parse_bins(rule: object, tz: str | None = None, integer: bool = False) -> Grid:
    """The grid on which bins begin.

    Args:
        rule: a pandas alias, or an integer step (also as text) for plain counts.
        tz: zone whose wall clock days and longer bins follow.
        integer: True for plain counts.

    Returns:
        The grid; its ``freq`` is the frequency of what is aggregated.

    Raises:
        DataError: a rule without bins, or one that does not fit the kind of time.

    Example:
        >>> parse_bins("ME").freq, parse_bins("Q").freq, parse_bins("7", integer=True).freq
        ('MS', 'QS-JAN', 7)
    """
    if isinstance(rule, str) and rule.strip().isdigit():
        rule = int(rule)
    try:
        grid = parse(rule, tz)
    except DataError:
        raise DataError(Option("resample", rule), " is no step; pass such as ", *_examples(integer)) from None
    if (grid.unit == "int") != integer:
        kind = "whole numbers" if integer else "dates"
        raise DataError(
            Option("resample", rule), f" does not fit times that are {kind}; pass such as ", *_examples(integer)
        )
    if grid.unit == "listed" or grid.edge in ("bstart", "bend"):
        raise DataError(Option("resample", rule), " has no bins; pass such as ", Option("resample", "MS"))
    return _from_its_beginning(grid) if grid.edge == "end" else grid


def _examples(integer: bool) -> tuple[Option, str, Option]:
    return (Option("resample", 7), " or ", Option("resample", 10)) if integer else (
        Option("resample", "D"), " or ", Option("resample", "W-MON"),
    )  # fmt: skip


def _from_its_beginning(grid: Grid) -> Grid:
    """Months, quarters or years of their ends as those of their starts: QE-DEC ends where QS-JAN begins."""
    anchor = (grid.anchor + 1) % grid.every
    count = grid.step // grid.every
    name = {1: "MS", 3: f"QS-{MONTHS[anchor]}", 12: f"YS-{MONTHS[anchor]}"}[grid.every]
    return replace(grid, freq=f"{count if count > 1 else ''}{name}", anchor=anchor, edge="start")


def bins_of(counts: np.ndarray, grid: Grid) -> tuple[np.ndarray, int]:
    """The bin of each stamp.

    Args:
        counts: (R,) int64, UTC nanoseconds or whole numbers.
        grid: from ``parse_bins``.

    Returns:
        Positions (R,) and the phase of all bins: ``compose`` gives where they begin.

    Example:
        >>> days = np.array(["2024-01-03", "2024-01-08"], "M8[ns]").view(np.int64)
        >>> from tsformers.calendar.grid import compose
        >>> position, phase = bins_of(days, parse_bins("W-MON"))
        >>> compose(position, np.array(phase), parse_bins("W-MON")).view("M8[ns]").astype("M8[D]")
        array(['2024-01-01', '2024-01-08'], dtype='datetime64[D]')
    """
    if grid.unit == "int":
        return counts // grid.step, 0
    if grid.unit == "tick":
        phase = -_standard_offset(counts, grid.tz) % grid.step
        return (counts - phase) // grid.step, phase
    day = to_local(counts, grid.tz) // DAY
    if grid.unit == "day":
        return day // grid.step, 0
    if grid.unit == "week":
        return (day + THURSDAY - grid.anchor) // 7 // grid.step, 0
    if grid.unit == "bday":
        return floor_business_days(day, grid) // grid.step, 0
    month = day.view("M8[D]").astype("M8[M]").astype(np.int64)
    return (month - grid.anchor) // grid.step, 0


def floor_business_days(day: np.ndarray, grid: Grid) -> np.ndarray:
    """Count of the last business day at or before each day.

    Example:
        >>> floor_business_days(np.array([0, 1, 2, 3, 4]), parse("B"))  # Thursday 1970-01-01 to Monday
        array([3, 4, 4, 4, 5])
    """
    if grid.weekmask:
        return decompose((day + 1) * DAY, replace(grid, tz=None, step=1))[0] - 1
    week, weekday = np.divmod(day + THURSDAY, 7)
    return 5 * week + np.minimum(weekday, 4)


def _standard_offset(counts: np.ndarray, tz: str | None) -> int:
    """The lesser of a zone's offsets in the year of the first stamp, so that hours begin on the hour of its clock."""
    if tz is None or not len(counts):
        return 0
    year = pd.Timestamp(int(counts.min())).year
    sample = np.array([f"{year}-01-01", f"{year}-07-01"], dtype="M8[ns]").view(np.int64)
    return int((to_local(sample, tz) - sample).min())


def suggest(stamps: np.ndarray, offsets: np.ndarray, tz: str | None = None) -> str:
    """The rule of bins that fits stamps which lie on no grid.

    Steady stamps get the step that is nearest to their median; unsteady ones, such as transactions, the shortest of
    hours, days, weeks, months and years that holds several of them.

    Args:
        stamps: (R,) int64 UTC nanoseconds, increasing within each series.
        offsets: (N + 1,).
        tz: zone of the wall clock.

    Returns:
        A rule for ``parse_bins``.

    Example:
        >>> drifting = np.arange(60) * 30 * SECOND + np.arange(60) // 15 * SECOND
        >>> suggest(drifting, np.array([0, 60]))
        '30s'
    """
    steps = np.diff(stamps)[within(offsets)]
    steps = steps[steps > 0]
    if not len(steps):
        return "D"
    median = float(np.median(steps))
    if float(np.mean(np.abs(steps - median) <= NEAR * median)) >= MOST:
        return _nearest(median, stamps, tz)
    for name, size in (("min", 60 * SECOND), ("h", HOUR), ("D", DAY)):
        if median * 2 <= size or (name == "D" and median <= DAY):
            return name
    return "W-MON" if median <= 7 * DAY else "MS" if median <= 31 * DAY else "QS" if median <= 92 * DAY else "YS"


def _nearest(median: float, stamps: np.ndarray, tz: str | None) -> str:
    if median < 0.75 * DAY:
        return min(STEPS, key=lambda name: abs(np.log(median / STEPS[name])))
    if median < 4 * DAY:
        count = round(median / DAY)
        return "D" if count == 1 else f"{count}D"
    if median < 10 * DAY:
        weekday = most_common((to_local(stamps, tz) // DAY + THURSDAY) % 7)
        return f"W-{WEEKDAYS[weekday or 0]}"
    if median < 26 * DAY:
        return f"{round(median / DAY)}D"
    return "MS" if median < 60 * DAY else "QS" if median < 200 * DAY else "YS"
