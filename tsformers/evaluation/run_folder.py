"""The folder of a backtest: its settings, and every finished window, each file written as a whole."""

import json
import logging
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tsformers import __version__, storage
from tsformers.errors import JobError
from tsformers.evaluation.run_identity import differences
from tsformers.messages import Option

FORMAT = 1
METADATA_KEY = b"tsformers"  # of our entry in the metadata of a Parquet file

logger = logging.getLogger("tsformers.evaluation")


@runtime_checkable
class Savable(Protocol):
    """A fitted model that can be written to a folder."""

    def save(self, folder: Path) -> None:
        """Write the model; see ``tsformers.save``."""
        ...


@dataclass(frozen=True)
class RunFolder:
    """The folder of one backtest, read and written window by window.

    ``run.json`` holds settings, data fingerprint and models. ``forecasts/MODEL/K.parquet`` and
    ``scores/MODEL/K.parquet`` hold window K; the scores are written last, so a window is finished when they are there.
    ``failures/MODEL/K.json`` holds the error and traceback of a window that failed, ``models/MODEL/K`` the model that
    was fitted at window K's cutoff. Every file is written under another name and renamed when it is complete, so a
    crash costs the window in progress and nothing else.

    Args:
        folder: an existing folder; see ``open``.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp()) / "run"
        >>> folder = RunFolder.open(place, {"windows": 5}, "data-fingerprint", {"naive": {"class": "SeasonalNaive"}})
        >>> folder.is_finished("naive", 0)
        False
    """

    folder: Path

    @classmethod
    def open(
        cls, folder: str | Path, settings: Mapping[str, Any], data: str, models: Mapping[str, Mapping[str, str]]
    ) -> "RunFolder":
        """A new folder, or that of the same backtest, to resume it.

        Models may be added to a folder; a model that is there already must have the same settings.

        Args:
            folder: made when missing, with its parents.
            settings: that the numbers depend on; they fit into JSON.
            data: fingerprint of the panel.
            models: by name, as ``describe`` gives them.

        Returns:
            The folder.

        Raises:
            JobError: the folder holds a backtest with other settings, data or models, or no backtest.
        """
        place = Path(folder).absolute()
        record = place / "run.json"
        wanted = json.loads(json.dumps({"format": FORMAT, "settings": settings, "data": data, "models": models}))
        if record.is_file():
            found = _read_record(record)
            differing = differences(found, wanted)
            if differing:
                raise JobError(
                    f"{folder} holds another backtest: {'; '.join(differing)}; give this one a folder of its own (",
                    Option("out"),
                    "), or delete that folder to start anew",
                )
            wanted["models"] = found["models"] | wanted["models"]
        elif place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise JobError(
                f"{folder} is there already and holds no backtest (no run.json); give ",
                Option("out"),
                " another folder",
            )
        folded = sorted(name.casefold() for name in wanted["models"])
        twins = [a for a, b in pairwise(folded) if a == b]
        if twins:
            raise JobError(
                f"model names that differ only in upper and lower case ({twins[0]!r}) would share their files"
            )
        place.mkdir(parents=True, exist_ok=True)
        for left_over in place.rglob(".*.tmp"):
            left_over.unlink(missing_ok=True)
        write_whole(record, json.dumps(wanted | {"tsformers": __version__}, indent=1, ensure_ascii=False) + "\n")
        return cls(place)

    def is_finished(self, model: str, window: int) -> bool:
        """Whether both tables of a window are there and intact; a warning names a damaged one."""
        if not all(self._place(kind, model, window).is_file() for kind in ("forecasts", "scores")):
            return False
        try:
            self.read_window(model, window)
        except (OSError, pa.ArrowException, ValueError, LookupError) as error:
            warnings.warn(
                f"window {window} of model {model!r} in {self.folder} is damaged and is done again: {error}",
                UserWarning,
                stacklevel=2,
            )
            return False
        return True

    def write_window(
        self, model: str, window: int, forecasts: pd.DataFrame, scores: pd.DataFrame, seconds: dict[str, float]
    ) -> None:
        """Store a finished window; the record of an earlier failure is removed."""
        for kind, frame in (("forecasts", forecasts), ("scores", scores)):
            table = pa.Table.from_pandas(frame, preserve_index=False)
            metadata = {**(table.schema.metadata or {}), METADATA_KEY: json.dumps(seconds).encode()}
            table = table.replace_schema_metadata(metadata)
            place = self._place(kind, model, window)
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = _temporary(place)
            pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
            os.replace(temporary, place)
        self._place("failures", model, window).unlink(missing_ok=True)

    def read_window(self, model: str, window: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
        """Forecasts, scores and seconds of a finished window."""
        places = [self._place(kind, model, window) for kind in ("forecasts", "scores")]
        tables = [pq.ParquetFile(place, page_checksum_verification=True).read() for place in places]
        forecasts, scores = (table.to_pandas() for table in tables)
        return forecasts, scores, json.loads((tables[1].schema.metadata or {})[METADATA_KEY])

    def write_failure(self, model: str, window: int, error: str, traceback: str) -> None:
        """Store the error of a window; the next call tries that window again."""
        place = self._place("failures", model, window)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, json.dumps({"error": error, "traceback": traceback}, indent=1, ensure_ascii=False) + "\n")

    def save_model(self, model: str, window: int, fitted: Any) -> None:
        """Save a fitted model; one that cannot be saved is fitted again when the backtest is resumed."""
        if not isinstance(fitted, Savable):
            return
        try:
            fitted.save(self._place("models", model, window))
        except (TypeError, ValueError, OSError) as error:
            logger.warning("model %r cannot be saved and will be fitted again after a crash: %s", model, error)

    def load_model(self, model: str, window: int, kind: type) -> Any | None:
        """The model fitted at a window's cutoff, or None where none was saved."""
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


def _read_record(place: Path) -> dict[str, Any]:
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        return {key: record[key] for key in ("format", "settings", "data", "models")}
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(f"{place} cannot be read ({error}); delete the folder to start anew") from error


def _temporary(place: Path) -> Path:
    """A hidden name in the same folder."""
    return place.with_name(f".{place.name}.{os.getpid()}.tmp")


def write_whole(place: Path, text: str) -> None:
    """Write a text file that appears complete or not at all.

    Args:
        place: the file; one that is there is replaced.
        text: its content.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp()) / "a.json"
        >>> write_whole(place, "{}")
        >>> place.read_text()
        '{}'
    """
    temporary = _temporary(place)
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, place)
