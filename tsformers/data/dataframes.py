"""Conversion from and to data frames: any accepted table to pandas, and answers to the caller's own type."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from tsformers.calendar.timestamps import TimeForm
from tsformers.data.files.table_file import TableFile
from tsformers.errors import DataError
from tsformers.messages import Either

Frame: TypeAlias = Any  # a pandas DataFrame or Series, a polars frame, a pyarrow table: whatever ``to_pandas`` takes

Resolution = Literal["D", "s", "ms", "us", "ns"]
DATETIME = TimeForm()
BACKENDS = ("polars", "pyarrow")


@dataclass(frozen=True)
class Schema:
    """What ``fit`` understood of the caller's frame: it binds later frames, and answers come back in the same form.

    Args:
        id_col: column of series ids.
        time_col: column of time stamps.
        target_col: column of values.
        past: covariates known up to the cutoff only, as the caller names them.
        known: covariates whose future values are given at prediction, as the caller names them.
        tz: time zone of the stamps, None for naive or integer time; with it, stamps are stored in UTC.
        backend: "pandas", "polars" or "pyarrow".
        unit: resolution of the caller's stamps, "ns", "us", "ms", "s", or "D" for dates; stored stamps count "ns".
        id_cols: the columns that were joined to ``id_col``; empty = it is a column itself.
        id_sep: what stands between the parts of a joined id.
        id_kinds: "text" or "int" for each of ``id_cols``.
        time_cols: the columns that were joined, with a blank, to ``time_col``; empty = it is a column itself.
        form: how times are written.
        zone_given: whether the zone was given, so that times without one are in it.
        single: True where the frame had no ids: its one series is called after the target.
        text_ids: whether all ids are text.
        missing: values and texts that stand for a missing value.
        levels: for each covariate that is no number its levels, as text.
        resample: length of the bins that rows were brought to, such as "h"; None = as they came.
        aggregate: what a bin shows: "mean", "sum", "last" or "max"; None = "mean".
        left_out: columns of the frame that have no role, each with the reason.

    Example:
        >>> schema = Schema(time_col="date", known=("promo",), levels={"promo": ("no", "yes")})
        >>> schema.time_col, schema.known_columns
        ('date', ('promo=no', 'promo=yes'))
    """

    id_col: str = "unique_id"
    time_col: str = "ds"
    target_col: str = "y"
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    tz: str | None = None
    backend: str = "pandas"
    unit: Resolution = "ns"
    id_cols: tuple[str, ...] = ()
    id_sep: str = "/"
    id_kinds: tuple[str, ...] = ()
    time_cols: tuple[str, ...] = ()
    form: TimeForm = DATETIME
    zone_given: bool = False
    single: bool = False
    text_ids: bool = False
    missing: tuple[Any, ...] = ()
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    resample: str | None = None
    aggregate: str | None = None
    left_out: tuple[tuple[Any, str], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the long frame, in order, as the caller names them."""
        ids, times = self.id_cols or (self.id_col,), self.time_cols or (self.time_col,)
        return (*(() if self.single else ids), *times, self.target_col, *self.past, *self.known)

    @property
    def past_columns(self) -> tuple[str, ...]:
        """Names of the columns of ``Panel.past``: one a level of a covariate that is no number."""
        return expanded(self.past, self.levels)

    @property
    def known_columns(self) -> tuple[str, ...]:
        """Names of the columns of ``Panel.known``: one a level of a covariate that is no number."""
        return expanded(self.known, self.levels)


