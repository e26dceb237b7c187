"""Packed rows of a long frame: checked, sorted by series and time, on a complete grid; without a loop over series."""

import warnings
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.duplicates import refuse_duplicates
from tsformers.calendar.frequency import ROWS_AT_ONCE, guess_freq, within
from tsformers.calendar.grid import Grid, compose, like_times, parse
from tsformers.calendar.jitter import snap
from tsformers.calendar.regularity import Given, Origin, grows_too_much, plain, positions, show
from tsformers.calendar.timestamps import Times
from tsformers.data.dataframes import Frame, Schema
from tsformers.data.intake.asked import NOTHING, Asked
from tsformers.data.intake.binning import aggregates, binned, said_of_repeats
from tsformers.data.intake.bound import bound_ids, bound_source, bound_times, key_columns, times_of
from tsformers.data.intake.columns import RowNames, check_columns
from tsformers.data.intake.ids import Ids, all_text, ids_of
from tsformers.data.intake.kinds import counts_rows, kind_of
from tsformers.data.intake.numbers import read_numbers
from tsformers.data.intake.offers import more_ids
from tsformers.data.intake.one_hot import levels, read_covariates
from tsformers.data.intake.roles import find_roles
from tsformers.data.intake.sentinels import sentinels, warning_of
from tsformers.data.intake.source import Source, source_of
from tsformers.errors import DataError, first_names
from tsformers.messages import Option, Part
from tsformers.places import Places


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
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Table(NamedTuple):
    """A frame read column by column, in the caller's order; ``rows`` are positions in the caller's frame."""

    ids: pd.Index
    code: np.ndarray
    rows: np.ndarray | range
    times: Times
    y: np.ndarray
    covariates: np.ndarray


class Fitted(NamedTuple):
    """What binds a later frame: schema, grid (None = unknown), ids, and whether time counts in whole numbers."""

    schema: Schema
    grid: Grid | None
    ids: pd.Index
    integer: bool = False


def pack(data: Frame, asked: Asked = NOTHING, freq: str | int | None = None, short: str = "error") -> Rows:
    """Find the roles of the columns; read, check, sort and complete a long frame.

    Args:
        data: anything that ``to_pandas`` takes.
        asked: what the caller chose.
        freq: a pandas alias or an integer step; None = inferred.
        short: "error" refuses series without a value, "drop" leaves them out with a warning.

    Returns:
        Rows in the order of ids and time.

    Raises:
        DataError: the data cannot be used; names column, series, row and remedy.

    Example:
        >>> frame = pd.DataFrame({"unique_id": ["a", "a"], "ds": [4, 1], "y": [4.0, 1.0]})
        >>> pack(frame, freq=1).y
        array([ 1., nan, nan,  4.])
    """
    usual = ((asked.ids or ("unique_id",))[0], (asked.times or ("ds",))[0], asked.target or "y")
    source = source_of(data, asked.columns, usual).without(
        asked.missing, (*usual, *asked.columns[: len(asked.ids or ())])
    )
    roles = find_roles(source, asked)
    ids = ids_of(source, roles.ids, roles.target)
    schema = Schema(
        roles.ids[0] if len(roles.ids) == 1 else "/".join(map(str, roles.ids)) or "unique_id",
        roles.times[0] if len(roles.times) == 1 else " ".join(map(str, roles.times)),
        roles.target,
        roles.past,
        asked.known,
        backend=source.backend,
        id_cols=roles.ids if len(roles.ids) > 1 else (),
        id_sep=ids.sep,
        id_kinds=ids.kinds,
        time_cols=roles.times if len(roles.times) > 1 else (),
        single=not roles.ids,
        text_ids=bool(roles.ids) and all_text(ids.names),
        missing=asked.missing,
        levels=levels(source, (*roles.past, *asked.known)),
        resample=asked.resample,
        aggregate=asked.aggregate,
        left_out=roles.left_out,
    )
    lookup = RowNames(ids.names, ids.code)
    time_format = asked.time_format
    if time_format is None and isinstance(freq, int) and len(roles.times) == 1:  # a step of counts: the times are such
        numbers = pd.to_numeric(source.cells(roles.times[0]).astype(object), errors="coerce")
        time_format = "count" if numbers.notna().all() else None
    times = times_of(source, roles.times, lookup, time_format, asked.tz)
    schema = replace(schema, tz=times.tz, unit=times.unit, form=times.form, zone_given=asked.tz is not None)
    rows = _packed(source, schema, ids, times, freq, short, None)
    if not roles.together:
        return rows
    return rows._replace(notes=(said_of_repeats(roles.together, len(source.frame), asked.aggregate), *rows.notes))


