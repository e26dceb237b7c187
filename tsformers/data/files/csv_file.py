"""Text tables: the layout is found in the first lines, pyarrow reads the rows, columns become numbers by evidence."""

import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from tsformers.data.files.content import Content
from tsformers.data.files.csv_layout import HEAD, Layout, column_kind, find_layout, split_records
from tsformers.data.files.header_lines import is_total
from tsformers.data.files.number_text import NumberForm, number_form, signed, to_numbers, without_missing, without_unit
from tsformers.data.files.table_file import MISSING, SURE_TIME_NAMES, FileOptions, TableFile
from tsformers.data.files.text_bytes import as_utf8
from tsformers.errors import DataError
from tsformers.messages import Message, Option, joined

TEXT = pa.string()
NO_ROWS = np.empty(0, dtype=np.int64)
BOOLEANS = pa.array(["true", "false", "True", "False", "TRUE", "FALSE"])
SEPARATED = np.frombuffer(b",;\t|\n", np.uint8)  # what stands before a quote that opens a cell


@dataclass(frozen=True)
class Rows:
    """The rows of a text table.

    Args:
        data: the lines below the header without comments and notes; a view of the file where it has no comments.
        layout: of the file.
        notes: lines below the rows that are left out; the first of them, 0 = none.
    """

    data: memoryview
    layout: Layout
    notes: int = 0
    quoted: bool = False  # a quote stands in them


def read_csv(content: Content, options: FileOptions, text_columns: Sequence[str] = ()) -> TableFile:
    r"""Read a text table.

    Args:
        content: the bytes of the file.
        options: what its content does not tell.
        text_columns: columns that stay text whatever they hold, beside those of times and ids.

    Returns:
        The table.

    Raises:
        DataError: no header, rows of different width, two columns of one name, bytes of another encoding.

    Example:
        >>> content = Content("a.csv", b"ds;y\n2024-01-01;1,5\n", (), lambda: b"")
        >>> table = read_csv(content, FileOptions())
        >>> table.facts, table.frame["y"].tolist()
        (("separator ';'", 'decimal comma'), [1.5])
    """
    data, said = as_utf8(content.data, content.name, options.encoding)
    markers = (*MISSING, *options.missing)
    layout = find_layout(_head(data), content.name, sep=options.separator, skip=options.skip_rows, markers=markers)
    rows = find_rows(data, layout)
    names = named(layout.names, content.name)
    fixed = {
        j
        for j, name in enumerate(names)
        if name == "unique_id" or name in text_columns or name.lower() in SURE_TIME_NAMES
    }
    types, decimal = _first_types(layout, fixed, options, markers)
    columns, kept, again = _cells(rows, content.name, types, decimal)
    times = {name for name, kind in zip(names, layout.kinds, strict=False) if kind == "time"}
    columns, forms, unclear = _typed(columns, names, fixed, options, markers, layout.sep, decimal, times)
    unnamed = {j for j, name in enumerate(layout.names) if not name and columns[j].null_count == len(columns[j])}
    frame = pa.table(
        [column for j, column in enumerate(columns) if j not in unnamed],
        names=[name for j, name in enumerate(names) if j not in unnamed],
    ).to_pandas()
    del columns
    pa.default_memory_pool().release_unused()  # 0.5 GiB of cells after 10 million rows
    facts = [*layout.facts[:1], *_said_of_numbers(forms), *said, *layout.facts[1:]]
    facts += [f"unit {form.unit!r} of {name!r} taken off" for name, form in forms.items() if form and form.unit]
    facts += [f"notes below the rows left out (line {rows.notes})"] if rows.notes else []
    content = replace(content, data=b"")  # what stays with the table does not hold the bytes
    del data, rows
    line_of = _Lines(content, options, layout, kept)
    if len(again):
        more = f" and {len(again) - 1} more" if len(again) > 1 else ""
        facts.append(f"the header stands again, left out (line {line_of.lines[again[0]]}{more})")
    table = TableFile(
        frame, content.name, "CSV", (*facts, *content.facts), line_of, text=True, unclear=unclear,
        reread=functools.partial(_reread, content, options, layout, names, kept),
    )  # fmt: skip
    if unclear and not any(forms.values()):
        raise DataError(next(iter(unclear.values())))
    return table


