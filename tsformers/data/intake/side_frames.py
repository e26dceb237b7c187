"""Frames beside the long frame: static covariates, one row per series, and known covariates of future steps."""

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from tsformers.calendar.grid import Grid, as_counts
from tsformers.calendar.regularity import plain, show
from tsformers.data.dataframes import Frame, Schema
from tsformers.data.intake.binning import aggregates, binned
from tsformers.data.intake.bound import bound_ids, bound_source, bound_times, key_columns
from tsformers.data.intake.columns import RowNames, check_columns
from tsformers.data.intake.ids import Ids, ids_of, matched, refuse_unknown
from tsformers.data.intake.kinds import all_numbers, kind_of
from tsformers.data.intake.numbers import read_numbers
from tsformers.data.intake.one_hot import read_covariates
from tsformers.data.intake.source import Source, source_of, text_of
from tsformers.errors import DataError
from tsformers.messages import Option, Part
from tsformers.places import Places

SCHEMA = Schema()


def read_static(
    static: Frame | None, ids: pd.Index, schema: Schema = SCHEMA, fitted: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Static covariates in the order of the panel's ids.

    Args:
        static: a frame with one row a series, ids in the id column or in the index; rows of other series are ignored.
            None = no static covariates.
        ids: N names.
        schema: columns of ids and marks of missing values.
        fitted: the static covariates of ``fit``, whose columns and kinds bind these; None = none do.

    Returns:
        N rows, index = ids: float64 columns, and columns of text where the frame's are text or categories.

    Raises:
        DataError: duplicate or missing series, null or infinite values, a column of ``fit`` that is missing.

    Example:
        >>> static = pd.DataFrame({"unique_id": ["b", "a"], "size": [2, 1]})
        >>> read_static(static, pd.Index(["a", "b"]))["size"].tolist()
        [1.0, 2.0]
    """
    if static is None:
        return pd.DataFrame(index=ids)
    source = _static_source(static, ids, schema)
    what, columns = source.places.what, schema.id_cols or (schema.id_col,)
    check_columns(source.frame, {f"id_col[{k}]" if k else "id_col": name for k, name in enumerate(columns)}, what=what)
    found = matched(ids_of(source, columns, sep=schema.id_sep if schema.id_cols else None), ids, what)
    rows = _row_of_each(found, ids, source)
    wanted = source.frame.columns.drop(list(columns))
    if fitted is not None:
        lacking = [name for name in fitted.columns if name not in wanted]
        if lacking:
            raise DataError(
                f"{what} has no column {lacking[0]!r}, which fit had; pass the columns {list(fitted.columns)}"
            )
        wanted = fitted.columns
    values = {}
    for name in wanted:
        column = source.numeric(name).iloc[rows]
        null = np.asarray(column.isna())
        if null.any():
            at = int(np.flatnonzero(null)[0])
            raise DataError(
                f"column {name!r} of {what}, series {plain(ids[at])!r}: NaN at {source.places.at(rows[at])}; fill it "
                "in, or leave the column out"
            )
        text = kind_of(column) == "text" if fitted is None else not is_numeric_dtype(fitted[name].dtype)
        lookup = RowNames(found.names, found.code)
        values[name] = _texts(column) if text else _numbers(source, name, lookup, schema)[rows]
    return pd.DataFrame(values, index=ids)


def _static_source(static: Frame, ids: pd.Index, schema: Schema) -> Source:
    """The static frame, with ids that stand in its index as a column."""
    if isinstance(static, pd.Series):
        static = static.to_frame()
    if isinstance(static, pd.DataFrame) and schema.id_col not in static.columns and not schema.id_cols:
        index = static.index
        texts = [text_of(name) for name in index]
        if index.name == schema.id_col or ids.isin(index).all() or {text_of(name) for name in ids} <= {*texts}:
            static = static.rename_axis(schema.id_col).reset_index()
        elif schema.single and len(static) == 1:
            static = static.assign(**{schema.id_col: [ids[0]]})
    source = source_of(static, schema.id_cols, (schema.id_col, "", ""))
    source = source if source.table is not None else source.renamed("the static frame")
    return source.without(schema.missing, schema.id_cols or (schema.id_col,))


def _row_of_each(found: Ids, ids: pd.Index, source: Source) -> np.ndarray:
    """The row of each series of the panel."""
    code, names, what = found.code, found.names, source.places.what
    doubled = pd.Series(code).duplicated().to_numpy()
    if doubled.any():
        row = int(np.flatnonzero(doubled)[0])
        raise DataError(
            f"{what} has series {plain(names[code[row]])!r} twice, again at {source.places.at(row)}; keep one row a "
            "series"
        )
    first = np.empty(len(names), dtype=np.int64)
    first[code] = np.arange(len(code))
    at = names.get_indexer(ids)
    if (at < 0).any():
        lacking = [plain(name) for name in ids[at < 0][:5]]
        raise DataError(f"{what} lacks {int((at < 0).sum())} series, such as {lacking}; add one row for each")
    return first[at]


def _texts(column: pd.Series) -> np.ndarray:
    code, values = pd.factorize(column)
    return np.array([text_of(value) for value in values], dtype=object)[code]


def _numbers(source: Source, name: str, lookup: RowNames, schema: Schema) -> np.ndarray:
    column = source.numeric(name)
    if kind_of(column) == "text" and all_numbers(column):  # "1" is 1 where fit had numbers
        column = pd.to_numeric(column.astype(object))
    return read_numbers(column, name, lookup, source.places, True, schema.missing)


def future_rows(
    future: Frame | None,
    schema: Schema,
    ids: pd.Index,
    times: np.ndarray,
    grid: Grid,
    dropped: pd.Index | None = None,
) -> np.ndarray:
    """Known covariates at the stamps to be forecast.

    Rows at other stamps (the history, or beyond the horizon) or of series left out, and other columns, are ignored.

    Args:
        future: a frame of id, time and known columns.
        schema: the panel's.
        ids: N names.
        times: (N, H) stamps.
        grid: the panel's.
        dropped: names of the series that were left out of the panel.

    Returns:
        (N, H, K) float64.

    Raises:
        DataError: no frame, a missing column, an unknown series, missing or duplicate rows, NaN or infinite values.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> frame = pd.DataFrame({"unique_id": ["a"], "ds": [3], "price": [9.0]})
        >>> future_rows(frame, Schema(known=("price",)), pd.Index(["a"]), np.array([[3]]), parse(1))
        array([[[9.]]])
    """
    known, horizon = list(schema.known), times.shape[1]
    keys = key_columns(Source(pd.DataFrame(columns=[] if schema.single else [schema.id_col])), schema)
    needed: list[Part] = [
        "pass ", Option("future"), f" with the columns {[*keys.values(), *known]} for the {horizon} steps after each "
        "series",
    ]  # fmt: skip
    if future is None:
        raise DataError(f"the known covariates {known} need their future values; ", *needed)
    source = bound_source(future, schema, "the future frame")
    what = source.places.what
    check_columns(source.frame, key_columns(source, schema), known, what)
    found = bound_ids(source, schema, ids)
    code, lookup = found.code, RowNames(found.names, found.code)
    read = bound_times(source, schema, lookup, grid.unit == "int")
    refuse_unknown(found, ids if dropped is None or not len(dropped) else ids.append(dropped), source)
    series = ids.get_indexer(found.names)
    values, counts, rows = read_covariates(source, known, schema, lookup), read.counts, np.arange(len(code))
    if schema.resample is not None:
        how = aggregates(schema, schema.known, target=False)
        code, counts, values, rows, *_ = binned(code, counts, values, how, schema, read.integer)
    row_of = _match(series[code], counts, as_counts(times))
    if (row_of < 0).any():
        raise _lacking(row_of < 0, as_counts(times), ids, grid, what, needed)
    at = np.where(series[code] < 0, -1 - np.arange(len(code)), series[code])
    _refuse_repeats(at, counts, lookup, source.places)
    values = values[row_of]
    null = np.isnan(values)
    if null.any():
        i, step, k = (int(part) for part in np.argwhere(null)[0])
        raise DataError(
            f"column {schema.known_columns[k].partition('=')[0]!r} of {what}, series {plain(ids[i])!r}: NaN at "
            f"{source.places.at(rows[row_of[i, step]])}; fill in what will be known, or fit without this column in ",
            Option("known"),
        )
    return values


def _lacking(
    short: np.ndarray, wanted: np.ndarray, ids: pd.Index, grid: Grid, what: str, needed: list[Part]
) -> DataError:
    series = np.flatnonzero(short.any(axis=1))
    i = int(series[0])
    missing = [show(count, grid) for count in wanted[i][short[i]]]
    listed = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
    return DataError(
        f"{what} lacks {len(missing)} of the {wanted.shape[1]} rows of series {plain(ids[i])!r}: {listed} "
        f"({len(series)} series lack rows); ",
        *needed,
    )


def _match(series: np.ndarray, counts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Row of each wanted (series, stamp), -1 where there is none; the first of several."""
    stamp, unique = pd.factorize(np.concatenate([counts, wanted.ravel()]))
    key = np.concatenate([series, np.repeat(np.arange(len(wanted)), wanted.shape[1])]) * len(unique) + stamp
    have, want = key[: len(counts)], key[len(counts) :]
    order = np.argsort(have, kind="stable")
    at = np.minimum(np.searchsorted(have[order], want), max(len(have) - 1, 0))
    return np.where(have[order[at]] == want, order[at], -1).reshape(wanted.shape)


def _refuse_repeats(series: np.ndarray, counts: np.ndarray, names: RowNames, places: Places) -> None:
    doubled = pd.DataFrame({"series": series, "count": counts}).duplicated().to_numpy()
    if doubled.any():
        row = int(np.flatnonzero(doubled)[0])
        raise DataError(
            f"{places.what} has two rows of series {names[row]!r} at one time, the second at {places.at(row)}; keep "
            "one of them"
        )
