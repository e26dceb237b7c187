"""pandas columns of every usual dtype, split into arrays and joined again."""

from typing import Any

import numpy as np
import pandas as pd

MASKED = {
    "i": pd.arrays.IntegerArray,
    "u": pd.arrays.IntegerArray,
    "f": pd.arrays.FloatingArray,
    "b": pd.arrays.BooleanArray,
}


def column_parts(column: pd.Series | pd.Index) -> dict[str, Any] | None:
    """The parts of a column: arrays, lists and text under a ``kind``.

    Args:
        column: a Series or a flat Index.

    Returns:
        What ``join_column`` needs; None for a dtype that has no such parts.

    Example:
        >>> column_parts(pd.Series(["a", "b", "a"], dtype="category"))["codes"]
        array([0, 1, 0], dtype=int8)
    """
    dtype: Any = column.dtype
    array: Any = column.array
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return {"kind": "objects", "values": list(array)}
        return {"kind": "plain", "values": column.to_numpy()}
    if isinstance(dtype, pd.CategoricalDtype):
        codes = np.asarray(array.codes)
        return {"kind": "category", "codes": codes, "categories": dtype.categories, "ordered": bool(dtype.ordered)}
    if isinstance(dtype, pd.DatetimeTZDtype):
        moments = column.dt.tz_convert("UTC").dt.tz_localize(None) if isinstance(column, pd.Series) else None
        if moments is None:
            moments = column.tz_convert("UTC").tz_localize(None)  # type: ignore[union-attr]
        return {"kind": "zoned", "values": moments.to_numpy(), "tz": str(dtype.tz)}
    if isinstance(dtype, pd.StringDtype):
        values = [None if missing else str(item) for item, missing in zip(array, column.isna(), strict=True)]
        return {"kind": "strings", "values": values, "storage": dtype.storage, "nan": dtype.na_value is np.nan}
    if isinstance(dtype, pd.ArrowDtype):
        return {"kind": "arrow", "values": _arrow_bytes(array)}
    if isinstance(dtype, pd.PeriodDtype):
        return {"kind": "periods", "values": np.asarray(array.asi8), "freq": array.freqstr}
    if isinstance(dtype, pd.IntervalDtype):
        return {"kind": "intervals", "left": array.left, "right": array.right, "closed": array.closed}
    if isinstance(dtype, pd.SparseDtype):
        return {"kind": "sparse", "values": np.asarray(array), "fill": dtype.fill_value}
    if type(array) in MASKED.values():
        blank = dtype.numpy_dtype.type(0)
        mask = np.asarray(column.isna())
        return {"kind": "masked", "values": array.to_numpy(dtype=dtype.numpy_dtype, na_value=blank), "mask": mask}
    return None


def join_column(parts: dict[str, Any]) -> Any:
    """The column that ``column_parts`` split.

    Args:
        parts: what it returned.

    Returns:
        An array from which a Series or an Index is made without change of dtype.

    Raises:
        ValueError: the kind is unknown.

    Example:
        >>> list(join_column({"kind": "category", "codes": np.array([1, 0]), "categories": pd.Index(["a", "b"]),
        ...                   "ordered": False}))
        ['b', 'a']
    """
    values: Any = parts.get("values")
    match parts["kind"]:
        case "plain":
            return values
        case "objects":
            column = np.empty(len(parts["values"]), dtype=object)
            column[:] = parts["values"]
            return pd.Series(column, dtype=object).array
        case "category":
            dtype = pd.CategoricalDtype(parts["categories"], ordered=parts["ordered"])
            return pd.Categorical.from_codes(parts["codes"], dtype=dtype)
        case "zoned":
            return pd.DatetimeIndex(values).tz_localize("UTC").tz_convert(parts["tz"]).array
        case "strings":
            kind = pd.StringDtype(parts["storage"], na_value=np.nan if parts["nan"] else pd.NA)
            return pd.array(parts["values"], dtype=kind)
        case "arrow":
            return _from_arrow_bytes(values)
        case "periods":
            ordinals: Any = pd.PeriodIndex  # its stubs lack from_ordinals
            return ordinals.from_ordinals(values, freq=parts["freq"]).array
        case "intervals":
            return pd.arrays.IntervalArray.from_arrays(parts["left"], parts["right"], closed=parts["closed"])
        case "sparse":
            return pd.arrays.SparseArray(values, fill_value=parts["fill"])
        case "masked":
            array = np.asarray(values)
            return MASKED[array.dtype.kind](array, parts["mask"])
    raise ValueError(f"{parts['kind']!r} is no kind of column that this version knows")


def _arrow_bytes(array: Any) -> np.ndarray:
    """An Arrow-backed column as the bytes of an Arrow stream."""
    import pyarrow as pa

    table = pa.table({"column": pa.array(array)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return np.frombuffer(sink.getvalue(), dtype=np.uint8)


def _from_arrow_bytes(stream: np.ndarray) -> Any:
    """The column in the bytes of an Arrow stream."""
    import pyarrow as pa

    table = pa.ipc.open_stream(stream.tobytes()).read_all()
    return pd.arrays.ArrowExtensionArray(table.column("column"))
