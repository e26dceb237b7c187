"""Where a recipe's file lies: the user's folders, the cache, or the address it is fetched from."""

import hashlib
import os
import tempfile
import urllib.request
import warnings
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tsformers.errors import JobError

PATIENCE = 30  # seconds without an answer before a download is given up
BLOCK = 1 << 20  # bytes read at once


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file that can be fetched: its address, its name once it is here, and what it must contain."""

    url: str
    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a table comes from; ``file`` is looked for under this very path and under its bare name."""

    file: str
    origin: str = ""  # in words, with its version: who made the table and where it stands
    sha256: str | None = None  # of ``file``
    package: str | None = None  # an installed package that ships ``file``, a path inside it
    where: dict[str, str | list[str]] = field(default_factory=dict)  # keep rows whose column has this (or one of these)
    download: Download | None = None  # the same table, perhaps in another container


def find(source: Source, name: str, beside: Path | None = None) -> Path:
    """The file of a data set: in TSFORMERS_DATA, else in the cache, else fetched into the cache and checked.

    A file of the user's own folders that differs from the recipe's is used with a warning, one in the cache refused.

    Args:
        source: what the recipe says.
        name: of the data set, for messages.
        beside: one more folder to look in, that of a recipe of the user's own.

    Returns:
        An existing file.

    Raises:
        JobError: it is nowhere and cannot be fetched, or its checksum is wrong.

    Example:
        >>> find(Source(package="statsmodels", file="datasets/nile/nile.csv"), "nile").name
        'nile.csv'
    """
    if source.package:
        path = _in_package(source)
        if path is None:
            raise JobError(f"dataset {name!r} is part of the package {source.package}; pip install {source.package}")
        return path
    for file, sha256 in _wanted(source):
        for path in filter(Path.is_file, _places(file, beside)):
            if sha256 and _sha256(path) != sha256:
                message = f"{path} is not the file that the recipe of {name!r} was written for (its sha256 differs); "
                warnings.warn(message + "scores may not compare with published ones", stacklevel=3)
            return path
    for file, sha256 in _wanted(source):
        path = cache_folder() / file
        if path.is_file():
            if sha256 and _sha256(path) != sha256:
                raise JobError(f"{path} has a wrong sha256; delete it and load dataset {name!r} again")
            return path
    if source.download:
        return _fetch(source.download, cache_folder() / source.download.file, name)
    raise JobError(
        f"dataset {name!r} needs the file {source.file}, which has no address to be fetched from; make it from "
        f"{source.origin} and put it as {cache_folder() / source.file}, or into a folder that TSFORMERS_DATA names "
        f"(now {os.environ.get('TSFORMERS_DATA') or 'unset'})"
    )


def is_near(source: Source) -> bool:
    """Whether ``find`` would succeed without fetching anything.

    Args:
        source: what the recipe says.

    Returns:
        True or False.

    Example:
        >>> is_near(Source(file="nowhere.csv"))
        False
    """
    if source.package:
        return _in_package(source) is not None
    return any(path.is_file() for file, _ in _wanted(source) for path in [*_places(file, None), cache_folder() / file])


def cache_folder() -> Path:
    """Where fetched files are kept: ``$XDG_CACHE_HOME/tsformers``, else ``~/.cache/tsformers``.

    Returns:
        A folder that may not exist yet.

    Example:
        >>> cache_folder().name
        'tsformers'
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tsformers"


def _wanted(source: Source) -> list[tuple[str, str | None]]:
    other = source.download
    if other is None or other.file == source.file:
        return [(source.file, source.sha256 or (other.sha256 if other else None))]
    return [(source.file, source.sha256), (other.file, other.sha256)]


def _places(file: str, beside: Path | None) -> list[Path]:
    folders = [Path(folder) for folder in os.environ.get("TSFORMERS_DATA", "").split(os.pathsep) if folder]
    folders = [*folders, beside] if beside is not None else folders
    return [path for folder in folders for path in (folder / file, folder / Path(file).name)]


def _in_package(source: Source) -> Path | None:
    spec = find_spec(str(source.package))  # looks the package up without importing it
    paths = [Path(folder) / source.file for folder in (spec.submodule_search_locations or [])] if spec else []
    return next(filter(Path.is_file, paths), None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(wanted: Download, target: Path, name: str) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as folder:
            part = Path(folder) / target.name
            with urllib.request.urlopen(wanted.url, timeout=PATIENCE) as answer, part.open("wb") as file:
                while block := answer.read(BLOCK):
                    file.write(block)
            found = _sha256(part)
            if found == wanted.sha256:
                part.replace(target)  # whole or not at all
                return target
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise JobError(
            f"dataset {name!r} could not be fetched from {wanted.url} ({reason}); fetch that file by other means and "
            f"put it as {target}, or into a folder that TSFORMERS_DATA names"
        ) from None
    raise JobError(
        f"dataset {name!r}: {wanted.url} gave a file with sha256 {found}, not {wanted.sha256}, and it was not kept; "
        f"find the version that the recipe names and put it as {target}"
    )
