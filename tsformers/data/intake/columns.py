"""Columns that must be there, and the ids of series; errors name column, series, row and remedy."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.errors import DataError
from tsformers.messages import Either, Message, Option, Part, joined
from tsformers.places import Places

BESIDE = ("the future frame", "the static frame", "actual", "history")  # frames that take the names of fit
USUAL = {  # common names of the three columns
    "id_col": ("unique_id", "id", "item_id", "series_id", "series", "uid", "ts_id", "key", "name", "group"),
    "time_col": ("ds", "date", "time", "timestamp", "datetime", "day", "month", "period", "t", "index"),
    "target_col": ("y", "value", "target", "values", "sales", "demand", "count"),
}
PLACES = Places()
GREATEST = 1e100  # beyond which squares and sums of values overflow, in a batch for all its series


class RowNames:
    """The series id of each row, for messages.

    Example:
        >>> RowNames(pd.Index(["a", "b"]), np.array([1, 0]))[0]
        'b'
    """

    def __init__(self, ids: pd.Index, code: np.ndarray) -> None:
        self.ids, self.code = ids, code

    def __getitem__(self, row: int) -> object:
        return plain(self.ids[self.code[row]])


def check_columns(
    frame: pd.DataFrame, wanted: Mapping[str, str], others: Sequence[str] = (), what: str = "the frame"
) -> None:
    """Refuse an empty frame, duplicate column names, and missing columns (with a similar name where there is one).

    Args:
        frame: the caller's.
        wanted: keyword ("id_col", ...) -> column name.
        others: further columns that must be there.
        what: name of the frame in messages.

    Raises:
        DataError: the frame is refused.

    Example:
        >>> check_columns(pd.DataFrame({"date": [1]}), {"time_col": "ds"})
        Traceback (most recent call last):
        tsformers.errors.DataError: the frame has no column 'ds' (it has 'date'); pass time_col='date', or rename that
    """
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError(
            f"{what} has column names of several levels; make one of them",
            Either(", for example with df.columns = ['_'.join(map(str, name)) for name in df.columns]", ""),
        )
    if not len(frame):
        raise DataError(f"{what} is empty: it has no rows; pass at least one row a series")
    if len(set(wanted.values())) < len(wanted):
        roles = joined([Option(key.partition("[")[0], name) for key, name in wanted.items()], ", ")
        raise DataError(roles, ": name three different columns")
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise DataError(f"{what} has two columns named {doubled[0]!r}; rename one of them")
    for keyword, column in wanted.items():
        if column not in frame.columns:
            have = ", ".join(repr(name) for name in frame.columns[:12])
            remedy = _remedy(frame, keyword.partition("[")[0], column, wanted, beside=what in BESIDE)
            raise DataError(f"{what} has no column {column!r} (it has {have}); ", remedy)
    missing = [name for name in others if name not in frame.columns]
    if missing:
        raise DataError(f"{what} has no column {missing[0]!r}; add it, or leave it out of the covariates")


def _remedy(frame: pd.DataFrame, keyword: str, column: str, wanted: Mapping[str, str], beside: bool) -> Part:
    parts = re.split(r"\s*[,;+]\s*", column.strip()) if isinstance(column, str) else []
    if keyword != "target_col" and len({*parts}) == len(parts) > 1 and {*parts} <= {*frame.columns}:
        return Message("pass ", Option(keyword, parts))
    free = [name for name in frame.columns if isinstance(name, str) and name not in wanted.values()]
    lower = {name.lower(): name for name in free}
    close = [lower[name] for name in (column.lower(), *USUAL[keyword]) if name in lower]
    close = close or get_close_matches(column, free, n=1)
    if close and beside:
        return f"rename {close[0]!r}"
    if close:
        return Message("pass ", Option(keyword, close[0]), ", or rename that")
    return Message("pass ", Option(keyword), " with its name, or rename the column")


def read_ids(values: pd.Series, column: str, places: Places = PLACES) -> tuple[np.ndarray, pd.Index]:
    """Series number of each row, and the ids in sorted order (by type first where types are mixed).

    Args:
        values: the id column.
        column: its name.
        places: name of the table and of its rows in messages.

    Returns:
        (R,) positions in the second, an Index of N ids.

    Raises:
        DataError: a null id, or one that cannot be hashed.

    Example:
        >>> code, ids = read_ids(pd.Series(["b", "a", "b"]), "unique_id")
        >>> code.tolist(), ids.tolist()
        ([1, 0, 1], ['a', 'b'])
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        labels = np.asarray(values.cat.codes)
        used, code = (
            np.unique(labels, return_inverse=True) if not _small(values) else _used(labels, len(values.cat.categories))
        )
        names = values.cat.categories.take(used[used >= 0])
        code = np.where(labels < 0, -1, code - int((used < 0).any()))
    else:
        try:
            code, names = pd.factorize(values)
        except TypeError:
            raise DataError(
                f"column {column!r} of {places.what} holds values that cannot be hashed; turn the ids into text"
            ) from None
    if (code < 0).any():
        row = int(np.flatnonzero(code < 0)[0])
        raise DataError(
            f"column {column!r} of {places.what} is null at {places.at(row)}; give the row an id, or drop it"
        )
    names = names if isinstance(names, pd.Index) else pd.Index(names)
    try:
        order = np.asarray(names.argsort())
    except TypeError:  # ids of several types
        order = np.argsort(np.array([f"{type(name).__name__} {name}" for name in names]), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[code], names.take(order).rename(None)


def _small(values: pd.Series) -> bool:
    return len(values.cat.categories) <= max(1024, 4 * len(values))


def _used(labels: np.ndarray, n_categories: int) -> tuple[np.ndarray, np.ndarray]:
    used = np.bincount(labels + np.int64(1), minlength=n_categories + 1) > 0
    return np.flatnonzero(used) - 1, (np.cumsum(used) - 1)[labels + np.int64(1)]
