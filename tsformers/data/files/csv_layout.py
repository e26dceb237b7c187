"""How a text table is laid out: separator, header, lines to pass over; found in its first 64 KiB."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from tsformers.data.files.header_lines import is_total, joined_names
from tsformers.data.files.number_text import number_form, without_missing
from tsformers.data.files.table_file import MISSING
from tsformers.errors import DataError
from tsformers.messages import Option

SEPARATORS = (",", ";", "\t", "|")
HEAD = 2**16  # bytes from which the layout is known
ROWS = 1000  # rows of them that are looked at
SEP_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)
MONTH = r"(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*"
DAY = r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*"
CLOCK = r"\d{1,2}([:.h]\d{2})*([.,]\d+)?(\s?[ap]\.?m\.?)?\s?(Z|[+-]\d{2}:?\d{0,2}|[A-Z]{1,5})?"
TIME = re.compile(
    rf"^(\d{{1,4}}[-/.]\d{{1,2}}([-/.]\d{{1,4}})?\.?([T ]+{CLOCK})?|\d{{1,2}}:\d{{2}}(:\d{{2}})?([.,]\d+)?(\s?[ap]m)?|"
    rf"\d{{4}}-?[qmwt]\d{{1,2}}(-\d)?|\d{{1,4}}[- ./]?{MONTH}[- ./]?\d{{0,4}}([T ]+{CLOCK})?|"
    rf"({DAY}[, ]+)?{MONTH}[- ./]\d{{1,4}}(,? \d{{2,4}})?([T ]+{CLOCK})?|[qt][1-4][- /]\d{{2,4}}|\d{{4}}-\d{{3}})$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Record:
    """One row of cells, and where it stands.

    Args:
        cells: as text.
        line: on which it begins, from 1.
        end: the line after its last.
    """

    cells: list[str]
    line: int
    end: int


@dataclass(frozen=True)
class Layout:
    """Where the table stands in a text file, and what separates its cells.

    Args:
        sep: separator; " " is any run of blanks.
        names: of the columns, in order; an empty one is "".
        header: line of the header; 0 = there is none.
        body: first line of the rows.
        sample: the first rows.
        facts: what to say of it.
    """

    sep: str
    names: list[str]
    header: int
    body: int
    sample: list[list[str]]
    facts: tuple[str, ...] = ()
    kinds: list[str] = field(default_factory=list)


def find_layout(
    head: str, name: str, *, sep: str | None = None, skip: int | None = None, markers: Sequence[str] = MISSING
) -> Layout:
    r"""The layout of a text table.

    Args:
        head: its first lines, whole ones.
        name: of the file, for messages.
        sep: separator that was asked for; None = by the content.
        skip: lines above the header; None = by the content.
        markers: what means "missing".

    Returns:
        The layout.

    Raises:
        DataError: there is no header, or nothing at all.

    Example:
        >>> layout = find_layout("A title\nds;y\n2024-01-01;1,5\n", "a.csv")
        >>> layout.sep, layout.names, layout.body
        (';', ['ds', 'y'], 3)
    """
    lines = head.split("\n")
    first = skip or 0
    declared = SEP_LINE.match(lines[first].strip()) if first < len(lines) else None
    if declared and sep is None:
        sep, first = declared[1], first + 1
    comments = [n for n in range(first, len(lines)) if lines[n].startswith("#")]
    if not [n for n in range(first, len(lines)) if lines[n].strip() and not lines[n].startswith("#")]:
        raise DataError(f"{name} has no rows; give a table with a header and rows of a time and a value")
    tried = [_Reading(lines, first, each, markers, skip is not None) for each in ([sep] if sep else [*SEPARATORS, ""])]
    best = max(tried, key=lambda reading: reading.score)
    return best.layout(name, comments)


class _Reading:
    """The head of a file read with one separator ("" = one column), and how well that fits."""

    def __init__(self, lines: list[str], first: int, sep: str, markers: Sequence[str], fixed: bool) -> None:
        self.lines, self.first, self.sep, self.markers, self.fixed = lines, first, sep, markers, fixed
        self.records = [*split_records(lines, sep, first, ROWS + 50)]
        self.width, share = _usual_width(self.records)
        self.place = 0
        self.kinds: list[str] = []
        self.headed = False
        if self.records and (self.width > 1 or sep == "" or fixed):
            self._find_header(fixed)
        typed = sum(kind in ("number", "time") for kind in self.kinds) / max(len(self.kinds), 1)
        self.score = (share * (0.5 + 0.5 * typed) * (1.0 if self.headed else 0.4), self.width)
        if self.width < 2:
            numbers = self.headed and "number" in self.kinds
            self.score = ((0.6 if numbers else 0.05) * share, 0) if sep == "" else (0.0, 0)

    def _find_header(self, fixed: bool) -> None:
        """The first record of the usual width if it names columns; else a shorter or longer one above it."""
        exact = next((n for n, r in enumerate(self.records) if len(r.cells) == self.width and not self._is_title(n)), 0)
        above = [n for n in range(exact) if not self._is_title(n) and self._may_be_other(n)]
        for n in [0] if fixed else [exact, *above]:
            self.place, self.kinds = n, self._kinds(n + 1)
            rows = [record.cells for record in self.records[n + 1 :]]
            self.headed = fixed or is_header(self.records[n].cells, self.kinds, rows)
            if self.headed:
                return
        self.place = exact

    def _is_title(self, n: int) -> bool:
        """One cell and separators behind it, where the rows have more cells."""
        filled = [sum(map(bool, map(str.strip, record.cells))) for record in self.records[n : n + 20]]
        return filled[0] < 2 <= max(filled)

    def _may_be_other(self, n: int) -> bool:
        """A header of another width than its rows: they end with a separator, lack the last cells, or are numbered."""
        rows = [record.cells for record in self.records[n + 1 :] if len(record.cells) == self.width]
        more = self.width - len(self.records[n].cells)
        if more < 0 or all(not "".join(row[-more:]).strip() for row in rows):
            return True
        return more == 1 and numbers_rows([row[0] for row in rows])

    def _kinds(self, start: int) -> list[str]:
        again = self.records[start - 1].cells if start else []
        rows = [record.cells for record in self.records[start:] if len(record.cells) == self.width]
        rows = [row for row in rows if row != again]
        rows = rows[len(rows) > 3 : max(len(rows) - 10, len(rows) // 2, 1)]  # units stand first, notes last
        return [column_kind([row[j] for row in rows], self.markers) for j in range(self.width)]

    def layout(self, name: str, comments: list[int]) -> Layout:
        """The result of this reading."""
        if not self.records:
            raise DataError(f"{name} has no rows; give a table with a header and rows of a time and a value")
        header = self.records[self.place]
        names, place, facts = [cell.strip() for cell in header.cells], self.place, []
        above = [n for n in comments if n + 1 < header.line]
        if not self.headed:
            named = self._commented_header(above)
            if named is None:
                self._refuse_other_width(name)
                shown = self.lines[header.line - 1][:60]
                raise DataError(
                    f"{name} has no header: line {header.line} {shown!r} holds values; put column names above it"
                )
            names, place, header = named, -1, replace(header, end=header.line)
        rows = list(self.records[place + 1 :])
        body = header.end
        if place >= 0:
            names, rows, said_of = self._below_header(name, names, rows)
            facts += said_of
            body = rows[0].line if said_of and rows else body
        again = header.cells if self.headed else []
        whole = [record.cells for record in rows if len(record.cells) == self.width and record.cells != again]
        if len(names) == self.width - 1 and whole and "".join(row[-1] for row in whole).strip():
            names = ["", *names]  # the names of rows, as R writes them
        names += [""] * (self.width - len(names))
        titles = max(self.place, 0) if self.headed else 0
        said = [f"separator {'tab' if self.sep == chr(9) else repr(self.sep)}"] if self.sep else ["one column"]
        said += [f"{titles} title line{'s' * (titles > 1)} skipped"] if titles else []
        kinds, line = self._kinds(len(self.records) - len(rows)), header.line if self.headed else 0
        return Layout(self.sep, names, line, body, whole, (*said, *facts), kinds)

    def _below_header(
        self, name: str, names: list[str], rows: list[Record]
    ) -> tuple[list[str], list[Record], list[str]]:
        """Further lines of the header and a line of totals: the names, the rows below, and what to report."""
        extra: list[Record] = []
        while len(extra) < 3 and (units := self._units(rows)):
            extra.append(units)
            rows = rows[1:]
        facts = []
        if extra:
            padded = names + [""] * (self.width - len(names))
            names, joined = joined_names(padded, [[cell.strip() for cell in each.cells] for each in extra])
            if len(extra) > 1 and not joined and not self.fixed and all(map(str.strip, extra[-1].cells)):
                raise DataError(
                    f"{name}: any of the lines {self.records[self.place].line} to {extra[-1].line} may hold the names "
                    "of columns; pass ", Option("skip_rows", extra[-1].line - 1),
                    f" if they are those of line {extra[-1].line}, ", Option("skip_rows", extra[0].line - 2),
                    f" if they are those of line {extra[0].line - 1}",
                )  # fmt: skip
            at = f"line{'s' * (len(extra) > 1)} {' and '.join(str(each.line) for each in extra)}"
            what = "a line of units" if len(extra) == 1 else f"{len(extra)} lines of units"
            facts = [f"{len(extra) + 1} header lines joined" if joined else f"{what} skipped ({at})"]
        if len(rows) > 2 and len(rows[0].cells) == self.width:
            kinds = self._kinds(self.records.index(rows[1]))
            if is_total(rows[0].cells, kinds, names + [""] * (self.width - len(names))):
                facts.append(f"a line of totals skipped (line {rows[0].line})")
                rows = rows[1:]
        return names, rows, facts

    def _refuse_other_width(self, name: str) -> None:
        """A line of names of another width than the rows."""
        above = [r for r in self.records[: self.place] if len(r.cells) > 1 and len(r.cells) != self.width]
        if above and is_header(above[-1].cells, ["number"], []):
            row = self.records[self.place]
            raise DataError(
                f"{name}: line {above[-1].line} has {len(above[-1].cells)} names of columns, and line {row.line} has "
                f"{len(row.cells)} cells; put text and numbers that hold {self.sep!r} in quotes, or pass ",
                Option("sep"),
            )

    def _commented_header(self, comments: list[int]) -> list[str] | None:
        """Names that stand in a comment just above the rows."""
        if not comments or comments[-1] + 2 != self.records[self.place].line:
            return None
        text = self.lines[comments[-1]].lstrip("#").strip()
        found = next(split_records([text], self.sep, 0, 1), None)
        if found is None or len(found.cells) != self.width:
            return None
        return [cell.strip() for cell in found.cells]

    def _units(self, rows: list[Record]) -> Record | None:
        """A second line of the header: no number and no time where all rows below have one."""
        if len(rows) < 3 or len(rows[0].cells) != self.width:
            return None
        cells = [cell.strip() for cell in rows[0].cells]
        if any(column_kind([cell], self.markers) in ("number", "time") for cell in cells):
            return None
        kinds = self._kinds(self.records.index(rows[1]))
        odd = [cell for cell, kind in zip(cells, kinds, strict=True) if kind in ("number", "time") and cell]
        odd = [cell for cell in odd if cell not in self.markers]
        return rows[0] if odd else None


def split_records(lines: list[str], sep: str, first: int, limit: int) -> Iterator[Record]:
    r"""Rows of cells; quoted line breaks belong to their cell, comments and blank lines are passed over.

    Args:
        lines: of the file, without their ends.
        sep: separator; "" = one column, " " = runs of blanks.
        first: line to begin with, from 0.
        limit: rows at most.

    Yields:
        The rows; none after a quote that does not end.

    Example:
        >>> [record.cells for record in split_records(["# x", 'a;"b', 'c"'], ";", 0, 9)]
        [['a', 'b\nc']]
    """
    at = first

    def feed() -> Iterator[str]:
        nonlocal at
        while at < len(lines):
            at += 1
            if not lines[at - 1].startswith("#"):
                yield (" ".join(lines[at - 1].split()) if sep == " " else lines[at - 1]) + "\n"

    reader = csv.reader(feed(), delimiter=sep or "\x1f", skipinitialspace=True)
    found = 0
    while found < limit:
        begin = at
        try:
            cells = next(reader, None)
        except csv.Error:
            return
        if cells is None:
            return
        if not "".join(cells).strip() and len(cells) < 2:
            continue
        while lines[begin].startswith("#") or not lines[begin].strip():
            begin += 1
        found += 1
        yield Record(cells, begin + 1, at + 1)


def column_kind(cells: Sequence[str], markers: Sequence[str]) -> str:
    """What a column holds.

    Args:
        cells: some of them.
        markers: what means "missing".

    Returns:
        "number", "time" (dates in their written forms), "text" or "empty".

    Example:
        >>> column_kind(["1,5", "NA"], MISSING), column_kind(["2024-01-01"], MISSING), column_kind(["a"], MISSING)
        ('number', 'time', 'text')
    """
    left = without_missing(pa.array(cells, pa.string()), markers).drop_null()
    if not len(left):
        return "empty"
    if number_form(left) is not None:
        return "number"
    return "time" if all(TIME.match(cell.strip()) for cell in left.to_pylist()) else "text"


def numbers_rows(cells: Sequence[str]) -> bool:
    """Whether cells count rows: 0, 1, 2, ... or 1, 2, 3, ...

    Args:
        cells: of a column.

    Returns:
        True where they do.

    Example:
        >>> numbers_rows(["1", "2", "3"]), numbers_rows(["1", "5"])
        (True, False)
    """
    if not cells or not all(cell.strip().isdecimal() for cell in cells):
        return False
    first = int(cells[0])
    return first in (0, 1) and all(int(cell) == first + k for k, cell in enumerate(cells))


def is_header(cells: Sequence[str], kinds: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a row names columns, judged by what stands below it.

    Args:
        cells: of the row.
        kinds: of the columns below, from ``column_kind``.
        rows: below it.

    Returns:
        False where it is a row of values itself.

    Example:
        >>> is_header(["ds", "y"], ["time", "number"], []), is_header(["2024-01-01", "5"], ["time", "number"], [])
        (True, False)
    """
    own = [column_kind([cell], MISSING) for cell in cells]
    pairs = [*zip(own, kinds, strict=False)]
    if any(mine == "time" and kind == "time" for mine, kind in pairs):
        return False
    if any(mine == "text" and kind in ("number", "time") for mine, kind in pairs):
        return True
    numbers = [cell.strip() for cell, mine in zip(cells, own, strict=True) if mine == "number"]
    if not numbers:
        return "text" in own
    if any(row and cell == row[0] for row in rows for cell in cells[:1] if cell.strip()):
        return False
    return "number" not in kinds or (len(numbers) < len(cells) and _count_up(numbers))


def _count_up(cells: Sequence[str]) -> bool:
    """Years, or numbers in steps: the times of a wide table."""
    if not all(cell.isdecimal() for cell in cells):
        return False
    found = [int(cell) for cell in cells]
    steps = {after - before for before, after in itertools.pairwise(found)}
    if all(1700 <= value <= 2200 for value in found):
        return True
    return len(found) > 2 and ((len(steps) == 1 and min(steps) > 0) or (min(steps) > 0 and min(found) > 100000))


def _usual_width(records: Sequence[Record]) -> tuple[int, float]:
    """Cells of most rows, and the share of those rows."""
    if not records:
        return 0, 0.0
    counts = Counter(len(record.cells) for record in records)
    width, rows = max(counts.items(), key=lambda item: (item[1], item[0]))
    if len(records) <= 3:  # a header and few rows: the widest
        width = max(counts)
        rows = counts[width]
    return width, rows / len(records)
