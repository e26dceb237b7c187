"""Workbooks of Excel and OpenDocument, read by python-calamine."""

import datetime
import io
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from tsformers.data.files.content import Content
from tsformers.data.files.csv_file import named
from tsformers.data.files.csv_layout import column_kind, is_header
from tsformers.data.files.header_lines import is_total, joined_names
from tsformers.data.files.number_text import number_form, to_numbers, without_missing
from tsformers.data.files.table_file import MISSING, FileOptions, TableFile
from tsformers.errors import DataError
from tsformers.messages import Message, Option, joined

PADDED = re.compile(r"0[0-9]")


def read_excel(content: Content, options: FileOptions) -> TableFile:
    """Read the only sheet of a workbook that holds anything, or the one that is named.

    Args:
        content: the bytes of the file.
        options: sheet, lines above the header, decimal mark of numbers that are text, missing markers.

    Returns:
        The table.

    Raises:
        DataError: python-calamine is not installed, the file is damaged, several sheets hold something, or there is
            no header.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise DataError(f"{content.name} is a workbook, which an extra reads: pip install 'tsformers[excel]'") from None
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content.data))
        sheets = {name: book.get_sheet_by_name(name) for name in _wanted(book.sheet_names, options.sheet, content.name)}
        cells = {name: sheet.to_python(skip_empty_area=False) for name, sheet in sheets.items()}
    except CalamineError as error:
        raise DataError(
            f"{content.name} cannot be read as a workbook ({error}); save it again, it is damaged"
        ) from None
    filled = {name: rows for name, rows in cells.items() if any(_filled(row) for row in rows)}
    if len(filled) > 1:
        choices = joined([Option("sheet", name) for name in filled])
        raise DataError(f"{content.name} has {len(filled)} sheets that hold something; pass ", choices)
    if not filled:
        raise DataError(f"{content.name} is empty; give a sheet with a header and rows of a time and a value")
    sheet, rows = next(iter(filled.items()))
    several = len(book.sheet_names) > 1
    return _table(content, options, rows, (f"sheet {sheet!r}",) if several else ())


def _wanted(names: Sequence[str], sheet: str | None, file: str) -> list[str]:
    if sheet is not None and sheet not in names:
        choices = joined([Option("sheet", name) for name in names])
        raise DataError(f"{file} has no sheet {sheet!r}; pass ", choices)
    return [*names] if sheet is None else [sheet]


def _table(content: Content, options: FileOptions, rows: list[list[Any]], facts: tuple[str, ...]) -> TableFile:
    numbered = [(n, row) for n, row in enumerate(rows, start=1) if _filled(row)]
    numbered = [(n, row) for n, row in numbered if n > (options.skip_rows or 0)]
    place = 0 if options.skip_rows is not None else _header([row for _, row in numbered])
    if place is None or not numbered:
        raise DataError(f"{content.name} has no header: its first row holds values; put a row of column names above it")
    body = numbered[place + 1 :]
    width = max(len(row) for _, row in numbered)
    header = [_text(cell).strip() for cell in numbered[place][1]]
    header += [""] * (width - len(header))
    header, body, said = _beside_rows(header, body)
    facts += said
    used = [j for j in range(width) if header[j] or any(_text(row[j]) for _, row in body)]
    names = named([header[j] for j in used], content.name)
    unclear: dict[str, Message] = {}
    columns = {}
    for name, j in zip(names, used, strict=True):
        columns[name] = _column([row[j] for _, row in body], name, options, unclear)
    facts += (f"{place} title row{'s' * (place > 1)} skipped",) if place else ()
    lines = [n for n, _ in body]
    frame = pd.DataFrame(columns)
    return TableFile(
        frame, content.name, "Excel", (*facts, *content.facts), lines.__getitem__, text=True, unclear=unclear
    )


def _beside_rows(
    header: list[str], body: list[tuple[int, list[Any]]]
) -> tuple[list[str], list[tuple[int, list[Any]]], tuple[str, ...]]:
    """A second row of the header, and totals below the rows: the names, the rows between, and what to report."""
    inner = [row for _, row in body[1 : max(len(body) - 5, len(body) // 2)]]
    kinds = [_kind([row[j] for row in inner]) for j in range(len(header))]
    if len(inner) < 2 or not {"number", "time"} & {*kinds}:
        return header, body, ()
    said: tuple[str, ...] = ()
    first = [_text(cell).strip() for cell in body[0][1]]
    odd = [cell for cell, kind in zip(first, kinds, strict=True) if kind in ("number", "time") and cell]
    odd = [cell for cell in odd if cell not in MISSING]
    if odd and not any(column_kind([cell], MISSING) in ("number", "time") for cell in first):
        header, joined = joined_names(header, [first])
        said = ("2 header rows joined" if joined else f"a row of units skipped (row {body[0][0]})",)
        body = body[1:]
    end = len(body)
    while end > 2 and is_total([_text(cell) for cell in body[end - 1][1]], kinds, header):
        end -= 1
    said += (f"totals below the rows left out (row {body[end][0]})",) if end < len(body) else ()
    return header, body[:end], said


def _header(rows: list[list[Any]]) -> int | None:
    """The first row that has about as many cells as those below it and names columns."""
    sizes = [len(_filled(row)) for row in rows[:50]]
    for n, row in enumerate(rows[:50]):
        if sizes[n] < 2 <= max(sizes):
            continue
        below = rows[n + 1 : n + 200]
        kinds = [_kind([each[j] for each in below]) for j in range(len(row))]
        cells = [_text(cell) for cell in row]
        return n if is_header(cells, kinds, [[_text(cell) for cell in each] for each in below]) else None
    return None


def _kind(cells: list[Any]) -> str:
    return column_kind([_text(cell) for cell in cells], MISSING)


def _column(cells: list[Any], name: str, options: FileOptions, unclear: dict[str, Message]) -> pd.Series:
    """Cells of one type as they are; numbers that are text, and markers among numbers, as numbers."""
    left = [cell for cell in cells if cell != ""]
    if left and all(isinstance(cell, datetime.date) for cell in left):
        return pd.to_datetime(pd.Series([None if cell == "" else cell for cell in cells], dtype=object))
    if left and all(isinstance(cell, bool) for cell in left) and len(left) == len(cells):
        return pd.Series(cells, dtype=bool)
    text = pa.array([_text(cell) for cell in cells], pa.string())
    bare = without_missing(text, (*MISSING, *options.missing))
    if bare.null_count == len(bare):
        return pd.Series([float("nan")] * len(bare), dtype=float)
    texts = pa.array([cell for cell in cells if isinstance(cell, str)], pa.string())
    form = (
        None
        if name == "unique_id"
        else number_form(without_missing(texts, (*MISSING, *options.missing)), options.decimal)
    )
    whole = number_form(bare, options.decimal)
    padded = any(isinstance(cell, str) and PADDED.match(cell) for cell in left)  # "007" is a name
    if (
        name != "unique_id"
        and not padded
        and (whole is not None and (form is None or not form.both or options.decimal))
    ):
        return to_numbers(bare, whole, options.decimal or whole.decimal or ".").to_pandas()
    if form is not None and form.both:
        choices = joined([Option("decimal", ","), Option("decimal", ".")])
        unclear[name] = Message(f"column {name!r} has two readings as numbers; pass ", choices)
    return pd.Series([_text(cell) or None for cell in cells], dtype=object)


def _filled(row: list[Any]) -> list[Any]:
    return [cell for cell in row if _text(cell).strip()]


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return cell.isoformat(sep=" ") if isinstance(cell, datetime.datetime) else str(cell)