def named(cells: Sequence[str], name: str) -> list[str]:
    """The names of columns.

    Args:
        cells: of the header; an empty one is called as pandas calls it.
        name: of the file, for messages.

    Returns:
        The names.

    Raises:
        DataError: two columns have one name.

    Example:
        >>> named(["", "y"], "a.csv")
        ['Unnamed: 0', 'y']
    """
    names = [cell or f"Unnamed: {j}" for j, cell in enumerate(cells)]
    twice = [each for each, count in Counter(names).items() if count > 1]
    if twice:
        places = ", ".join(str(j + 1) for j, each in enumerate(names) if each == twice[0])
        raise DataError(f"{name} has two columns called {twice[0]!r} (columns {places}); give each a name of its own")
    return names


def find_rows(data: bytes, layout: Layout) -> Rows:
    """The lines of the rows: those below the header, without comments among them and notes after them.

    Args:
        data: text as ``as_utf8`` returns it.
        layout: of the file.

    Returns:
        The rows.
    """
    start = _offset(data, layout.body)
    end, note = _end_of_rows(data, start, layout)
    line = layout.body + data.count(b"\n", start, note) if note is not None else 0
    body = memoryview(data)[start:end]
    if data.startswith(b"#", start, end) or data.find(b"\n#", start, end) >= 0:
        body = memoryview(_without_comments(bytes(body)))
    return Rows(body, layout, line, data.find(b'"', start, end) >= 0)


def _head(data: bytes) -> str:
    """The first lines, whole ones: 64 KiB, more where lines are long."""
    size = HEAD
    while size < len(data) and data.count(b"\n", 0, size) < 20:
        size *= 4
    if size >= len(data):
        return data.decode()
    return data[: data.rindex(b"\n", 0, size) + 1].decode()


def _offset(data: bytes, line: int) -> int:
    """Where a line begins."""
    at = 0
    for _ in range(line - 1):
        found = data.find(b"\n", at)
        if found < 0:
            return len(data)
        at = found + 1
    return at


def _without_comments(body: bytes) -> bytes:
    return re.sub(rb"(?m)^#[^\n]*(\n|\Z)", b"", body)


def _end_of_rows(data: bytes, first_row: int, layout: Layout) -> tuple[int, int | None]:
    """Where the rows that begin at ``first_row`` end, and where the first note below them begins.

    A note holds text only, and has another number of cells than the rows or is separated from them by a blank line.
    """
    end = at = len(data)
    while at > first_row and data[at - 1] == 10:
        end = at = at - 1
    first: int | None = None
    typed = [j for j, kind in enumerate(layout.kinds) if kind in ("number", "time")]
    below: int | None = None  # a line of as many cells, which is a note where a blank line stands above it
    for _ in range(200):
        start = max(data.rfind(b"\n", first_row, at) + 1, first_row)
        line = data[start:at].decode()
        found = next(split_records([line], layout.sep, 0, 1), None)
        cells = [cell.strip() for cell in found.cells] if found else []
        if at <= first_row or line.count('"') % 2 or (found and layout.sep == ""):
            break
        if not any(cells):
            if below is not None:
                first, end, below = below, max(start - 1, first_row), None
        elif len(cells) == len(layout.names) and is_total(cells, layout.kinds, layout.names):
            first, end, below = start, max(start - 1, first_row), None
        elif any(column_kind([cell], MISSING) in ("number", "time") for cell in cells):
            break
        elif len(cells) != len(layout.names) or (typed and sum(map(bool, cells)) == 1 and cells[typed[0]]):
            first, end, below = start, max(start - 1, first_row), None
        elif typed:
            below = start
        else:
            break
        at = max(start - 1, first_row)
    return end, first


