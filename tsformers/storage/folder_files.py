"""The files of a saved model: written so that a reader, or a restart after a crash, finds a whole model at any moment.

A new folder is made beside its place and renamed. In a folder that holds a model already the new arrays get a name of
their own, and ``model.json``, which names them, is replaced at once; then the former arrays are removed.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tsformers.errors import JobError

MODEL, ARRAYS = "model.json", "arrays.safetensors"
PART = re.compile(r"arrays(-[0-9a-f]{16})?\.safetensors|model\.json|\.model-[0-9a-f]{16}\.json")
READS = 1000  # of a folder that is replaced again and again meanwhile
LEFT_SECONDS = 86_400  # age from which a file that model.json does not name is left over from a killed process


def write_files(target: Path, page: dict[str, Any], arrays: bytes) -> None:
    """Put a model into a folder, in place of an earlier one.

    Args:
        target: the folder; made if it does not exist.
        page: what goes to ``model.json``, without the checksum of the arrays.
        arrays: content of the file of arrays.

    Raises:
        FileExistsError: the folder (or a file of that name) holds something other than a saved model.

    Example:
        >>> from tempfile import mkdtemp
        >>> place = Path(mkdtemp()) / "m"
        >>> write_files(place, {"format": 2}, b"one")
        >>> write_files(place, {"format": 2}, b"two")
        >>> read_files(place)[1]
        b'two'
    """
    refuse_foreign(target)
    page = page | {"arrays": ARRAYS, "sha256": hashlib.sha256(arrays).hexdigest()}
    token = secrets.token_hex(8)
    if not (target / MODEL).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.parent / f".{target.name}.{token}.new"
        try:
            fresh.mkdir()
            _write(fresh / ARRAYS, arrays)
            _write(fresh / MODEL, _text(page))
            with suppress(OSError):  # a folder with files is there by now: another process was faster
                fresh.rename(target)
                return
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        target.mkdir(exist_ok=True)
        refuse_foreign(target)
    _replace(target, page | {"arrays": f"arrays-{token}.safetensors"}, arrays, target / f".model-{token}.json")


def read_files(place: Path) -> tuple[dict[str, Any], bytes]:
    """What ``write_files`` wrote; read again where another process has replaced it meanwhile.

    Args:
        place: the folder.

    Returns:
        The page, and the content of the file of arrays, whose checksum is the one of the page.

    Raises:
        JobError: a file is missing or damaged.
    """
    path = place / MODEL
    for _ in range(READS):
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise JobError(f"{place} is not a saved model: {MODEL} is missing") from None
        page = _page(path, text)
        name = page.get("arrays", ARRAYS)
        try:
            raw = (place / name).read_bytes()
        except FileNotFoundError:
            raw = None
        if raw is not None and hashlib.sha256(raw).hexdigest() == page.get("sha256"):
            return page, raw
        if path.read_bytes() == text:
            break
    if raw is None:
        raise JobError(f"{place}: {name} is missing, so the model is incomplete; save it again")
    raise JobError(f"{place / name} is not the file that was saved with {MODEL} (checksum); save the model again")


def refuse_foreign(target: Path) -> None:
    """Refuse a place that holds anything but a saved model (or nothing).

    Args:
        target: of a model to be saved.

    Raises:
        FileExistsError: it is a file, or a folder with something else in it.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise FileExistsError(f"{target} is a file; name a folder to save the model in")
    names = {path.name for path in target.iterdir()}
    other = sorted(name for name in names if not PART.fullmatch(name)) or sorted(names)
    if names and (MODEL not in names or other != sorted(names)):
        raise FileExistsError(f"{target} holds {other[0]}, which is not part of a saved model; choose another folder")


def _replace(target: Path, page: dict[str, Any], arrays: bytes, fresh: Path) -> None:
    """The new arrays beside the former ones, then the page that names them, at once."""
    try:
        former = json.loads((target / MODEL).read_bytes()).get("arrays", ARRAYS)
    except (OSError, ValueError, AttributeError):
        former = ARRAYS
    try:
        _write(target / page["arrays"], arrays)
        _write(fresh, _text(page))
        fresh.replace(target / MODEL)
    except BaseException:
        for path in (fresh, target / page["arrays"]):
            path.unlink(missing_ok=True)
        raise
    old = time.time() - LEFT_SECONDS
    for path in target.iterdir():
        with suppress(OSError):
            left = path.name not in (MODEL, page["arrays"]) and PART.fullmatch(path.name)
            if path.name == former or (left and path.stat().st_mtime < old):
                path.unlink()


def _page(path: Path, text: bytes) -> dict[str, Any]:
    try:
        page = json.loads(text)
    except ValueError as error:
        raise JobError(f"{path} is not readable JSON ({error}); save the model again") from error
    if not isinstance(page, dict) or not isinstance(page.get("format"), int):
        raise JobError(f"{path} was not written by tsformers: it names no format")
    if not re.fullmatch(r"arrays(-[0-9a-f]{16})?\.safetensors", str(page.get("arrays", ARRAYS))):
        raise JobError(f"{path} names no file of arrays of a saved model; save the model again")
    return page


def _text(page: dict[str, Any]) -> bytes:
    return json.dumps(page, indent=1, allow_nan=False).encode()


def _write(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on disk, so that a later rename never precedes it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
