"""Lines of CSV and JSON, Parquet files and endless pipes: rows in as they come, decisions out line by line."""

import csv
import io
import json
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from tsformers.anomaly.decisions import FIELDS, Decision
from tsformers.errors import DataError, JobError
from tsformers.tables import EMPTY_CELLS, SUFFIXES, Format

Row = Mapping[str, Any]
CHUNK = 2**16  # bytes read at once
PATIENCE = 0.1  # seconds between two looks at a file that may grow, or at whether to stop
PARQUET_ROWS = 2**16


class Batch(NamedTuple):
    """Rows that came together: what each is called, each row, and where to go on after each (None: the row's name)."""

    names: Sequence[int | str]
    rows: Sequence[Row]
    marks: Sequence[int | str]


class Source(Protocol):
    """Where rows come from. Law: begun again at a mark, it gives the rows after it."""

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Rows after ``mark`` (None: all), of which ``done`` came before; an empty batch now and then while waiting."""
        ...

    def settle(self, mark: int | str) -> None:
        """All up to here is kept, and need not be given again."""
        ...

    def close(self) -> None:
        """No more rows are wanted."""
        ...


class Sink(Protocol):
    """Where decisions go."""

    def write(self, names: Sequence[int | str], decisions: Sequence[Decision]) -> None:
        """Decisions about the rows of these names."""
        ...

    def place(self) -> int:
        """All has been handed over; how far the output reaches, -1 where that means nothing."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Lines:
    """Rows of CSV or JSON lines from a file, a pipe or a file that grows.

    A line that cannot be read is a row all the same, an empty one. An incomplete last line waits for its end where the
    file may grow, and is a row where it may not. Blank lines are no rows. CSV has one row a line.

    Args:
        path: file, or "-" for standard input.
        format: "csv" or "jsonl"; None: by suffix, else by the first byte.
        follow: at the end of the file wait for more.
        idle: seconds without a new row after which to end all the same; None: never.
        typed: makes an id of the text of a CSV cell.
        id_col: column of ids.

    Raises:
        DataError: there is no such file.
    """

    def __init__(
        self, path: str, format: Format | None, *, follow: bool, idle: float | None, typed: Callable[[str], Any],
        id_col: str,
    ) -> None:  # fmt: skip
        self.path, self.follow, self.idle, self.typed, self.id_col = path, follow, idle, typed, id_col
        self.format = format or SUFFIXES.get(Path(path).suffix.lower())
        self.file: Any = sys.stdin.buffer
        if path != "-":
            try:
                self.file = Path(path).open("rb", buffering=0)  # noqa: SIM115  # for as long as rows come
            except OSError as error:
                raise DataError(
                    f"{path} cannot be read ({error.strerror}); give a file, or - for standard input"
                ) from None
        self.number = _number(self.file)
        self.regular = self.number is not None and stat.S_ISREG(os.fstat(self.number).st_mode)
        self.header: list[str] | None = None

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Rows, as many at a time as there are."""
        at, row, rest = 0, done, b""
        skip = int(mark or 0)
        for piece in self._pieces():
            if piece is None:
                yield Batch((), (), ())
                continue
            ends, lines = piece == b"", (rest + piece).split(b"\n")
            rest = b"" if ends else lines.pop()
            names: list[int | str] = []
            rows: list[Row] = []
            marks: list[int | str] = []
            for line in lines:
                at += len(line) + 1  # a last line without an end counts as if it had one
                if self.format is None and line.strip():
                    self.format = "jsonl" if line.lstrip()[:1] == b"{" else "csv"
                heading = self.format == "csv" and self.header is None
                parsed = self._row(line) if heading or at > skip else None
                if parsed is not None:
                    row += 1
                    names.append(row)
                    rows.append(parsed)
                    marks.append(at)
            if rows:
                yield Batch(names, rows, marks)

    def settle(self, mark: int | str) -> None:
        """Nothing to do: a file stays."""

    def close(self) -> None:
        """A file of ours is closed."""
        if self.path != "-":
            self.file.close()

    def _row(self, line: bytes) -> Row | None:
        """The row in a line; None where it is blank, or the header."""
        text = line.decode("utf-8", errors="replace").strip("\r\n\ufeff")
        if not text.strip():
            return None
        if self.format == "jsonl":
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                return {}
            return found if isinstance(found, dict) else {}
        try:
            cells = next(csv.reader([text], strict=True))
        except csv.Error:
            return {}
        if self.header is None:
            self.header = cells
            return None
        if len(cells) != len(self.header):
            return {}
        row = {name: None if cell in EMPTY_CELLS else cell for name, cell in zip(self.header, cells, strict=True)}
        raw = dict(zip(self.header, cells, strict=True)).get(self.id_col, "")
        return row | {self.id_col: self.typed(raw) if raw else None}

    def _pieces(self) -> Iterator[bytes | None]:
        """What can be read, piece by piece; None while there is nothing; b"" at the end."""
        quiet = time.monotonic()
        while True:
            if not self._ready():
                piece = None
            else:
                piece = os.read(self.number, CHUNK) if self.number is not None else self.file.read1(CHUNK)
            if piece:
                quiet = time.monotonic()
                yield piece
                continue
            if piece == b"" and not (self.follow and self.regular):
                break
            if self.idle is not None and time.monotonic() - quiet > self.idle:
                break
            self._refuse_shorter()
            yield None
            if piece is not None:
                time.sleep(PATIENCE)
        yield b""

    def _ready(self) -> bool:
        """Whether reading would not wait; a moment is waited for it."""
        if self.number is None or self.regular:
            return True
        return bool(select.select([self.number], [], [], PATIENCE)[0])

    def _refuse_shorter(self) -> None:
        if self.regular and self.number is not None:
            here, size = os.lseek(self.number, 0, os.SEEK_CUR), os.fstat(self.number).st_size
            if size < here:
                raise DataError(
                    f"{self.path} has become shorter than what was read of it; follow a file that is only added to, or "
                    f"pipe one that is rotated: tail -F {self.path} | tsformers detect ..."
                )


class Parquet:
    """Rows of a Parquet file, some thousands at a time.

    Args:
        path: file, or "-" for standard input, which is read whole first.

    Raises:
        DataError: it is no such file.
    """

    def __init__(self, path: str) -> None:
        try:
            self.file = pq.ParquetFile(io.BytesIO(sys.stdin.buffer.read()) if path == "-" else path)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(f"{path} cannot be read as parquet ({' '.join(str(error).split())})") from None

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Rows; their number is the mark."""
        row, skip = 0, int(mark or 0)
        for batch in self.file.iter_batches(PARQUET_ROWS):
            first, row = row, row + len(batch)
            if row > skip:
                some = batch.slice(max(skip - first, 0))
                names = range(row - len(some) + 1, row + 1)
                yield Batch(names, some.to_pylist(), names)

    def settle(self, mark: int | str) -> None:
        """Nothing to do: a file stays."""

    def close(self) -> None:
        """The file is closed."""
        self.file.close()


