"""Whether the files that a command is to write can be written, before it does any work."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tsformers.errors import DataError
from tsformers.messages import Option

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp", ".eps", ".ps", ".tif", ".tiff")


def check_outputs(
    outputs: Mapping[str, str | Path | None], inputs: Sequence[str | Path | None] = (), *, folders: Collection[str] = ()
) -> None:
    """Refuse outputs whose folder is missing, that would replace an input, or that are one file.

    Args:
        outputs: path by the name of its option; None and "-" are free; "plot" is a picture, whose suffix says which.
        inputs: files that are read; None, "-" and addresses are left out.
        folders: options whose path is a folder itself, such as that of a saved model.

    Raises:
        DataError: an output cannot be; the message names its option.

    Example:
        >>> check_outputs({"output": "/tmp/a.csv", "plot": None}, ["-"])
        >>> check_outputs({"output": "/nowhere/a.csv"})
        Traceback (most recent call last):
        tsformers.errors.DataError: output='/nowhere/a.csv': there is no folder /nowhere; make it, or choose another
    """
    checked: dict[str, Path] = {}
    for name, path in outputs.items():
        if _is_free(path):
            continue
        option, place = Option(name, str(path)), Path(str(path))
        folder = place.parent
        if not folder.is_dir():
            raise DataError(option, f": there is no folder {folder}; make it, or choose another")
        if place.is_dir() and name not in folders:
            raise DataError(option, " is a folder; name a file in it")
        if not os.access(place if place.exists() else folder, os.W_OK):
            raise DataError(option, " cannot be written (no permission); choose another place")
        if name == "plot" and place.suffix.lower() not in PICTURES and not _is_device(place):
            raise DataError(option, f" names no kind of picture; end it in {', '.join(PICTURES[:4])} or the like")
        for file in inputs:
            if not _is_free(file) and is_same_file(place, str(file)):
                raise DataError(option, f" is the input {file} itself; choose another name")
        for other, there in checked.items():
            if is_same_file(place, there) and not _is_device(place):
                raise DataError(
                    option, " and ", Option(other, str(there)), " are one file; give each a name of its own"
                )
        checked[name] = place


def is_same_file(one: str | Path, other: str | Path) -> bool:
    """Whether two paths lead to one file, by links of either sort too.

    Args:
        one: a path.
        other: a path.

    Returns:
        True where they do, also where there is no file yet.

    Example:
        >>> is_same_file("a.csv", "./b/../a.csv"), is_same_file("a.csv", "b.csv")
        (True, False)
    """
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def _is_free(path: str | Path | None) -> bool:
    return path is None or str(path) == "-" or "://" in str(path)


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()
