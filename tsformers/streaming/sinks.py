"""Decisions written line by line, or as a Parquet file."""

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
from tsformers.data.files.write import Format
from tsformers.errors import JobError
from tsformers.streaming.line_source import CHUNK, descriptor_of


class Sink(Protocol):
    """Where decisions go."""

    def write(self, names: Sequence[int | str], decisions: Sequence[Decision]) -> None:
        """Decisions about the rows of these names."""
        ...

    def position(self) -> int:
        """How far the output reaches, after everything was handed over; -1 where it has no such position."""
        ...

    def close(self) -> None:
        """No more decisions come."""
        ...


class LineSink:
    r"""Decisions as CSV or JSON lines, each written at once and complete.

    Args:
        path: file, or "-" for standard output.
        format: "csv" or "jsonl".
        columns: names of the columns of id, time and value.
        resumed: size of the file when the state was kept, to which it is cut back; -1 if unknown; None: a new run.
        cut: False leaves what stands after ``resumed``: no row of it comes again.

    Raises:
        JobError: the file cannot be written, or is shorter than when the state was kept.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "out.csv"
        >>> sink = LineSink(str(path), "csv", ("unique_id", "ds", "y"), None)
        >>> sink.write([1], [Decision("a", 7, 1.5)])
        >>> sink.close()
        >>> path.read_text().splitlines()[1]
        '1,a,7,1.5,,,,,,False,invalid,'
    """

    def __init__(
        self, path: str, format: Format, columns: Sequence[str], resumed: int | None, *, cut: bool = True
    ) -> None:
        self.format, self.header = format, ("row", *columns, *FIELDS, "status", "why")
        self.owned = path != "-"
        if self.owned:
            existing = resumed is not None and Path(path).exists()
            try:
                self.file: Any = Path(path).open("r+b" if existing else "wb", buffering=0)  # noqa: SIM115
            except OSError as error:
                raise JobError(f"{path} cannot be written ({error.strerror}); choose another place") from None
            if existing and not cut:
                truncate_to_complete_lines(self.file.fileno())
            elif existing and resumed is not None:
                if resumed > os.fstat(self.file.fileno()).st_size:
                    self.file.close()
                    raise JobError(f"{path} is shorter than when the state was kept; name the file that belongs to it")
                self.file.truncate(max(resumed, 0))
            self.file.seek(0, os.SEEK_END)
        else:
            self.file, existing = (sys.stdout.buffer if hasattr(sys.stdout, "buffer") else None), resumed is not None
            if resumed is not None:
                truncate_to_complete_lines(descriptor_of(self.file))
        self.descriptor = descriptor_of(self.file)
        if format == "csv" and not existing:
            self._write([_csv_line(self.header)])

    def write(self, names: Sequence[int | str], decisions: Sequence[Decision]) -> None:
        """One line a decision."""
        if self.format == "csv":
            self._write([_csv_line((name, *_values(each))) for name, each in zip(names, decisions, strict=True)])
            return
        rows = [(name, *map(_null_for_nan, _values(each))) for name, each in zip(names, decisions, strict=True)]
        self._write([json.dumps(dict(zip(self.header, row, strict=True)), default=str) + "\n" for row in rows])

    def position(self) -> int:
        """The size of the file; -1 for standard output. Every line is handed over once written."""
        return int(self.file.tell()) if self.owned else -1

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self.owned:
            self.file.close()

    def _write(self, lines: Sequence[str]) -> None:
        if self.descriptor is None:
            sys.stdout.write("".join(lines))
            return
        for line in lines:  # one call each: a process that is killed leaves no incomplete line
            raw = line.encode()
            while raw:
                raw = raw[os.write(self.descriptor, raw) :]


class ParquetSink:
    """Decisions as a Parquet file, which is complete when it is closed.

    A column has one type: ids that of the series of ``fit``, times that of the first one. A number among text is
    written as text; a value that does not fit the type is left empty.

    Args:
        path: file.
        columns: names of the columns of id, time and value.
        ids: of the series of ``fit``.

    Example:
        >>> from tempfile import mkdtemp
        >>> sink = ParquetSink(f"{mkdtemp()}/a.parquet", ("unique_id", "ds", "y"), pd.Index(["a"]))
        >>> sink.write([1], [Decision("a", 7, 1.5)])
        >>> sink.close()
        >>> pd.read_parquet(sink.path)[["row", "unique_id", "y"]].to_numpy().tolist()
        [[1, 'a', 1.5]]
    """

    def __init__(self, path: str, columns: Sequence[str], ids: pd.Index) -> None:
        self.path, self.header = path, ("row", *columns, *FIELDS, "status", "why")
        self.kinds: list[pa.DataType | None] = [None] * len(self.header)  # None: that of the first value
        kind = getattr(ids.dtype, "kind", "O")
        self.kinds[1] = {"i": pa.int64(), "u": pa.int64(), "f": pa.float64()}.get(kind, pa.string())
        self.writer: Any = None

    def write(self, names: Sequence[int | str], decisions: Sequence[Decision]) -> None:
        """A group of rows."""
        rows = [(name, *_values(each)) for name, each in zip(names, decisions, strict=True)]
        if not rows:
            return
        parts = []
        for i, column in enumerate(zip(*rows, strict=True)):
            first = next((value for value in column if value is not None), "")
            self.kinds[i] = kind = self.kinds[i] or pa.scalar(first).type
            parts.append(_typed_array(column, kind))
        table = pa.Table.from_arrays(parts, names=[*self.header])
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, table.schema)
        self.writer.write_table(table)

    def position(self) -> int:
        """-1: the file has no end before it is closed."""
        return -1

    def close(self) -> None:
        """Finish the file."""
        if self.writer is not None:
            self.writer.close()


def open_sink(
    path: str, format: Format, columns: Sequence[str], resumed: int | None, *, cut: bool, ids: pd.Index
) -> Sink:
    """A sink for a file or standard output; arguments as for ``LineSink`` and ``ParquetSink``."""
    if format != "parquet":
        return LineSink(path, format, columns, resumed, cut=cut)
    return ParquetSink(path, columns, ids)


def _values(decision: Decision) -> tuple[Any, ...]:
    return (decision.unique_id, decision.ds, decision.y, decision.expected, decision.lower, decision.upper,
            decision.p_value, decision.level, decision.anomaly, decision.status, decision.why)  # fmt: skip


def _typed_array(column: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values as an array of one type, empty where one does not fit."""
    if kind == pa.string():
        return pa.array([None if value is None else str(value) for value in column], kind)
    try:
        return pa.array(column, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.concat_arrays(
            [_typed_array([value], kind) if len(column) > 1 else pa.nulls(1, kind) for value in column]
        )


def _null_for_nan(value: Any) -> Any:
    """JSON has no NaN."""
    return None if isinstance(value, float) and value != value else value


def _csv_line(values: Sequence[Any]) -> str:
    text = io.StringIO()
    cells = ["" if value is None or (isinstance(value, float) and value != value) else value for value in values]
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def truncate_to_complete_lines(descriptor: int | None) -> None:
    """Cut off an incomplete last line, as a crash leaves one, of the file that standard output is appended to.

    Args:
        descriptor: of the open file; None, or one of a pipe, is left alone.
    """
    if descriptor is None or not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return
    try:
        with open(f"/proc/self/fd/{descriptor}", "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - CHUNK, 0))
            tail = file.read()
    except OSError:
        return
    complete = tail.rfind(b"\n") + 1
    if complete < len(tail) and (complete or size == len(tail)):
        os.ftruncate(descriptor, size - len(tail) + complete)
        os.lseek(descriptor, 0, os.SEEK_END)
