"""Decisions out, line by line or as a Parquet file."""

import csv
import io
import json
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tsformers.anomaly.decisions import FIELDS, Decision
from tsformers.data.files.table_files import Format
from tsformers.errors import JobError
from tsformers.streaming.line_source import CHUNK, number_of


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


class LineSink:
    """Decisions as CSV or JSON lines, each written at once and whole.

    Args:
        path: file, or "-" for standard output.
        format: "csv" or "jsonl".
        columns: what id, time and value are called.
        resumed: how far the file reached when the state was kept, to which it is cut back; -1 where nobody knows; None:
            this is the beginning.
        cut: False leaves what stands behind ``resumed``: no row of it comes again.
    """

    def __init__(
        self, path: str, format: Format, columns: Sequence[str], resumed: int | None, *, cut: bool = True
    ) -> None:
        self.format, self.heads = format, ("row", *columns, *FIELDS, "status", "why")
        self.owned = path != "-"
        if self.owned:
            begun = resumed is not None and Path(path).exists()
            try:
                self.file: Any = Path(path).open("r+b" if begun else "wb", buffering=0)  # noqa: SIM115
            except OSError as error:
                raise JobError(f"{path} cannot be written ({error.strerror}); choose another place") from None
            if begun and not cut:
                cut_to_whole_lines(self.file.fileno())
            elif begun and resumed is not None:
                if resumed > os.fstat(self.file.fileno()).st_size:
                    raise JobError(f"{path} is shorter than when the state was kept; name the file that belongs to it")
                self.file.truncate(max(resumed, 0))
            self.file.seek(0, os.SEEK_END)
        else:
            self.file, begun = (sys.stdout.buffer if hasattr(sys.stdout, "buffer") else None), resumed is not None
            if resumed is not None:
                cut_to_whole_lines(number_of(self.file))
        self.number = number_of(self.file)
        if format == "csv" and not begun:
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

    A column has one type: ids that of the series of ``fit``, times that of the first one. A number among text is
    written as text; what cannot be written so is left empty.

    Args:
        path: file.
        columns: what id, time and value are called.
        ids: of the series of ``fit``.
    """

    def __init__(self, path: str, columns: Sequence[str], ids: pd.Index) -> None:
        self.path, self.heads = path, ("row", *columns, *FIELDS, "status", "why")
        self.kinds: list[pa.DataType | None] = [None] * len(self.heads)  # None: that of the first value
        kind = getattr(ids.dtype, "kind", "O")
        self.kinds[1] = {"i": pa.int64(), "u": pa.int64(), "f": pa.float64()}.get(kind, pa.string())
        self.writer: Any = None

    def write(self, names: Sequence[int | str], decisions: Sequence[Decision]) -> None:
        """A group of rows."""
        rows = [(name, *_values(said)) for name, said in zip(names, decisions, strict=True)]
        if not rows:
            return
        parts = []
        for i, column in enumerate(zip(*rows, strict=True)):
            first = next((value for value in column if value is not None), "")
            self.kinds[i] = kind = self.kinds[i] or pa.scalar(first).type
            parts.append(_of_one_kind(column, kind))
        table = pa.Table.from_arrays(parts, names=[*self.heads])
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


def open_sink(
    path: str, format: Format, columns: Sequence[str], resumed: int | None, *, cut: bool, ids: pd.Index
) -> Sink:
    """Where decisions go; arguments as for ``LineSink`` and ``ParquetSink``."""
    if format != "parquet":
        return LineSink(path, format, columns, resumed, cut=cut)
    return ParquetSink(path, columns, ids)


def _values(said: Decision) -> tuple[Any, ...]:
    return (said.unique_id, said.ds, said.y, said.expected, said.lower, said.upper, said.p_value, said.level,
            said.anomaly, said.status, said.why)  # fmt: skip


def _of_one_kind(column: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values as an array of one type, empty where one does not fit."""
    if kind == pa.string():
        return pa.array([None if value is None else str(value) for value in column], kind)
    try:
        return pa.array(column, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.concat_arrays(
            [_of_one_kind([value], kind) if len(column) > 1 else pa.nulls(1, kind) for value in column]
        )


def _plain(said: Decision) -> list[Any]:
    """JSON has no NaN."""
    return [None if isinstance(value, float) and value != value else value for value in _values(said)]


def _cells(values: Sequence[Any]) -> str:
    page = io.StringIO()
    plain = ["" if value is None or (isinstance(value, float) and value != value) else value for value in values]
    csv.writer(page, lineterminator="\n").writerow(plain)
    return page.getvalue()


def cut_to_whole_lines(number: int | None) -> None:
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
