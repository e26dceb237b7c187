"""From a long frame to packed rows: sorted by series and time, on a complete grid, checked on the way; no loop over series."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.checks import RowNames, Times, check_columns, read_ids, read_numbers, read_times
from tsformers.errors import DataError
from tsformers.frames import Frame, Schema, to_pandas
from tsformers.frequency import guess_freq, within
from tsformers.grid import Grid, compose, like_times, parse
from tsformers.regularity import plain, positions, show

MOST_GROWTH, MANY_ROWS = 20, 1_000_000  # a grid beyond both is a wrong stamp rather than missing rows


class Rows(NamedTuple):
    """Packed rows, and what was learned about the frame; fields as in ``Panel``."""

    ids: pd.Index
    offsets: np.ndarray
    times: np.ndarray
    y: np.ndarray
    past: np.ndarray
    known: np.ndarray
    freq: str | int
    schema: Schema


class Table(NamedTuple):
    """A frame read column by column, rows in the caller's order; ``rows`` are their positions in the caller's frame."""

    ids: pd.Index
    code: np.ndarray
    rows: np.ndarray
    times: Times
    y: np.ndarray
    covariates: np.ndarray


def pack(data: Frame, schema: Schema, freq: str | int | None, short: str, fixed: bool) -> Rows:
    """Read, check, sort and complete a long frame.

    Args:
        data: anything that ``to_pandas`` takes.
        schema: names of the columns and of the known covariates.
        freq: None = inferred.
        short: "error" refuses series without a value, "drop" leaves them out with a warning.
        fixed: True where past covariates, zone and kind of time must be those of ``schema``; else they are read off the frame.

    Returns:
        Rows in the order of ids and time.

    Raises:
        DataError: whatever makes the data unusable, by column, series, row and remedy.

    Example:
        >>> frame = pd.DataFrame({"unique_id": ["a", "a"], "ds": [4, 1], "y": [4.0, 1.0]})
        >>> pack(frame, Schema(), 1, "error", fixed=False).y
        array([ 1., nan, nan,  4.])
    """
    frame, backend = to_pandas(data, schema.id_col, schema.time_col, schema.target_col)
    keys = {"id_col": schema.id_col, "time_col": schema.time_col, "target_col": schema.target_col}
    check_columns(frame, keys, schema.known)
    past = tuple(name for name in frame.columns if name not in (*keys.values(), *schema.known))
    if fixed:
        _refuse_other_covariates(past, schema)
    else:
        schema = replace(schema, past=past)
    table = read(frame, schema)
    zone = table.times.tz
    if fixed and (zone is None) != (schema.tz is None):
        have, want = ("no time zone", "one") if zone is None else (f"time zone {zone}", "none")
        raise DataError(
            f"column {schema.time_col!r} has {have}, the data of fit had {want}; use .dt.tz_localize to make them alike"
        )
    table = _valued(table, schema, short)
    schema = replace(schema, tz=schema.tz if fixed else zone, backend=backend, unit=table.times.unit)
    return _complete(table, schema, freq)


def _refuse_other_covariates(past: Sequence[str], schema: Schema) -> None:
    missing = sorted(set(schema.past) - set(past), key=str)
    extra = sorted(set(past) - set(schema.past), key=str)
    if missing or extra:
        said = [f"lacks {missing}" if missing else "", f"has {extra} besides" if extra else ""]
        raise DataError(
            f"the covariates differ from those of fit: the frame {' and '.join(part for part in said if part)}; "
            f"pass exactly the columns {list(schema.columns)}"
        )


def read(frame: pd.DataFrame, schema: Schema) -> Table:
    """The columns of a frame as arrays, in the caller's order.

    Args:
        frame: columns checked already.
        schema: which columns; ``past`` and ``known`` in this order become the covariates.

    Returns:
        Ids, codes, times, values, covariates (R, P + K).

    Raises:
        DataError: as ``read_ids``, ``read_times`` and ``read_numbers`` say.

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


def _valued(table: Table, schema: Schema, short: str) -> Table:
    """Refuse or leave out the series that have no value at all."""
    if short not in ("error", "drop"):
        raise DataError(f"short={short!r} is neither 'error' nor 'drop'; pass one of them")
    n_values = np.bincount(table.code[~np.isnan(table.y)], minlength=len(table.ids))
    empty = n_values == 0
    if not empty.any():
        return table
    names = [plain(name) for name in table.ids[empty][:5]]
    listed = ", ".join(repr(name) for name in names) + (", ..." if empty.sum() > 5 else "")
    if short == "error" or empty.all():
        row = int(table.rows[empty[table.code]][0])
        raise DataError(
            f"column {schema.target_col!r} of series {plain(table.ids[table.code[row]])!r} is all NaN (from row {row} on), "
            f"{int(empty.sum())} series in all ({listed}); leave them out of the frame"
            + ("" if empty.all() else ", or pass short='drop'")
        )
    warnings.warn(f"{int(empty.sum())} series without a value were dropped: {listed}", UserWarning, stacklevel=2)
    rows = np.flatnonzero(~empty[table.code])
    renumbered = np.cumsum(~empty) - 1
    times = table.times._replace(counts=table.times.counts[rows])
    return Table(table.ids[~empty], renumbered[table.code[rows]], rows, times, table.y[rows], table.covariates[rows])


