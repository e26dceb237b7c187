"""Rows of a Parquet file as a stream."""

import io
import sys
import zlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from tsformers.errors import DataError
from tsformers.streaming.source import OTHER_INPUT, Batch, Row

PARQUET_ROWS = 2**16


class Parquet:
    """Rows of a Parquet file, some thousands at a time.

    A mark is the number of a row and a checksum of the first row and of this one.

    Args:
        path: file, or "-" for standard input, which is read whole first.

    Raises:
        DataError: it is no such file; at ``batches``, it is not the input that the mark is of.
    """

    kind = "a Parquet file"

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.file = pq.ParquetFile(io.BytesIO(sys.stdin.buffer.read()) if path == "-" else path)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(f"{path} cannot be read as parquet ({' '.join(str(error).split())})") from None

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Rows, as many at a time as the file is read in."""
        number, _, wanted = str(mark or 0).partition(":")
        row, skip, seen = 0, int(number), None
        for batch in self.file.iter_batches(PARQUET_ROWS):
            first, row = row, row + len(batch)
            seen = zlib.crc32(repr(batch.slice(0, 1).to_pylist()).encode()) if seen is None and row else seen
            if first < skip <= row and wanted:
                alike = _row_mark(skip, batch.slice(skip - first - 1, 1).to_pylist()[0], seen or 0) == mark
                self._compare(alike, skip)
            if row > skip:
                some = batch.slice(max(skip - first, 0)).to_pylist()
                names = range(done + 1, done + len(some) + 1)
                done += len(some)
                marks = [_row_mark(row - len(some) + k, one, seen or 0) for k, one in enumerate(some, start=1)]
                yield Batch(names, some, marks)
        self._compare(row >= skip, skip)

    def _compare(self, alike: bool, place: int) -> None:
        if not alike:
            raise DataError(f"{self.path} is not the file that the state has read up to row {place:,}; {OTHER_INPUT}")

    def settle(self, mark: int | str) -> None:
        """Nothing to do: a file stays."""

    def close(self) -> None:
        """The file is closed."""
        self.file.close()


def _row_mark(number: int, row: Row, first: int) -> str:
    return f"{number}:{zlib.crc32(repr(row).encode(), first)}"
