"""One-hot encoding of categorical columns, with the levels learned in ``fit``."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from tsformers.data.dataframes import Schema, expanded
from tsformers.data.intake.columns import RowNames
from tsformers.data.intake.kinds import kind_of
from tsformers.data.intake.numbers import read_numbers
from tsformers.data.intake.source import Source, text_of
from tsformers.errors import DataError, first_names
from tsformers.places import Places

MAX_LEVELS = 100  # of one column


def levels_of(column: pd.Series, kind: str = "static column") -> list[str]:
    """The levels of a categorical column, as text, in sorted order; missing values are none.

    Args:
        column: of any type; 1, 1.0 and "1" are one level.
        kind: of column, in messages.

    Returns:
        Its different values as text.

    Raises:
        DataError: the column has more than 100 levels.

    Example:
        >>> levels_of(pd.Series(["south", None, "north", "south"]))
        ['north', 'south']
    """
    levels = sorted({text_of(value) for value in column.dropna().unique()})
    if len(levels) > MAX_LEVELS:
        raise DataError(
            f"{kind} {str(column.name)!r} has {len(levels)} levels, {MAX_LEVELS} at most; leave the column out, group "
            "its levels, or put a number in its place"
        )
    return levels


def one_hot(
    column: pd.Series, levels: Sequence[str], kind: str = "static column", places: Places | None = None
) -> Float[np.ndarray, "N L"]:
    """The one-hot encoding of a column by the levels of ``fit``; a missing value is a row of zeros.

    Args:
        column: N values; categories count by their values, whatever their codes.
        levels: of ``fit``.
        kind: of column, in messages.
        places: where its rows stand; None = they are named by the column's index.

    Returns:
        0 and 1 as float32.

    Raises:
        DataError: a value that is none of the levels.

    Example:
        >>> one_hot(pd.Series(["south", None, "north"]), ["north", "south"])
        array([[0., 1.],
               [0., 0.],
               [1., 0.]], dtype=float32)
    """
    code, values = pd.factorize(column)
    place = {level: k for k, level in enumerate(levels)}
    at = [place.get(text_of(value), place.get(str(value), -1)) for value in values]
    if -1 in at:
        row = int(np.flatnonzero(code == at.index(-1))[0])
        where = f"series {column.index[row]!r}" if places is None else places.at(row)
        raise DataError(
            f"{kind} {str(column.name)!r} holds {str(values[at.index(-1)])!r}, first at {where}, which was not among "
            f"its levels in fit ({first_names(levels)}); replace it by one of them, or fit with rows that have it"
        )
    table = np.concatenate([np.eye(len(levels), dtype=np.float32)[at], np.zeros((1, len(levels)), dtype=np.float32)])
    return table[code]


def levels(source: Source, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The levels of those covariates that are text or categories.

    Args:
        source: the table.
        names: of the covariates.

    Returns:
        Levels as text, by name.

    Raises:
        DataError: a column has more than 100 levels.

    Example:
        >>> levels(Source(pd.DataFrame({"promo": ["no", "yes", "no"], "price": 1.0})), ["promo", "price"])
        {'promo': ('no', 'yes')}
    """
    columns = {name: source.numeric(name) for name in names}
    return {name: tuple(levels_of(column, "column")) for name, column in columns.items() if kind_of(column) == "text"}


def read_covariates(source: Source, names: Sequence[str], schema: Schema, lookup: RowNames) -> np.ndarray:
    """Covariates as numbers, missing ones as NaN.

    Args:
        source: the table.
        names: of the covariates.
        schema: levels and marks of missing values.
        lookup: the id of each row, for messages.

    Returns:
        (R, K) float64: one column a number, one a level of the others.

    Raises:
        DataError: text where ``fit`` had numbers, a level that ``fit`` did not have, values that are infinite.

    Example:
        >>> source = Source(pd.DataFrame({"promo": ["yes", None]}))
        >>> schema, lookup = Schema(levels={"promo": ("no", "yes")}), RowNames(pd.Index(["a"]), np.zeros(2, int))
        >>> read_covariates(source, ["promo"], schema, lookup)
        array([[ 0.,  1.],
               [nan, nan]])
    """
    values = np.empty((len(source.frame), len(expanded(names, schema.levels))))
    at = 0
    for name in names:
        column = source.numeric(name)
        if name not in schema.levels:
            values[:, at] = read_numbers(column, name, lookup, source.places, True, schema.missing)
            at += 1
            continue
        width = len(schema.levels[name])
        part = one_hot(column, schema.levels[name], "column", source.places)
        values[:, at : at + width] = part
        values[np.asarray(column.isna()), at : at + width] = np.nan
        at += width
    return values


def decoded(values: np.ndarray, names: Sequence[str], schema: Schema) -> dict[str, np.ndarray]:
    """Covariates as the caller named them: the inverse of ``read_covariates``.

    Args:
        values: (R, K).
        names: of the covariates.
        schema: their levels.

    Returns:
        One column a covariate; levels as text, None where they are missing.

    Example:
        >>> decoded(np.array([[0.0, 1.0], [np.nan, np.nan]]), ["promo"], Schema(levels={"promo": ("no", "yes")}))
        {'promo': array(['yes', None], dtype=object)}
    """
    found: dict[str, np.ndarray] = {}
    at = 0
    for name in names:
        if name not in schema.levels:
            found[name] = values[:, at]
            at += 1
            continue
        part = values[:, at : at + len(schema.levels[name])]
        texts = np.array([*schema.levels[name], None], dtype=object)
        found[name] = texts[np.where(np.isnan(part).any(axis=1), -1, np.nan_to_num(part).argmax(axis=1))]
        at += part.shape[1]
    return found
