"""Tables of series from files: read, turned where they are wide, and shortened to some of their rows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from tsformers.data.files.read import read_table
from tsformers.data.files.table_file import FileOptions, TableFile
from tsformers.data.intake.asked import names_of
from tsformers.data.intake.columns import check_columns
from tsformers.data.intake.offers import time_labels
from tsformers.data.intake.source import Source, source_of
from tsformers.data.intake.wide import from_wide, row_names
from tsformers.errors import DataError
from tsformers.messages import Option

Wide = Literal["columns", "rows"]


def read_source(
    file: str | Path, options: FileOptions, roles: dict[str, Any], wide: Wide | None = None
) -> tuple[TableFile, dict[str, Any]]:
    r"""The table of a file as a long one, and the roles that are left to find in it.

    Args:
        file: path, or "-" for standard input.
        options: how the file is read.
        roles: keywords of ``Panel.from_frame``.
        wide: "columns" = one series a column, "rows" = one series a row; None = a long table.

    Returns:
        The table and the keywords with which ``Panel.from_frame`` reads it.

    Raises:
        DataError: the file cannot be read.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := Path(folder) / "a.csv").write_text("date,a,b\n2024-01-01,5,6\n2024-01-02,7,8\n")
        ...     source, roles = read_source(path, FileOptions(), {}, "columns")
        >>> source.frame["unique_id"].tolist(), roles
        (['a', 'a', 'b', 'b'], {})
    """
    text = (*names_of(roles.get("id_col")), *names_of(roles.get("time_col")))
    source = read_table(file, options, text_columns=text)
    if wide is None:
        return source, roles
    return turned(source, roles, wide)


def turned(source: TableFile, roles: dict[str, Any], wide: Wide) -> tuple[TableFile, dict[str, Any]]:
    """A wide table as a long one, which keeps its lines for messages.

    Args:
        source: the table.
        roles: keywords of ``Panel.from_frame``; with rows as series ``id_col`` names them, with columns ``time_col``
            the times.
        wide: "columns" or "rows".

    Returns:
        The table of ids, ds and y, and the keywords that are left; ids of rows keep the names of their columns.

    Raises:
        DataError: a role that a wide table does not have, or what ``from_wide`` refuses.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"land": ["a"], "note": ["b"], "2023": [1], "2024": [2]})
        >>> turned(TableFile(frame, "a.csv", "CSV"), {"id_col": "land"}, "rows")[0].frame["land"].tolist()
        ['a', 'a']
    """
    named = {key: roles.get(key) for key in ("id_col", "time_col", "target_col")}
    naming = "time_col" if wide == "columns" else "id_col"
    for key, value in named.items():
        if value is not None and key != naming:
            what = "column" if wide == "columns" else "row"
            raise DataError(Option(key, value), f" has no effect where each {what} is a series; leave it out")
    columns = names_of(named[naming])
    for name in columns:
        check_columns(source.frame, {naming: name}, what=source.name)
    shaped = _with_names(source, columns, wide) if columns else source
    time_col = " ".join(columns) if columns and wide == "columns" else None
    long = from_wide(shaped, time_col=time_col, series=wide)
    key = "ds" if wide == "columns" else "unique_id"
    line_of = None if source.line_of is None else lambda row: _line_of(shaped, long[key].iloc[row], _before(long, row))
    left = {key: value for key, value in roles.items() if key not in named}
    found = (
        long if wide == "columns" else _with_own_ids(long, source_of(source), columns or row_names(source_of(source)))
    )
    if "unique_id" not in found.columns:
        left["id_col"] = list(found.columns[:-2]) if found.shape[1] > 3 else str(found.columns[0])
    return replace(source, frame=found, line_of=line_of, unclear={}, reread=None), left


def _with_own_ids(long: pd.DataFrame, source: Source, columns: Sequence[str]) -> pd.DataFrame:
    """The long table with the columns that named its rows, under their own names."""
    if not columns or {*columns} & {"unique_id", *long.columns} or not all(isinstance(name, str) for name in columns):
        return long
    if len(columns) == 1:
        return long.rename(columns={"unique_id": columns[0]})
    rows = pd.Index(source.joined(columns, "/")).get_indexer(pd.Index(long["unique_id"]))
    cells = {name: source.cells(name).to_numpy(dtype=object)[rows] for name in columns}
    return pd.DataFrame({**cells, "ds": long["ds"].array, "y": long["y"].array})


def _with_names(source: TableFile, columns: Sequence[str], wide: Wide) -> TableFile:
    """The table with one column that names series or times: several are joined, others that name rows left out."""
    name, given = " ".join(columns), source_of(source)
    cells = given.cells(columns[0]) if len(columns) == 1 else given.joined(columns, " " if wide == "columns" else "/")
    rest = [other for other in source.frame if other not in columns]
    rest = rest if wide == "columns" else [other for other in rest if other in time_labels(source.frame.columns)]
    frame = pd.concat([cells.rename(name).reset_index(drop=True), source.frame[rest]], axis=1)
    again = source.reread
    reread = None if again is None else lambda column: cells if column == name else again(column)
    return replace(source, frame=frame, reread=reread)


def _before(long: pd.DataFrame, row: int) -> int:
    """How many earlier rows of its series have the time of a row."""
    earlier, own = long.iloc[:row], long.iloc[row]
    return int(((earlier["unique_id"] == own["unique_id"]) & (earlier["ds"] == own["ds"])).sum())


def _line_of(source: TableFile, key: object, before: int) -> int:
    """The line of the row that holds a time or an id, after so many others; the first row's where none does."""
    assert source.line_of is not None
    for column in source.frame:
        hits = np.flatnonzero(source.as_text(str(column)).astype(str) == str(key))
        if len(hits) > before:
            return source.line_of(int(hits[before]))
    return source.line_of(0)


def file_line(source: TableFile) -> str:
    """The line about a file: what its content showed.

    Args:
        source: the table that was read.

    Returns:
        Such as "read sales.csv: separator ';', decimal comma".

    Example:
        >>> import pandas as pd
        >>> file_line(TableFile(pd.DataFrame({"y": [1.5]}), "a.csv", "CSV", ("separator ','",)))
        "read a.csv: separator ','"
    """
    shown = [*([] if source.kind == "CSV" and source.facts else [source.kind]), *source.facts]
    return f"read {source.name}: {', '.join(shown)}"


def with_rows(source: TableFile, kept: np.ndarray) -> TableFile:
    """Some rows of a table, which keep their lines.

    Args:
        source: R rows.
        kept: (R,) bool.

    Returns:
        The shorter table.

    Example:
        >>> import pandas as pd
        >>> source = TableFile(pd.DataFrame({"y": [1, 2, 3]}), "a.csv", "CSV", line_of=lambda row: row + 2)
        >>> with_rows(source, np.array([False, True, True])).places.at(0)
        'line 3'
    """
    rows, line_of, reread = np.flatnonzero(kept), source.line_of, source.reread
    return replace(
        source,
        frame=source.frame.iloc[rows].reset_index(drop=True),
        line_of=None if line_of is None else lambda row: line_of(int(rows[row])),
        reread=None if reread is None else lambda column: reread(column).iloc[rows].reset_index(drop=True),
    )
