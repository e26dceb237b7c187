"""Infer a frequency: from the most common step between neighbouring rows of a series.

Missing rows only make longer steps. Steps below a day are absolute time. Longer steps are classified by wall-clock
dates: all on month starts or ends gives months, quarters ("QS-JAN", "QE-DEC") or years, all on one weekday gives weeks
("W-FRI"), daily steps that skip every weekend give business days ("B"), anything else is days ("D",
"2D"). Stamps off that grid are refused (``tsformers.calendar.regularity``). Series of days and of business
days may share a panel of days: the weekends of the latter are missing.
"""

import numpy as np
import pandas as pd

from tsformers.calendar.grid import DAY, MONTHS, SECOND, THURSDAY, WEEKDAYS, Edge, edge_day, tick_name, to_local
from tsformers.errors import DataError
from tsformers.messages import Option

ROWS_AT_ONCE = 2**20  # whose steps are computed together
SHORTEST_DAY = 23 * 3600 * SECOND  # of a clock change
EDGES: dict[Edge, tuple[str, str, str]] = {
    **{"start": ("MS", "QS", "YS"), "end": ("ME", "QE", "YE")},
    **{"bstart": ("BMS", "BQS", "BYS"), "bend": ("BME", "BQE", "BYE")},
}


def guess_freq(code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, tz: str | None, integer: bool) -> str | int:
    """The frequency of the most common step; stamps off its grid are left to ``regularity.positions``.

    Args:
        code: (R,) index into ``unique`` of each row's stamp.
        unique: sorted int64 stamps.
        offsets: (N + 1,).
        tz: zone of the wall clock.
        integer: True for integer time.

    Returns:
        A pandas alias or an integer step.

    Raises:
        DataError: no series has two rows.

    Example:
        >>> guess_freq(np.array([0, 1, 2]), np.array([0, 5, 10]), np.array([0, 3]), None, integer=True)
        5
    """
    step = most_common(steps_within(unique, code, offsets))
    if step is None:
        raise DataError(
            "no series has two rows, so that the frequency cannot be inferred; pass it, for example ",
            Option("freq", 1 if integer else "D"),
        )
    if integer:
        return step
    if step < (DAY if tz is None else SHORTEST_DAY):
        return tick_name(step)
    local = to_local(unique, tz)
    steps = steps_within(local, code, offsets)
    by_clock = step % DAY or tz is None or not (steps % DAY).any()
    if not by_clock and not (steps_within(unique, code, offsets) % DAY).any():
        return tick_name(step)  # every 24 hours whatever the clock shows
    common = most_common(steps)
    assert common is not None
    return tick_name(step) if common % DAY else _days_freq(code, local // DAY, offsets, common // DAY)


def _days_freq(code: np.ndarray, day: np.ndarray, offsets: np.ndarray, step: int) -> str:
    if step >= 28:
        month = day.view("M8[D]").astype("M8[M]").astype(np.int64)
        for edge, names in EDGES.items():
            if (day == edge_day(month, edge)).all():
                common = most_common(steps_within(month, code, offsets))
                assert common is not None
                return _months_freq(month, common, names)
    weekday = (day + THURSDAY) % 7
    if step % 7 == 0 and (weekday == weekday[0]).all():
        return f"{_times(step // 7)}W-{WEEKDAYS[weekday[0]]}"
    if step == 1 and (weekday < 5).all() and steps_within((day + THURSDAY) // 7, code, offsets).any():
        return "B"
    return f"{_times(step)}D"


def _months_freq(month: np.ndarray, step: int, names: tuple[str, str, str]) -> str:
    monthly, quarterly, yearly = names
    if step % 12 == 0 and (month % 12 == month[0] % 12).all():
        return f"{_times(step // 12)}{yearly}-{MONTHS[month[0] % 12]}"
    if step % 3 == 0 and (month % 3 == month[0] % 3).all():
        last = month[0] % 3 if monthly.endswith("MS") else 9 + month[0] % 3
        return f"{_times(step // 3)}{quarterly}-{MONTHS[last]}"
    return f"{_times(step)}{monthly}"


def _times(count: int) -> str:
    return "" if count == 1 else str(count)


def within(offsets: np.ndarray) -> np.ndarray:
    """True for each step between neighbouring rows of one series, (R - 1,).

    Example:
        >>> within(np.array([0, 2, 3]))
        array([ True, False])
    """
    inner = np.ones(max(int(offsets[-1]) - 1, 0), dtype=bool)
    inner[offsets[1:-1] - 1] = False
    return inner


def steps_within(stamps: np.ndarray, code: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The steps between neighbouring rows of one series, without memory for more than they take.

    Args:
        stamps: (U,) int64, by code.
        code: (R,) index into ``stamps`` of each row.
        offsets: (N + 1,).

    Returns:
        (R - N,) int64, series after series.

    Example:
        >>> steps_within(np.array([0, 5, 20]), np.array([0, 1, 0, 2]), np.array([0, 2, 4]))
        array([ 5, 20])
    """
    inner = within(offsets)
    steps, done = np.empty(int(inner.sum()), dtype=np.int64), 0
    for start in range(0, len(inner), ROWS_AT_ONCE):
        stop = start + ROWS_AT_ONCE
        part = np.diff(stamps[code[start : stop + 1]])[inner[start:stop]]
        steps[done : done + len(part)] = part
        done += len(part)
    return steps


def most_common(values: np.ndarray) -> int | None:
    """The most frequent value, the smallest of equally frequent ones; None of an empty array.

    Example:
        >>> most_common(np.array([3, 1, 3, 1]))
        1
    """
    if not len(values):
        return None
    if (values == values[0]).all():
        return int(values[0])
    code, unique = pd.factorize(values)
    count = np.bincount(code)
    return int(unique[count == count.max()].min())