def _first_types(
    layout: Layout, fixed: set[int], options: FileOptions, markers: Sequence[str]
) -> tuple[list[Any], str]:
    """Types that pyarrow reads by itself, plain numbers with one decimal mark, and that mark."""
    forms = []
    for j in range(len(layout.names)):
        cells = pa.array([row[j] for row in layout.sample if j < len(row)], TEXT)
        forms.append(None if j in fixed else number_form(without_missing(cells, markers), options.decimal))
    marks = [form.decimal for form in forms if form is not None and not form.both and not form.grouped]
    decimal = "," if "," in marks else "."
    types = []
    for form in forms:
        easy = form is not None and not form.both and not form.grouped and form.decimal in ("", decimal)
        types.append((pa.int64() if form is not None and form.whole else pa.float64()) if easy else TEXT)
    return types, decimal


def _cells(
    rows: Rows, name: str, types: list[Any], decimal: str = "."
) -> tuple[list[Any], np.ndarray | None, np.ndarray]:
    """The columns; those of text have no nulls yet. Then the rows kept, where some were left out, and the headers."""
    names = [str(j) for j in range(len(types))]
    if rows.layout.sep in ("", " ") or len(rows.layout.sep.encode()) > 1:
        return _slow_cells(rows, name)
    for attempt in (types, [TEXT] * len(types)):
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(pa.py_buffer(rows.data)),
                arrow_csv.ReadOptions(column_names=names, block_size=_block(rows.data)),
                arrow_csv.ParseOptions(delimiter=rows.layout.sep, newlines_in_values=rows.quoted),
                arrow_csv.ConvertOptions(column_types=dict(zip(names, attempt, strict=True)), null_values=[*MISSING],
                                         strings_can_be_null=False, decimal_point=decimal, check_utf8=False),
            ) if rows.data else pa.table([pa.array([], kind) for kind in attempt], names=names)  # fmt: skip
        except pa.ArrowInvalid:
            continue
        return _without_headers(*_without_empty(table.columns), rows.layout.names)
    return _slow_cells(rows, name)


def _block(data: memoryview) -> int:
    return 1 << 20 if len(data) < 1 << 20 or b"\n" in bytes(data[: 1 << 18]) else 1 << 26


def _slow_cells(rows: Rows, name: str) -> tuple[list[Any], np.ndarray | None, np.ndarray]:
    """Rows of uneven width: short ones are filled up, one that is too long is refused."""
    width, layout = len(rows.layout.names), rows.layout
    records = [*split_records(bytes(rows.data).decode().split("\n"), layout.sep, 0, len(rows.data))]
    for record in records:
        cells = record.cells
        if len(cells) == width:
            continue
        if len(cells) > width and not "".join(cells[width:]).strip():
            del cells[width:]
        elif len(cells) > width or (len(cells) == 1 and width > 2):
            line = layout.body + record.line - 1
            raise DataError(
                f"{name}: line {line} has {len(cells)} cell{'s' * (len(cells) > 1)}, and the header has {width}; "
                f"correct the line (text that holds {layout.sep!r} stands in quotes), or pass ", Option("sep")
            )  # fmt: skip
        cells += [""] * (width - len(cells))
    columns = [pa.chunked_array([pa.array([record.cells[j] for record in records], TEXT)]) for j in range(width)]
    return _without_headers(*_without_empty(columns), layout.names)


def _without_empty(columns: list[Any]) -> tuple[list[Any], np.ndarray | None]:
    """Rows that hold nothing but separators are none."""
    empty = None
    for column in columns:
        gone = pc.equal(column, "") if column.type == TEXT else pc.is_null(column)
        empty = gone if empty is None else pc.and_(empty, gone)
        if not pc.any(empty).as_py():
            return columns, None
    kept = pc.invert(empty)
    return [column.filter(kept) for column in columns], np.flatnonzero(kept.to_numpy())


