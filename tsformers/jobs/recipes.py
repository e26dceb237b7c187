"""datasets/*.toml -> long frames: what a recipe says, and how its table is turned."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from tsformers.bundled import shipped_folder, shipped_names
from tsformers.data.files.table_files import read_table
from tsformers.errors import JobError, did_you_mean
from tsformers.jobs.sources import Source, find, is_near
from tsformers.toml_tables import read_toml, settle


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column of the table plays which part."""

    id: str | list[str] | None = None  # several are joined by "/"
    time: str | dict[str, str] | None = None  # a column; or {year = .., quarter = ..}; None: rows are counted from 0
    time_format: str | None = None  # of text; None: ISO 8601
    target: str = "y"  # long layout
    series: list[str] = field(default_factory=list)  # wide layouts: the columns that are series; none: all others
    known: list[str] = field(default_factory=list)  # covariates whose future is known
    past: list[str] = field(default_factory=list)  # covariates known up to now
    extra: list[str] = field(default_factory=list)  # labels and texts, loaded only when asked for
    missing: list[float] = field(default_factory=list)  # codes that stand for a missing value
    duplicates: Literal["keep", "first"] = "keep"  # rows with one id and one time


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """How the literature cuts and scores the set; at most one of the four kinds of split."""

    horizons: list[int] = field(default_factory=list)
    context_length: int | None = None
    split_column: str | None = None  # the table says it itself
    split_rows: dict[str, int] | None = None  # rows of each part, in order; what is left over is "unused"
    split_shares: dict[str, float] | None = None  # train from the front, test from the back, validation between
    split_last: int | None = None  # the last rows of each series are the test


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One data set: where it comes from, whose it is, how its table becomes a long frame, how it is scored.

    Example:
        >>> recipe("macrodata").roles
        {'freq': 'QS'}

    """

    name: str
    title: str
    licence: str
    citation: str
    layout: Literal["long", "wide", "rows", "months"]
    frequency: str | int  # a pandas alias, a step of integer time, or "mixed"
    source: Source
    season: int | None = None  # steps, where it is not the frequency's own
    note: str = ""
    columns: Columns = field(default_factory=Columns)
    benchmark: Benchmark = field(default_factory=Benchmark)

    @property
    def roles(self) -> dict[str, Any]:
        """The keywords of ``fit`` and ``backtest`` that this data set needs.

        Example:
            >>> recipe("vic_elec_halfhourly").roles
            {'freq': '30min', 'known': ['holiday']}
        """
        roles: dict[str, Any] = {} if self.frequency == "mixed" else {"freq": self.frequency}
        return roles | ({"known": self.columns.known} if self.columns.known else {})

    @property
    def offered(self) -> list[str]:
        """The columns that ``load_dataset(..., extra=)`` may add.

        Example:
            >>> recipe("hospital").offered
            ['split', 'product_group']
        """
        cuts = self.benchmark
        split = [cuts.split_column, cuts.split_rows, cuts.split_shares, cuts.split_last] != [None] * 4
        return ["split"] * split + self.columns.extra

    def facts(self) -> dict[str, str]:
        """What a reader wants to know, in words.

        Example:
            >>> recipe("nile").facts()["horizons"]
            '5'
        """
        cuts = self.benchmark
        said = {
            "columns": ", ".join(["unique_id", "ds", "y", *self.columns.known, *self.columns.past]),
            "known covariates": ", ".join(self.columns.known),
            "extra columns": ", ".join(self.offered),
            "frequency": self.frequency,
            "season": self.season or "",
            "horizons": ", ".join(map(str, cuts.horizons)),
            "context length": cuts.context_length or "",
            "split": self.split_in_words(),
            "licence": self.licence,
            "citation": self.citation,
            "origin": self.source.origin,
            "file": f"{self.source.package}: {self.source.file}" if self.source.package else self.source.file,
            "sha256": self.source.sha256 or "",
            "address": self.source.download.url if self.source.download else "",
            "here": "yes" if is_near(self.source) else "no",
            "note": self.note,
        }
        return {"name": self.name, "title": self.title} | {
            key: str(value) for key, value in said.items() if value != ""
        }

    def split_in_words(self) -> str:
        """How the benchmark cuts each series; empty where it does not.

        Example:
            >>> recipe("ETTh1").split_in_words()
            'rows in order: train 8640, validation 2880, test 2880'
        """
        cuts = self.benchmark
        if cuts.split_column:
            return f"column {cuts.split_column} of the file"
        if cuts.split_rows:
            return "rows in order: " + ", ".join(f"{part} {rows}" for part, rows in cuts.split_rows.items())
        if cuts.split_shares:
            return "shares in order: " + ", ".join(f"{part} {share:g}" for part, share in cuts.split_shares.items())
        return f"the last {cuts.split_last} rows of each series are the test" if cuts.split_last else ""


def load_dataset(name: str, *, extra: Sequence[str] = ()) -> pd.DataFrame:
    """A data set as a long frame, ready for ``fit``: columns unique_id, ds, y, then its numeric covariates.

    The file is looked for in the folders of the environment variable TSFORMERS_DATA (several are separated as in
    PATH), under the path and under the bare name that the recipe gives; then in the cache
    (``$XDG_CACHE_HOME/tsformers`` or ``~/.cache/tsformers``); then it is downloaded there, where the recipe has an
    address, and checked. Labels, texts and the benchmark's own train/test split are left out unless ``extra`` names
    them, because a forecaster must not see them.

    Args:
        name: one of ``tsformers datasets list``, or the path of a recipe of your own that ends in .toml.
        extra: further columns, as ``tsformers datasets show NAME`` lists them; "split" is the benchmark's cut.

    Returns:
        One row per series and time, in the file's order. Missing values are NaN.

    Raises:
        JobError: no such data set or column; the file is nowhere (the message says where to put it and where it comes
            from); a checksum does not match.

    Example:
        >>> load_dataset("nile").head(2)
          unique_id         ds       y
        0      nile 1871-01-01  1120.0
        1      nile 1872-01-01  1160.0
    """
    chosen = recipe(name)
    for column in extra:
        if column not in chosen.offered:
            raise JobError(
                f"dataset {chosen.name!r} has no extra column {column!r}; {did_you_mean(column, chosen.offered)}"
            )
    path = find(chosen.source, chosen.name, Path(name).parent if name.endswith(".toml") else None)
    try:
        frame = _long(read_table(path, time_col=""), chosen)
    except KeyError as error:
        raise JobError(
            f"{path} lacks the column {error} of recipe {chosen.name!r}; take the file that it names"
        ) from None
    if "split" in extra:
        frame["split"] = _split(frame, chosen.benchmark)
    return frame[["unique_id", "ds", "y", *chosen.columns.known, *chosen.columns.past, *extra]]


def recipe(name: str) -> Recipe:
    """The recipe called ``name``.

    Args:
        name: as for ``load_dataset``.

    Returns:
        What the file says, checked.

    Raises:
        JobError: there is no such recipe, or it holds an unknown key or a wrong value.

    Example:
        >>> recipe("nile").title
        'Annual flow of the Nile at Aswan, 1871-1970'
    """
    path = Path(name) if name.endswith(".toml") else shipped_folder("datasets") / f"{name}.toml"
    if not name.endswith(".toml") and name not in (names := shipped_names("datasets")):
        raise JobError(
            f"no data set is called {name!r}; {did_you_mean(name, names, '`tsformers datasets list` shows all')}"
        )
    return settle(Recipe, {"name": path.stem} | read_toml(path), f"{path}:")


def recipes() -> list[Recipe]:
    """All recipes that came with the package, by name.

    Example:
        >>> [each.name for each in recipes() if each.source.package]
        ['co2', 'elnino', 'macrodata', 'nile', 'sunspots']
    """
    return [recipe(name) for name in shipped_names("datasets")]


def catalogue() -> pd.DataFrame:
    """All recipes as a table: name, title, frequency, horizons, whether the file is here, licence.

    Example:
        >>> catalogue().set_index("name").loc["nile", "here"]
        'yes'
    """
    rows = [
        {
            "name": each.name,
            "title": each.title,
            "frequency": str(each.frequency),
            "horizons": "/".join(map(str, each.benchmark.horizons)),
            "here": "yes" if is_near(each.source) else "to fetch" if each.source.download else "no",
            "licence": each.licence,
        }
        for each in recipes()
    ]
    return pd.DataFrame(rows)


def _long(table: pd.DataFrame, chosen: Recipe) -> pd.DataFrame:
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
    """One column is one series (of each id, where there are ids): series after series."""
    frame = pd.concat([kept] * len(names), ignore_index=True)
    frame["ds"] = np.tile(_times(table, columns).to_numpy(), len(names))
    frame["y"] = table[names].to_numpy(float).T.ravel()
    channel = pd.Series(np.repeat(np.array(names, object), len(table)))
    frame["unique_id"] = channel if ids is None else pd.concat([ids] * len(names), ignore_index=True) + "/" + channel
    return frame


def _rows(
    table: pd.DataFrame, kept: pd.DataFrame, ids: pd.Series | None, names: list[str], columns: Columns
) -> pd.DataFrame:
    """One row is one series, its steps stand side by side."""
    frame = kept.loc[kept.index.repeat(len(names))].reset_index(drop=True)
    frame["unique_id"] = np.repeat(np.arange(len(table)) if ids is None else ids.to_numpy(), len(names))
    frame["ds"] = np.tile(np.arange(len(names)), len(table))
    frame["y"] = table[names].to_numpy(float).ravel()
    return frame


def _months(
    table: pd.DataFrame, kept: pd.DataFrame, ids: pd.Series | None, names: list[str], columns: Columns
) -> pd.DataFrame:
    """One row is a year, twelve columns are its months."""
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
    return pd.to_datetime(times, format="ISO8601") if times.dtype == object else times


def _split(frame: pd.DataFrame, cuts: Benchmark) -> pd.Series:
    if cuts.split_column:
        return frame[cuts.split_column]
    groups = frame.groupby("unique_id", sort=False)["unique_id"]
    row, n = groups.cumcount().to_numpy(), groups.transform("size").to_numpy()
    parts: dict[str, Any]  # the row at which each part begins, last part first
    if cuts.split_rows:
        ends = np.cumsum([*cuts.split_rows.values()])
        parts = {"unused": ends[-1]} | dict(zip([*cuts.split_rows][::-1], [*ends[:-1][::-1], 0], strict=True))
    elif cuts.split_shares:
        train = (n * cuts.split_shares["train"]).astype(int)
        test = n - (n * cuts.split_shares["test"]).astype(int) if "validation" in cuts.split_shares else train
        parts = {"test": test, "validation": train, "train": 0}
    else:
        parts = {"test": n - (cuts.split_last or 0), "train": 0}
    named = np.select([row >= begin for begin in parts.values()], [*parts], "train")
    return pd.Series(named.astype(object), index=frame.index)
