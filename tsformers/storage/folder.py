"""A fitted model as a folder of two files that hold data and no code: model.json and its arrays; never pickle.

Everything a model is made of must belong to a closed set of types: None, bool, int, float, str, lists, tuples, dicts,
numpy scalars and arrays (numbers, dates, text), torch tensors, pandas indexes, series, frames and time stamps, dates,
decimals, bytes and some others of the standard library (``scalars``), ``Schema``, ``Grid``, ``Panel``, ``Forecast``,
and other models. Any other value is refused at saving; the message names it. Such an id is refused by ``fit``.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as write_arrays

from tsformers import __version__
from tsformers.errors import JobError
from tsformers.storage.decoding import Decoder
from tsformers.storage.encoding import Encoder
from tsformers.storage.folder_files import MODEL, read_files, refuse_foreign, write_files
from tsformers.storage.former_format import FORMAT


def save(model: Any, folder: str | Path) -> None:
    """Write a model into a folder: settings and small values as JSON, arrays beside them.

    The folder appears whole or not at all: everything is written next to it first and then renamed. An earlier model in
    the same folder is replaced at once: whoever loads it meanwhile, or after a crash, gets the former model or the new
    one. A folder that holds anything else is refused and left as it is.

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
    refuse_foreign(target)
    encoder = Encoder()
    described = encoder.model(model)
    page = {"format": FORMAT, "tsformers": __version__} | described
    write_files(target, page, write_arrays(encoder.arrays))


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
    page, raw = read_files(place)
    _check_page(page, place / MODEL)
    try:
        return Decoder(read_arrays(raw), classes or {}, page["format"]).model(page)
    except JobError:
        raise
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise JobError(f"{place} does not describe a model this version can build: {error}") from error


def _check_page(page: dict[str, Any], path: Path) -> None:
    if page["format"] > FORMAT:
        raise JobError(
            f"{path} has format {page['format']} of tsformers {page.get('tsformers')}, this is {__version__} and reads "
            f"up to format {FORMAT}; update with: pip install -U tsformers"
        )
    missing = [key for key in ("class", "params", "learned", "sha256") if key not in page]
    if missing:
        raise JobError(f"{path} lacks {', '.join(missing)}; save the model again")


def _previous(target: Path) -> Path:
    """Where former versions kept the former model while the new one was renamed."""
    return target.parent / f".{target.name}.previous"
