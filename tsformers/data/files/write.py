"""Tables as CSV, JSON lines or Parquet files, written whole or block by block, and complete or not at all."""

import bz2
import gzip
import json
import lzma
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tsformers.errors import DataError
from tsformers.messages import Option

Format = Literal["csv", "parquet", "jsonl"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
PACKINGS = (".gz", ".bz2", ".xz", ".zst")


def format_of(path: str | Path) -> Format | None:
    """The format that the suffix of a file names; one of compression behind it does not count.

    Args:
        path: of the file.

    Returns:
        "csv", "parquet" or "jsonl"; None for another suffix or none.

    Example:
        >>> format_of("a.csv.gz"), format_of("a.pq"), format_of("a")
        ('csv', 'parquet', None)
    """
    plain = Path(path).with_suffix("") if Path(path).suffix.lower() in PACKINGS else Path(path)
    return SUFFIXES.get(plain.suffix.lower())


def write_table(frames: pd.DataFrame | Iterable[pd.DataFrame], target: str | Path, format: str | None = None) -> None:
    """Write a table so that ``read_table`` restores it: floats keep all their digits, times are ISO 8601.

    A file appears when it is complete: it is written beside its place and renamed. A suffix .gz, .bz2, .xz or .zst
    compresses it.

    Args:
        frames: the table, or the blocks of its rows in order; an index is not written.
        target: path, or "-" for standard output.
        format: "csv", "parquet" or "jsonl"; None = by the suffix, CSV for standard output.

    Raises:
        DataError: the suffix is of no format, or the file cannot be written.

    Example:
        >>> write_table(pd.DataFrame({"unique_id": ["a"], "ds": [3], "y": [0.1]}), "-", "jsonl")
        {"unique_id": "a", "ds": 3, "y": 0.1}
    """
    if format is not None and format not in get_args(Format):
        raise DataError(f"there is no format {format!r}; choose csv, parquet or jsonl")
    chosen = format or format_of(target)
    if chosen is None and str(target) != "-":
        raise DataError(f"{target}: its suffix names no format; end it in .csv, .parquet or .jsonl, or pass ",
                        Option("format"))  # fmt: skip
    blocks = [frames] if isinstance(frames, pd.DataFrame) else frames
    if str(target) == "-":
        _to_standard_output(blocks, chosen)
        return
    with opened(target) as file:
        _to_file(blocks, file, chosen)


@contextmanager
def opened(target: str | Path) -> Iterator[IO[bytes]]:
    """A file that takes its name when the block ends without an error; its suffix decides the compression.

    Args:
        target: path; a link is followed, a pipe or a device is written at once.

    Yields:
        The open file.

    Raises:
        DataError: it cannot be written.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "a.txt.gz"
        >>> with opened(path) as file:
        ...     _ = file.write(b"text")
        ...     path.exists()
        False
        >>> gzip.decompress(path.read_bytes())
        b'text'
    """
    place = Path(os.path.realpath(target))
    direct = place.exists() and not place.is_file()
    beside = place if direct else place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}")
    try:
        raw = beside.open("wb" if direct else "xb")
    except OSError as error:
        raise DataError(f"{target} cannot be written ({error.strerror}); choose another place") from None
    try:
        with raw, _packed(raw, Path(target).suffix.lower()) as file:
            yield file
        if not direct:
            if place.exists():
                beside.chmod(place.stat().st_mode & 0o7777)
            os.replace(beside, place)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise DataError(f"{target} cannot be written ({error.strerror or error}); choose another place") from None
    finally:
        if not direct:
            beside.unlink(missing_ok=True)


def _packed(raw: IO[bytes], suffix: str) -> Any:
    if suffix == ".gz":
        return gzip.GzipFile("", "wb", 6, raw, mtime=0)  # the same bytes at any time
    if suffix == ".bz2":
        return bz2.BZ2File(raw, "wb")
    if suffix == ".xz":
        return lzma.LZMAFile(raw, "wb")
    return pa.CompressedOutputStream(raw, "zstd") if suffix == ".zst" else _Open(raw)


class _Open:
    """An open file that somebody else closes."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw = raw

    def __enter__(self) -> IO[bytes]:
        return self.raw

    def __exit__(self, *exception: object) -> None:
        self.raw.flush()


def _to_standard_output(blocks: Iterable[pd.DataFrame], format: str | None) -> None:
    if format == "parquet":
        _to_file(blocks, sys.stdout.buffer, format)
        return
    for n, block in enumerate(blocks):
        sys.stdout.write(_text(block, format, first=n == 0))


def _to_file(blocks: Iterable[pd.DataFrame], file: IO[bytes], format: str | None) -> None:
    if format != "parquet":
        for n, block in enumerate(blocks):
            file.write(_text(block, format, first=n == 0).encode())
        return
    writer = None
    try:
        for block in blocks:
            table = pa.Table.from_pandas(block, preserve_index=False)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema)
            try:
                table = table.cast(writer.schema)
            except (pa.ArrowInvalid, ValueError) as error:
                raise DataError(f"the blocks of rows do not have one Parquet schema ({error}); write CSV") from None
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _text(frame: pd.DataFrame, format: str | None, *, first: bool) -> str:
    return _json_lines(frame) if format == "jsonl" else frame.to_csv(index=False, header=first, lineterminator="\n")


def _json_lines(frame: pd.DataFrame) -> str:
    columns = []
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        missing = column.isna().to_numpy()
        if isinstance(column.dtype, pd.DatetimeTZDtype) or column.dtype.kind == "M":
            column = column.map(lambda time: None if pd.isna(time) else time.isoformat())
        values = column.to_numpy(dtype=object, copy=True)
        values[missing] = None
        columns.append(values.tolist())
    names = [str(name) for name in frame.columns]
    return "".join(
        json.dumps(dict(zip(names, row, strict=True)), default=_plain) + "\n" for row in zip(*columns, strict=True)
    )


def _plain(value: Any) -> Any:
    """A value that JSON does not know."""
    return value.item() if isinstance(value, np.generic) else str(value)
