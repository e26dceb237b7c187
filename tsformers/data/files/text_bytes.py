"""Bytes of a text file as UTF-8 with line feeds, whatever encoding and line ends the file has."""

import codecs

from tsformers.errors import DataError
from tsformers.messages import Option, Part, joined

PAGES = (b"<!doctype", b"<html", b"<?xml")
UTF8_MARK = codecs.BOM_UTF8
WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip


def as_utf8(data: bytes, name: str, encoding: str | None = None) -> tuple[bytes, tuple[str, ...]]:
    r"""Text as UTF-8 without a mark in front, each line ended by a line feed.

    Args:
        data: of the file.
        name: of the file, for messages.
        encoding: that was asked for; None = UTF-8, or UTF-16 and 32 by their marks.

    Returns:
        The bytes, and what is worth mention of them.

    Raises:
        DataError: the bytes are of another encoding, or no text.

    Example:
        >>> as_utf8("a,b\r\n".encode("utf-16"), "a.csv")
        (b'a,b\n', ('UTF-16',))
    """
    facts: tuple[str, ...] = ()
    wide = wide_encoding(data)
    if encoding is not None:
        data, facts = _decoded(data, name, encoding), (f"encoding {encoding}",)
    elif wide is not None:
        data, facts = _decoded(data, name, wide), (wide.upper()[:6],)
    elif data.startswith(UTF8_MARK):
        facts = ("UTF-8 with BOM",)
    data = data.removeprefix(UTF8_MARK)
    if b"\0" in data:
        _refuse_binary(data, name)
    if data[:15].lstrip().lower().startswith(PAGES):
        raise DataError(f"{name} is a web page or XML and no table; download the file that the page offers")
    if data.startswith(b"version https://git-lfs"):
        raise DataError(f"{name} is a pointer of Git LFS and no table; fetch the file itself, with git lfs pull")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            raise DataError(*_other_encoding(data, name, error)) from None
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data, facts


def wide_encoding(data: bytes) -> str | None:
    """The encoding of text with two or four bytes a character.

    Args:
        data: the first bytes of the file.

    Returns:
        A name for Python; None where the text has none of them.

    Example:
        >>> wide_encoding("ds".encode("utf-16-le")), wide_encoding(b"ds")
        ('utf-16-le', None)
    """
    for mark, encoding in WIDE_MARKS.items():
        if data.startswith(mark):
            return encoding
    head = data[:512]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(head) >= 2 and odd > 0.4 * len(head[1::2]) and not even:
        return "utf-16-le"
    return "utf-16-be" if len(head) >= 2 and even > 0.4 * len(head[::2]) and not odd else None


def _decoded(data: bytes, name: str, encoding: str) -> bytes:
    try:
        return data.decode(encoding).encode().removeprefix(UTF8_MARK)
    except LookupError:
        raise DataError(f"there is no encoding {encoding!r}; choose ", Option("encoding", "latin-1"),
                        " or another of Python's") from None  # fmt: skip
    except UnicodeError as error:
        raise DataError(f"{name} cannot be read in the encoding {encoding} ({error}); choose another with ",
                        Option("encoding")) from None  # fmt: skip


def _other_encoding(data: bytes, name: str, error: UnicodeDecodeError) -> list[Part]:
    if _has_control(data):
        return [f"{name} is no table: its bytes are no text, and no Parquet, Feather or Excel either"]
    line = data.count(b"\n", 0, error.start) + 1
    if b"\n" not in data:
        line = data.count(b"\r", 0, error.start) + 1
    choices: list[Part] = [Option("encoding", "latin-1")]
    if any(0x80 <= byte < 0xA0 for byte in data[error.start : error.start + 2**16]):
        choices.append(Option("encoding", "cp1252"))
    found = f"{name} is not UTF-8 (byte 0x{data[error.start]:02x} at line {line}); pass "
    return [found, joined(choices), ", or the encoding it was written in"]


def _refuse_binary(data: bytes, name: str) -> None:
    place = data.index(b"\0")
    if data.count(b"\0") > 64 or _has_control(data):
        raise DataError(f"{name} is no table: its bytes are no text, and no Parquet, Feather or Excel either")
    line = data.count(b"\n", 0, place) + 1
    raise DataError(f"{name} holds a NUL byte at line {line}; take it out, as `tr -d '\\000'` does")


def _has_control(data: bytes) -> bool:
    """Whether bytes that no text holds stand among the first."""
    head = data[:4096]
    high = sum(byte >= 0x80 for byte in head)
    return any(0 < byte < 9 for byte in head) or (high > 0.3 * len(head) and b"\n" not in head and b"\r" not in head)