def _complete(table: Table, schema: Schema, freq: str | int | None) -> Rows:
    """Sort, settle the frequency, and add the rows that the grid lacks."""
    stamp, unique = pd.factorize(table.times.counts, sort=True)
    unique = np.asarray(unique)
    order = sort_order(table.code, stamp, len(table.ids), len(unique))
    code, rows = table.code, table.rows
    if order is not None:
        code, stamp, rows = code[order], stamp[order], rows[order]
    _refuse_duplicates(code, stamp, rows, unique, table, schema)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=len(table.ids)))])
    grid = _settle(freq, stamp, unique, offsets, table, schema)
    place, phase = positions(
        stamp,
        unique,
        offsets,
        grid,
        table.times.tz and schema.tz,
        table.ids,
        rows,
        schema.time_col,
        given=freq is not None,
    )
    spots, offsets_full = _grid_rows(
        place, offsets, table.ids, rows, schema, lambda row: show(unique[stamp[row]], grid, schema.tz)
    )
    n_past = len(schema.past)
    y = _spread(table.y, order, spots, offsets_full)
    covariates = _spread(table.covariates, order, spots, offsets_full)
    counts = unique[stamp]
    if spots is not None:
        lengths = np.diff(offsets_full)
        first = place[offsets[:-1]] - offsets_full[:-1]
        full = np.arange(offsets_full[-1]) + np.repeat(first, lengths)
        counts, seen = compose(full, np.repeat(phase, lengths), grid, schema.tz), counts
        counts[spots] = seen
    past, known = (np.ascontiguousarray(part) for part in (covariates[:, :n_past], covariates[:, n_past:]))
    return Rows(table.ids, offsets_full, like_times(counts, grid), y, past, known, grid.freq, schema)


def sort_order(code: np.ndarray, stamp: np.ndarray, n_series: int, n_stamps: int) -> np.ndarray | None:
    """What sorts rows by series, then time; None where they are sorted. Linear where most series have most stamps.

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


def _refuse_duplicates(
    code: np.ndarray, stamp: np.ndarray, rows: np.ndarray, unique: np.ndarray, table: Table, schema: Schema
) -> None:
    same = (code[1:] == code[:-1]) & (stamp[1:] == stamp[:-1])
    if not same.any():
        return
    at = int(np.flatnonzero(same)[0])
    grid = parse(1 if table.times.integer else "ns")
    raise DataError(
        f"columns {schema.id_col!r}, {schema.time_col!r}: series {plain(table.ids[code[at]])!r} has {show(unique[stamp[at]], grid, table.times.tz)} "
        f"twice, at rows {rows[at]} and {rows[at + 1]} ({int(same.sum())} duplicates in all); drop or aggregate them, for example "
        f"df.groupby([{schema.id_col!r}, {schema.time_col!r}], as_index=False).mean(), and give hourly local time its time zone"
    )


def _settle(
    freq: str | int | None, stamp: np.ndarray, unique: np.ndarray, offsets: np.ndarray, table: Table, schema: Schema
) -> Grid:
    if freq is None:
        freq = table.times.freq
    if freq is None:
        freq = guess_freq(stamp, unique, offsets, table.times.tz, table.times.integer)
    grid = parse(freq)
    if (grid.unit == "int") != table.times.integer:
        kind = "integers" if table.times.integer else "datetimes"
        todo = (
            "an integer step, or convert the column with pd.to_datetime"
            if table.times.integer
            else "a pandas alias such as 'D'"
        )
        raise DataError(f"column {schema.time_col!r} holds {kind} and freq={freq!r} does not fit them; pass {todo}")
    return grid


def _grid_rows(
    place: np.ndarray, offsets: np.ndarray, ids: pd.Index, rows: np.ndarray, schema: Schema, shown: Callable[[int], str]
) -> tuple[np.ndarray | None, np.ndarray]:
    """Where each row stands on the complete grid (None = there are no gaps), and the offsets of that grid."""
    steps, inner = np.diff(place), within(offsets)
    if (steps[inner] == 1).all():
        return None, offsets
    first, last = place[offsets[:-1]], place[offsets[1:] - 1]
    full = np.concatenate([[0], np.cumsum(last - first + 1)])
    if full[-1] > MANY_ROWS and full[-1] > MOST_GROWTH * len(place):
        at = int(np.argmax(np.where(inner, steps, 0)))
        name = ids[np.searchsorted(offsets, at, side="right") - 1]
        raise DataError(
            f"column {schema.time_col!r} of series {plain(name)!r} jumps by {steps[at]} steps from {shown(at)} at row {rows[at]} to "
            f"{shown(at + 1)} at row {rows[at + 1]}: filling the gaps would make {full[-1]} rows of {len(place)}; correct that stamp, or "
            "pass a coarser freq="
        )
    return place + np.repeat(full[:-1] - first, np.diff(offsets)), full


def _spread(values: np.ndarray, order: np.ndarray | None, spots: np.ndarray | None, offsets: np.ndarray) -> np.ndarray:
    """Values in sorted order, NaN where the grid has a row and the frame has none."""
    values = values if order is None else values[order]
    if spots is None:
        return values
    full = np.full((int(offsets[-1]), *values.shape[1:]), np.nan)
    full[spots] = values
    return full
