"""Ids of series: joined from several columns and split again, and matched as text between tables of other kinds."""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.regularity import plain
from tsformers.data.dataframes import Schema
from tsformers.data.intake.columns import read_ids
from tsformers.data.intake.source import Source, text_of
from tsformers.errors import DataError, DataWarning, first_names

SEPARATORS = ("/", "|", " / ", " | ", "::", "\x1f")


class Ids(NamedTuple):
    """The series of each row.

    Args:
        code: (R,) positions in ``names``.
        names: N ids, sorted.
        sep: between the parts of joined ids.
        kinds: "text" or "int" for each joined column.

    Example:
        >>> ids_of(Source(pd.DataFrame({"shop": ["n", "s"], "item": [1, 2]})), ("shop", "item")).names.tolist()
        ['n/1', 's/2']
    """

    code: np.ndarray
    names: pd.Index
    sep: str = "/"
    kinds: tuple[str, ...] = ()

    def taken(self, rows: np.ndarray) -> "Ids":
        """The series of some of the rows.

        Args:
            rows: positions.

        Returns:
            Codes and the names that are left.

        Example:
            >>> Ids(np.array([0, 1]), pd.Index(["a", "b"])).taken(np.array([1])).names.tolist()
            ['b']
        """
        used, code = np.unique(self.code[rows], return_inverse=True)
        return self._replace(code=code, names=self.names[used])