def _without_headers(
    columns: list[Any], kept: np.ndarray | None, names: Sequence[str]
) -> tuple[list[Any], np.ndarray | None, np.ndarray]:
    """Files that were appended to each other repeat the header: such rows are none. Last: where they stand."""
    again = None
    for column, name in zip(columns, names, strict=True):
        if column.type != TEXT:  # a name would not have been read as a number
            return columns, kept, NO_ROWS
        same = pc.equal(pc.utf8_trim_whitespace(column), name)
        again = same if again is None else pc.and_(again, same)
        if not pc.any(again).as_py():
            return columns, kept, NO_ROWS
    found = np.asarray(again)
    places = np.arange(len(found)) if kept is None else kept
    return [column.filter(pc.invert(again)) for column in columns], places[~found], places[found]


def _typed(
    columns: list[Any],
    names: list[str],
    fixed: set[int],
    options: FileOptions,
    markers: Sequence[str],
    sep: str,
    read: str,
    times: set[str],
) -> tuple[list[Any], dict[str, NumberForm | None], dict[str, Message]]:
    """Text that is written numbers as numbers; columns with two readings stay text."""
    forms: dict[str, NumberForm | None] = {}
    cells: dict[int, Any] = {}
    for j, column in enumerate(columns):
        if column.type != TEXT:
            forms[names[j]] = NumberForm("" if column.type == pa.int64() else read, plain=True)
        elif j not in fixed:
            cells[j] = without_missing(column, markers)
            forms[names[j]] = number_form(cells[j], options.decimal)
            known = forms[names[j]] is not None or names[j] in times
            bare, unit = (cells[j], "") if known else without_unit(signed(cells[j]))
            form = None if known else number_form(bare, options.decimal)
            if form is not None:
                cells[j], forms[names[j]] = bare, replace(form, unit=unit)
    sure = {form.decimal for form in forms.values() if form is not None and not form.both and form.decimal}
    unclear: dict[str, Message] = {}
    typed = []
    for j, column in enumerate(columns):
        form = forms.get(names[j])
        decimal = None if form is None else options.decimal or _decimal(form, sure, sep)
        if j not in cells:
            typed.append(_marked(_text(column), options.missing))
        elif form is None and cells[j].null_count == len(column) and not pc.any(pc.equal(column, "X")).as_py():
            typed.append(pa.nulls(len(column), pa.float64()))
        elif form is None or decimal is None:
            if form is not None:
                unclear[names[j]], forms[names[j]] = _two_readings(names[j], cells[j], form.decimal), None
            typed.append(_text(column))
        else:
            grouped = form.grouped or (form.both and decimal != form.decimal)
            shown = "" if grouped and form.both else form.decimal
            forms[names[j]] = replace(form, decimal=shown, grouped=grouped)
            typed.append(_marked(to_numbers(cells[j], form, decimal), options.missing))
    return typed, forms, unclear


def _decimal(form: NumberForm, sure: set[str], sep: str) -> str | None:
    """The decimal mark of a column; None where there are two readings."""
    if not form.both:
        return form.decimal or "."
    if form.decimal == ".":
        return None if sure == {","} else "."
    if len(sure) == 1:
        return next(iter(sure))
    return "," if sep != "," and not sure else None


def _two_readings(column: str, cells: Any, mark: str) -> Message:
    example = cells.filter(pc.match_substring(cells, mark))[0].as_py().strip()
    return Message(
        f"column {column!r} has two readings: {example!r} may hold a decimal mark or one of thousands; pass ",
        joined([Option("decimal", ","), Option("decimal", ".")]),
    )


