"""Conversion from and to data frames: any accepted table to pandas, and answers to the caller's own type."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from tsformers.data.files.table_file import TableFile
from tsformers.errors import DataError

Frame: TypeAlias = Any  # a pandas DataFrame or Series, a polars frame, a pyarrow table: whatever ``to_pandas`` takes

Resolution = Literal["D", "s", "ms", "us", "ns"]
BACKENDS = ("polars", "pyarrow")


@dataclass(frozen=True)
class Schema:
    """Column names, time zone and type of the caller's frame; kept by Panel and Forecast for answers in the same form.

    Args:
        id_col: column of series ids.
        time_col: column of time stamps.
        target_col: column of values.
        past: covariates known up to the cutoff only.
        known: covariates whose future values are given at prediction.
        tz: time zone of the stamps, None for naive or integer time; with it, stamps are stored in UTC.
        backend: "pandas", "polars" or "pyarrow".
        unit: resolution of the caller's stamps, "ns", "us", "ms", "s", or "D" for dates; stored stamps count "ns".

    Example:
        >>> Schema(time_col="date").time_col
        'date'
    """

    id_col: str = "unique_id"
    time_col: str = "ds"
    target_col: str = "y"
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    tz: str | None = None
    backend: str = "pandas"
    unit: Resolution = "ns"

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the long frame, in order."""
        return (self.id_col, self.time_col, self.target_col, *self.past, *self.known)


def to_pandas(
    data: Frame, id_col: str = "unique_id", time_col: str = "ds", target_col: str = "y"
) -> tuple[pd.DataFrame, str]:
    """Any accepted table as a pandas frame; the caller's object is never modified.

    Args:
        data: a pandas DataFrame, a pandas Series with a time index (one series, its id is the name, else "y"), a polars
            DataFrame or LazyFrame, a pyarrow Table, or another eager frame that narwhals knows.
        id_col: name for the ids of a Series.
        time_col: name for the index of a Series.
        target_col: name for the values of a Series.

    Returns:
        The pandas frame (the caller's own where it is one) and the name of the backend to answer in.

    Raises:
        DataError: ``data`` is of another type.

    Example:
        >>> frame, backend = to_pandas(pd.Series([1.0, 2.0], index=[0, 1], name="a"))
        >>> frame.to_dict("list"), backend
        ({'unique_id': ['a', 'a'], 'ds': [0, 1], 'y': [1.0, 2.0]}, 'pandas')
    """
    if isinstance(data, TableFile):
        return data.frame, "pandas"
    if isinstance(data, pd.DataFrame):
        return data, "pandas"
    if isinstance(data, pd.Series):
        if isinstance(data.index, pd.MultiIndex):
            raise DataError(
                f"a Series with a MultiIndex is not one series; pass a frame of columns {id_col!r}, {time_col!r} and "
                f"{target_col!r}, for example series.rename({target_col!r}).reset_index()"
            )
        name = "y" if data.name is None else data.name
        columns = {id_col: [name] * len(data), time_col: data.index, target_col: data.array}
        return pd.DataFrame(columns).reset_index(drop=True), "pandas"
    try:
        frame = nw.from_native(data)
    except TypeError:
        raise DataError(
            f"data is a {type(data).__name__}, not a table; pass a long frame (pandas, polars or pyarrow) of columns "
            f"{id_col!r}, {time_col!r} and {target_col!r}, or a pandas Series with a time index"
        ) from None
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    backend = eager.implementation.name.lower()
    table = eager.to_pandas()
    if eager.schema.get(time_col) == nw.Date:  # pandas has no dates: an Arrow column keeps them for the answer
        table[time_col] = table[time_col].astype(pd.ArrowDtype(pa.date32()))
    return table, backend if backend in BACKENDS else "pandas"


def from_pandas(frame: pd.DataFrame, backend: str) -> Frame:
    """A pandas frame in the caller's own type.

    Args:
        frame: the answer.
        backend: from ``to_pandas``: "pandas", "polars" or "pyarrow".

    Returns:
        A pandas frame, a polars DataFrame or a pyarrow Table.

    Example:
        >>> type(from_pandas(pd.DataFrame({"y": [1.0]}), "pyarrow")).__name__
        'Table'
    """
    if backend not in BACKENDS:
        return frame
    plain = frame.reset_index(drop=True)
    columns: dict[str, Any] = {str(name): pa.Array.from_pandas(plain[name]) for name in plain}
    return nw.from_dict(columns, backend="polars" if backend == "polars" else "pyarrow").to_native()


def stamps(times: np.ndarray, schema: Schema) -> pd.Index:
    """Stored times in the caller's zone and resolution, or as integers.

    Args:
        times: (...) datetime64 (UTC where ``schema.tz`` is set) or integers; flattened.
        schema: of the caller's frame.

    Returns:
        A DatetimeIndex, or an Index of integers.

    Example:
        >>> stamps(np.array(["2024-06-01T22:00"], "M8[ns]"), Schema(tz="Europe/Berlin"))[0].isoformat()
        '2024-06-02T00:00:00+02:00'
    """
    flat = np.asarray(times).ravel()
    if flat.dtype.kind != "M":
        return pd.Index(flat)
    index = pd.DatetimeIndex(flat)
    if schema.tz is not None:
        index = index.tz_localize("UTC").tz_convert(schema.tz)
    if schema.unit == "D":
        return pd.Index(index.date) if bool((index == index.normalize()).all()) else index
    coarse = index.as_unit(schema.unit)
    return coarse if bool((coarse == index).all()) else index
