"""The file of a data set: in the user's folders, in the cache, or downloaded into the cache."""

import hashlib
import os
import tempfile
import urllib.request
import warnings
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tsformers.errors import JobError

TIMEOUT = 30  # seconds without an answer from the server
BLOCK = 1 << 20  # bytes read at once


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file that can be downloaded: its address, the name it is stored under, and its checksum."""

    url: str
    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a table comes from; ``file`` is searched under this path and under its bare name."""

    file: str
    origin: str = ""  # who made the table, where it is published, which version
    sha256: str | None = None  # of ``file``
    package: str | None = None  # an installed package that ships ``file``, a path inside it
    where: dict[str, str | list[str]] = field(default_factory=dict)  # keep rows whose column has this (or one of these)
    download: Download | None = None  # the same table, perhaps in another container


def find_file(source: Source, name: str, beside: Path | None = None) -> Path:
    """The file of a data set: in TSFORMERS_DATA, else in the cache, else downloaded into the cache and checked.

    A file with another checksum is used with a warning if it is in the user's folders, and refused in the cache.

    Args:
        source: of the recipe.
        name: of the data set, for messages.
        beside: one more folder to search, that of a recipe of the user's own.

    Returns:
        An existing file.

    Raises:
        JobError: it is not found and cannot be downloaded, or its checksum is wrong.

    Example:
        >>> find_file(Source(package="statsmodels", file="datasets/nile/nile.csv"), "nile").name
        'nile.csv'
    """
    if source.package:
        path = _in_package(source)
        if path is None:
            raise JobError(f"dataset {name!r} is part of the package {source.package}; pip install {source.package}")
        return path
    for file, sha256 in _candidates(source):
        for path in filter(Path.is_file, _places(file, beside)):
            if sha256 and _sha256(path) != sha256:
                message = f"{path} is not the file that the recipe of {name!r} was written for (its sha256 differs); "
                warnings.warn(message + "scores may not compare with published ones", stacklevel=3)
            return path
    for file, sha256 in _candidates(source):
        path = cache_folder() / file
        if path.is_file():
            if sha256 and _sha256(path) != sha256:
                raise JobError(f"{path} has a wrong sha256; delete it and load dataset {name!r} again")
            return path
    if source.download:
        return _download(source.download, cache_folder() / source.download.file, name)
    raise JobError(
        f"dataset {name!r} needs the file {source.file}, which has no address to be fetched from; make it from "
        f"{source.origin} and put it as {cache_folder() / source.file}, or into a folder that TSFORMERS_DATA names "
        f"(now {os.environ.get('TSFORMERS_DATA') or 'unset'})"
    )


def is_local(source: Source) -> bool:
    """Whether ``find_file`` succeeds without a download.

    Args:
        source: of the recipe.

    Returns:
        True or False.

    Example:
        >>> is_local(Source(file="nowhere.csv"))
        False
    """
    if source.package:
        return _in_package(source) is not None
    return any(
        path.is_file() for file, _ in _candidates(source) for path in [*_places(file, None), cache_folder() / file]
    )


def cache_folder() -> Path:
    """Where downloaded files are stored: ``$XDG_CACHE_HOME/tsformers``, else ``~/.cache/tsformers``.

    Returns:
        A folder that may not exist yet.

    Example:
        >>> cache_folder().name
        'tsformers'
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tsformers"


def _candidates(source: Source) -> list[tuple[str, str | None]]:
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


def _download(file: Download, target: Path, name: str) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as folder:
            part = Path(folder) / target.name
            with urllib.request.urlopen(file.url, timeout=TIMEOUT) as answer, part.open("wb") as stream:
                while block := answer.read(BLOCK):
                    stream.write(block)
            found = _sha256(part)
            if found == file.sha256:
                part.replace(target)  # whole or not at all
                return target
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise JobError(
            f"dataset {name!r} could not be fetched from {file.url} ({reason}); fetch that file by other means and "
            f"put it as {target}, or into a folder that TSFORMERS_DATA names"
        ) from None
    raise JobError(
        f"dataset {name!r}: {file.url} gave a file with sha256 {found}, not {file.sha256}, and it was not kept; "
        f"find the version that the recipe names and put it as {target}"
    )
