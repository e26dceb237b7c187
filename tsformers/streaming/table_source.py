"""Rows of a file that is complete and read whole: a workbook, Feather, a JSON array, or anything compressed."""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tsformers.data.files.content import kind_of, packing_of
from tsformers.data.files.read import read_table
from tsformers.data.files.table_file import FileOptions
from tsformers.errors import DataError
from tsformers.streaming.source import OTHER_INPUT, Batch, Row

MOST_ROWS = 2**14  # handed over at once
FIRST = 2**16  # bytes that tell what a file is


class TableSource:
    """Rows of a file that is read as histories are, up to ``MOST_ROWS`` at a time.

    A mark is the number of a row and a checksum of all rows up to it.

    Args:
        path: of the file.
        options: what its content does not tell.
        id_col: column that stays text in text tables.

    Raises:
        DataError: it cannot be read; at ``batches``, it is not the input that the mark belongs to.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "a.json"
        >>> _ = path.write_text('[{"unique_id": "a", "y": 1.5}, {"unique_id": "a", "y": null}]')
        >>> next(TableSource(str(path), FileOptions(), "unique_id").batches(None, 0)).rows
        [{'unique_id': 'a', 'y': 1.5}, {'unique_id': 'a', 'y': None}]
    """

    kind = "a complete table"

    def __init__(self, path: str, options: FileOptions, id_col: str) -> None:
        self.path = path
        self.frame = read_table(path, options, text_columns=[id_col]).frame

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """The rows after the mark."""
        skip, _, wanted = str(mark or 0).partition(":")
        checksum = 0
        if int(skip) > len(self.frame):
            self._refuse(int(skip))
        for first in range(0, len(self.frame), MOST_ROWS):
            rows = self._rows(first)
            marks = []
            for number, row in enumerate(rows, start=first + 1):
                checksum = zlib.crc32(repr(row).encode("utf-8", "backslashreplace"), checksum)
                marks.append(f"{number}:{checksum}")
                if number == int(skip) and wanted not in ("", str(checksum)):
                    self._refuse(number)
            fresh = max(int(skip) - first, 0)
            if fresh < len(rows):
                names = range(done + 1, done + len(rows) - fresh + 1)
                done += len(names)
                yield Batch(names, rows[fresh:], marks[fresh:])

    def acknowledge(self, mark: int | str) -> None:
        """Nothing to do: a file stays."""

    def close(self) -> None:
        """Nothing to do: the file is read."""

    def _rows(self, first: int) -> list[Row]:
        part = self.frame.iloc[first : first + MOST_ROWS]
        columns = []
        for place in range(part.shape[1]):
            column = part.iloc[:, place]
            values = column.to_numpy(dtype=object, copy=True)
            values[column.isna().to_numpy()] = None
            columns.append([value.item() if isinstance(value, np.generic) else value for value in values.tolist()])
        names = [str(name) for name in part.columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _refuse(self, row: int) -> None:
        raise DataError(f"{self.path} is not the file that the state has read up to row {row:,}; ", OTHER_INPUT)


def is_complete_table(path: str) -> bool:
    r"""Whether a file can only be read whole: compressed, a workbook, Feather, or JSON that is not one record a line.

    Args:
        path: of a file; "-" and pipes are read as they come.

    Returns:
        True where it can; False too where there is no such file.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "a.json"
        >>> _ = path.write_text('{"y": 1}\n{"y": 2}\n')
        >>> is_complete_table(str(path))
        False
    """
    if path == "-" or not Path(path).is_file():
        return False
    with Path(path).open("rb") as file:
        head = file.read(FIRST)
    if packing_of(head) is not None:
        return True
    kind = kind_of(head)
    return kind == "arrow" or (kind == "json" and not _is_record(head))


def _is_record(head: bytes) -> bool:
    """Whether the first line is a record of single values, or may be one that is not complete yet."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    line, ended, _ = text.partition(b"\n")
    if not text.startswith(b"{"):
        return False
    try:
        found = json.loads(line)
    except ValueError:
        return not ended and b'"result"' not in line
    return not any(isinstance(value, dict | list) for value in found.values())