def pack_like(data: Frame, fitted: Fitted, short: str = "error", only: pd.Index | None = None) -> Rows:
    """Read a later frame as the one of ``fit`` was read.

    Args:
        data: anything that ``to_pandas`` takes.
        fitted: of the panel of ``fit``.
        short: as in ``pack``.
        only: the series whose values are read, without covariates; None = all, with covariates.

    Returns:
        Rows in the order of ids and time.

    Raises:
        DataError: the frame has other covariates, another kind of time, or is refused as in ``pack``.

    Example:
        >>> frame = pd.DataFrame({"unique_id": ["a", "a"], "ds": [4, 1], "y": [4.0, 1.0]})
        >>> pack_like(frame, Fitted(Schema(), parse(1), pd.Index(["a"]), True)).times
        array([1, 2, 3, 4])
    """
    schema = fitted.schema if only is None else replace(fitted.schema, past=(), known=(), levels={})
    source = bound_source(data, schema, None if only is None else "history")
    keys = key_columns(source, schema)
    check_columns(source.frame, {**keys, "target_col": schema.target_col}, what=source.places.what)
    if only is None:
        _refuse_other_covariates(source, schema)
    ids = bound_ids(source, schema, fitted.ids)
    if only is not None:
        rows = np.flatnonzero(ids.names.isin(only)[ids.code])
        if not len(rows):
            raise DataError(f"{source.places.what} has none of the series {first_names(map(plain, only))}")
        source, ids = source.taken(rows), ids.taken(rows)
    times = bound_times(source, schema, RowNames(ids.names, ids.code), fitted.integer)
    form = times.form if schema.form.kind == "datetime" == times.form.kind else schema.form
    schema = replace(schema, backend=source.backend, unit=times.unit, form=form)
    return _packed(source, schema, ids, times, None, short, fitted.grid)


def _packed(
    source: Source,
    schema: Schema,
    ids: Ids,
    times: Times,
    freq: Any,
    short: str,
    fitted: Grid | None,
) -> Rows:
    lookup = RowNames(ids.names, ids.code)
    y = read_numbers(
        source.numeric(schema.target_col), schema.target_col, lookup, source.places, missing=schema.missing
    )
    covariates = read_covariates(source, (*schema.past, *schema.known), schema, lookup)
    table = Table(ids.names, ids.code, range(len(y)), times, y, covariates)
    table, dropped = _valued(table, schema, short, source.places)
    notes: tuple[str, ...] = ()
    if schema.resample is not None:
        table, bins, note = _resampled(table, schema)
        if freq is not None and parse(freq, schema.tz).freq != bins.freq:
            raise DataError(Option("freq", freq), f" is not that of bins of {schema.resample!r}; leave it out")
        freq, notes = bins if fitted is None else None, (note,) if note else ()
    rows = _complete(table, schema, freq, fitted, source)
    rows = rows._replace(dropped=dropped, facts=source.facts, notes=(*notes, *rows.notes))
    found = sentinels(rows.y, rows.offsets)
    if found:
        warnings.warn(warning_of(found, schema.target_col, rows.ids), stacklevel=4)
    return rows


def _resampled(table: Table, schema: Schema) -> tuple[Table, Grid, str]:
    """The table with one row a bin, the grid of the bins, and what is to be reported of empty ones."""
    values = np.column_stack([table.y, table.covariates])
    how = aggregates(schema, (*schema.past, *schema.known))
    code, counts, columns, rows, grid, note = binned(
        table.code, table.times.counts, values, how, schema, table.times.integer
    )
    times = table.times._replace(counts=counts, freq=None)
    return Table(table.ids, code, np.asarray(table.rows)[rows], times, columns[:, 0], columns[:, 1:]), grid, note


