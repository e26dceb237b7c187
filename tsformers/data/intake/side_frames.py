"""Frames beside the long frame: static covariates, one row per series, and known covariates of future steps."""

import numpy as np
import pandas as pd

from tsformers.calendar.grid import Grid, as_counts
from tsformers.calendar.regularity import plain, show
from tsformers.data.dataframes import Frame, Schema, to_pandas
from tsformers.data.intake.columns import RowNames, check_columns, read_ids, read_numbers, read_times
from tsformers.errors import DataError


def read_static(static: Frame | None, ids: pd.Index, id_col: str) -> pd.DataFrame:
    """Static covariates in the order of the panel's ids.

    Args:
        static: a frame with one row a series, ids in ``id_col`` or in the index; rows of other series are ignored.
            None = no static covariates.
        ids: N names.
        id_col: name of the id column.

    Returns:
        N rows, index = ids: float64 columns, and columns of text where the frame's are text or categorical.

    Raises:
        DataError: duplicate or missing series, null or infinite values.

    Example:
        >>> static = pd.DataFrame({"unique_id": ["b", "a"], "size": [2, 1]})
        >>> read_static(static, pd.Index(["a", "b"]), "unique_id")["size"].tolist()
        [1.0, 2.0]
    """
    if static is None:
        return pd.DataFrame(index=ids)
    frame = static.to_frame() if isinstance(static, pd.Series) else to_pandas(static)[0]
    if id_col not in frame.columns and (frame.index.name == id_col or ids.isin(frame.index).all()):
        frame = frame.rename_axis(id_col).reset_index()
    check_columns(frame, {"id_col": id_col}, what="the static frame")
    code, names = read_ids(frame[id_col], id_col, "the static frame")
    doubled = pd.Series(code).duplicated().to_numpy()
    if doubled.any():
        row = int(np.flatnonzero(doubled)[0])
        raise DataError(
            f"the static frame has series {plain(names[code[row]])!r} twice, again at row {row}; keep one row a series"
        )
    first = np.empty(len(names), dtype=np.int64)
    first[code] = np.arange(len(code))
    at = names.get_indexer(ids)
    if (at < 0).any():
        lacking = [plain(name) for name in ids[at < 0][:5]]
        raise DataError(f"the static frame lacks {int((at < 0).sum())} series, such as {lacking}; add one row for each")
    rows, columns = first[at], {}
    for name in frame.columns.drop(id_col):
        column = frame[name]
        if _is_text(column):
            values = column.astype(str).to_numpy(dtype=object)
        else:
            values = read_numbers(column, str(name), RowNames(names, code), "the static frame", covariate=True)
        null = column.isna().to_numpy()[rows]
        if null.any():
            row = int(rows[null][0])
            raise DataError(
                f"column {name!r} of the static frame, series {plain(names[code[row]])!r}: NaN at row {row}; "
                "fill it in, or drop the column"
            )
        columns[name] = values[rows]
    return pd.DataFrame(columns, index=ids)


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
    what, known, horizon = "the future frame", list(schema.known), times.shape[1]
    columns = [schema.id_col, schema.time_col, *known]
    needed = f"pass future= with the columns {columns} for the {horizon} steps after each series"
    if future is None:
        raise DataError(f"the known covariates {known} need their future values; {needed}")
    frame, _ = to_pandas(future, schema.id_col, schema.time_col, schema.target_col)
    check_columns(frame, {"id_col": schema.id_col, "time_col": schema.time_col}, known, what)
    code, names = read_ids(frame[schema.id_col], schema.id_col, what)
    lookup = RowNames(names, code)
    read = read_times(frame[schema.time_col], schema.time_col, lookup, what)
    if read.integer != (grid.unit == "int") or (read.tz is None) != (schema.tz is None):
        raise DataError(
            f"column {schema.time_col!r} of {what} and that of the data are not both integers, datetimes without or "
            "datetimes with a time zone; make them alike"
        )
    series = ids.get_indexer(names)
    unknown = series < 0 if dropped is None else (series < 0) & ~names.isin(dropped)
    if unknown.any():
        row = int(np.flatnonzero(unknown[code])[0])
        raise DataError(f"{what} has series {lookup[row]!r} at row {row}, which the data do not have; drop its rows")
    row_of = _match(series[code], read.counts, as_counts(times))
    if (row_of < 0).any():
        raise _lacking(row_of < 0, as_counts(times), ids, grid, needed)
    _refuse_repeats(np.where(series[code] < 0, -1 - np.arange(len(code)), series[code]), read.counts, lookup, what)
    values = np.stack([read_numbers(frame[name], name, lookup, what, covariate=True) for name in known], axis=-1)[
        row_of
    ]
    null = np.isnan(values)
    if null.any():
        i, step, k = (int(part) for part in np.argwhere(null)[0])
        raise DataError(
            f"column {known[k]!r} of {what}, series {plain(ids[i])!r}: NaN at row {row_of[i, step]}; "
            "fill in what will be known, or fit without this column in known="
        )
    return values


def _lacking(short: np.ndarray, wanted: np.ndarray, ids: pd.Index, grid: Grid, needed: str) -> DataError:
    series = np.flatnonzero(short.any(axis=1))
    i = int(series[0])
    missing = [show(count, grid) for count in wanted[i][short[i]]]
    listed = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
    return DataError(
        f"the future frame lacks {len(missing)} of the {wanted.shape[1]} rows of series {plain(ids[i])!r}: {listed} "
        f"({len(series)} series lack rows); {needed}"
    )


def _match(series: np.ndarray, counts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Row of each wanted (series, stamp), -1 where there is none; the first of several."""
    stamp, unique = pd.factorize(np.concatenate([counts, wanted.ravel()]))
    key = np.concatenate([series, np.repeat(np.arange(len(wanted)), wanted.shape[1])]) * len(unique) + stamp
    have, want = key[: len(counts)], key[len(counts) :]
    order = np.argsort(have, kind="stable")
    at = np.minimum(np.searchsorted(have[order], want), max(len(have) - 1, 0))
    return np.where(have[order[at]] == want, order[at], -1).reshape(wanted.shape)


def _refuse_repeats(series: np.ndarray, counts: np.ndarray, names: RowNames, what: str) -> None:
    doubled = pd.DataFrame({"series": series, "count": counts}).duplicated().to_numpy()
    if doubled.any():
        row = int(np.flatnonzero(doubled)[0])
        raise DataError(
            f"{what} has two rows of series {names[row]!r} at one time, the second at row {row}; keep one of them"
        )


def _is_text(column: pd.Series) -> bool:
    """Whether a column holds text rather than numbers."""
    if isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype):
        return True
    return column.dtype == object and any(isinstance(value, str) for value in column)
