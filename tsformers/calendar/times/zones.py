"""Zones: naive wall-clock times given a zone; zones that fit the offsets or the repeated hours of a column."""

import zoneinfo
from functools import lru_cache

import numpy as np
import pandas as pd

OFFERED = 3  # zones in a message
HOUR = 3600 * 10**9
WELL_KNOWN = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
    *("Europe/Paris", "Europe/Madrid", "Europe/Rome", "Europe/Lisbon", "Europe/Athens", "Europe/Helsinki"),
    *("America/Toronto", "America/Sao_Paulo", "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland"),
    *("Asia/Tokyo", "Asia/Shanghai", "Asia/Kolkata", "America/Phoenix", "America/Halifax", "America/Anchorage"),
)
AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


def localize(local: np.ndarray, tz: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """UTC of wall-clock times: the first of a repeated hour.

    Args:
        local: (V,) int64 wall-clock nanoseconds.
        tz: name of the zone.

    Returns:
        (V,) UTC nanoseconds of the first and of the second occurrence (equal where there is one only), and which
        times the clock skipped (undefined in the others).

    Example:
        >>> first, second, skipped = localize(np.array([3600 * 10**9]), "Europe/Berlin")
        >>> int(first[0]), bool(skipped[0])
        (0, False)
    """
    index = pd.DatetimeIndex(local.view("M8[ns]"))
    early = np.ones(len(index), dtype=bool)
    first = index.tz_localize(tz, ambiguous=early, nonexistent="NaT")
    second = index.tz_localize(tz, ambiguous=~early, nonexistent="NaT")
    skipped = np.asarray(first.isna())
    return (
        np.where(skipped, 0, first.as_unit("ns").asi8),
        np.where(skipped, 0, second.as_unit("ns").asi8),
        skipped,
    )


def by_order(first: np.ndarray, second: np.ndarray, code: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Tell the two passes of a repeated hour apart by the order of rows within a series.

    Args:
        first: (V,) UTC nanoseconds of each distinct time, first pass.
        second: (V,) second pass.
        code: (R,) distinct time of each row.
        series: (R,) series of each row.

    Returns:
        (R,) UTC nanoseconds. Of a time that a series has twice, the later row is of the second pass. A time that it has
        once is of the second pass where it stands behind the row at which the times of that hour go back; where they
        never go back, or more than once, it is of the first.

    Example:
        >>> by_order(np.array([0]), np.array([3600]), np.array([0, 0]), np.array([0, 0]))
        array([   0, 3600])
    """
    counts = first[code]
    double = np.flatnonzero((second != first)[code])
    if not len(double):
        return counts
    owner = series[double]
    place = np.where(_newest_first(counts, series)[owner], -double, double)
    change = _changes(counts[double])
    order = np.lexsort((place, change, owner))
    rows, owner, change = double[order], owner[order], change[order]
    late = _second_of_pair(counts[rows], owner) | _behind_the_turn(counts[rows], owner, change)
    counts[rows] = np.where(late, second[code[rows]], counts[rows])
    return counts


def _changes(early: np.ndarray) -> np.ndarray:
    """The clock change of each repeated time: those of one lie within two hours."""
    distinct, at = np.unique(early, return_inverse=True)
    number = np.concatenate([[0], np.cumsum(np.diff(distinct) > 2 * HOUR)])
    return np.asarray(number[at])


def _second_of_pair(early: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Which rows repeat a time that their series has had before."""
    order = np.lexsort((np.arange(len(early)), early, owner))
    again = np.zeros(len(early), dtype=bool)
    again[order[1:]] = (np.diff(early[order]) == 0) & (np.diff(owner[order]) == 0)
    return again


def _behind_the_turn(early: np.ndarray, owner: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Which rows have no equal in their change and stand behind the only place where its times go back.

    A time that stands twice in a row is such a place only where there is no other, since interleaved passes are full of
    them.
    """
    fresh = np.concatenate([[True], (np.diff(owner) != 0) | (np.diff(change) != 0)])
    group = np.cumsum(fresh) - 1
    step = np.concatenate([[1], np.diff(early)])
    back, equal = (step < 0) & ~fresh, (step == 0) & ~fresh
    n_back, n_equal = np.bincount(group, back)[group], np.bincount(group, equal)[group]
    turn = np.where(n_back > 0, back, equal)
    once = np.where(n_back > 0, n_back, n_equal) == 1
    passed = np.cumsum(turn)
    begun = passed[np.flatnonzero(fresh)][group]
    pair = np.stack([group, early])
    _, at, times = np.unique(pair, axis=1, return_inverse=True, return_counts=True)
    return np.asarray(once & (passed > begun) & (times[at.ravel()] == 1))


def _newest_first(counts: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Which series stand in falling order: their last row is earlier than their first."""
    first, last = np.zeros(int(series.max()) + 1, dtype=np.int64), np.zeros(int(series.max()) + 1, dtype=np.int64)
    first[series[::-1]] = counts[::-1]  # of several rows of a series the last assignment stays
    last[series] = counts
    return last < first


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Names of the form Area/City, well-known ones first.

    Example:
        >>> zone_names()[0]
        'Europe/Berlin'
    """
    every = zoneinfo.available_timezones()
    rest = sorted(name for name in every if name.startswith(AREAS) and name not in WELL_KNOWN)
    return (*(name for name in WELL_KNOWN if name in every), *rest)


def zones_that_fit(utc: np.ndarray, offsets: np.ndarray) -> list[str]:
    """Zones whose offsets are those of the stamps.

    Args:
        utc: (V,) int64 nanoseconds.
        offsets: (V,) int64 nanoseconds.

    Returns:
        At most three names, well-known ones first.

    Example:
        >>> zones_that_fit(np.array([0, 15_552_000 * 10**9]), np.array([3600, 3600]) * 10**9)[:1]
        ['Europe/Berlin']
    """
    some = np.unique(np.linspace(0, len(utc) - 1, min(len(utc), 50)).astype(int))
    found: list[str] = []
    for name in zone_names():
        if all((_offsets_in(utc[rows], name) == offsets[rows]).all() for rows in (some, slice(None))):
            found.append(name)
            if len(found) == OFFERED:
                break
    return found


def zones_that_repeat(local: np.ndarray) -> list[str]:
    """Zones in which each of these wall-clock times occurs twice.

    Args:
        local: (V,) int64 wall-clock nanoseconds.

    Returns:
        At most three names, well-known ones first.

    Example:
        >>> stamp = pd.Timestamp("2023-10-29 02:00").value
        >>> zones_that_repeat(np.array([stamp]))[0]
        'Europe/Berlin'
    """
    found: list[str] = []
    for name in zone_names():
        if all(_repeats(part, name) for part in (local[:5], local)):
            found.append(name)
            if len(found) == OFFERED:
                break
    return found


def _repeats(local: np.ndarray, name: str) -> bool:
    first, second, _ = localize(local, name)
    return bool((first != second).all())


def _offsets_in(utc: np.ndarray, name: str) -> np.ndarray:
    index = pd.DatetimeIndex(utc.view("M8[ns]")).tz_localize("UTC").tz_convert(name)
    return np.asarray(index.tz_localize(None).as_unit("ns").asi8 - utc)


def is_zone(name: str) -> bool:
    """Whether a zone of that name is known.

    Example:
        >>> is_zone("Europe/Berlin"), is_zone("Europe/Bonn")
        (True, False)
    """
    try:
        pd.Timestamp(0, tz="UTC").tz_convert(name)
    except Exception:
        return False
    return True