def _text(column: Any) -> Any:
    """Empty cells of text are missing; blanks around cells go where all cells have them; true and false are no text."""
    if column.type != TEXT or not len(column):
        return column
    if _padded(column[:100]) and _padded(column):
        column = pc.utf8_trim_whitespace(column)
    if (
        pc.all(pc.is_in(column[:100], value_set=BOOLEANS)).as_py()
        and pc.all(pc.is_in(column, value_set=BOOLEANS)).as_py()
    ):
        return pc.equal(pc.utf8_lower(column), "true")
    empty = pc.equal(column, "")
    return pc.if_else(empty, pa.scalar(None, TEXT), column) if pc.any(empty).as_py() else column


def _padded(column: Any) -> bool:
    trimmed = pc.utf8_trim_whitespace(column)
    return bool(pc.all(pc.or_(pc.not_equal(trimmed, column), pc.equal(trimmed, ""))).as_py())


def _marked(column: Any, missing: Sequence[str]) -> Any:
    """Numbers without those that mean "missing"."""
    if not missing or column.type not in (pa.int64(), pa.float64()):
        return column
    for marker in missing:
        try:
            column = pc.if_else(
                pc.equal(column.cast(pa.float64()), float(marker)), pa.scalar(None, column.type), column
            )
        except ValueError:
            continue
    return column


def _said_of_numbers(forms: dict[str, NumberForm | None]) -> list[str]:
    found = [form for form in forms.values() if form is not None]
    facts = ["decimal comma"] if any(form.decimal == "," for form in found) else []
    return facts + (["thousands in groups"] if any(form.grouped for form in found) else [])


def _reread(
    content: Content, options: FileOptions, layout: Layout, names: list[str], kept: np.ndarray | None, column: str
) -> pd.Series:
    """One column as text."""
    data, _ = as_utf8(content.again(), content.name, options.encoding)
    again = find_rows(data, layout)
    cells, _, _ = _cells(again, content.name, [TEXT] * len(names))
    found = pc.if_else(pc.equal(cells[names.index(column)], ""), pa.scalar(None, TEXT), cells[names.index(column)])
    return pa.table([found], names=[column]).to_pandas()[column]


class _Lines:
    """The line of each row, found when it is asked for: quoted line breaks, comments and blank lines count."""

    def __init__(self, content: Content, options: FileOptions, layout: Layout, kept: np.ndarray | None) -> None:
        self.content, self.options, self.layout, self.kept = content, options, layout, kept

    @functools.cached_property
    def lines(self) -> np.ndarray:
        data, _ = as_utf8(self.content.again(), self.content.name, self.options.encoding)
        return record_lines(data[_offset(data, self.layout.body) :], self.layout.body, self.layout.sep)

    def __call__(self, row: int) -> int:
        return int(self.lines[row if self.kept is None else self.kept[row]])


def record_lines(body: bytes, first: int, sep: str = ",") -> np.ndarray:
    r"""The line on which each record of a text begins.

    Args:
        body: lines below the header.
        first: the number of the first of them.
        sep: separator.

    Returns:
        Line numbers; blank lines and comments have none.

    Example:
        >>> record_lines(b'a,1\n# x\n\nb,"x\ny"\nc,2', 3).tolist()
        [3, 6, 8]
    """
    raw = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(raw == 10)
    starts = np.concatenate([[0], ends + 1])
    starts = starts[starts < len(raw)]
    filled = ~np.isin(raw[starts], (10, 35))
    if b'"' not in body:
        return np.flatnonzero(filled) + first
    quotes = np.flatnonzero(raw == 34)
    begins = (quotes == 0) | np.isin(raw[np.maximum(quotes - 1, 0)], SEPARATED)
    if begins.sum() * 2 == len(quotes):  # each quote encloses a cell: a line break between two belongs to it
        outside = np.searchsorted(quotes, starts) % 2 == 0
        return np.flatnonzero(outside & filled) + first
    records = split_records(body.decode().split("\n"), sep, 0, len(body))
    return np.array([record.line for record in records]) + first - 1
