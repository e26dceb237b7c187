"""Covariates of a frame as numbers: text and categories are one-hot encoded by the levels of ``fit``."""

from collections.abc import Sequence

import numpy as np

from tsformers.data.dataframes import Schema, expanded
from tsformers.data.intake.columns import RowNames
from tsformers.data.intake.kinds import kind_of
from tsformers.data.intake.numbers import read_numbers
from tsformers.data.intake.one_hot import levels_of, one_hot
from tsformers.data.intake.source import Source


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
        >>> import pandas as pd
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
        >>> import pandas as pd
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
