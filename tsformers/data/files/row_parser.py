"""Rows of text that comes line by line, read by the rules of ``read_table``: separator, decimal comma, quotes."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tsformers.data.files.csv_layout import SEP_LINE, SEPARATORS, TIME
from tsformers.data.files.number_text import COMMA, POINT, UNIT
from tsformers.data.files.table_file import MISSING, FileOptions
from tsformers.data.files.text_bytes import wide_encoding
from tsformers.errors import DataError

BY_POINT, BY_COMMA = (re.compile(pattern.replace("x{2212}", "u2212")) for pattern in (POINT, COMMA))
BEHIND = re.compile(r"^\s*(?:\(([^()-]*[0-9][^()-]*)\)|([0-9][0-9., ]*)-)\s*$")  # the sign of (5) and 5-
WITH_UNIT = re.compile(UNIT)
GROUPS = re.compile(r"[\s'\u2019]")
OPEN_LINES = 100  # lines of one cell, at most
TITLES = 50  # lines above a header, at most


class LineSplitter:
    r"""Bytes cut into lines: by line feeds, by carriage returns where there are no others, two bytes wide in UTF-16.

    Args:
        encoding: of the text; None = UTF-8, or UTF-16 by its first bytes.

    Example:
        >>> splitter = LineSplitter()
        >>> [*splitter.feed(b"a\r\nb")], [*splitter.feed(b"c\n")], splitter.rest
        ([b'a\r\n'], [b'bc\n'], b'')
    """

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding, self.rest = encoding, b""
        self.end: bytes | None = None
        self.begun = False

    def feed(self, chunk: bytes, *, last: bool = False) -> Iterator[bytes]:
        """Complete lines with their ends; what follows them waits in ``rest``.

        Args:
            chunk: the next bytes.
            last: no more come.

        Yields:
            Lines.
        """
        self.rest += chunk
        if self.end is None and not self._find_end(last):
            return
        end, width, at = self.end or b"\n", len(self.end or b"\n"), 0
        while True:
            found = self.rest.find(end, at)
            while found >= 0 and found % width:
                found = self.rest.find(end, found + 1)
            if found < 0:
                break
            yield self.rest[at : found + width]
            at = found + width
        self.rest = self.rest[at:]

    def text(self, line: bytes) -> str:
        """A line as text, without its end and without a mark in front.

        Args:
            line: from ``feed``, or ``rest``.

        Returns:
            The text; bytes of another encoding become replacement characters.
        """
        return line.decode(self.encoding or "utf-8", errors="replace").strip("\r\n\ufeff")

    def _find_end(self, last: bool) -> bool:
        """What ends the lines, as soon as the first one has ended."""
        if not self.begun and len(self.rest) >= 4:
            wide = None if self.encoding else wide_encoding(self.rest)
            if wide == "utf-16":
                wide = "utf-16-le" if self.rest.startswith(b"\xff\xfe") else "utf-16-be"
            self.encoding, self.begun = wide or self.encoding, True
        ends = ["\n".encode(self.encoding), b"\r"] if self.encoding in ("utf-16-le", "utf-16-be") else [b"\n", b"\r"]
        if ends[0] in self.rest:
            self.end = ends[0]
        elif ends[1] in (self.rest if last else self.rest[:-1]) and len(ends[0]) == 1:
            self.end = ends[1]
        return self.end is not None


@dataclass
class RowParser:
    r"""Lines in, rows out; what cannot be read is an empty row.

    Args:
        typed: converters of the text of a cell, by column; that of ids comes first.
        format: "csv" or "jsonl"; None = by the first line.
        options: separator and decimal mark where the content does not tell, and markers of missing values.
        name: of the input, for messages.

    Example:
        >>> parser = RowParser({"unique_id": str, "y": float})
        >>> [row for line in ("unique_id;y", "a;1,5", "b;?") for row, _ in parser.feed(line, None)]
        [{'unique_id': 'a', 'y': 1.5}, {'unique_id': 'b', 'y': None}]
    """

    typed: Mapping[str, Callable[[str], Any]]
    format: str | None = None
    options: FileOptions = field(default_factory=FileOptions)
    name: str = "the input"

    def __post_init__(self) -> None:
        self.header: list[str] | None = None
        self.sep = self.options.separator
        self.missing = frozenset((*MISSING, *self.options.missing))
        self.waiting: list[tuple[str, Any]] = []  # lines of a cell whose quote is open, or above the header
        self.passed = 0
        self.first = True  # the next row may be a line of units
        self.padded = False

    @property
    def ready(self) -> bool:
        """Whether lines are rows from here on: JSON, or the header has been read."""
        return self.format == "jsonl" or self.header is not None

    def feed(self, line: str, tag: Any) -> list[tuple[dict[str, Any], Any]]:
        """The rows that end with a line.

        Args:
            line: without its end.
            tag: comes back with the row that ends here.

        Returns:
            Rows with their tags; none for a blank line, a title, the header, and while a quote is open.

        Raises:
            DataError: two columns have one name, or the input is an array of JSON.
        """
        if self.passed < (self.options.skip_rows or 0) and self.header is None:
            self.passed += 1
            return []
        if not line.strip() and not (self.waiting and self.header is not None):
            return []
        if self.format is None:
            self.format = "jsonl" if line.lstrip()[:1] == "{" else "csv"
            if line.lstrip()[:2] in ("[", "[{"):
                raise DataError(f"{self.name} is an array of JSON, which is complete at its end; give JSON lines")
        if self.format == "jsonl":
            return [(_record(line), tag)]
        if self.header is None:
            return self._above(line, tag)
        return self._rows(line, tag)

    def finish(self) -> list[tuple[dict[str, Any], Any]]:
        """What is left at the end of the input.

        Returns:
            Rows with their tags.
        """
        if self.header is not None:
            left, self.waiting = self.waiting, []
            return [({}, left[-1][1])] if left else []
        return self._without_match()

    def _above(self, line: str, tag: Any) -> list[tuple[dict[str, Any], Any]]:
        """A line above the rows: the header has names that are asked for, or stands above the first values."""
        declared = SEP_LINE.match(line.strip())
        if declared:
            self.sep = self.sep or declared[1]
            return []
        if line.startswith("#"):
            return []
        seps = [self.sep] if self.sep else [*SEPARATORS]
        readings = [(sep, _cells(line, sep)[0]) for sep in seps]
        matches = [(sum(cell.strip() in self.typed for cell in cells), len(cells), sep) for sep, cells in readings]
        if max(matches)[0] or self.options.skip_rows is not None:
            self.waiting = []
            self._take_header(line, max(matches)[2])
            return []
        self.waiting.append((line, tag))
        values = any(len(cells) > 1 and any(map(_is_value, cells)) for _, cells in readings)
        return self._without_match() if values or len(self.waiting) > TITLES else []

    def _without_match(self) -> list[tuple[dict[str, Any], Any]]:
        """No line has the names that are asked for: the header is the last line above the first values."""
        lines, self.waiting = self.waiting, []
        if not lines:
            return []
        sep = max([self.sep] if self.sep else SEPARATORS, key=lambda each: len(_cells(lines[-1][0], each)[0]))
        width = len(_cells(lines[-1][0], sep)[0])
        place = max((n for n, (line, _) in enumerate(lines[:-1]) if len(_cells(line, sep)[0]) == width), default=0)
        self._take_header(lines[place][0], sep)
        return [row for line, tag in lines[place + 1 :] for row in self._rows(line, tag)]

    def _take_header(self, line: str, sep: str) -> None:
        self.sep = sep
        cells, _ = _cells(line, sep)
        self.padded = any(cell != cell.strip() for cell in cells)
        self.header = [cell.strip() for cell in cells]
        while self.header and not self.header[-1]:
            self.header.pop()
        twice = [name for n, name in enumerate(self.header) if name and name in self.header[:n]]
        if twice:
            raise DataError(f"{self.name} has two columns called {twice[0]!r}; give each a name of its own")

    def _rows(self, line: str, tag: Any) -> list[tuple[dict[str, Any], Any]]:
        """The rows that end with this line; a quote that stays open waits for the lines of its cell."""
        sep, width = str(self.sep), len(self.header or [])
        cells, still_open = _cells(line, sep)
        if not self.waiting:
            if line.startswith("#") and len(cells) != width:
                return []
            if still_open:
                self.waiting.append((line, tag))
                return []
            return self._row(cells, tag)
        whole, still_open = _cells("\n".join([*(text for text, _ in self.waiting), line]), sep)
        if not still_open and len(whole) >= width:
            self.waiting = []
            return self._row(whole, tag)
        if not still_open or len(self.waiting) >= OPEN_LINES or len(cells) == width:
            before, self.waiting = self.waiting[-1][1], []
            return [({}, before), *self._rows(line, tag)]
        self.waiting.append((line, tag))
        return []

    def _row(self, cells: list[str], tag: Any) -> list[tuple[dict[str, Any], Any]]:
        header = self.header or []
        first, self.first = self.first, False
        if cells and not any(map(str.strip, cells)):
            return []
        if "".join(cells[len(header) :]).strip() or len(cells) < min(len(header), 2):
            return [({}, tag)]
        cells = [*cells[: len(header)], *[""] * (len(header) - len(cells))]
        if [cell.strip() for cell in cells] == header or (first and self._is_units(cells)):
            return []
        id_col = next(iter(self.typed))
        row: dict[str, Any] = {}
        for name, cell in zip(header, cells, strict=True):
            text = cell.strip() if self.padded else cell
            empty = not text if name == id_col else text.strip() in self.missing  # a series may be called NA
            if empty or name == id_col or name not in self.typed:
                row[name] = None if empty else self.typed.get(name, str)(text)
            else:
                row[name] = self.typed[name](plain_number(text, str(self.sep), self.options.decimal))
        return [(row, tag)]

    def _is_units(self, cells: list[str]) -> bool:
        asked = [cell for name, cell in zip(self.header or [], cells, strict=True) if name in [*self.typed][1:]]
        return any(cell.strip() not in self.missing for cell in asked) and not any(map(_is_value, cells))


def plain_number(text: str, sep: str, decimal: str | None = None) -> str:
    """A written number as Python reads it; text that is none, or has two readings, as it is.

    Args:
        text: of a cell.
        sep: what separates the cells: where it is no comma, a comma may be the decimal mark.
        decimal: the decimal mark that was asked for.

    Returns:
        Text.

    Example:
        >>> plain_number("1.010,5", ";"), plain_number("1,010", ","), plain_number("1,010", ";")
        ('1010.5', '1,010', '1.010')
    """
    plain = text.isascii() and " " not in text and text[-1:].isdigit() and "$" not in text
    if "," not in text and decimal != "," and plain:
        return text
    text = BEHIND.sub(r"-\1\2", text)
    beside = WITH_UNIT.match(text)
    if beside is not None and not (beside["money"] and beside["unit"]):
        text = f"{beside['before']}{beside['number']}"
    point, comma = decimal != "," and BY_POINT.match(text), decimal != "." and BY_COMMA.match(text)
    if (not point and not comma) or (point and comma and "," in text and sep == ","):
        return text
    text = GROUPS.sub("", text).replace("\u2212", "-")
    if comma and (not point or "," in text):
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "")


def _cells(line: str, sep: str) -> tuple[list[str], bool]:
    """The cells of a line, none where it cannot be read; second: a quote stays open."""
    line = " ".join(line.split()) if sep == " " else line
    try:
        return next(csv.reader([f"{part}\n" for part in line.split("\n")], delimiter=sep, strict=True), []), False
    except csv.Error as error:
        return [], "unexpected end" in str(error)


def _record(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_value(cell: str) -> bool:
    cell = cell.strip()
    return bool(cell) and bool(BY_POINT.match(cell) or BY_COMMA.match(cell) or TIME.match(cell))
