"""Check that all rows of a panel lie on the grid of its frequency; a stamp off the grid is refused by row."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from tsformers.calendar.bins import suggest
from tsformers.calendar.frequency import EDGES, guess_freq, steps_within, within
from tsformers.calendar.grid import DAY, OFF, Grid, compose, decompose, edge_day, like_times, parse, to_local
from tsformers.errors import DataError
from tsformers.messages import Option, Part
from tsformers.places import Places

DOUBT = 1e-3  # a series whose steps are less likely than this if rows are missing at random has its own frequency
NEAR, MOST = 0.15, 0.6  # a coarser calendar: share MOST of the steps within NEAR of their median
BY_CHANCE = 0.2  # share within NEAR where rows are missing at random, medians of four steps or more (simulated: 0.17)
ON_AN_EDGE = 1 / 20  # share of business days that are the first, or the last, of a month
UNSET = 2**62  # above any phase
MOST_GROWTH, MANY_ROWS = 20, 1_000_000  # rows beyond both mean a wrong stamp or a step that is too short
Given: TypeAlias = Literal["", "freq", "fit"]  # where a frequency comes from: inferred, the caller, the data of fit


class Origin(NamedTuple):
    """Rows of the caller's table, for messages: N ids, (R,) positions, the time column, names of the rows.

    Example:
        >>> Origin(pd.Index(["a"]), np.array([7]), "ds", Places(line_of=lambda row: row + 2)).at(0)
        'line 9'
    """

    ids: pd.Index
    rows: np.ndarray | range
    column: str
    places: Places = Places()

    def at(self, row: int) -> str:
        """The place of a packed row, "row 7" or "line 9".

        Example:
            >>> Origin(pd.Index(["a"]), np.array([7]), "ds").at(0)
            'row 7'
        """
        return self.places.at(int(self.rows[row]))

    def name(self, row: int, offsets: np.ndarray) -> str:
        """The series of a packed row, as Python prints it.

        Example:
            >>> Origin(pd.Index(["a", "b"]), np.arange(2), "ds").name(1, np.array([0, 1, 2]))
            "'b'"
        """
        return repr(plain(self.ids[int(np.searchsorted(offsets, row, side="right")) - 1]))


def positions(
    code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, grid: Grid, origin: Origin, given: Given = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Grid position of each row, and each series' phase.

    Args:
        code: (R,) index into ``unique`` of each row's stamp, increasing within each series.
        unique: sorted int64 stamps.
        offsets: (N + 1,).
        grid: the panel's.
        origin: where the rows came from.
        given: where the frequency comes from, "" = it was inferred.

    Returns:
        Positions (R,) and phases (N,).

    Raises:
        DataError: a stamp lies off the grid, or a series has a frequency of its own.

    Example:
        >>> stamps, origin = np.array([10, 20, 40]), Origin(pd.Index(["a"]), np.arange(3), "ds")
        >>> positions(np.arange(3), stamps, np.array([0, 3]), Grid(10, "int", 10), origin)
        (array([1, 2, 4]), array([0]))
    """
    place, phase = decompose(unique, grid)
    if (phase == phase[0]).all() and phase[0] != OFF:
        series_phase = np.full(len(offsets) - 1, phase[0])
    else:
        series_phase = _phases(phase[code], offsets, grid)
        bad = (phase[code] != np.repeat(series_phase, np.diff(offsets))) | (phase[code] == OFF)
        if bad.any() and grid.tz is not None and grid.wall_clock:
            bad[bad] = _misplaced(bad, place[code], unique[code], np.repeat(series_phase, np.diff(offsets)), grid)
        if bad.any():
            raise _off_grid(int(np.flatnonzero(bad)[0]), code, unique, offsets, grid, origin, given)
    step = steps_within(place, code, offsets)
    if (step != 1).any():
        if (step == 0).any():
            same = within(offsets) & (np.diff(place[code]) == 0)
            raise _shared_step(int(np.flatnonzero(same)[0]), unique[code], offsets, grid, origin)
        _refuse_own_frequency(step, code, unique, offsets, grid, origin, given)
    del step  # as large as the positions
    return place[code], series_phase


