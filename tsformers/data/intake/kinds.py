"""What the columns of a frame hold, reported by their names and values: numbers, text, times, or nothing."""

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api import types

from tsformers.data.files.table_file import SURE_TIME_NAMES

Kind = Literal["number", "truth", "text", "time", "empty", "other"]
TIME_NAMES = SURE_TIME_NAMES | frozenset((
    "dt", "dates", "datestamp", "times", "timestamps", "when", "period", "day", "days", "month", "months", "year",
    "years", "yr", "quarter", "week", "t", "epoch", "timestamp_utc", "time_utc", "local_time", "event_time",
    "observation_date", "reference_date", "obs_date", "trade_date", "trading_day", "month_year", "year_month",
    "yearmonth", "hour", "uhrzeit", "tag", "monat", "jahr", "woche", "quartal", "fechas", "dia", "día", "mes",
    "ano", "anio", "año", "semana", "trimestre", "periodo", "período", "jour", "jours", "date_heure", "mois",
    "annee", "année", "semaine", "periode", "période", "data", "data_hora", "giorno", "mese", "anno", "ora",
    "settimana", "mês", "tidspunkt", "dag", "måned", "månad", "år", "uge", "vecka", "jaar", "maand", "päivä",
    "aika", "vuosi", "kuukausi", "дата", "время", "год", "месяц", "день", "日期", "时间", "日付", "日時", "年", "月",
))  # fmt: skip
QUARTERS = frozenset(("quarter", "quartal", "trimestre", "qtr", "q"))
WEEKS = frozenset(("week", "isoweek", "iso_week", "week_number", "woche", "kw", "kalenderwoche", "semana", "semaine",
                   "settimana", "vecka", "uge"))  # fmt: skip
DATE_PARTS = (  # of a date that stands in several columns
    frozenset(("year", "years", "yr", "jahr", "ano", "anio", "año", "annee", "année", "anno", "år", "jaar", "vuosi")),
    frozenset(("month", "months", "mon", "mo", "monat", "mes", "mês", "mois", "mese", "måned", "månad", "maand",
               "kuukausi")) | QUARTERS | WEEKS,
    frozenset(("day", "days", "dy", "tag", "dia", "día", "jour", "giorno", "dag", "päivä")),
    frozenset(("hour", "hr", "stunde", "hora", "heure", "ora")),
)  # fmt: skip
ROW_NAMES = frozenset(("", "index", "level_0", "rownames", "row_names", "row", "rownum", "row_number", "#"))
UNNAMED = re.compile(r"Unnamed: \d+(_level_\d+)?|column_?\d+_unnamed", re.I)
CLOCK = r"^\s*\d{1,2}[:.h]\d{2}([:.]\d{2}([.,]\d+)?)?\s*([aApP]\.?[mM]\.?)?\s*$"
SAMPLE = 1000
HALF, MANY = 0.5, 0.9  # shares of numbers in a column of text


def plain_name(name: object) -> str:
    """A column name in lower case, with underscores, without a unit in brackets.

    Args:
        name: of a column.

    Returns:
        The name to compare.

    Example:
        >>> plain_name("Date (UTC)"), plain_name("Time-Stamp")
        ('date', 'time_stamp')
    """
    bare = re.sub(r"[(\[].*?[)\]]\s*$", "", str(name)).strip().casefold()
    return re.sub(r"[\W_]+", "_", bare).strip("_")


def is_time_name(name: object) -> bool:
    """Whether a column is named like a time in one of the common languages.

    Args:
        name: of a column.

    Returns:
        True for "Datum", "timestamp", "year" and the like.

    Example:
        >>> is_time_name("Datum"), is_time_name("sales")
        (True, False)
    """
    return plain_name(name) in TIME_NAMES


def date_parts(names: Sequence[str]) -> list[str]:
    """Names of columns that make a date only together: a year, a month and a day, ...

    Args:
        names: of columns.

    Returns:
        The parts in order, at least two; empty where a year or the part after it is missing, or one stands twice.

    Example:
        >>> date_parts(["sales", "month", "year"]), date_parts(["year", "sales"]), date_parts(["month", "day"])
        (['year', 'month'], [], [])
    """
    found = [[name for name in names if plain_name(name) in part] for part in DATE_PARTS]
    held = [part[0] for part in found if part]
    whole = all(len(part) < 2 for part in found) and held == [part[0] for part in found[: len(held)] if part]
    return held if whole and len(held) > 1 else []


def format_of_parts(names: Sequence[str], columns: Sequence[pd.Series]) -> str | None:
    """How the parts of a date read when they are joined, where the numbers alone do not show it.

    Args:
        names: of the columns, in the order in which they are joined.
        columns: their cells.

    Returns:
        What ``time_format`` takes: a year and a number are a quarter or a week where the column is called so; None =
        by evidence.

    Example:
        >>> format_of_parts(["year", "week"], [pd.Series([2024]), pd.Series([9])])
        '%G %V'
    """
    if date_parts(names) != [*names] or not all(all_numbers(column) for column in columns):
        return None
    second = plain_name(names[1])
    if len(names) == 2:
        return "quarter" if second in QUARTERS else "%G %V" if second in WEEKS else None
    return "%Y %m %d %H" if len(names) == 4 else None


