"""A fitted model as a folder of two files that hold data and no code: model.json and arrays.safetensors; never pickle.

Everything a model is made of must belong to a closed set of types: None, bool, int, float, str, lists, tuples, dicts,
numpy scalars and arrays (numbers, dates, text), torch tensors, pandas indexes, series, frames and time stamps,
``Schema``, ``Grid``, ``Panel``, ``Forecast``, and other models. Any other value is refused at saving; the message names
it.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as write_arrays

from tsformers import __version__
from tsformers.errors import JobError
from tsformers.storage.decoding import Decoder
from tsformers.storage.encoding import Encoder
from tsformers.storage.former_format import FORMAT

MODEL, ARRAYS = "model.json", "arrays.safetensors"


def save(model: Any, folder: str | Path) -> None:
    """Write a model into a folder: settings and small values as JSON, arrays beside them.

    The folder appears whole or not at all: everything is written next to it first and then renamed. An earlier model in
    the same folder is replaced; a folder that holds anything else is refused and left as it is.

    Args:
        model: an object with ``get_params``, fitted or not.
        folder: where to; made if it does not exist.

    Raises:
        TypeError: an attribute of the model is of a type outside the closed set; the message names it.
        FileExistsError: the folder (or a file of that name) holds something other than a saved model.

    Example:
        >>> from tempfile import mkdtemp
        >>> from sklearn.preprocessing import MinMaxScaler
        >>> place = Path(mkdtemp()) / "scaler"
        >>> save(MinMaxScaler().fit([[0.0], [4.0]]), place)
        >>> sorted(path.name for path in place.iterdir())
        ['arrays.safetensors', 'model.json']
        >>> load(place, classes={"MinMaxScaler": MinMaxScaler}).data_max_
        array([4.])
    """
    target = Path(os.path.abspath(folder))
    _refuse_foreign(target)
    encoder = Encoder()
    described = encoder.model(model)
    arrays = write_arrays(encoder.arrays)
    page = {
        "format": FORMAT,
        "tsformers": __version__,
        "class": described["class"],
        "params": described["params"],
        "learned": described["learned"],
        "sha256": hashlib.sha256(arrays).hexdigest(),
    }
    text = json.dumps(page, indent=1, allow_nan=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.parent / f".{target.name}.{secrets.token_hex(4)}.new"
    try:
        fresh.mkdir()
        _write(fresh / ARRAYS, arrays)
        _write(fresh / MODEL, text.encode())
        _replace(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def load(folder: str | Path, classes: Mapping[str, type] | None = None) -> Any:
    """Read a model that ``save`` wrote; it predicts what the saved one predicted.

    Args:
        folder: where it was saved.
        classes: your own classes by name, where the model (or a part of it) is not one of tsformers or of an
            installed plug-in.

    Returns:
        The model.

    Raises:
        FileNotFoundError: there is no such folder.
        JobError: a file is missing or damaged, the format is newer than this version, or a class is unknown.

    Example:
        >>> load("nowhere")
        Traceback (most recent call last):
        FileNotFoundError: there is no saved model at nowhere
    """
    place = Path(os.path.abspath(folder))
    if not place.exists() and _previous(place).is_dir():
        place = _previous(place)  # a save was killed between its two renames: the old model is still whole
    if not place.exists():
        raise FileNotFoundError(f"there is no saved model at {folder}")
    page = _page(place)
    if not (place / ARRAYS).is_file():
        raise JobError(f"{place}: {ARRAYS} is missing, so the model is incomplete; save it again")
    raw = (place / ARRAYS).read_bytes()
    if hashlib.sha256(raw).hexdigest() != page["sha256"]:
        raise JobError(f"{place / ARRAYS} is not the file that was saved with {MODEL} (checksum); save the model again")
    try:
        return Decoder(read_arrays(raw), classes or {}, page["format"]).model(page)
    except JobError:
        raise
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise JobError(f"{place} does not describe a model this version can build: {error}") from error


def _page(place: Path) -> dict[str, Any]:
    """The contents of model.json, after the checks that need nothing else."""
    path = place / MODEL
    if not path.is_file():
        raise JobError(f"{place} is not a saved model: {MODEL} is missing")
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise JobError(f"{path} is not readable JSON ({error}); save the model again") from error
    if not isinstance(page, dict) or not isinstance(page.get("format"), int):
        raise JobError(f"{path} was not written by tsformers: it names no format")
    if page["format"] > FORMAT:
        raise JobError(
            f"{path} has format {page['format']} of tsformers {page.get('tsformers')}, this is {__version__} and reads "
            f"up to format {FORMAT}; update with: pip install -U tsformers"
        )
    missing = [key for key in ("class", "params", "learned", "sha256") if key not in page]
    if missing:
        raise JobError(f"{path} lacks {', '.join(missing)}; save the model again")
    return page


def _refuse_foreign(target: Path) -> None:
    """Refuse a target that holds anything but a saved model (or nothing)."""
    if not target.exists():
        return
    if not target.is_dir():
        raise FileExistsError(f"{target} is a file; name a folder to save the model in")
    names = {path.name for path in target.iterdir()}
    if names and (MODEL not in names or names - {MODEL, ARRAYS}):
        other = sorted(names - {MODEL, ARRAYS} or names)[0]
        raise FileExistsError(f"{target} holds {other}, which is not part of a saved model; choose another folder")


def _write(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on disk, so that a later rename never precedes it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _previous(target: Path) -> Path:
    """The name of the former model while the new one is renamed."""
    return target.parent / f".{target.name}.previous"


def _replace(fresh: Path, target: Path) -> None:
    """Rename ``fresh`` to ``target``; at any interruption one complete model can be loaded."""
    previous = _previous(target)
    if target.exists():
        shutil.rmtree(previous, ignore_errors=True)
        target.rename(previous)
    try:
        fresh.rename(target)
    except BaseException:
        with suppress(OSError):
            previous.rename(target)
        raise
    shutil.rmtree(previous, ignore_errors=True)