def _phases(phase: np.ndarray, offsets: np.ndarray, grid: Grid) -> np.ndarray:
    """The phase of each series: that of its first row, or the least where a clock change may move stamps forward."""
    if grid.tz is None or not grid.wall_clock:
        return phase[offsets[:-1]]
    return np.minimum.reduceat(np.where(phase == OFF, UNSET, phase), offsets[:-1])


def _misplaced(bad: np.ndarray, place: np.ndarray, stamps: np.ndarray, phase: np.ndarray, grid: Grid) -> np.ndarray:
    """Which of the bad rows are not where a clock change moves the wall-clock time of their series."""
    usable = phase[bad] != UNSET
    return ~usable | (compose(place[bad], np.where(usable, phase[bad], 0), grid) != stamps[bad])


def _off_grid(
    row: int, code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, grid: Grid, origin: Origin, given: Given
) -> DataError:
    series = int(np.searchsorted(offsets, row, side="right")) - 1
    own = _own_freq(unique[code[offsets[series] : offsets[series + 1]]], grid)
    place = f"column {origin.column!r} of series {origin.name(row, offsets)}"
    if own is not None and own != grid.freq and not given:
        for other in range(min(len(offsets) - 1, 50)):
            freq = _own_freq(unique[code[offsets[other] : offsets[other + 1]]], grid)
            if freq is not None and freq != own:
                first, second = int(offsets[series]), int(offsets[other])
                longer = _median_step(unique[code], offsets, series) > _median_step(unique[code], offsets, other)
                return DataError(
                    f"{place} steps by {own!r} (from {origin.at(first)} on), series {origin.name(second, offsets)} by "
                    f"{freq!r} (from {origin.at(second)} on), but a panel has one frequency; fit them apart, or pass ",
                    Option("resample", own if longer else freq),
                )
    why: list[Part] = ["is off the grid of ", *_frequency(grid, given)]
    todo = _remedy(unique[code], offsets, grid)
    if own is not None and own != grid.freq and given:
        why.append(f", the series looks like {own!r}")
        todo = ["pass ", Option("freq", own), " or leave ", Option("freq"), " out"]
        if given == "fit":
            todo = ["pass ", Option("resample", grid.freq), ", or fit anew"]
    return DataError(f"{place}: {show(unique[code[row]], grid)} at {origin.at(row)} ", *why, "; ", *todo)


def _frequency(grid: Grid, given: Given) -> list[Part]:
    """The frequency, and where it comes from, for messages."""
    source: dict[Given, list[Part]] = {
        "": [f"the most common step, {grid.freq!r}"],
        "freq": [Option("freq", grid.freq)],
        "fit": ["fit's ", Option("freq", grid.freq)],
    }
    return source[given]


def _median_step(stamps: np.ndarray, offsets: np.ndarray, series: int) -> float:
    return float(np.median(np.diff(stamps[offsets[series] : offsets[series + 1]])))


def _own_freq(stamps: np.ndarray, grid: Grid) -> str | int | None:
    """The frequency of one series alone; None where it is not regular."""
    if len(stamps) < 3:
        return None
    freq = guess_freq(np.arange(len(stamps)), stamps, np.array([0, len(stamps)]), grid.tz, integer=grid.unit == "int")
    place, phase = decompose(stamps, parse(freq, grid.tz))
    regular = phase[0] != OFF and (phase == phase[0]).all() and np.mean(np.diff(place) == 1) >= 0.5
    return freq if regular else None


def _remedy(stamps: np.ndarray, offsets: np.ndarray, grid: Grid) -> list[Part]:
    """How to bring stamps onto a grid, by their typical step."""
    if grid.unit == "int":
        return ["correct it, or pass a smaller step with ", Option("freq")]
    rule = Option("resample", suggest(stamps, offsets, grid.tz))
    total = (" to make one row of each step (its mean; its total with ", Option("aggregate", "sum"), ")")
    return ["pass ", rule, *total, ", or ", Option("freq"), " with a step that has them all"]