def expanded(names: Sequence[str], levels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The numeric columns of covariates: themselves, or one a level.

    Args:
        names: of the covariates.
        levels: of those that are no numbers.

    Returns:
        Names such as "promo=coupon".

    Example:
        >>> expanded(["price", "promo"], {"promo": ("no", "yes")})
        ('price', 'promo=no', 'promo=yes')
    """
    return tuple(
        column for name in names for column in ([f"{name}={v}" for v in levels[name]] if name in levels else [name])
    )


def to_pandas(
    data: Frame, id_col: str = "unique_id", time_col: str = "ds", target_col: str = "y"
) -> tuple[pd.DataFrame, str]:
    """Any accepted table as a pandas frame; the caller's object is never modified.

    Args:
        data: a pandas DataFrame, a pandas Series with a time index (one series, its id is the name, else "y"), a polars
            DataFrame or LazyFrame, a pyarrow Table, another eager frame that narwhals knows, or a file that was read.
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
    if isinstance(data, pd.DataFrame):
        return data, "pandas"
    if isinstance(data, TableFile):
        return data.frame, "pandas"
    if isinstance(data, pd.Series):
        if isinstance(data.index, pd.MultiIndex):
            raise DataError(
                f"a Series with a MultiIndex is not one series; pass a frame of columns {id_col!r}, {time_col!r} and "
                f"{target_col!r}, for example ",
                Either(f"series.rename({target_col!r}).reset_index()", "a file of three columns"),
            )
        name = "y" if data.name is None else data.name
        columns = {id_col: [name] * len(data), time_col: data.index, target_col: data.array}
        return pd.DataFrame(columns).reset_index(drop=True), "pandas"
    try:
        frame = nw.from_native(data)
    except TypeError:
        raise DataError(
            f"data is a {type(data).__name__}, not a table; ", Either(_as_table(data), ""),
            f"pass a long frame (pandas, polars or pyarrow) of columns {id_col!r}, {time_col!r} and {target_col!r}, or "
            "a pandas Series with a time index",
        ) from None  # fmt: skip
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    backend = eager.implementation.name.lower()
    table = eager.to_pandas()
    if eager.schema.get(time_col) == nw.Date:  # pandas has no dates: an Arrow column keeps them for the answer
        table[time_col] = table[time_col].astype(pd.ArrowDtype(pa.date32()))
    return table, backend if backend in BACKENDS else "pandas"


def _as_table(data: object) -> str:
    """How to make a table of something that is none."""
    if isinstance(data, str | Path):
        return f"read the file first, for example pass pd.read_csv({str(data)!r}); or "
    if type(data).__name__ == "RecordBatch":
        return "pass pa.Table.from_batches([data]); or "
    if isinstance(data, Mapping) or (isinstance(data, list) and data and isinstance(data[0], Mapping)):
        return "pass pd.DataFrame(data); or "
    if isinstance(data, list | tuple | np.ndarray) or hasattr(data, "__array__"):
        return "for one series without times pass pd.Series(data); or " if np.ndim(data) == 1 else ""
    return ""


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
        return schema.form.write(flat, None) if schema.form.kind == "count" else pd.Index(flat)
    if schema.form.kind not in ("datetime", "date") or schema.form.text:
        code, distinct = pd.factorize(flat.astype("M8[ns]").view(np.int64))
        return schema.form.write(np.asarray(distinct), schema.tz).take(code)
    index = pd.DatetimeIndex(flat)
    if schema.tz is not None:
        index = index.tz_localize("UTC").tz_convert(schema.tz)
    if schema.unit == "D":
        return pd.Index(index.date) if bool((index == index.normalize()).all()) else index
    coarse = index.as_unit(schema.unit)
    return coarse if bool((coarse == index).all()) else index


def check_answer_columns(schema: Schema, names: Iterable[str], what: str, *, target: bool = False) -> None:
    """No column of an answer takes the name of the caller's id or time column; called before the work for the answer.

    Args:
        schema: of the caller's frame.
        names: columns of the answer beside those of ids and times.
        what: the answer in messages, such as "the forecast".
        target: whether the answer has the caller's column of values too.

    Raises:
        DataError: names the columns.

    Example:
        >>> check_answer_columns(Schema(id_col="shop"), ["mean", "q0.5"], "the forecast")  # nothing to refuse
    """
    taken = set(names)
    own = dict.fromkeys(
        [*(schema.id_cols or (schema.id_col,)), schema.time_col, *([schema.target_col] if target else [])]
    )
    renamed = {name: f"{name}_" for name in own if name in taken}
    if not renamed:
        return
    shown, into = " and ".join(map(repr, renamed)), " and ".join(map(repr, renamed.values()))
    if len(renamed) > 1:
        text = f"columns {shown} of the data have the names of columns of {what}; rename them, for example "
    else:
        text = f"column {shown} of the data has the name of a column of {what}; rename it, for example "
    raise DataError(text, Either(f"df.rename(columns={renamed!r})", f"to {into} in the file's header"))
