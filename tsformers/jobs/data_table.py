"""The table [data] of a job file: which data, how they are read, and the panel that they make."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from tsformers.data.files.long_table import Wide, file_line, read_source, with_rows
from tsformers.data.files.read import read_table
from tsformers.data.files.table_file import FileOptions, TableFile
from tsformers.data.intake.asked import names_of
from tsformers.data.panel import Panel
from tsformers.datasets.load import load_dataset, recipe
from tsformers.errors import DataError, JobError, did_you_mean
from tsformers.messages import message_of

Names = str | list[str] | None
FILE_KEYS = ("sep", "decimal", "encoding", "skip_rows", "sheet", "format")
ROLE_KEYS = ("freq", "known", "past", "id_col", "time_col", "target_col", "time_format", "tz", "resample", "aggregate")


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """The table [data]: a data set or a file, and how it is read, by the names of the keywords and options.

    What is None is that of the data set's recipe, else found by evidence.
    """

    dataset: str | None = None
    file: str | None = None  # relative to the job file
    format: str | None = None
    sep: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip_rows: int | None = None
    sheet: str | None = None
    missing: Any = field(default_factory=list)  # a value or a list
    id_col: Names = None
    time_col: Names = None
    target_col: str | None = None
    wide: bool = False
    wide_rows: bool = False
    time_format: str | None = None
    tz: str | None = None
    resample: str | None = None
    aggregate: str | None = None
    freq: str | int | None = None
    known: list[str] | None = None
    past: list[str] | None = None
    static: str | None = None  # a file with one row a series, relative to the job file
    short: Literal["error", "drop"] = "error"
    series: list[str] = field(default_factory=list)  # ids; empty: all
    parts: list[str] = field(default_factory=list)  # of the data set's benchmark split; empty: all rows

    @property
    def roles(self) -> dict[str, Any]:
        """Keywords of ``Panel.from_frame`` that were given.

        Example:
            >>> DataTable(file="a.csv", id_col=["shop", "dept"], missing=-9).roles
            {'id_col': ['shop', 'dept'], 'missing': -9}
        """
        given = {key: getattr(self, key) for key in (*ROLE_KEYS, "missing")}
        return {key: value for key, value in given.items() if value is not None and (key != "missing" or value != [])}


def read_data(data: DataTable, job: Path) -> tuple[Panel, list[str]]:
    """The series of a job, and the lines that say what was read.

    Args:
        data: the table [data].
        job: the job file, for relative paths and messages.

    Returns:
        The panel, and two to five lines.

    Raises:
        JobError: there is no such data set, series or part, or a key that does nothing.
        DataError: the data cannot be used; remedies are keys of the table.

    Example:
        >>> panel, lines = read_data(DataTable(dataset="nile"), Path("mine.toml"))
        >>> panel.freq, lines[0]
        ('YS-JAN', 'read data set nile')
    """
    if data.wide and data.wide_rows:
        raise JobError(f"{job}: data.wide is one series a column, data.wide_rows one series a row; give one of them")
    try:
        source, roles, line = _of_dataset(data, job) if data.dataset is not None else _of_file(data, job)
        if data.static is not None:
            roles["static"] = read_table(job.parent / data.static, FileOptions(missing=_texts(data.missing)))
        panel = Panel.from_frame(source, short=data.short, **roles)
        if data.series and data.file is not None and len(names_of(roles.get("id_col"))) > 1:  # joined ids
            panel = panel.select(_chosen(panel.ids.to_series(), data.series, f"{job}: data.series"))
        return panel, panel.reading.lines(line, "job", _wide(data))
    except DataError as error:
        raise DataError(f"{job}: data: {message_of(error, 'job')}") from error


def _of_dataset(data: DataTable, job: Path) -> tuple[pd.DataFrame, dict[str, Any], str]:
    name = str(data.dataset)
    for key in (*FILE_KEYS, "wide", "wide_rows"):
        if getattr(data, key):
            raise JobError(f"{job}: data.{key} says how a file is read, but data.dataset names a data set; remove it")
    frame = load_dataset(name, extra=["split"] if data.parts else [])
    if data.parts:
        frame = frame[_chosen(frame["split"], data.parts, f"{job}: data.parts")].drop(columns="split")
    if data.series:
        (column, *_) = names_of(data.id_col) or ("unique_id",)
        _require_column(frame, column, f"{job}: data.id_col")
        frame = frame[_chosen(frame[column], data.series, f"{job}: data.series")]
    return frame.reset_index(drop=True), recipe(name).roles | data.roles, f"read data set {name}"


def _of_file(data: DataTable, job: Path) -> tuple[TableFile, dict[str, Any], str]:
    options = FileOptions(**{key: getattr(data, key) for key in FILE_KEYS}, missing=_texts(data.missing))
    source, roles = read_source(job.parent / str(data.file), options, data.roles, _wide(data))
    column = names_of(roles.get("id_col")) or ("unique_id",)
    if data.series and len(column) == 1:
        _require_column(source.frame, column[0], f"{job}: data.id_col")
        kept = _chosen(source.as_text(column[0]), data.series, f"{job}: data.series")
        return with_rows(source, kept), roles, file_line(source)
    return source, roles, file_line(source)


def _wide(data: DataTable) -> Wide | None:
    return "columns" if data.wide else "rows" if data.wide_rows else None


def _chosen(values: pd.Series, wanted: Sequence[str], place: str) -> np.ndarray:
    """Which entries are wanted, compared as text; an empty list wants all."""
    if not wanted:
        return np.ones(len(values), dtype=bool)
    texts = values.astype(str)
    offered = [*texts.unique()]
    for entry in wanted:
        if entry not in offered:
            near = difflib.get_close_matches(entry, offered) or offered[:5]
            raise JobError(f"{place}: {entry!r} is not in the data; they have {', '.join(near)}, ...")
    return texts.isin(wanted).to_numpy()


def _require_column(frame: pd.DataFrame, column: str, place: str) -> None:
    if column not in frame.columns:
        raise JobError(f"{place}: the data have no column {column!r}; {did_you_mean(column, map(str, frame.columns))}")


def _texts(missing: Any) -> tuple[str, ...]:
    return tuple(map(str, missing if isinstance(missing, list) else [missing]))