def kind_of(column: pd.Series) -> Kind:
    """What a column holds.

    Args:
        column: of a frame.

    Returns:
        "number", "truth" (booleans), "text" (categories too), "time", "empty" or "other".

    Example:
        >>> kind_of(pd.Series([1, None])), kind_of(pd.Series(["a"])), kind_of(pd.Series([None, None]))
        ('number', 'text', 'empty')
    """
    if not column.iloc[:SAMPLE].notna().any() and not column.notna().any():
        return "empty"
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "text"
    if types.is_bool_dtype(dtype):
        return "truth"
    if (
        types.is_datetime64_any_dtype(dtype)
        or isinstance(dtype, pd.PeriodDtype)
        or str(dtype).startswith(("date", "timestamp"))
    ):
        return "time"
    if types.is_timedelta64_dtype(dtype) or types.is_complex_dtype(dtype):
        return "other"
    if types.is_numeric_dtype(dtype) or "decimal" in str(dtype):
        return "number"
    inferred = types.infer_dtype(column, skipna=True)
    if inferred in ("mixed", "mixed-integer"):
        return "text" if any(isinstance(value, str) for value in column) else "other"
    return _of_objects(inferred)


def _of_objects(inferred: str) -> Kind:
    if inferred in ("integer", "floating", "decimal", "mixed-integer-float"):
        return "number"
    if inferred in ("datetime", "datetime64", "date", "period"):
        return "time"
    if inferred == "boolean":
        return "truth"
    return "text" if inferred in ("string", "categorical") else "other"


def counts_rows(name: object, column: pd.Series) -> bool:
    """Whether a column numbers the rows: a name like "index" and 0, 1, 2, ... or 1, 2, 3, ..., or no name at all.

    Without a name, any whole numbers from 0 on that all differ are left from the index of a frame, whose rows may have
    been sorted or left out since.

    Args:
        name: of the column.
        column: its values.

    Returns:
        True for the numbers that a frame's index leaves behind in a file.

    Example:
        >>> counts_rows("Unnamed: 0", pd.Series([0, 1, 2])), counts_rows("visits", pd.Series([0, 1, 2]))
        (True, False)
    """
    if str(name).strip().casefold() not in ROW_NAMES and not UNNAMED.fullmatch(str(name)):
        return False
    if types.is_string_dtype(column.dtype):
        column = pd.to_numeric(column, errors="coerce")
    if not types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype) or column.isna().any():
        return False
    values = column.to_numpy(dtype=np.float64)
    if UNNAMED.fullmatch(str(name)):
        whole = bool((values >= 0).all() and (values == np.round(values)).all())
        return whole and len(np.unique(values)) == len(values)
    return bool(values[0] in (0, 1) and (np.diff(values) == 1).all())


def mostly_numbers(column: pd.Series) -> bool:
    """Whether a column of text would be one of numbers but for some cells.

    Args:
        column: of text.

    Returns:
        True where more than half of its cells are numbers.

    Example:
        >>> mostly_numbers(pd.Series(["1", "2.5", "oops"])), mostly_numbers(pd.Series(["a", "b"]))
        (True, False)
    """
    cells = column.dropna()
    return len(cells) > 0 and bool(_read_as_numbers(cells).mean() > HALF)


def first_odd_cell(column: pd.Series) -> int | None:
    """The first cell that keeps a column of text from being one of numbers.

    Args:
        column: of text.

    Returns:
        The position of the first cell that is no number where at least 90 % are, and some are not; else None.

    Example:
        >>> first_odd_cell(pd.Series(["1"] * 9 + ["2 p"])), first_odd_cell(pd.Series(["1", "2 p"]))
        (9, None)
    """
    there = np.flatnonzero(column.notna().to_numpy(dtype=bool))
    if not len(there):
        return None
    head = column.iloc[there[:SAMPLE]]
    if _read_as_numbers(head).mean() < HALF:  # names of shops in long tables
        return None
    numbers = _read_as_numbers(column.iloc[there])
    if numbers.all() or numbers.mean() < MANY:
        return None
    return int(there[np.flatnonzero(~numbers)[0]])


def _read_as_numbers(cells: pd.Series) -> np.ndarray:
    texts = cells.astype(object).map(lambda value: value if isinstance(value, str | int | float) else None)
    return pd.to_numeric(texts, errors="coerce").notna().to_numpy(dtype=bool)


def shows_clock_times(column: pd.Series) -> bool:
    """Whether a column holds times of a day, "13:30", without a date.

    Args:
        column: of text.

    Returns:
        True where all of its first cells do.

    Example:
        >>> shows_clock_times(pd.Series(["13:30", "14:00:00"])), shows_clock_times(pd.Series(["2024-01-01"]))
        (True, False)
    """
    head = column.dropna().iloc[:SAMPLE]
    if not len(head) or types.is_numeric_dtype(head.dtype):
        return False
    return bool(head.astype(str).str.match(CLOCK).all())


def all_numbers(column: pd.Series) -> bool:
    """Whether all cells of a column are numbers, also as text.

    Args:
        column: of a frame.

    Returns:
        True where each cell that is not missing reads as a number.

    Example:
        >>> all_numbers(pd.Series(["1", None])), all_numbers(pd.Series(["1", "a"]))
        (True, False)
    """
    cells = column.dropna()
    parts = (cells.iloc[:SAMPLE], cells)
    return kind_of(column) != "time" and all(bool(pd.to_numeric(p, errors="coerce").notna().all()) for p in parts)
