"""Layouts of published tables, turned into long frames: long, wide, one row a series, one column a month."""

from typing import Any

import numpy as np
import pandas as pd

from tsformers.datasets.recipe import Benchmark, Columns, Recipe


def long_frame(table: pd.DataFrame, chosen: Recipe) -> pd.DataFrame:
    """A published table as a long frame: unique_id, ds, y, covariates and labels.

    Args:
        table: as it was read from the file.
        chosen: the recipe; its ``layout`` and ``columns`` decide.

    Returns:
        One row a series and time.

    Raises:
        KeyError: the table lacks a column of the recipe.

    Example:
        >>> from tsformers.datasets.load import recipe
        >>> long_frame(pd.DataFrame({"year": [1871, 1872], "volume": [1120, 1160]}), recipe("nile"))
           unique_id         ds       y
        0      nile 1871-01-01  1120.0
        1      nile 1872-01-01  1160.0
    """
    columns = chosen.columns
    for name, value in chosen.source.where.items():
        table = table[table[name].isin(value if isinstance(value, list) else [value])]
    table = table.reset_index(drop=True)
    labels = [*columns.extra, *([chosen.benchmark.split_column] if chosen.benchmark.split_column else [])]
    kept = table[list(dict.fromkeys([*columns.known, *columns.past, *labels]))]
    ids = _ids(table, chosen)
    if chosen.layout == "long":
        frame = kept.assign(unique_id=ids, ds=_times(table, columns), y=table[columns.target].astype(float))
    else:
        inner = {columns.id} if isinstance(columns.id, str) else {*(columns.id or [])}
        used = (
            inner | {*kept.columns} | {*(columns.time.values() if isinstance(columns.time, dict) else [columns.time])}
        )
        names = columns.series or [name for name in table.columns if name not in used]
        frame = {"wide": _wide, "rows": _rows, "months": _months}[chosen.layout](table, kept, ids, names, columns)
    if columns.missing:
        frame["y"] = frame["y"].mask(frame["y"].isin(columns.missing))
    return frame.drop_duplicates(["unique_id", "ds"], ignore_index=True) if columns.duplicates == "first" else frame


def _wide(
    table: pd.DataFrame, kept: pd.DataFrame, ids: pd.Series | None, names: list[str], columns: Columns
) -> pd.DataFrame:
    """Each column is a series (of each id, where there are ids)."""
    frame = pd.concat([kept] * len(names), ignore_index=True)
    frame["ds"] = np.tile(_times(table, columns).to_numpy(), len(names))
    frame["y"] = table[names].to_numpy(float).T.ravel()
    channel = pd.Series(np.repeat(np.array(names, object), len(table)))
    frame["unique_id"] = channel if ids is None else pd.concat([ids] * len(names), ignore_index=True) + "/" + channel
    return frame


def _rows(
    table: pd.DataFrame, kept: pd.DataFrame, ids: pd.Series | None, names: list[str], columns: Columns
) -> pd.DataFrame:
    """Each row is a series; its steps are columns."""
    frame = kept.loc[kept.index.repeat(len(names))].reset_index(drop=True)
    frame["unique_id"] = np.repeat(np.arange(len(table)) if ids is None else ids.to_numpy(), len(names))
    frame["ds"] = np.tile(np.arange(len(names)), len(table))
    frame["y"] = table[names].to_numpy(float).ravel()
    return frame


def _months(
    table: pd.DataFrame, kept: pd.DataFrame, ids: pd.Series | None, names: list[str], columns: Columns
) -> pd.DataFrame:
    """Each row is a year; twelve columns are its months."""
    frame = _rows(table, kept, ids, names, columns)
    start = _times(table, columns).dt.year.to_numpy().repeat(len(names))
    frame["ds"] = pd.to_datetime({"year": start, "month": frame["ds"] + 1, "day": 1})
    return frame


def _ids(table: pd.DataFrame, chosen: Recipe) -> pd.Series | None:
    names = chosen.columns.id
    if names is None:
        return pd.Series(chosen.name, index=table.index) if chosen.layout != "wide" else None
    if isinstance(names, str):
        return table[names]
    return table[names[0]].astype(str).str.cat(table[names[1:]].astype(str), sep="/")


def _times(table: pd.DataFrame, columns: Columns) -> pd.Series:
    if columns.time is None:
        return pd.Series(np.arange(len(table)))
    if isinstance(columns.time, dict):
        parts = {part: table[name].astype(int) for part, name in columns.time.items()}
        month = 3 * parts["quarter"] - 2 if "quarter" in parts else parts.get("month", 1)
        return pd.to_datetime(pd.DataFrame({"year": parts["year"], "month": month, "day": 1}))
    times = table[columns.time]
    if columns.time_format:
        return pd.to_datetime(times.astype(str), format=columns.time_format)
    text = times.dtype == object or isinstance(times.dtype, pd.StringDtype)
    return pd.to_datetime(times, format="ISO8601") if text else times


def split_column(frame: pd.DataFrame, cuts: Benchmark) -> pd.Series:
    """The part of the benchmark split that each row belongs to.

    Args:
        frame: a long frame.
        cuts: the split of the recipe.

    Returns:
        "train", "validation", "test" or "unused", one a row; or the table's own column.

    Example:
        >>> frame = pd.DataFrame({"unique_id": ["a"] * 3 + ["b"] * 2})
        >>> split_column(frame, Benchmark(split_last=1)).tolist()
        ['train', 'train', 'test', 'train', 'test']
    """
    if cuts.split_column:
        return frame[cuts.split_column]
    groups = frame.groupby("unique_id", sort=False)["unique_id"]
    row, n = groups.cumcount().to_numpy(), groups.transform("size").to_numpy()
    parts: dict[str, Any]  # first row of each part, last part first
    if cuts.split_rows:
        ends = np.cumsum([*cuts.split_rows.values()])
        parts = {"unused": ends[-1]} | dict(zip([*cuts.split_rows][::-1], [*ends[:-1][::-1], 0], strict=True))
    elif cuts.split_shares:
        train = (n * cuts.split_shares["train"]).astype(int)
        test = n - (n * cuts.split_shares["test"]).astype(int) if "validation" in cuts.split_shares else train
        parts = {"test": test, "validation": train, "train": 0}
    else:
        parts = {"test": n - (cuts.split_last or 0), "train": 0}
    named = np.select([row >= first for first in parts.values()], [*parts], "train")
    return pd.Series(named.astype(object), index=frame.index)
