"""The folder of a backtest: its settings, and every finished window, each file written as a whole."""

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tsformers import __version__, storage
from tsformers.errors import JobError
from tsformers.evaluation.run_identity import differences
from tsformers.messages import Option

FORMAT = 1
KINDS = ("forecasts", "scores")  # tables of a window, in the order in which they are put in place
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
        places = [self._place(kind, model, window) for kind in KINDS]
        if not all(place.is_file() for place in places):
            return False
        try:
            for place in places:
                with _opened(place) as file:
                    for group in range(file.num_row_groups):
                        file.read_row_group(group)
            self.read_seconds(model, window)
        except (OSError, pa.ArrowException, ValueError, LookupError) as error:
            warnings.warn(
                f"window {window} of model {model!r} in {self.folder} is damaged and is done again: {error}",
                UserWarning,
                stacklevel=2,
            )
            return False
        return True

    def write_window(
        self,
        model: str,
        window: int,
        blocks: Iterable[tuple[pd.DataFrame, pd.DataFrame]],
        seconds: Callable[[], Mapping[str, float]],
    ) -> None:
        """Store a window as its blocks come; the record of an earlier failure is removed.

        Args:
            model: name.
            window: which of the windows.
            blocks: forecasts and scores of some series after others; at least one. Each is a row group of the files.
            seconds: asked after the last block.
        """
        places = [self._place(kind, model, window) for kind in KINDS]
        temporary = [_temporary(place) for place in places]
        writers: list[pq.ParquetWriter] = []
        try:
            with ExitStack() as opened:
                for frames in blocks:
                    if not writers:
                        for place, part, frame in zip(places, temporary, frames, strict=True):
                            place.parent.mkdir(parents=True, exist_ok=True)
                            schema = pa.Table.from_pandas(frame, preserve_index=False).schema
                            writer = pq.ParquetWriter(part, schema, compression="zstd", write_page_checksum=True)
                            writers.append(opened.enter_context(writer))
                    for writer, frame in zip(writers, frames, strict=True):
                        writer.write_table(pa.Table.from_pandas(frame, schema=writer.schema, preserve_index=False))
                for writer in writers:
                    writer.add_key_value_metadata({METADATA_KEY: json.dumps(seconds())})
        except BaseException:
            for part in temporary:
                part.unlink(missing_ok=True)
            raise
        for part, place in zip(temporary, places, strict=True):
            os.replace(part, place)
        self._place("failures", model, window).unlink(missing_ok=True)

    def read_table(
        self, kind: str, model: str, window: int, columns: Sequence[str] | None = None, series: int | None = None
    ) -> pd.DataFrame:
        """The forecasts or the scores of a finished window, in the order of series.

        Args:
            kind: "forecasts" or "scores".
            model: name.
            window: which of the windows.
            columns: to read, "series" among them; None = all.
            series: position of the only series to read; None = all.

        Returns:
            The rows.
        """
        with _opened(self._place(kind, model, window)) as file:
            groups = []
            for group in range(file.num_row_groups):
                part = file.read_row_group(group, columns=columns)
                groups.append(part if series is None else part.filter(pc.field("series") == series))
        frame = pa.concat_tables(groups).to_pandas()
        if frame["series"].is_monotonic_increasing:
            return frame
        return frame.sort_values("series", kind="stable", ignore_index=True)

    def read_seconds(self, model: str, window: int) -> dict[str, float]:
        """The seconds that a finished window took."""
        with _opened(self._place("scores", model, window)) as file:
            return json.loads((file.metadata.metadata or {})[METADATA_KEY])

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


def _opened(place: Path) -> pq.ParquetFile:
    return pq.ParquetFile(place, page_checksum_verification=True)


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
