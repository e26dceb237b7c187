"""Rows brought to bins of time, before they are packed: ``resample=`` of ``Panel.from_frame``."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tsformers.calendar.aggregation import AGGREGATES, Bins, aggregate, bin_rows
from tsformers.calendar.bins import parse_bins
from tsformers.calendar.grid import Grid
from tsformers.data.dataframes import Schema
from tsformers.errors import DataError, did_you_mean
from tsformers.messages import Option


class Binned(NamedTuple):
    """One row a bin that holds a row.

    Args:
        code: (B,) series.
        counts: (B,) starts of the bins.
        values: (B, K) aggregated.
        rows: (B,) a row of each bin, its last.
        grid: of the starts.
        note: what became of empty bins; empty = nothing to tell.

    Example:
        >>> table = np.array([[1.0], [2.0], [5.0]])
        >>> found = binned(np.zeros(3, int), np.array([0, 1, 2]), table, ["sum"], Schema(resample="2"), True)
        >>> found.counts, found.values[:, 0]
        (array([0, 2]), array([3., 5.]))
    """

    code: np.ndarray
    counts: np.ndarray
    values: np.ndarray
    rows: np.ndarray
    grid: Grid
    note: str = ""


def binned(
    code: np.ndarray, counts: np.ndarray, values: np.ndarray, how: list[str], schema: Schema, integer: bool
) -> Binned:
    """Rows of any times as one row a bin.

    Args:
        code: (R,) series.
        counts: (R,) UTC nanoseconds or whole numbers.
        values: (R, K).
        how: what becomes of each of the K columns.
        schema: with the length of the bins and the zone.
        integer: whether time counts in whole numbers.

    Returns:
        The bins.

    Raises:
        DataError: a length without bins, or an unknown aggregate.
    """
    grid = parse_bins(schema.resample, schema.tz, integer)
    bins = bin_rows(code, counts, grid)
    columns = [aggregate(values[:, k], bins, one) for k, one in enumerate(how)]
    table = np.stack(columns, axis=1) if columns else np.empty((len(bins.starts), 0))
    return Binned(bins.code, bins.counts, table, bins.last_rows, grid, said_of_empty(bins, how))


def said_of_empty(bins: Bins, how: Sequence[str]) -> str:
    """What is to be reported of bins without a row.

    Args:
        bins: from ``bin_rows``.
        how: the aggregates.

    Returns:
        A sentence without a full stop; empty = nothing to tell.

    Example:
        >>> said_of_empty(bin_rows(np.zeros(2, int), np.array([0, 6]), parse_bins(2, integer=True)), ["sum"])
        '2 bins of 2 have no row: their sum is missing, not 0'
    """
    if not bins.empty or "sum" not in how:
        return ""
    return f"{bins.empty:,} bins of {bins.grid.freq!r} have no row: their sum is missing, not 0"


def said_of_repeats(count: int, rows: int, how: str | None) -> str:
    """What is to be reported of rows that repeat a time.

    Args:
        count: of them.
        rows: of the table.
        how: the aggregate; None = the mean.

    Returns:
        A sentence without a full stop.

    Example:
        >>> said_of_repeats(2, 2352, "sum")
        '2 of 2,352 rows repeat a time; rows of one time are added up'
    """
    done = {"sum": "are added up", None: "are averaged", "mean": "are averaged"}.get(how, f"become one by their {how}")
    verb = "repeats" if count == 1 else "repeat"
    return f"{count:,} of {rows:,} rows {verb} a time; rows of one time {done}"


def aggregates(schema: Schema, names: tuple[str, ...], target: bool = True) -> list[str]:
    """What becomes of the target and of each column of the covariates: means of numbers, the last of levels.

    Args:
        schema: with the aggregate of the target.
        names: of the covariates.
        target: whether the target comes first.

    Returns:
        One name a column.

    Raises:
        DataError: an unknown aggregate.

    Example:
        >>> aggregates(Schema(aggregate="sum", levels={"promo": ("no", "yes")}), ("price", "promo"))
        ['sum', 'mean', 'last', 'last']
    """
    chosen = schema.aggregate or "mean"
    if chosen not in AGGREGATES:
        raise DataError(Option("aggregate", chosen), f" is unknown; {did_you_mean(str(chosen), AGGREGATES)}")
    how = [chosen] if target else []
    for name in names:
        how += ["last"] * len(schema.levels[name]) if name in schema.levels else ["mean"]
    return how