class LineSink:
    """Decisions as CSV or JSON lines, each written at once and whole.

    Args:
        path: file, or "-" for standard output.
        format: "csv" or "jsonl".
        columns: what id, time and value are called.
        resumed: how far the file reached when the state was kept, to which it is cut back; -1 where nobody knows; None:
            this is the beginning.
    """

    def __init__(self, path: str, format: Format, columns: Sequence[str], resumed: int | None) -> None:
        self.format, self.heads = format, ("row", *columns, *FIELDS, "status")
        self.owned = path != "-"
        if self.owned:
            begun = resumed is not None and Path(path).exists()
            try:
                self.file: Any = Path(path).open("r+b" if begun else "wb", buffering=0)  # noqa: SIM115
            except OSError as error:
                raise JobError(f"{path} cannot be written ({error.strerror}); choose another place") from None
            if begun and resumed is not None:
                if resumed > os.fstat(self.file.fileno()).st_size:
                    raise JobError(f"{path} is shorter than when the state was kept; name the file that belongs to it")
                self.file.truncate(max(resumed, 0))
            self.file.seek(0, os.SEEK_END)
        else:
            self.file = sys.stdout.buffer if hasattr(sys.stdout, "buffer") else None
            if resumed is not None:
                _cut_to_whole_lines(_number(self.file))
        self.number = _number(self.file)
        if format == "csv" and resumed is None:
            self._put([_cells(self.heads)])

    def write(self, names: Sequence[int | str], decisions: Sequence[Decision]) -> None:
        """One line a decision."""
        if self.format == "csv":
            self._put([_cells((name, *_values(said))) for name, said in zip(names, decisions, strict=True)])
            return
        rows = zip(names, decisions, strict=True)
        self._put([json.dumps(dict(zip(self.heads, (name, *_plain(said)), strict=True)), default=str) + "\n"
                   for name, said in rows])  # fmt: skip

    def place(self) -> int:
        """Lines are handed over one by one, so that all of them are; the size of a file of ours."""
        return int(self.file.tell()) if self.owned else -1

    def close(self) -> None:
        """A file of ours is closed."""
        if self.owned:
            self.file.close()

    def _put(self, lines: Sequence[str]) -> None:
        if self.number is None:
            sys.stdout.write("".join(lines))
            return
        for line in lines:  # one call each: a process that is killed leaves no half of a line
            raw = line.encode()
            while raw:
                raw = raw[os.write(self.number, raw) :]