def _refuse_other_covariates(source: Source, schema: Schema) -> None:
    frame = source.frame
    missing = [name for name in (*schema.past, *schema.known) if name not in frame.columns]
    have = {*schema.columns, schema.id_col, *(name for name, _ in schema.left_out)}
    extra = [
        name
        for name in frame.columns
        if name not in have and kind_of(frame[name]) in ("number", "truth") and not counts_rows(name, frame[name])
    ]
    if missing or extra:
        missing, extra = sorted(missing, key=str), sorted(extra, key=str)
        differences = [f"lacks {missing}" if missing else "", f"also has {extra}" if extra else ""]
        raise DataError(
            f"the covariates differ from those of fit: {source.places.what} "
            f"{' and '.join(part for part in differences if part)}; pass exactly the columns {list(schema.columns)}"
        )


def _valued(table: Table, schema: Schema, short: str, places: Places) -> tuple[Table, pd.Index]:
    """Refuse or drop the series that have no value at all; the remaining table, and the dropped ids."""
    if short not in ("error", "drop"):
        raise DataError(Option("short", short), " is neither 'error' nor 'drop'; pass one of them")
    empty = np.bincount(table.code[~np.isnan(table.y)], minlength=len(table.ids)) == 0
    if not empty.any():
        return table, table.ids[empty]
    names = first_names(map(plain, table.ids[empty]))
    if short == "error" or empty.all():
        row = int(np.flatnonzero(empty[table.code])[0])
        remedy: list[Part] = [] if empty.all() else [", for example with ", Option("short", "drop")]
        raise DataError(
            f"column {schema.target_col!r} of series {plain(table.ids[table.code[row]])!r} is all NaN (first at "
            f"{places.at(row)}; {int(empty.sum())} such series: {names}); leave them out", *remedy,
        )  # fmt: skip
    warnings.warn(f"dropped {int(empty.sum())} series that have no value: {names}", UserWarning, stacklevel=5)
    rows = np.flatnonzero(~empty[table.code])
    times = table.times._replace(counts=table.times.counts[rows])
    code = (np.cumsum(~empty) - 1)[table.code[rows]]
    return Table(table.ids[~empty], code, rows, times, table.y[rows], table.covariates[rows]), table.ids[empty]


def _complete(table: Table, schema: Schema, freq: str | int | None, fitted: Grid | None, source: Source) -> Rows:
    """Sort the rows, choose the frequency, and add the rows that the grid lacks."""
    stamp, unique = pd.factorize(table.times.counts, sort=True)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(table.code, minlength=len(table.ids)))])
    rows, order = table.rows, sort_order(table.code, stamp, len(table.ids), len(unique))
    if order is not None:
        stamp, rows = stamp[order], order if isinstance(rows, range) else rows[order]
    origin = Origin(table.ids, rows, schema.time_col, source.places)
    others = partial(_more_ids, source, schema) if fitted is None else tuple
    refuse_duplicates(stamp, unique, offsets, origin, schema.tz, table.times.integer, others)
    freq = table.times.freq if freq is None else freq
    given: Given = "fit" if fitted is not None else "" if freq is None else "freq"
    note = ""
    if not table.times.integer:
        given_grid = fitted if fitted is not None or freq is None else parse(freq, schema.tz)
        stamp, unique, note = snap(stamp, unique, offsets, schema.tz, given_grid)
    if fitted is None and freq is None:
        freq = guess_freq(stamp, unique, offsets, schema.tz, table.times.integer)
    grid = _fitting(parse(freq, schema.tz) if fitted is None else fitted, table.times.integer, schema.time_col)
    place, phase = positions(stamp, unique, offsets, grid, origin, given)
    spots, full = _grid_rows(place, unique, stamp, offsets, grid, origin, schema.resample is not None)
    first = place[offsets[:-1]]
    del place  # as large as the table's times
    times = unique[stamp] if spots is None else _grid_times(unique, stamp, spots, first, phase, full, grid)
    del stamp
    y = _spread(table.y, order, spots, full)
    covariates = _spread(table.covariates, order, spots, full)
    past, known = (np.ascontiguousarray(part) for part in np.split(covariates, [len(schema.past_columns)], axis=1))
    notes = (f"{note} ({schema.time_col!r})",) if note else ()
    return Rows(table.ids, full, like_times(times, grid), y, past, known, grid, schema, table.ids[:0], (), notes)