def ids_of(source: Source, columns: tuple[str, ...], single: str = "y", sep: str | None = None) -> Ids:
    """The series of each row: one column, several joined, or none.

    Args:
        source: the table.
        columns: of ids; empty = all rows are one series.
        single: the name of that series.
        sep: between the parts of joined ids; None = one that no part holds.

    Returns:
        Codes and names.

    Raises:
        DataError: a row has no id, or one that cannot be hashed.
    """
    if not columns:
        return Ids(np.zeros(len(source.frame), dtype=np.int64), pd.Index([single]))
    if len(columns) == 1:
        return Ids(*read_ids(source.cells(columns[0]), columns[0], source.places))
    codes, names, kinds = [], [], []
    for column in columns:
        code, found = read_ids(source.cells(column), column, source.places)
        codes.append(code)
        names.append([text_of(name) for name in found])
        kinds.append("int" if pd.api.types.is_integer_dtype(found.dtype) else "text")
    chosen = sep or next(sep for sep in SEPARATORS if not any(sep in name for part in names for name in part))
    combined = codes[0]
    for code, part in zip(codes[1:], names[1:], strict=True):
        combined = combined * len(part) + code
    code, used = pd.factorize(combined, sort=True)
    parts = []
    for part in reversed(names):
        used, here = np.divmod(used, len(part))
        parts.append(np.array(part, dtype=object)[here])
    joined = parts.pop()
    while parts:
        joined = joined + chosen + parts.pop()
    order = np.argsort(joined, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return Ids(rank[code], pd.Index(joined[order]), chosen, tuple(kinds))


def id_columns(ids: pd.Index, schema: Schema) -> dict[str, Any]:
    """The columns of ids of an answer: the caller's own, also where they were joined.

    Args:
        ids: of the rows of an answer.
        schema: of the caller's frame.

    Returns:
        One array a column, by name.

    Example:
        >>> id_columns(pd.Index(["n/1", "s/2"]), Schema(id_cols=("shop", "item"), id_kinds=("text", "int")))
        {'shop': array(['n', 's'], dtype=object), 'item': array([1, 2])}
    """
    if not schema.id_cols:
        return {schema.id_col: ids}
    code, names = pd.factorize(ids)
    parts = [str(name).split(schema.id_sep) for name in names]
    found: dict[str, Any] = {}
    for k, column in enumerate(schema.id_cols):
        whole = schema.id_kinds[k : k + 1] == ("int",)
        values = np.array([int(part[k]) if whole else part[k] for part in parts], dtype=np.int64 if whole else object)
        found[column] = values[code]
    return found


def ids_of_answer(answer: pd.DataFrame, schema: Schema) -> pd.Index:
    """The ids of the rows of an answer, joined again where ``id_columns`` split them.

    Args:
        answer: with the caller's columns of ids.
        schema: of the caller's frame.

    Returns:
        One id a row.

    Example:
        >>> ids_of_answer(pd.DataFrame({"shop": ["n"], "item": [1]}), Schema(id_cols=("shop", "item"))).tolist()
        ['n/1']
    """
    if not schema.id_cols:
        return pd.Index(answer[schema.id_col])
    joined, *others = (answer[name].map(str).to_numpy(dtype=object) for name in schema.id_cols)
    for part in others:
        joined = joined + schema.id_sep + part
    return pd.Index(joined)


def matched(ids: Ids, fitted: pd.Index, what: str, stacklevel: int = 2) -> Ids:
    """Ids of another type take those of ``fit``: 7 is 7.0, and "7" where no id was in ``fit`` but some are as text.

    Args:
        ids: of another table.
        fitted: ids of ``fit``.
        what: the table, in the warning.
        stacklevel: of the warning.

    Returns:
        The ids, sorted; themselves where nothing is to be done.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     matched(Ids(np.array([0]), pd.Index([7])), pd.Index(["7"]), "the future frame").names
        Index(['7'], dtype='object')
    """
    if not len(fitted) or ids.names.isin(fitted).any():
        names = _as_numbers_of(ids.names, fitted)
        return ids if names is ids.names else ids._replace(names=names)
    as_text = text_matches(ids.names, fitted)
    if not as_text:
        return ids
    renamed = np.array([as_text.get(name, name) for name in ids.names], dtype=object)
    kinds = (
        f"the ids of {what}, such as {first_names(ids.names[:2])}, and those of fit, such as {first_names(fitted[:2])}"
    )
    warnings.warn(DataWarning(f"{kinds}, are of two types; they are matched as text"), stacklevel=stacklevel + 1)
    code, found = pd.factorize(renamed)
    back, sorted_names = read_ids(pd.Series(found, dtype=object), "ids")
    return Ids(back[code][ids.code], sorted_names, ids.sep, ids.kinds)


def _as_numbers_of(names: pd.Index, fitted: pd.Index) -> pd.Index:
    """Numbers in the type of other numbers, where that changes none."""
    if names.dtype == fitted.dtype or not all(pd.api.types.is_numeric_dtype(one.dtype) for one in (names, fitted)):
        return names
    with np.errstate(invalid="ignore"):
        cast = names.astype(fitted.dtype)
    return cast if (cast == names).all() else names


def text_matches(names: pd.Index, fitted: pd.Index) -> Mapping[Any, Any]:
    """The id of ``fit`` for each name that has the same text.

    Args:
        names: ids of another table.
        fitted: ids of ``fit``.

    Returns:
        Id of ``fit`` by name; empty where no text is the same, or two ids of ``fit`` have one text.

    Example:
        >>> text_matches(pd.Index([1, 2.0]), pd.Index(["2", "3"]))
        {2.0: '2'}
    """
    by_text = {text_of(name): name for name in fitted}
    if len(by_text) < len(fitted):
        return {}
    return {name: by_text[text] for name in names if (text := text_of(name)) in by_text}


def refuse_unknown(ids: Ids, known: pd.Index, source: Source) -> None:
    """Refuse rows of series that the data do not have.

    Args:
        ids: of the table.
        known: ids of the data.
        source: the table.

    Raises:
        DataError: names the first such row.

    Example:
        >>> refuse_unknown(Ids(np.array([0]), pd.Index(["a"])), pd.Index(["a", "b"]), Source(pd.DataFrame()))
    """
    unknown = ~ids.names.isin(known)
    if unknown.any():
        row = int(np.flatnonzero(unknown[ids.code])[0])
        name = plain(ids.names[ids.code[row]])
        raise DataError(
            f"{source.places.what} has series {name!r} at {source.places.at(row)}, which the data do not have; drop "
            "its rows"
        )


def all_text(ids: pd.Index) -> bool:
    """Whether all ids are text.

    Args:
        ids: N names.

    Returns:
        True for strings only.

    Example:
        >>> all_text(pd.Index(["a", "b"])), all_text(pd.Index([1, 2])), all_text(pd.Index(["a", 1]))
        (True, False, False)
    """
    return pd.api.types.infer_dtype(ids, skipna=False) == "string"
