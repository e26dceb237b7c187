"""Packed rows of a long frame: checked, sorted by series and time, on a complete grid; without a loop over series."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.duplicates import refuse_duplicates
from tsformers.calendar.frequency import guess_freq, refuse_integer_dates, within
from tsformers.calendar.grid import Grid, compose, like_times, parse
from tsformers.calendar.jitter import snap
from tsformers.calendar.regularity import Origin, plain, positions, show
from tsformers.data.dataframes import Frame, Schema, to_pandas
from tsformers.data.intake.columns import RowNames, Times, check_columns, read_ids, read_numbers, read_times
from tsformers.errors import DataError, first_names

MOST_GROWTH, MANY_ROWS = 20, 1_000_000  # a grid beyond both means a wrong stamp, not missing rows


class Rows(NamedTuple):
    """Packed rows and what was read from the frame beside them; fields as in ``Panel``."""

    ids: pd.Index
    offsets: np.ndarray
    times: np.ndarray
    y: np.ndarray
    past: np.ndarray
    known: np.ndarray
    grid: Grid
    schema: Schema
    dropped: pd.Index


class Table(NamedTuple):
    """A frame read column by column, in the caller's order; ``rows`` are positions in the caller's frame."""

    ids: pd.Index
    code: np.ndarray
    rows: np.ndarray
    times: Times
    y: np.ndarray
    covariates: np.ndarray


def pack(
    data: Frame, schema: Schema, freq: str | int | None = None, short: str = "error", fitted: Grid | None = None
) -> Rows:
    """Read, check, sort and complete a long frame.

    Args:
        data: anything that ``to_pandas`` takes.
        schema: names of the columns and of the known covariates.
        freq: a pandas alias or an integer step; None = inferred.
        short: "error" refuses series without a value, "drop" leaves them out with a warning.
        fitted: the grid of an earlier panel, in place of ``freq``; the past covariates and the time zone must be those
            of ``schema`` then. None = they are read from the frame.

    Returns:
        Rows in the order of ids and time.

    Raises:
        DataError: the data cannot be used; names column, series, row and remedy.

    Example:
        >>> frame = pd.DataFrame({"unique_id": ["a", "a"], "ds": [4, 1], "y": [4.0, 1.0]})
        >>> pack(frame, Schema(), 1).y
        array([ 1., nan, nan,  4.])
    """
    frame, backend = to_pandas(data, schema.id_col, schema.time_col, schema.target_col)
    keys = {"id_col": schema.id_col, "time_col": schema.time_col, "target_col": schema.target_col}
    check_columns(frame, keys, schema.known if fitted is None else ())
    past = tuple(name for name in frame.columns if name not in (*keys.values(), *schema.known))
    if fitted is not None:
        _refuse_other_covariates([name for name in frame.columns if name not in keys.values()], schema)
    else:
        schema = replace(schema, past=past)
    table = read(frame, schema)
    zone = table.times.tz
    if fitted is not None and (zone is None) != (schema.tz is None):
        have, want = ("no time zone", "one") if zone is None else (f"time zone {zone}", "none")
        raise DataError(
            f"column {schema.time_col!r} has {have}, the data of fit had {want}; use .dt.tz_localize to make them alike"
        )
    table, dropped = _valued(table, schema, short)
    schema = replace(schema, tz=zone if fitted is None else schema.tz, backend=backend, unit=table.times.unit)
    return _complete(table, schema, freq, fitted)._replace(dropped=dropped)


def _refuse_other_covariates(covariates: Sequence[str], schema: Schema) -> None:
    fitted = {*schema.past, *schema.known}
    missing, extra = (sorted(names, key=str) for names in (fitted - {*covariates}, {*covariates} - fitted))
    if missing or extra:
        differences = [f"lacks {missing}" if missing else "", f"also has {extra}" if extra else ""]
        raise DataError(
            f"the covariates differ from those of fit: the frame {' and '.join(part for part in differences if part)}; "
            f"pass exactly the columns {list(schema.columns)}"
        )


def read(frame: pd.DataFrame, schema: Schema) -> Table:
    """The columns of a frame as arrays, in the caller's order.

    Args:
        frame: after ``check_columns``.
        schema: which columns; ``past`` and ``known`` in this order become the covariates.

    Returns:
        Ids, codes, times, values, covariates (R, P + K).

    Raises:
        DataError: as in ``read_ids``, ``read_times`` and ``read_numbers``.

    Example:
        >>> read(pd.DataFrame({"unique_id": [7], "ds": [1], "y": [2.5]}), Schema()).y
        array([2.5])
    """
    code, ids = read_ids(frame[schema.id_col], schema.id_col)
    names = RowNames(ids, code)
    times = read_times(frame[schema.time_col], schema.time_col, names)
    y = read_numbers(frame[schema.target_col], schema.target_col, names)
    covariates = np.empty((len(frame), len(schema.past) + len(schema.known)))
    for column, name in enumerate((*schema.past, *schema.known)):
        covariates[:, column] = read_numbers(frame[name], name, names, covariate=True)
    return Table(ids, code, np.arange(len(frame)), times, y, covariates)


def _valued(table: Table, schema: Schema, short: str) -> tuple[Table, pd.Index]:
    """Refuse or drop the series that have no value at all; the remaining table, and the dropped ids."""
    if short not in ("error", "drop"):
        raise DataError(f"short={short!r} is neither 'error' nor 'drop'; pass one of them")
    empty = np.bincount(table.code[~np.isnan(table.y)], minlength=len(table.ids)) == 0
    if not empty.any():
        return table, table.ids[empty]
    names = first_names(map(plain, table.ids[empty]))
    if short == "error" or empty.all():
        row = int(np.flatnonzero(empty[table.code])[0])
        raise DataError(
            f"column {schema.target_col!r} of series {plain(table.ids[table.code[row]])!r} is all NaN (first at row "
            f"{row}; {int(empty.sum())} such series: {names}); leave them out"
            + ("" if empty.all() else ", for example with short='drop'")
        )
    warnings.warn(f"dropped {int(empty.sum())} series that have no value: {names}", UserWarning, stacklevel=4)
    rows = np.flatnonzero(~empty[table.code])
    times = table.times._replace(counts=table.times.counts[rows])
    code = (np.cumsum(~empty) - 1)[table.code[rows]]
    return Table(table.ids[~empty], code, rows, times, table.y[rows], table.covariates[rows]), table.ids[empty]


def _complete(table: Table, schema: Schema, freq: str | int | None, fitted: Grid | None) -> Rows:
    """Sort the rows, choose the frequency, and add the rows that the grid lacks."""
    stamp, unique = pd.factorize(table.times.counts, sort=True)
    code, rows = table.code, table.rows
    order = sort_order(code, stamp, len(table.ids), len(unique))
    if order is not None:
        code, stamp, rows = code[order], stamp[order], rows[order]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=len(table.ids)))])
    origin = Origin(table.ids, rows, schema.time_col)
    refuse_duplicates(code, stamp, unique, offsets, origin, schema.tz, table.times.integer)
    freq = table.times.freq if freq is None else freq
    given = "fit's freq=" if fitted is not None else "" if freq is None else "freq="
    if not table.times.integer:
        given_grid = fitted if fitted is not None or freq is None else parse(freq, schema.tz)
        stamp, unique, _ = snap(stamp, unique, offsets, schema.tz, given_grid)
    if fitted is None and freq is None:
        if table.times.integer:
            refuse_integer_dates(unique, schema.time_col)
        freq = guess_freq(stamp, unique, offsets, schema.tz, table.times.integer)
    grid = _fitting(parse(freq, schema.tz) if fitted is None else fitted, table.times.integer, schema.time_col)
    place, phase = positions(stamp, unique, offsets, grid, origin, given)
    spots, full = _grid_rows(place, unique[stamp], offsets, grid, origin)
    y = _spread(table.y, order, spots, full)
    covariates = _spread(table.covariates, order, spots, full)
    past, known = (np.ascontiguousarray(part) for part in np.split(covariates, [len(schema.past)], axis=1))
    counts = unique[stamp]
    if spots is not None:
        steps = np.arange(full[-1]) + np.repeat(place[offsets[:-1]] - full[:-1], np.diff(full))
        counts, present = compose(steps, np.repeat(phase, np.diff(full)), grid), counts
        counts[spots] = present
    return Rows(table.ids, full, like_times(counts, grid), y, past, known, grid, schema, table.ids[:0])


def sort_order(code: np.ndarray, stamp: np.ndarray, n_series: int, n_stamps: int) -> np.ndarray | None:
    """The order of rows by series, then time; None where they are sorted.

    Linear time where most series have most stamps: each row then has its own slot in a series x stamps table.

    Args:
        code: (R,) series of each row, below ``n_series``.
        stamp: (R,) rank of each row's time, below ``n_stamps``.
        n_series: N.
        n_stamps: number of different times.

    Returns:
        (R,) positions; rows of the same series and time keep their order.

    Example:
        >>> sort_order(np.array([1, 0]), np.array([0, 0]), 2, 1)
        array([1, 0])
    """
    key = code * n_stamps + stamp
    if (key[1:] >= key[:-1]).all():
        return None
    if n_series * n_stamps <= 4 * len(key):
        slot = np.full(n_series * n_stamps, -1)
        slot[key] = np.arange(len(key))
        order = slot[slot >= 0]
        if len(order) == len(key):
            return order
    return np.argsort(key, kind="stable")


def _fitting(grid: Grid, integer: bool, column: str) -> Grid:
    if (grid.unit == "int") == integer:
        return grid
    kind, todo = ("datetimes", "a pandas alias such as 'D'")
    if integer:
        kind, todo = "integers", "an integer step, or convert the column with pd.to_datetime"
    raise DataError(f"column {column!r} holds {kind} and freq={grid.freq!r} does not fit them; pass {todo}")


def _grid_rows(
    place: np.ndarray, stamps: np.ndarray, offsets: np.ndarray, grid: Grid, origin: Origin
) -> tuple[np.ndarray | None, np.ndarray]:
    """Position of each row on the complete grid (None = there are no gaps), and the offsets of that grid."""
    first, last = place[offsets[:-1]], place[offsets[1:] - 1]
    size = float((last - first + 1.0).sum())
    if size == len(place):
        return None, offsets
    if size > MANY_ROWS and size > MOST_GROWTH * len(place):
        steps = np.diff(place)
        at = int(np.argmax(np.where(within(offsets), steps, 0)))
        raise DataError(
            f"column {origin.column!r} of series {origin.name(at, offsets)} jumps from {show(stamps[at], grid)} at "
            f"{origin.at(at)} to {show(stamps[at + 1], grid)} at {origin.at(at + 1)}, {steps[at]} steps of "
            f"{grid.freq!r}: filled gaps make {len(place)} rows {size:.0f}; correct the stamp, or pass a longer freq="
        )
    full = np.concatenate([[0], np.cumsum(last - first + 1)])
    return place + np.repeat(full[:-1] - first, np.diff(offsets)), full


def _spread(values: np.ndarray, order: np.ndarray | None, spots: np.ndarray | None, offsets: np.ndarray) -> np.ndarray:
    """Values in sorted order, NaN where the grid has a row and the frame has none; never a view of the caller's."""
    if spots is None:
        return values.copy() if order is None else values[order]
    full = np.full((int(offsets[-1]), *values.shape[1:]), np.nan)
    full[spots] = values if order is None else values[order]
    return full
