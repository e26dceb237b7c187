"""The state of a stream in one file, replaced as a whole: after a crash the former or the new state is there."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as write_arrays

from tsformers.errors import JobError
from tsformers.storage.decoding import Decoder
from tsformers.storage.encoding import Encoder
from tsformers.storage.folder_files import MODEL

PAGE = "page"  # the name under which the JSON stands among the arrays


def write_state(state: dict[str, Any], path: str | Path) -> None:
    """Replace a file by the new state at once: a reader, or a restart after a crash, finds the former one or the new.

    Args:
        state: serialisable values and arrays, see ``tsformers.storage.folder``.
        path: the file; its folder must exist.

    Raises:
        JobError: it cannot be written.

    Example:
        >>> from tempfile import mkdtemp
        >>> place = Path(mkdtemp()) / "state"
        >>> write_state({"rows": 7, "last": np.arange(2)}, place)
        >>> read_state(place)
        {'rows': 7, 'last': array([0, 1])}
    """
    encoder, target = Encoder(), Path(os.path.abspath(path))
    page = encoder.value(state, ("state",))
    text = json.dumps(page, allow_nan=False).encode()
    content = write_arrays(encoder.arrays | {PAGE: np.frombuffer(text, dtype=np.uint8)})
    fresh = target.with_name(f".{target.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # on disk before the rename
        fresh.replace(target)
    except OSError as error:
        raise JobError(f"the state cannot be written to {target} ({error.strerror}); choose another place") from None


def read_state(path: str | Path) -> dict[str, Any] | None:
    """The state that ``write_state`` wrote; None where there is no such file.

    Args:
        path: the file.

    Returns:
        The state.

    Raises:
        JobError: the file holds something else.

    Example:
        >>> read_state("nowhere") is None
        True
    """
    place = Path(path)
    if not place.exists():
        return None
    try:
        arrays = read_arrays(place.read_bytes())
        return Decoder(arrays, {}).value(json.loads(arrays.pop(PAGE).tobytes()))
    except (OSError, SafetensorError, LookupError, ValueError, TypeError) as error:
        raise JobError(
            f"{place} is not the state of a detector ({error}); remove it to start afresh, or name another file"
        ) from error


def fingerprint(folder: str | Path) -> str:
    """A digest of a saved model's settings and arrays.

    Args:
        folder: where it is saved.

    Returns:
        SHA-256 of its page, which holds the checksum of the arrays; 64 hexadecimal digits.

    Example:
        >>> from tempfile import mkdtemp
        >>> from tsformers import Theta, save
        >>> place = Path(mkdtemp()) / "theta"
        >>> save(Theta(horizon=3), place)
        >>> len(fingerprint(place))
        64
    """
    return hashlib.sha256((Path(folder) / MODEL).read_bytes()).hexdigest()