def _more_ids(source: Source, schema: Schema) -> list[Part]:
    if schema.single:
        return []
    ids = schema.id_cols or (schema.id_col,)
    free = [name for name in source.frame.columns if name not in (schema.target_col, *schema.known)]
    return more_ids(source, ids, schema.time_cols or (schema.time_col,), free)


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
        slot: np.ndarray = np.full(n_series * n_stamps, -1, dtype=np.int32 if len(key) < 2**31 else np.int64)
        slot[key] = np.arange(len(key), dtype=slot.dtype)
        order = slot[slot >= 0].astype(np.int64)
        if len(order) == len(key):
            return order
    return np.argsort(key, kind="stable")


def _fitting(grid: Grid, integer: bool, column: str) -> Grid:
    if (grid.unit == "int") == integer:
        return grid
    remedy: list[Part] = ["a pandas alias such as ", Option("freq", "D")]
    if integer:
        remedy = ["a whole number such as ", Option("freq", 1), ", or say how they are dates with ",
                  Option("time_format")]  # fmt: skip
    kind = "whole numbers" if integer else "datetimes"
    raise DataError(
        f"column {column!r} holds {kind} and ", Option("freq", grid.freq), " does not fit them; pass ", *remedy
    )


def _grid_rows(
    place: np.ndarray,
    unique: np.ndarray,
    stamp: np.ndarray,
    offsets: np.ndarray,
    grid: Grid,
    origin: Origin,
    binned: bool,
) -> tuple[np.ndarray | None, np.ndarray]:
    """Position of each row on the complete grid (None = there are no gaps), and the offsets of that grid."""
    first, last = place[offsets[:-1]], place[offsets[1:] - 1]
    size = float((last - first + 1.0).sum())
    if size == len(place):
        return None, offsets
    if grows_too_much(size, len(place)):
        steps = np.diff(place)
        at = int(np.argmax(np.where(within(offsets), steps, 0)))
        before, after = unique[stamp[at : at + 2]]
        raise DataError(
            f"column {origin.column!r} of series {origin.name(at, offsets)} jumps from {show(before, grid)} at "
            f"{origin.at(at)} to {show(after, grid)} at {origin.at(at + 1)}, {steps[at]} steps of "
            f"{grid.freq!r}: filled gaps make {len(place)} rows {size:.0f}; correct the stamp, or pass a longer ",
            Option("resample" if binned else "freq"),
        )
    full = np.concatenate([[0], np.cumsum(last - first + 1)])
    return place + np.repeat(full[:-1] - first, np.diff(offsets)), full


def _grid_times(
    unique: np.ndarray,
    stamp: np.ndarray,
    spots: np.ndarray,
    first: np.ndarray,
    phase: np.ndarray,
    offsets: np.ndarray,
    grid: Grid,
) -> np.ndarray:
    """Stamps of the complete grid, those of the frame's rows as they are; a block at a time, to hold no more."""
    times, start = np.empty(int(offsets[-1]), dtype=np.int64), 0
    while start < len(first):
        within_reach = int(np.searchsorted(offsets, offsets[start] + ROWS_AT_ONCE, side="right")) - 1
        part = slice(start, max(within_reach, start + 1))
        begin, end = int(offsets[part.start]), int(offsets[part.stop])
        lengths = np.diff(offsets[part.start : part.stop + 1])
        steps = np.arange(begin, end) + np.repeat(first[part] - offsets[part], lengths)
        times[begin:end] = compose(steps, np.repeat(phase[part], lengths), grid)
        start = part.stop
    for row in range(0, len(stamp), ROWS_AT_ONCE):
        rows = slice(row, row + ROWS_AT_ONCE)
        times[spots[rows]] = unique[stamp[rows]]
    return times


def _spread(values: np.ndarray, order: np.ndarray | None, spots: np.ndarray | None, offsets: np.ndarray) -> np.ndarray:
    """Values in sorted order, NaN where the grid has a row and the frame has none; never a view of the caller's."""
    if spots is None:
        return values.copy() if order is None else values[order]
    full = np.full((int(offsets[-1]), *values.shape[1:]), np.nan)
    full[spots] = values if order is None else values[order]
    return full
