"""Rows of a Parquet file as a stream."""

import io
import sys
import zlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from tsformers.errors import DataError
from tsformers.streaming.source import OTHER_INPUT, Batch, Row

MOST_ROWS = 2**16  # read at once


class ParquetSource:
    """Rows of a Parquet file, up to ``MOST_ROWS`` at a time.

    A mark is the number of a row and a checksum of the first row and of this one.

    Args:
        path: file, or "-" for standard input, which is read whole first.

    Raises:
        DataError: it is not a Parquet file; at ``batches``, it is not the input that the mark belongs to.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = f"{mkdtemp()}/a.parquet"
        >>> pq.write_table(pa.table({"y": [1.5, 2.5]}), path)
        >>> batch = next(ParquetSource(path).batches(None, 0))
        >>> batch.names, batch.rows
        (range(1, 3), [{'y': 1.5}, {'y': 2.5}])
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
        row, skip, first_row = 0, int(number), None  # first_row: its checksum
        for batch in self.file.iter_batches(MOST_ROWS):
            first, row = row, row + len(batch)
            if first_row is None and row:
                first_row = zlib.crc32(repr(batch.slice(0, 1).to_pylist()).encode())
            if first < skip <= row and wanted:
                at_mark = batch.slice(skip - first - 1, 1).to_pylist()[0]
                self._require_same(_row_mark(skip, at_mark, first_row or 0) == mark, skip)
            if row > skip:
                rows = batch.slice(max(skip - first, 0)).to_pylist()
                names = range(done + 1, done + len(rows) + 1)
                done += len(rows)
                marks = [_row_mark(row - len(rows) + k, one, first_row or 0) for k, one in enumerate(rows, start=1)]
                yield Batch(names, rows, marks)
        self._require_same(row >= skip, skip)

    def acknowledge(self, mark: int | str) -> None:
        """Nothing to do: a file stays."""

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _require_same(self, same: bool, row: int) -> None:
        if not same:
            raise DataError(f"{self.path} is not the file that the state has read up to row {row:,}; ", OTHER_INPUT)


def _row_mark(number: int, row: Row, first: int) -> str:
    return f"{number}:{zlib.crc32(repr(row).encode(), first)}"