def _shared_step(row: int, stamps: np.ndarray, offsets: np.ndarray, grid: Grid, origin: Origin) -> DataError:
    """The refusal of two stamps on one step: an hour of the wall clock that occurs twice when the clock goes back."""
    return DataError(
        f"column {origin.column!r} of series {origin.name(row, offsets)}: {show(stamps[row], grid)} at "
        f"{origin.at(row)} and {show(stamps[row + 1], grid)} at {origin.at(row + 1)} fall on one step of "
        f"{grid.freq!r}; pass ",
        Option("resample", grid.freq),
        " to make one row of them",
    )


def _refuse_own_frequency(
    step: np.ndarray,
    code: np.ndarray,
    unique: np.ndarray,
    offsets: np.ndarray,
    grid: Grid,
    origin: Origin,
    given: Given,
) -> None:
    """Refuse a series with regular longer steps on the panel's grid, such as days among hours, months among days.

    Rows missing at random give longer steps too, so a series must be unlikely to have become so regular by chance.
    """
    n_steps = np.diff(offsets) - 1  # no series is empty
    owner = np.repeat(np.arange(len(n_steps)), n_steps)
    n_single = np.bincount(owner[step == 1], minlength=len(n_steps))
    own = _in_multiples(step, owner, n_steps, n_single) | _on_coarser_calendar(
        step, owner, n_steps, n_single, code, unique, offsets, grid
    )
    if own.any():
        series = int(np.argmax(own))
        alone = given == "freq" and not n_single.any()
        median = float(np.median(step[owner == series]))
        raise _own_frequency(series, median, alone, unique[code], offsets, grid, origin, given)


def _own_frequency(
    series: int,
    median: float,
    alone: bool,
    stamps: np.ndarray,
    offsets: np.ndarray,
    grid: Grid,
    origin: Origin,
    given: Given,
) -> DataError:
    """The refusal of a series that has another frequency than the panel."""
    first, stop = int(offsets[series]), int(offsets[series + 1])
    found = _own_freq(stamps[first:stop], grid)
    how = repr(found) if found is not None else f"about {median:g} x {grid.freq!r}"
    todo: list[Part] = ["; "]
    if alone and found is not None:
        todo = ["; pass ", Option("freq", found), " or leave ", Option("freq"), " out, "]
    todo.append("fit such series apart,")
    if grid.unit != "int":
        rule = found or suggest(stamps[first:stop], np.array([0, stop - first]), grid.tz)
        todo += [" pass ", Option("resample", rule), " for all,"]
    return DataError(
        f"column {origin.column!r} of series {origin.name(first, offsets)} steps by {how} from {origin.at(first)} on, "
        "not by ",
        *(_frequency(grid, given) if given else [f"{grid.freq!r} as the panel does, and a panel has one frequency"]),
        *todo,
        " or add the rows that are only missing, without a value",
    )


def _in_multiples(step: np.ndarray, owner: np.ndarray, n_steps: np.ndarray, n_single: np.ndarray) -> np.ndarray:
    """Which series never step singly, most of their n steps being equal to their greatest common divisor k >= 2.

    And p^n < 0.001, p being the share of longer steps where single ones occur. Where none do, all steps must be equal,
    or so many that chance is as unlikely.
    """
    own = np.zeros(len(n_steps), dtype=bool)
    dense = n_single > 0
    share = 1 - n_single.sum() / n_steps[dense].sum() if dense.any() else 0.0
    kept = (~dense & (n_steps >= 2) & (share**n_steps < DOUBT))[owner]
    if not kept.any():
        return own
    names, starts = np.unique(owner[kept], return_index=True)
    n = n_steps[names]
    divisor = np.gcd.reduceat(step[kept], starts)
    equal = np.add.reduceat(step[kept] == np.repeat(divisor, n), starts)
    sure = dense.any() | (equal == n) | (_chance(equal, n, 0.25) < DOUBT)
    own[names] = (divisor > 1) & (equal >= np.maximum(2, MOST * n)) & sure
    return own


