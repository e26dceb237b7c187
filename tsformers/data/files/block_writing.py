"""Tables that are written frame by frame: no more than one frame is in memory, and a file is whole or not there."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pandas as pd

from tsformers.data.files.table_files import format_of_target, json_lines
from tsformers.errors import DataError


def write_frames(frames: Iterable[pd.DataFrame], target: str | Path, format: str | None = None) -> None:
    """Write frames one after another as one table, as ``write_table`` writes the whole.

    A file is written beside its place and renamed at the end: where a frame cannot be made, what was there stays.
    Standard output gets each frame as it comes.

    Args:
        frames: of the same columns; at least one.
        target: path, or "-" for standard output.
        format: "csv", "parquet" or "jsonl"; None = by the suffix, CSV for standard output.

    Raises:
        DataError: the suffix is of no format, the folder does not exist, or frames differ.

    Example:
        >>> write_frames((pd.DataFrame({"ds": [day]}) for day in (1, 2)), "-")
        ds
        1
        2
    """
    chosen = format_of_target(target, format)
    write = {"parquet": _parquet, "jsonl": _json_lines}.get(chosen, _csv)
    if str(target) == "-":
        if chosen == "parquet":
            write(frames, sys.stdout.buffer)
        else:
            write(frames, sys.stdout)
        return
    with _replacing(Path(target), binary=chosen == "parquet") as file:
        write(frames, file)


@contextmanager
def _replacing(target: Path, binary: bool) -> Iterator[IO[Any]]:
    """A new file that takes the place of ``target`` once it is whole; a device or a pipe is written to directly."""
    place = Path(os.path.realpath(target))
    special = place.exists() and not place.is_file()
    beside = place if special else place.with_name(f".{place.name}.{os.getpid()}.part")
    kind: dict[str, Any] = {} if binary else {"encoding": "utf-8", "newline": ""}
    try:
        file = beside.open("wb" if binary else "w", **kind)
    except OSError as error:
        raise DataError(f"{target} cannot be written ({error.strerror}); choose another place") from None
    try:
        with file:
            yield file
        if not special:
            if place.exists():
                shutil.copymode(place, beside)
            beside.replace(place)
    except BaseException:
        if not special:
            beside.unlink(missing_ok=True)
        raise


def _csv(frames: Iterable[pd.DataFrame], file: IO[Any]) -> None:
    for number, frame in enumerate(frames):
        frame.to_csv(file, index=False, header=number == 0)


def _json_lines(frames: Iterable[pd.DataFrame], file: IO[Any]) -> None:
    for frame in frames:
        file.write(json_lines(frame))


def _parquet(frames: Iterable[pd.DataFrame], file: IO[Any]) -> None:
    """One row group a frame; pages of repeated ids are dictionaries."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: Any = None
    try:
        for frame in frames:
            table = pa.Table.from_pandas(frame, schema=writer and writer.schema, preserve_index=False)
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema)
            writer.write_table(table)
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())
        raise DataError(f"the rows of all series do not fit one Parquet schema ({reason}); write CSV") from None
    finally:
        if writer is not None:
            writer.close()
