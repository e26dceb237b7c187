"""Parquet, Feather and Arrow files: tables with types."""

import io
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from tsformers.data.files.content import Content
from tsformers.data.files.table_file import TableFile
from tsformers.errors import DataError


def read_typed(content: Content, kind: str) -> TableFile:
    """Read a Parquet, Feather or Arrow file; an index that pandas saved is a column again.

    Args:
        content: the bytes of the file.
        kind: "parquet" or "arrow".

    Returns:
        The table.

    Raises:
        DataError: the file is damaged.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=2)
        >>> file = pd.DataFrame({"y": [1.0, 2.0]}, index=days).to_parquet()
        >>> read_typed(Content("a.parquet", file, (), lambda: b""), "parquet").frame.columns.tolist()
        ['ds', 'y']
    """
    shown = "Parquet" if kind == "parquet" else "Feather"
    try:
        frame = _frame(_table(content.data, kind))
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{content.name} cannot be read as {shown} ({reason}); write it again, it is damaged") from None
    return TableFile(frame, content.name, shown, content.facts)


def with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose index has become columns, unless it only counts rows.

    Args:
        frame: as pandas restored it.

    Returns:
        A frame with a plain index; times without a name are called "ds".

    Example:
        >>> with_index(pd.DataFrame({"y": [1.0]}, index=pd.Index(["a"], name="id"))).columns.tolist()
        ['id', 'y']
    """
    index = frame.index
    if index.nlevels == 1 and index.name is None and (isinstance(index, pd.RangeIndex) or index.dtype.kind in "iu"):
        return frame.reset_index(drop=True)
    names: list[Any] = []
    for level in range(index.nlevels):
        times = isinstance(index.get_level_values(level), pd.DatetimeIndex | pd.PeriodIndex)
        free = "ds" not in frame.columns and "ds" not in index.names and "ds" not in names
        plain = "index" if index.nlevels == 1 else f"level_{level}"
        names.append(index.names[level] or ("ds" if times and free else plain))
    return frame.rename_axis(index=names).reset_index()


def _table(data: bytes, kind: str) -> pa.Table:
    if kind == "parquet":
        return pq.read_table(io.BytesIO(data))
    if data.startswith(b"\xff\xff\xff\xff"):
        return pa.ipc.open_stream(data).read_all()
    return feather.read_table(io.BytesIO(data))


def _frame(table: pa.Table) -> pd.DataFrame:
    twice = [name for name in dict.fromkeys(table.column_names) if table.column_names.count(name) > 1]
    if twice:
        raise ValueError(f"two columns are called {twice[0]!r}")
    for j, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(j, field.name, table.column(j).cast(pa.float64()))
    frame = with_index(table.to_pandas(date_as_object=False))
    frame.columns = [str(name) for name in frame.columns]
    return frame