def _on_coarser_calendar(
    step: np.ndarray,
    owner: np.ndarray,
    n_steps: np.ndarray,
    n_single: np.ndarray,
    code: np.ndarray,
    unique: np.ndarray,
    offsets: np.ndarray,
    grid: Grid,
) -> np.ndarray:
    """Which series step by months, half months and the like: by nearly, not exactly, so many steps of the grid.

    Either most steps lie near their median of four or more, or every row stands on an edge of another month. The
    chances of that are compared over all series (Simes): of many sparse series some look regular.
    """
    own = np.zeros(len(n_steps), dtype=bool)
    series = np.flatnonzero((n_steps >= 2) & (2 * n_single < n_steps))
    if not len(series):
        return own
    kept = np.isin(np.arange(len(n_steps)), series)[owner]
    step, owner, n = step[kept], owner[kept], n_steps[series]
    starts = np.cumsum(n) - n
    rising = step[np.lexsort((step, owner))]
    median = (rising[starts + (n - 1) // 2] + rising[starts + n // 2]) / 2
    spread = np.repeat(median, n)
    near = np.add.reduceat(np.abs(step - spread) <= NEAR * spread, starts)
    chance = np.where((median >= 4) & (near >= MOST * n), _chance(near, n, BY_CHANCE), 1.0)
    if grid.unit in ("tick", "day", "bday"):
        chance = np.where(_on_edges(series, code, unique, offsets, grid), len(EDGES) * ON_AN_EDGE ** (n + 1.0), chance)
    rank = np.argsort(np.argsort(chance, kind="stable")) + 1
    sure = chance <= DOUBT * rank / len(series)
    own[series] = chance <= np.max(chance, where=sure, initial=-1.0)
    return own


def _on_edges(series: np.ndarray, code: np.ndarray, unique: np.ndarray, offsets: np.ndarray, grid: Grid) -> np.ndarray:
    """Which of these series lie on one edge (first, last, first or last business day) of a new month in each row."""
    length = np.diff(offsets)[series]
    starts = np.cumsum(length) - length
    rows = np.arange(length.sum()) + np.repeat(offsets[series] - starts, length)
    day = to_local(unique[code[rows]], grid.tz) // DAY
    month = day.view("M8[D]").astype("M8[M]").astype(np.int64)
    fresh = np.diff(month, prepend=month[0] - 1) != 0
    fresh[starts] = True
    edges = [np.logical_and.reduceat(fresh & (day == edge_day(month, edge)), starts) for edge in EDGES]
    return np.any(edges, axis=0)


def _chance(hits: np.ndarray, of: np.ndarray, each: float) -> np.ndarray:
    """Chernoff bound on the probability of so many hits; the first is not counted, as it sets the target."""
    share = np.maximum((hits - 1) / (of - 1), each)
    miss = np.maximum(1 - share, 1e-300)
    return np.exp(-(of - 1) * (share * np.log(share / each) + (1 - share) * np.log(miss / (1 - each))))


def grows_too_much(size: float, rows: int) -> bool:
    """Whether the rows that a grid lacks are so many that a stamp must be wrong, or the step too short.

    Args:
        size: rows of the complete grid.
        rows: rows that there are.

    Returns:
        True for more than a million rows that are more than 20 times as many.

    Example:
        >>> grows_too_much(2e6, 1000), grows_too_much(2e6, 1_000_000)
        (True, False)
    """
    return size > MANY_ROWS and size > MOST_GROWTH * rows


def show(count: np.integer | int, grid: Grid) -> str:
    """A stamp as text, in the zone of the grid.

    Example:
        >>> show(0, Grid("D", "day", 1))
        '1970-01-01 00:00:00'
    """
    if grid.unit == "int":
        return str(int(count))
    stamp = pd.Timestamp(like_times(np.asarray(count, dtype=np.int64)[None], grid)[0])
    return str(stamp if grid.tz is None else stamp.tz_localize("UTC").tz_convert(grid.tz))


def plain(name: object) -> object:
    """An id as Python prints it: 3 rather than np.int64(3).

    Example:
        >>> plain(np.int64(3))
        3
    """
    return name.item() if isinstance(name, np.generic) else name
