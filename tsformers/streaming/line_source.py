"""Rows of CSV or JSON lines, from files, growing files and pipes, as they come."""

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

from tsformers.data.files.row_parser import LineSplitter, RowParser
from tsformers.data.files.table_file import FileOptions
from tsformers.data.files.write import Format, format_of
from tsformers.errors import DataError, DataWarning, JobError
from tsformers.messages import Either, Message, Option
from tsformers.streaming.parquet_source import ParquetSource
from tsformers.streaming.source import OTHER_INPUT, Batch, Row, Source
from tsformers.streaming.table_source import TableSource, is_complete_table

CHUNK = 2**16  # bytes read at once
POLL_SECONDS = 0.1  # between two checks of a file that may grow, and of whether to stop


class LineSource:
    r"""Rows of CSV or JSON lines from a file, a pipe or a file that grows.

    A line that cannot be read is an empty row. An incomplete last line waits for its end where the file may grow, and
    is a row where it may not. Blank lines are no rows. Text is read by the rules of ``read_table``; what was read of a
    line is settled by that line and the header.

    A mark is ``byte:byte:checksum``: where the row ends, where the last complete line up to it ends, and the checksum
    of all complete lines (marks of earlier versions are the first number alone). An input that does not start with
    these bytes is refused.

    Args:
        path: file, or "-" for standard input.
        format: "csv" or "jsonl"; None: by suffix, else by the first byte.
        follow: at the end of the file wait for more.
        idle: seconds without a new row after which to end even so; None: never.
        typed: converters of the text of a CSV cell, by column; that of ids comes first.
        options: separator, decimal mark and encoding where the content does not tell; None = by the content.

    Raises:
        DataError: there is no such file; at ``batches``, it is not the input that the mark belongs to.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "rows.csv"
        >>> _ = path.write_text("unique_id,y\na,1.5\nb,\n")
        >>> source = LineSource(str(path), None, follow=False, idle=None, typed={"unique_id": str, "y": float})
        >>> next(source.batches(None, 0)).rows
        [{'unique_id': 'a', 'y': 1.5}, {'unique_id': 'b', 'y': None}]
        >>> source.close()
    """

    kind = "lines of text"

    def __init__(
        self, path: str, format: Format | None, *, follow: bool, idle: float | None,
        typed: Mapping[str, Callable[[str], Any]], options: FileOptions | None = None,
    ) -> None:  # fmt: skip
        self.path, self.follow, self.idle = path, follow, idle
        options = options or FileOptions()
        self.splitter = LineSplitter(options.encoding)
        self.parser = RowParser(typed, format or format_of(path), options, self._name)
        self.file: Any = sys.stdin.buffer
        if path != "-":
            try:
                self.file = Path(path).open("rb", buffering=0)  # noqa: SIM115  # for as long as rows come
            except OSError as error:
                raise DataError(
                    f"{path} cannot be read ({error.strerror}); give a file, or - for standard input"
                ) from None
        self.descriptor = descriptor_of(self.file)
        self.regular = self.descriptor is not None and stat.S_ISREG(os.fstat(self.descriptor).st_mode)
        self.rotation_reported = False

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Rows, as many at a time as there are."""
        skip, until, wanted = _read_mark(mark)
        self._refuse_shorter(skip)
        at, complete, checksum, row = 0, 0, 0, done  # complete: where the last complete line ends
        for chunk in self._chunks():
            if chunk is None:
                yield Batch((), (), ())
                continue
            ends = chunk == b""
            lines = [(line, True) for line in self.splitter.feed(chunk, last=ends)]
            found: list[tuple[Row, tuple[int, int, int]]] = []
            for line, ended in [*lines, (self.splitter.rest, False)] if ends else lines:
                at += len(line) + (not ended)  # a last line without an end counts as if it had one
                if ended:
                    complete, checksum = at, zlib.crc32(line, checksum)
                if until and at >= until:
                    self._require_same(complete == until and checksum == wanted, until)
                    until = 0
                if at > skip or not self.parser.ready:
                    found += self.parser.feed(self.splitter.text(line), (at, complete, checksum))
                else:
                    self.parser.first = False  # a line of units stands below the header only
            found += self.parser.finish() if ends else []
            kept = [(parsed, mark) for parsed, mark in found if mark[0] > skip]
            if kept:
                names = range(row + 1, row + len(kept) + 1)
                row += len(kept)
                yield Batch([*names], [parsed for parsed, _ in kept], [":".join(map(str, mark)) for _, mark in kept])
        self._require_same(at >= skip and not until, skip)

    def acknowledge(self, mark: int | str) -> None:
        """Nothing to do: a file stays."""

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self.path != "-":
            self.file.close()

    def _chunks(self) -> Iterator[bytes | None]:
        """Bytes as they can be read; None while there are none; b"" at the end."""
        last_read = time.monotonic()
        while True:
            if not self._ready():
                chunk = None
            else:
                chunk = os.read(self.descriptor, CHUNK) if self.descriptor is not None else self.file.read1(CHUNK)
            if chunk:
                last_read = time.monotonic()
                yield chunk
                continue
            if chunk == b"" and not (self.follow and self.regular):
                break
            if self.idle is not None and time.monotonic() - last_read > self.idle:
                break
            self._check_rotation()
            yield None
            if chunk is not None:
                time.sleep(POLL_SECONDS)
        yield b""

    def _require_same(self, same: bool, byte: int) -> None:
        if not same:
            raise DataError(f"{self._name} is not the input that the state has read up to byte {byte:,}; ", OTHER_INPUT)

    def _refuse_shorter(self, skip: int) -> None:
        """A file that ends before the mark is another one, even if it grows."""
        if self.regular and self.descriptor is not None:
            left = os.fstat(self.descriptor).st_size - os.lseek(self.descriptor, 0, os.SEEK_CUR)
            if left + 1 < skip:
                raise DataError(
                    f"{self._name} has {left:,} bytes, and the state has read its input up to byte {skip:,}; ",
                    OTHER_INPUT,
                )

    @property
    def _name(self) -> str:
        return "standard input" if self.path == "-" else self.path

    def _ready(self) -> bool:
        """Whether bytes can be read without waiting; waits a moment for them."""
        if self.descriptor is None or self.regular:
            return True
        return bool(select.select([self.descriptor], [], [], POLL_SECONDS)[0])

    def _check_rotation(self) -> None:
        """Refuse a file that was cut; warn, once, where another file took the name of the one that is followed."""
        if not self.regular or self.descriptor is None:
            return
        here, found = os.lseek(self.descriptor, 0, os.SEEK_CUR), os.fstat(self.descriptor)
        remedy = Message(
            "follow a file that is only added to, or pipe one that is rotated",
            Either("", f": tail -n +1 -F {self._name} | tsformers detect --fresh-input ..."),
        )
        if found.st_size < here:
            raise DataError(f"{self._name} has become shorter than what was read of it; ", remedy)
        if self.path == "-" or self.rotation_reported:
            return
        try:
            now = os.stat(self.path)
        except OSError:  # the old file is gone, the new one not there yet
            return
        if (now.st_dev, now.st_ino) != (found.st_dev, found.st_ino):
            self.rotation_reported = True
            warnings.warn(
                DataWarning(f"{self.path} is another file now, and the old one is still followed; ", remedy),
                stacklevel=2,
            )


def open_source(
    path: str, format: Format | None, *, follow: bool, idle: float | None, typed: Mapping[str, Callable[[str], Any]],
    options: FileOptions | None = None,
) -> Source:  # fmt: skip
    """The rows of a file or of standard input; arguments as for ``LineSource``."""
    chosen = format or format_of(path)
    if chosen == "parquet":
        if follow:
            raise JobError(
                "a Parquet file is complete and does not grow; leave ", Option("follow"), " out, or follow JSON lines"
            )
        return ParquetSource(path)
    if is_complete_table(path):
        if follow:
            raise JobError(
                f"{path} is read whole and does not grow; leave ", Option("follow"), " out, or follow CSV or JSON lines"
            )
        return TableSource(path, options or FileOptions(), next(iter(typed)))
    return LineSource(path, chosen, follow=follow, idle=idle, typed=typed, options=options)


def _read_mark(mark: int | str | None) -> tuple[int, int, int]:
    """Where the row ends, where the last complete line ends, and the checksum; 0 and 0 where the mark lacks them."""
    found = [int(part) for part in str(mark or 0).split(":")]
    return (found[0], found[1], found[2]) if len(found) == 3 else (found[0], 0, 0)


def descriptor_of(file: Any) -> int | None:
    """The file descriptor of an open file.

    Args:
        file: an open file, or an object like one.

    Returns:
        Its number; None for an object that is no file of the operating system.

    Example:
        >>> import io
        >>> descriptor_of(io.BytesIO()) is None
        True
    """
    try:
        return int(file.fileno())
    except (AttributeError, OSError, ValueError):
        return None
