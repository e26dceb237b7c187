"""The bytes of a file or of standard input, unpacked, and what kind of file they are."""

import bz2
import functools
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tsformers.errors import DataError

WORKBOOK_PARTS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")  # xlsx, xlsb, ods
FAILURES = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, ValueError, RuntimeError)


@dataclass(frozen=True)
class Content:
    """The bytes of a file.

    Args:
        name: for messages.
        data: unpacked.
        facts: how it was packed.
        again: reads the same bytes once more.
    """

    name: str
    data: bytes
    facts: tuple[str, ...]
    again: Callable[[], bytes]


def load(source: str | Path) -> Content:
    """Read a file or standard input, and unpack it.

    Args:
        source: path, or "-".

    Returns:
        Its bytes.

    Raises:
        DataError: there is no such file, it is a folder, damaged, or an archive of several files.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "a.csv.gz"
        >>> _ = path.write_bytes(gzip.compress(b"ds,y"))
        >>> load(path).data, load(path).facts
        (b'ds,y', ('gzip',))
    """
    name = "standard input" if str(source) == "-" else str(source)
    packed = _bytes(source)
    data, facts = unpack(packed, name)
    again = functools.partial(_again, packed if str(source) == "-" else source, name)
    return Content(name, data, facts, again)


def unpack(data: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """Bytes without their compression, which shows in the first of them.

    Args:
        data: as they stand in the file.
        name: of the file, for messages.

    Returns:
        The bytes, and the names of the compressions.

    Raises:
        DataError: damaged, or an archive of several files.

    Example:
        >>> unpack(bz2.compress(b"ds,y"), "a.bz2")
        (b'ds,y', ('bzip2',))
    """
    facts: tuple[str, ...] = ()
    for _ in range(4):  # an archive of a compressed file is two
        found = packing_of(data)
        if found is None or (found == "zip" and is_workbook(data)):
            break
        try:
            data = _unpacked(data, found, name)
        except DataError:
            raise
        except FAILURES as error:
            reason = " ".join(str(error).split())
            raise DataError(f"{name} is damaged: its {found} data cannot be unpacked ({reason})") from None
        facts += (found,)
    return data, facts


def is_workbook(data: bytes) -> bool:
    """Whether bytes are a workbook of Excel or OpenDocument.

    Args:
        data: of a file.

    Returns:
        True for .xls, .xlsx, .xlsb and .ods.

    Example:
        >>> is_workbook(b"ds,y")
        False
    """
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return True
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except FAILURES:
        return False
    return any(part in names for part in WORKBOOK_PARTS)


def kind_of(data: bytes) -> str:
    """What kind of table bytes are.

    Args:
        data: unpacked.

    Returns:
        "excel", "parquet", "arrow", "json" or "csv".

    Example:
        >>> kind_of(b'{"y": 1}'), kind_of(b"ds,y")
        ('json', 'csv')
    """
    if is_workbook(data):
        return "excel"
    if data.startswith(b"PAR1"):
        return "parquet"
    if data.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")):
        return "arrow"
    return "json" if data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "csv"


def _bytes(source: str | Path) -> bytes:
    if str(source) == "-":
        return sys.stdin.buffer.read()
    if "://" in str(source):
        raise DataError(f"{source} is an address; download it and give the file, or - for standard input")
    try:
        return Path(source).read_bytes()
    except FileNotFoundError:
        raise DataError(f"{source}: there is no such file; correct the path, or use - for standard input") from None
    except IsADirectoryError:
        raise DataError(f"{source} is a folder; give one file, or - for standard input") from None
    except OSError as error:
        raise DataError(f"{source} cannot be read ({error.strerror}); give a file, or - for standard input") from None


def _again(source: str | Path | bytes, name: str) -> bytes:
    return unpack(source if isinstance(source, bytes) else _bytes(source), name)[0]


def packing_of(data: bytes) -> str | None:
    """How bytes are compressed, by the first of them.

    Args:
        data: the first bytes of a file.

    Returns:
        "gzip", "bzip2", "xz", "zstd" or "zip" (workbooks too); None where they are not.

    Example:
        >>> packing_of(gzip.compress(b"ds,y")), packing_of(b"ds,y")
        ('gzip', None)
    """
    marks = {
        b"\x1f\x8b": "gzip",
        b"BZh": "bzip2",
        b"\xfd7zXZ\x00": "xz",
        b"\x28\xb5\x2f\xfd": "zstd",
        b"PK\x03\x04": "zip",
    }
    return next((name for mark, name in marks.items() if data.startswith(mark)), None)


def _unpacked(data: bytes, packing: str, name: str) -> bytes:
    if packing == "zip":
        return _member(data, name)
    if packing == "zstd":
        with pa.input_stream(io.BytesIO(data), compression="zstd") as stream:
            return bytes(stream.read())
    return {"gzip": gzip, "bzip2": bz2, "xz": lzma}[packing].decompress(data)


def _member(data: bytes, name: str) -> bytes:
    """The only file of an archive; what macOS adds is none."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    files = [
        each for each in archive.namelist()
        if not each.endswith("/") and not each.startswith("__MACOSX/") and not each.endswith(".DS_Store")
    ]  # fmt: skip
    if len(files) != 1:
        shown = ", ".join(files[:5]) + (", ..." if len(files) > 5 else "")
        several = f"holds {len(files)} files: {shown}" if files else "holds no file"
        raise DataError(f"{name} {several}; unpack it and give one file")
    return archive.read(files[0])
