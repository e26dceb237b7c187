"""Columns of numbers as float64; what cannot be one is refused by column, series, row and remedy."""

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from tsformers.calendar.regularity import plain
from tsformers.data.intake.columns import GREATEST, PLACES, RowNames
from tsformers.errors import DataError
from tsformers.messages import Either, Message, Option, Part
from tsformers.places import Places

MULTIPLES = ("k", "m", "b", "t", "bn", "tn", "mio", "mrd", "mio.", "mrd.", "tsd", "tsd.")  # thousands, millions, ...


def read_numbers(
    values: pd.Series,
    column: str,
    names: Sequence[object] | RowNames,
    places: Places = PLACES,
    covariate: bool = False,
    missing: Sequence[Any] = (),
) -> np.ndarray:
    """A column as float64, null as NaN. Booleans are 0 and 1; Decimals and nullable types are accepted.

    Args:
        values: the column.
        column: its name.
        names: the id of each row, for messages.
        places: name of the table and of its rows in messages.
        covariate: False for the target; changes the remedy in messages.
        missing: values and texts that stand for a missing value.

    Returns:
        (R,) float64.

    Raises:
        DataError: text or other objects, or values that are infinite or beyond 1e100 in size.

    Example:
        >>> read_numbers(pd.Series([1, None, -99], dtype="Int64"), "y", ["a", "a", "a"], missing=[-99])
        array([ 1., nan, nan])
    """
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iufb":
        numbers = values.to_numpy(dtype=np.float64)
    elif types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = without(values, missing)
        if (dtype.kind == "O" and isinstance(dtype, np.dtype)) or "decimal" in str(dtype):
            numbers = _from_objects(values.astype(object), column, names, places, covariate)
        elif types.is_string_dtype(dtype) and not values.notna().any():
            numbers = np.full(len(values), np.nan)
        else:
            raise _no_numbers(values, column, names, places, covariate)
    marks = numbers_of(missing, np.float32 if str(dtype).lower() == "float32" else np.float64)
    if len(marks):
        numbers = np.where(np.isin(numbers, marks), np.nan, numbers)
    wild = np.abs(numbers) > GREATEST
    if wild.any():
        raise _too_great(int(np.flatnonzero(wild)[0]), numbers, column, names, places)
    return numbers


def numbers_of(missing: Sequence[Any], dtype: Any = np.float64) -> np.ndarray:
    """The numbers among the marks of missing values, texts of numbers too.

    Args:
        missing: values and texts.
        dtype: of the column.

    Returns:
        float64, as rounded to the dtype of the column.

    Example:
        >>> numbers_of([-9999, "999.9", "n.a."])
        array([-9999. ,   999.9])
    """
    found = pd.to_numeric(pd.Series(list(missing), dtype=object), errors="coerce").dropna()
    return found.to_numpy(dtype=dtype).astype(np.float64)


def without(values: pd.Series, missing: Sequence[Any]) -> pd.Series:
    """A column of text or objects with the marks of missing values taken out.

    Args:
        values: the column.
        missing: values and texts.

    Returns:
        The column, null where a mark stood; itself without marks.

    Example:
        >>> without(pd.Series(["a", "n.a."]), ["n.a."]).isna().tolist()
        [False, True]
    """
    if not len(missing):
        return values
    return values.mask(values.isin([*missing, *map(str, missing)]).to_numpy())


def _no_numbers(
    values: pd.Series, column: str, names: Sequence[object] | RowNames, places: Places, covariate: bool
) -> DataError:
    dtype = values.dtype
    texts = types.is_string_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype)
    row = _row_to_name(values, np.asarray(values.notna())) if texts else int(np.argmax(np.asarray(values.notna())))
    value = plain(values.iloc[row])
    found = f", series {names[row]!r}: text" if texts else f" holds {dtype} values, series {names[row]!r}:"
    return DataError(
        f"column {column!r} of {places.what}{found} {value!r} at {places.at(row)}; ",
        _remedy(column, value, covariate),
    )


def _remedy(column: str, value: object, covariate: bool) -> Part:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return Message(*_of_text(value))
    turn = Either(f"turn the column into numbers{_conversion(column, value)}", "write numbers there")
    return Message("leave the column out, or ", turn) if covariate else turn


def _of_text(value: str) -> list[Part]:
    """What to do about text among numbers; one with a digit is a number with something beside it, and is not lost."""
    sign = re.fullmatch(r"[-+(]?[\d.,\s]+(\D*)", value.strip())
    if sign is not None and sign[1].strip(" )") in ("", "-") and re.search(r"[(-].|.-", value.strip()):
        return ["write negative numbers with the sign in front"]
    if sign is not None and sign[1].strip(" )"):
        if sign[1].strip().casefold() in MULTIPLES:
            return [f"write such numbers in full, without {sign[1].strip()!r}"]
        return [f"take {sign[1].strip()!r} off the cells, so that they are numbers"]
    return ["if it stands for a missing value, pass ", Option("missing", value), ", else correct it"]


def _conversion(column: str, value: object) -> str:
    """Code that makes numbers of such values without a loss, where there is one."""
    if isinstance(value, datetime.timedelta | np.timedelta64):
        return f", such as with df[{column!r}].dt.total_seconds()"
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    return "" if np.ndim(value) else f", such as with df[{column!r}].astype(float)"  # type: ignore[arg-type]


def _too_great(
    row: int, numbers: np.ndarray, column: str, names: Sequence[object] | RowNames, places: Places
) -> DataError:
    value = float(numbers[row])
    todo: Part = Message("replace it by a number, or pass ", Option("missing", value), " where the value is unknown")
    if np.isfinite(value):
        todo = Message(
            f"sums of such values overflow, so rescale the column (to at most {GREATEST:g}), or pass ",
            Option("missing", value),
        )
    return DataError(f"column {column!r} of {places.what}, series {names[row]!r}: {value} at {places.at(row)}; ", todo)


def _from_objects(
    values: pd.Series, column: str, names: Sequence[object] | RowNames, places: Places, covariate: bool
) -> np.ndarray:
    null = np.asarray(values.isna())
    right = np.fromiter(
        (isinstance(v, int | float | np.number | np.bool_ | Decimal) for v in values), dtype=bool, count=len(values)
    )
    bad = ~(right | null)
    if bad.any():
        row = _row_to_name(values, bad)
        value = values.iloc[row]
        kind = "text" if isinstance(value, str) else f"a {type(value).__name__}"
        raise DataError(
            f"column {column!r} of {places.what}, series {names[row]!r}: {kind} {value!r} at {places.at(row)}; ",
            _remedy(column, value, covariate),
        )
    numbers = np.full(len(values), np.nan)
    numbers[~null] = values.to_numpy()[~null].astype(np.float64)
    return numbers


def _row_to_name(values: pd.Series, bad: np.ndarray) -> int:
    """The first bad row whose text is no number either, else the first bad row: '1.5' could be converted."""
    rows = np.flatnonzero(bad)
    texts = values.iloc[rows].map(lambda value: value if isinstance(value, str) else "no text").astype(object)
    guilty = np.asarray(pd.to_numeric(texts, errors="coerce").isna())
    return int(rows[np.argmax(guilty)])