class ParquetSink:
    """Decisions as a Parquet file, which is whole when it is closed.

    Args:
        path: file.
        columns: what id, time and value are called.
    """

    def __init__(self, path: str, columns: Sequence[str]) -> None:
        self.path, self.heads = path, ("row", *columns, *FIELDS, "status")
        self.writer: Any = None

    def write(self, names: Sequence[int | str], decisions: Sequence[Decision]) -> None:
        """A group of rows."""
        rows = [dict(zip(self.heads, (name, *_values(said)), strict=True))
                for name, said in zip(names, decisions, strict=True)]  # fmt: skip
        schema = None if self.writer is None else self.writer.schema
        table = pa.Table.from_pylist(rows, schema=schema)
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, table.schema)
        self.writer.write_table(table)

    def place(self) -> int:
        """Means nothing here."""
        return -1

    def close(self) -> None:
        """The file gets its end."""
        if self.writer is not None:
            self.writer.close()


def open_source(
    path: str, format: Format | None, *, follow: bool, idle: float | None, typed: Callable[[str], Any], id_col: str
) -> Source:
    """The rows of a file or of standard input; arguments as for ``Lines``."""
    chosen = format or SUFFIXES.get(Path(path).suffix.lower())
    if chosen == "parquet":
        if follow:
            raise JobError("a Parquet file is whole and does not grow; leave --follow out, or follow JSON lines")
        return Parquet(path)
    return Lines(path, chosen, follow=follow, idle=idle, typed=typed, id_col=id_col)


def open_sink(path: str, format: Format, columns: Sequence[str], resumed: int | None, *, keeps: bool) -> Sink:
    """Where decisions go; arguments as for ``LineSink``, ``keeps``: a state is kept."""
    if format != "parquet":
        return LineSink(path, format, columns, resumed)
    if keeps or path == "-":
        raise JobError("a Parquet file cannot be gone on with, or piped; write decisions to a .jsonl or .csv file")
    return ParquetSink(path, columns)


def _values(said: Decision) -> tuple[Any, ...]:
    return (said.unique_id, said.ds, said.y, said.expected, said.lower, said.upper, said.p_value, said.level,
            said.anomaly, said.status)  # fmt: skip


def _plain(said: Decision) -> list[Any]:
    """JSON has no NaN."""
    return [None if isinstance(value, float) and value != value else value for value in _values(said)]


def _cells(values: Sequence[Any]) -> str:
    page = io.StringIO()
    plain = ["" if value is None or (isinstance(value, float) and value != value) else value for value in values]
    csv.writer(page, lineterminator="\n").writerow(plain)
    return page.getvalue()


def _number(file: Any) -> int | None:
    """The number of an open file; None for one that is none of the system's."""
    try:
        return int(file.fileno())
    except (AttributeError, OSError, ValueError):
        return None


def _cut_to_whole_lines(number: int | None) -> None:
    """A last line without an end, in the file that standard output is appended to, is what a crash left: cut it off."""
    if number is None or not stat.S_ISREG(os.fstat(number).st_mode):
        return
    try:
        with open(f"/proc/self/fd/{number}", "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - CHUNK, 0))
            tail = file.read()
    except OSError:
        return
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail) and (whole or size == len(tail)):
        os.ftruncate(number, size - len(tail) + whole)
        os.lseek(number, 0, os.SEEK_END)
