"""A backtest's folder: what was asked, and every window that is finished, each written at once and whole."""

import hashlib
import json
import logging
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tsformers import __version__, storage
from tsformers.data.panel import Panel
from tsformers.errors import JobError

FORMAT = 1
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # of an object without a repr of its own; differs from run to run
IDLE = ("verbose", "n_jobs")  # settings that change no number
NOTE = b"tsformers"  # key of our entry in the metadata of a Parquet file

logger = logging.getLogger("tsformers.jobs")


@dataclass(frozen=True)
class Ledger:
    """The folder of one backtest, read and written window by window.

    ``run.json`` says what was asked. ``forecasts/MODEL/K.parquet`` and ``scores/MODEL/K.parquet`` hold window K; the
    scores are written last, so a window is finished when they are there. ``failures/MODEL/K.json`` holds the error and
    traceback of a window that failed, ``models/MODEL/K`` the model that was fitted at window K's cutoff. Every file
    appears under its name only when it is whole, so a crash at any moment costs the window at work and nothing else.

    Args:
        folder: where; see ``open``.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp()) / "run"
        >>> ledger = Ledger.open(place, {"windows": 5}, "data-fingerprint", {"naive": {"class": "SeasonalNaive"}})
        >>> ledger.done("naive", 0)
        False
    """

    folder: Path

    @classmethod
    def open(
        cls, folder: str | Path, settings: Mapping[str, Any], data: str, models: Mapping[str, Mapping[str, str]]
    ) -> "Ledger":
        """A new folder, or the one of the same backtest begun earlier.

        Models may be added to a folder; one that is there already must have the settings it had.

        Args:
            folder: made when missing, with its parents.
            settings: what decides the numbers; JSON-able.
            data: fingerprint of the panel.
            models: by name, what ``describe`` says of each.

        Returns:
            The ledger.

        Raises:
            JobError: the folder holds a backtest with other settings, data or models, or something else altogether.
        """
        place = Path(folder).absolute()
        note = place / "run.json"
        wanted = json.loads(json.dumps({"format": FORMAT, "settings": settings, "data": data, "models": models}))
        if note.is_file():
            found = _read_note(note)
            differences = _differences(found, wanted)
            if differences:
                raise JobError(
                    f"{folder} holds another backtest: {'; '.join(differences)}; "
                    "give this one a folder of its own (out=), or delete that folder to start anew"
                )
            wanted["models"] = found["models"] | wanted["models"]
        elif place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise JobError(f"{folder} is there already and holds no backtest (no run.json); give out= another folder")
        folded = sorted(name.casefold() for name in wanted["models"])
        twins = [a for a, b in pairwise(folded) if a == b]
        if twins:
            raise JobError(
                f"model names that differ in upper and lower case only ({twins[0]!r}) would share their files"
            )
        place.mkdir(parents=True, exist_ok=True)
        for left_over in place.rglob(".*.tmp"):
            left_over.unlink(missing_ok=True)
        _write_text(note, json.dumps(wanted | {"tsformers": __version__}, indent=1, ensure_ascii=False) + "\n")
        return cls(place)

    def done(self, model: str, window: int) -> bool:
        """Whether both tables of a window are there and whole; what is damaged is read to its end and warned of."""
        if not all(self._place(kind, model, window).is_file() for kind in ("forecasts", "scores")):
            return False
        try:
            self.read(model, window)
        except (OSError, pa.ArrowException, ValueError, LookupError) as error:
            warnings.warn(
                f"window {window} of model {model!r} in {self.folder} is damaged and is done again: {error}",
                UserWarning,
                stacklevel=2,
            )
            return False
        return True

    def write(
        self, model: str, window: int, forecasts: pd.DataFrame, scores: pd.DataFrame, seconds: dict[str, float]
    ) -> None:
        """Keep a finished window; an earlier failure of it is forgotten."""
        for kind, frame in (("forecasts", forecasts), ("scores", scores)):
            table = pa.Table.from_pandas(frame, preserve_index=False)
            table = table.replace_schema_metadata({**(table.schema.metadata or {}), NOTE: json.dumps(seconds).encode()})
            place = self._place(kind, model, window)
            place.parent.mkdir(parents=True, exist_ok=True)
            passing = _passing(place)
            pq.write_table(table, passing, compression="zstd", write_page_checksum=True)
            os.replace(passing, place)
        self._place("failures", model, window).unlink(missing_ok=True)

    def read(self, model: str, window: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
        """Forecasts, scores and seconds of a finished window."""
        places = [self._place(kind, model, window) for kind in ("forecasts", "scores")]
        tables = [pq.ParquetFile(place, page_checksum_verification=True).read() for place in places]
        forecasts, scores = (table.to_pandas() for table in tables)
        return forecasts, scores, json.loads((tables[1].schema.metadata or {})[NOTE])

    def fail(self, model: str, window: int, error: str, traceback: str) -> None:
        """Keep the error of a window; the next call tries that window again."""
        place = self._place("failures", model, window)
        place.parent.mkdir(parents=True, exist_ok=True)
        _write_text(place, json.dumps({"error": error, "traceback": traceback}, indent=1, ensure_ascii=False) + "\n")

    def keep_model(self, model: str, window: int, fitted: Any) -> None:
        """Save a fitted model that has a ``save`` method; one that cannot be saved will be fitted again."""
        if not hasattr(fitted, "save"):
            return
        try:
            fitted.save(self._place("models", model, window))
        except (TypeError, ValueError, OSError) as error:
            logger.warning("model %r cannot be saved and will be fitted again after a crash: %s", model, error)

    def find_model(self, model: str, window: int, kind: type) -> Any | None:
        """The model fitted at a window's cutoff, or None where none was kept."""
        place = self._place("models", model, window)
        if not place.is_dir():
            return None
        try:
            return storage.load(place, {kind.__name__: kind})
        except (TypeError, ValueError, KeyError, OSError) as error:
            logger.warning("the saved model %r cannot be loaded and is fitted again: %s", model, error)
            return None

    def _place(self, kind: str, model: str, window: int) -> Path:
        suffix = {"models": "", "failures": ".json"}.get(kind, ".parquet")
        return self.folder / kind / quote(model, safe="").replace(".", "%2E") / f"{window}{suffix}"


def fingerprint(panel: Panel) -> str:
    """SHA-256 over everything a panel holds: two panels of one fingerprint give the same backtest.

    Args:
        panel: as the backtest sees it.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(repr((panel.freq, panel.schema, list(panel.static.columns))).encode())
    for array in (panel.offsets, panel.ends, panel.times, panel.y, panel.past, panel.known):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    digest.update(np.asarray(panel.ids.map(repr), dtype=str).tobytes())
    if panel.static.shape[1]:
        digest.update(pd.util.hash_pandas_object(panel.static, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def describe(model: Any) -> dict[str, str]:
    """Class and settings of a model as texts that are alike from run to run.

    Args:
        model: anything that forecasts; without ``get_params`` its attributes count that are not learned.

    Returns:
        "class" and one entry a setting.

    Example:
        >>> class Mine:
        ...     def __init__(self): self.horizon, self.level_ = 3, 1.0
        >>> describe(Mine())["horizon"]
        '3'
    """
    if hasattr(model, "get_params"):
        settings = model.get_params(deep=True)
    else:
        settings = {name: value for name, value in vars(model).items() if not name.endswith("_")}
    kind = type(model)
    told = {k: _text(v) for k, v in sorted(settings.items()) if k.rpartition("__")[2] not in IDLE}
    return {"class": f"{kind.__module__}.{kind.__qualname__}"} | told


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray | pd.DataFrame | pd.Series | pd.Index):
        flat = np.asarray(value)
        return f"{type(value).__name__}{flat.shape} {hashlib.sha256(repr(flat.tolist()).encode()).hexdigest()[:16]}"
    return ADDRESS.sub("", repr(value))


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What keeps two runs apart, in words."""
    if found["format"] != wanted["format"]:
        return [f"it was written in format {found['format']}, this version writes {wanted['format']}"]
    names = sorted(found["settings"].keys() | wanted["settings"].keys())
    words = [_changed(name, found["settings"].get(name), wanted["settings"].get(name)) for name in names]
    words.append("the data differ" if found["data"] != wanted["data"] else "")
    for model in found["models"].keys() & wanted["models"].keys():
        old, new = found["models"][model], wanted["models"][model]
        if old.get("class") != new.get("class"):
            words.append(_changed(f"model {model!r}", old.get("class"), new.get("class")))
            continue
        words += [_changed(f"{key} of model {model!r}", old.get(key), new.get(key)) for key in sorted(old | new)]
    return [word for word in words if word]


def _changed(name: str, old: object, new: object) -> str:
    return "" if old == new else f"{name} was {old}, now {new}"


def _read_note(place: Path) -> dict[str, Any]:
    try:
        note = json.loads(place.read_text(encoding="utf-8"))
        return {key: note[key] for key in ("format", "settings", "data", "models")}
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(f"{place} cannot be read ({error}); delete the folder to start anew") from error


def _passing(place: Path) -> Path:
    """A name in the same folder that readers of whole folders pass over."""
    return place.with_name(f".{place.name}.{os.getpid()}.tmp")


def _write_text(place: Path, text: str) -> None:
    passing = _passing(place)
    passing.write_text(text, encoding="utf-8")
    os.replace(passing, place)
