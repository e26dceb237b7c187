"""Aggregate rows by series and bin of time, without a loop over series or bins."""

from typing import NamedTuple

import numpy as np

from tsformers.calendar.bins import bins_of
from tsformers.calendar.grid import Grid, compose

AGGREGATES = ("mean", "sum", "last", "max", "min", "first")


class Bins(NamedTuple):
    """The bins that hold a row, by series and time.

    Args:
        order: (R,) rows by series, bin and time; rows of one time keep their order.
        starts: (B,) where each bin begins in ``order``.
        code: (B,) series.
        position: (B,) position of the bin on its grid; neighbours are one apart.
        phase: of all bins.
        grid: on which bins begin.
    """

    order: np.ndarray
    starts: np.ndarray
    code: np.ndarray
    position: np.ndarray
    phase: int
    grid: Grid

    @property
    def counts(self) -> np.ndarray:
        """(B,) where bins begin, UTC nanoseconds or whole numbers."""
        return compose(self.position, np.array(self.phase), self.grid)

    @property
    def last_rows(self) -> np.ndarray:
        """(B,) the last row of each bin, a position in the table."""
        return self.order[np.append(self.starts[1:], len(self.order)) - 1]

    @property
    def empty(self) -> int:
        """How many bins between the first and the last of their series hold no row."""
        return int((np.diff(self.position) - 1)[self.code[1:] == self.code[:-1]].sum())


def bin_rows(code: np.ndarray, counts: np.ndarray, grid: Grid) -> Bins:
    """Sort rows into bins.

    Args:
        code: (R,) series of each row.
        counts: (R,) UTC nanoseconds or whole numbers.
        grid: from ``parse_bins``.

    Returns:
        The bins.

    Example:
        >>> from tsformers.calendar.bins import parse_bins
        >>> bins = bin_rows(np.array([0, 0, 0]), np.array([5, 1, 12]), parse_bins(5, integer=True))
        >>> bins.counts, bins.empty
        (array([ 0,  5, 10]), 0)
    """
    position, phase = bins_of(counts, grid)
    before = (code[1:] == code[:-1]) & (position[1:] == position[:-1]) & (counts[1:] >= counts[:-1])
    before |= (code[1:] > code[:-1]) | ((code[1:] == code[:-1]) & (position[1:] > position[:-1]))
    order = np.arange(len(code)) if before.all() else np.lexsort((counts, position, code))
    owner, place = code[order], position[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (owner[1:] != owner[:-1]) | (place[1:] != place[:-1])
    starts = np.flatnonzero(new)
    return Bins(order, starts, owner[starts], place[starts], phase, grid)


def aggregate(values: np.ndarray, bins: Bins, how: str) -> np.ndarray:
    """One value a bin; missing values are left out.

    Args:
        values: (R,) float64, NaN = missing.
        bins: from ``bin_rows``.
        how: one of ``AGGREGATES``.

    Returns:
        (B,) float64, NaN where a bin has no value.

    Example:
        >>> from tsformers.calendar.bins import parse_bins
        >>> bins = bin_rows(np.zeros(3, np.int64), np.array([0, 1, 5]), parse_bins(5, integer=True))
        >>> aggregate(np.array([1.0, 2.0, np.nan]), bins, "sum")
        array([ 3., nan])
    """
    if how in ("first", "last"):
        rows = present_rows(~np.isnan(values), bins, how)
        return np.where(rows < 0, np.nan, values[rows])
    sorted_values = values[bins.order]
    if how in ("max", "min"):
        extreme = np.fmax if how == "max" else np.fmin
        return np.asarray(extreme.reduceat(sorted_values, bins.starts))
    here = ~np.isnan(sorted_values)
    count = np.add.reduceat(here.astype(np.int64), bins.starts)
    total = np.add.reduceat(np.where(here, sorted_values, 0.0), bins.starts)
    known = np.where(count == 0, np.nan, total)
    return known if how == "sum" else known / np.maximum(count, 1)


def present_rows(present: np.ndarray, bins: Bins, how: str = "last") -> np.ndarray:
    """The last (or first) row of each bin that has a value.

    Args:
        present: (R,) bool.
        bins: from ``bin_rows``.
        how: "last" or "first".

    Returns:
        (B,) positions in the table, -1 where there is none.

    Example:
        >>> from tsformers.calendar.bins import parse_bins
        >>> bins = bin_rows(np.zeros(3, np.int64), np.array([0, 1, 5]), parse_bins(5, integer=True))
        >>> present_rows(np.array([True, False, False]), bins)
        array([ 0, -1])
    """
    size = len(bins.order)
    here, place = present[bins.order], np.arange(size)
    if how == "last":
        found = np.maximum.reduceat(np.where(here, place, -1), bins.starts)
    else:
        found = np.minimum.reduceat(np.where(here, place, size), bins.starts)
    return np.where((found >= 0) & (found < size), bins.order[np.clip(found, 0, size - 1)], -1)


def every_bin(bins: Bins) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All bins from the first to the last of each series, empty ones included.

    Args:
        bins: from ``bin_rows``.

    Returns:
        Series and beginning of each (both (F,)), and (B,) where the bins that hold a row stand among them.

    Example:
        >>> from tsformers.calendar.bins import parse_bins
        >>> every_bin(bin_rows(np.zeros(2, np.int64), np.array([0, 3]), parse_bins(1, integer=True)))[1:]
        (array([0, 1, 2, 3]), array([0, 3]))
    """
    new = np.ones(len(bins.code), dtype=bool)
    new[1:] = bins.code[1:] != bins.code[:-1]
    firsts = np.flatnonzero(new)
    lasts = np.append(firsts[1:], len(new)) - 1
    lengths = bins.position[lasts] - bins.position[firsts] + 1
    begin = np.cumsum(lengths) - lengths
    group = np.cumsum(new) - 1
    spots = bins.position - bins.position[firsts][group] + begin[group]
    position = np.arange(int(lengths.sum())) + np.repeat(bins.position[firsts] - begin, lengths)
    return np.repeat(bins.code[firsts], lengths), compose(position, np.array(bins.phase), bins.grid), spots
