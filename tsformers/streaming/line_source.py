"""Lines of CSV and JSON, Parquet files and endless pipes: rows in as they come."""

import csv
import json
import os
import select
import stat
import sys
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tsformers.data.files.table_files import EMPTY_CELLS, SUFFIXES, Format
from tsformers.errors import DataError, JobError
from tsformers.streaming.parquet_source import Parquet
from tsformers.streaming.source import OTHER_INPUT, Batch, Row, Source

CHUNK = 2**16  # bytes read at once
PATIENCE = 0.1  # seconds between two looks at a file that may grow, or at whether to stop
ROTATED = "tail -n +1 -F {} | tsformers detect --fresh-input ..."


class Lines:
    """Rows of CSV or JSON lines from a file, a pipe or a file that grows.

    A line that cannot be read is a row all the same, an empty one. An incomplete last line waits for its end where the
    file may grow, and is a row where it may not. Blank lines are no rows. CSV has one row a line.

    A mark says how far the row reaches in bytes, how far the whole lines up to it reach, and their checksum
    (``byte:byte:checksum``; once it was the first alone). An input that does not begin with these bytes is refused.

    Args:
        path: file, or "-" for standard input.
        format: "csv" or "jsonl"; None: by suffix, else by the first byte.
        follow: at the end of the file wait for more.
        idle: seconds without a new row after which to end all the same; None: never.
        typed: what makes an id, or a number, of the text of a CSV cell, by column; that of ids comes first.

    Raises:
        DataError: there is no such file; at ``batches``, it is not the input that the mark is of.
    """

    kind = "lines of text"

    def __init__(
        self, path: str, format: Format | None, *, follow: bool, idle: float | None,
        typed: Mapping[str, Callable[[str], Any]],
    ) -> None:  # fmt: skip
        self.path, self.follow, self.idle, self.typed = path, follow, idle, typed
        self.id_col = next(iter(typed))
        self.format = format or SUFFIXES.get(Path(path).suffix.lower())
        self.file: Any = sys.stdin.buffer
        if path != "-":
            try:
                self.file = Path(path).open("rb", buffering=0)  # noqa: SIM115  # for as long as rows come
            except OSError as error:
                raise DataError(
                    f"{path} cannot be read ({error.strerror}); give a file, or - for standard input"
                ) from None
        self.number = number_of(self.file)
        self.regular = self.number is not None and stat.S_ISREG(os.fstat(self.number).st_mode)
        self.header: list[str] | None = None
        self.told = False

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Rows, as many at a time as there are."""
        skip, until, wanted = _read_mark(mark)
        self._refuse_short(skip)
        at, whole, seen, row, rest = 0, 0, 0, done, b""  # ``whole``: where the last line that has an end ends
        for piece in self._pieces():
            if piece is None:
                yield Batch((), (), ())
                continue
            ends, lines = piece == b"", (rest + piece).split(b"\n")
            rest = lines.pop()
            names: list[int | str] = []
            rows: list[Row] = []
            marks: list[int | str] = []
            for line in [*lines, rest] if ends else lines:
                at += len(line) + 1  # a last line without an end counts as if it had one
                if not (ends and line is rest):
                    whole, seen = at, zlib.crc32(line + b"\n", seen)
                if until and at >= until:
                    self._compare(whole == until and seen == wanted, until)
                    until = 0
                if self.format is None and line.strip():
                    self.format = "jsonl" if line.lstrip()[:1] == b"{" else "csv"
                heading = self.format == "csv" and self.header is None
                parsed = self._row(line) if heading or at > skip else None
                if parsed is not None:
                    row += 1
                    names.append(row)
                    rows.append(parsed)
                    marks.append(f"{at}:{whole}:{seen}")
            if rows:
                yield Batch(names, rows, marks)
        self._compare(at >= skip and not until, skip)

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
        row = {}
        for name, cell in zip(self.header, cells, strict=True):
            empty = not cell if name == self.id_col else cell in EMPTY_CELLS  # a series may be called NA
            row[name] = None if empty else self.typed.get(name, str)(cell)
        return row

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
            self._look_for_rotation()
            yield None
            if piece is not None:
                time.sleep(PATIENCE)
        yield b""

    def _compare(self, alike: bool, place: int) -> None:
        if not alike:
            raise DataError(
                f"{self._name} is not the input that the state has read up to byte {place:,}; {OTHER_INPUT}"
            )

    def _refuse_short(self, skip: int) -> None:
        """A file that ends before the mark will not come to be what it is not, even if it grows."""
        if self.regular and self.number is not None:
            left = os.fstat(self.number).st_size - os.lseek(self.number, 0, os.SEEK_CUR)
            if left + 1 < skip:
                raise DataError(
                    f"{self._name} has {left:,} bytes, and the state has read its input up to byte {skip:,}; "
                    f"{OTHER_INPUT}"
                )

    @property
    def _name(self) -> str:
        return "standard input" if self.path == "-" else self.path

    def _ready(self) -> bool:
        """Whether reading would not wait; a moment is waited for it."""
        if self.number is None or self.regular:
            return True
        return bool(select.select([self.number], [], [], PATIENCE)[0])

    def _look_for_rotation(self) -> None:
        """A file that was cut is refused; one that was renamed is read on, and what stands in its place is told of."""
        if not self.regular or self.number is None:
            return
        here, found = os.lseek(self.number, 0, os.SEEK_CUR), os.fstat(self.number)
        remedy = f"follow a file that is only added to, or pipe one that is rotated: {ROTATED.format(self._name)}"
        if found.st_size < here:
            raise DataError(f"{self._name} has become shorter than what was read of it; {remedy}")
        if self.path == "-" or self.told:
            return
        try:
            now = os.stat(self.path)
        except OSError:  # between the old and the new
            return
        if (now.st_dev, now.st_ino) != (found.st_dev, found.st_ino):
            self.told = True
            warnings.warn(
                f"{self.path} is another file now, and the old one is still followed; {remedy}",
                UserWarning,
                stacklevel=2,
            )


def open_source(
    path: str, format: Format | None, *, follow: bool, idle: float | None, typed: Mapping[str, Callable[[str], Any]]
) -> Source:
    """The rows of a file or of standard input; arguments as for ``Lines``."""
    chosen = format or SUFFIXES.get(Path(path).suffix.lower())
    if chosen == "parquet":
        if follow:
            raise JobError("a Parquet file is whole and does not grow; leave --follow out, or follow JSON lines")
        return Parquet(path)
    return Lines(path, chosen, follow=follow, idle=idle, typed=typed)


def _read_mark(mark: int | str | None) -> tuple[int, int, int]:
    """How far a row of lines reaches, how far whole lines do, and their checksum; 0 and 0 where nobody knows."""
    found = [int(part) for part in str(mark or 0).split(":")]
    return (found[0], found[1], found[2]) if len(found) == 3 else (found[0], 0, 0)


def number_of(file: Any) -> int | None:
    """The number of an open file; None for one that is none of the system's."""
    try:
        return int(file.fileno())
    except (AttributeError, OSError, ValueError):
        return None
