"""Tables of a run folder that are read when they are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tsformers.data.dataframes import Schema
from tsformers.data.intake.ids import id_columns
from tsformers.errors import JobError
from tsformers.evaluation.run_folder import KINDS, RunFolder


@dataclass(eq=False)
class StoredTables(Mapping[str, pd.DataFrame]):
    """Tables of a backtest by name: "forecasts" and "scores" are read from its folder, once, when asked for.

    Args:
        held: tables in memory; what was read is added.
        folder: of the run.
        finished: model and window of each window to read, in the order of the rows.
        columns: of the tables that are read, in order.
        ids: of all series; they are text in the folder and the caller's in the tables.
        schema: of the panel, with the names of their columns.

    Raises:
        JobError: when a table is asked for, a window of it is gone.
    """

    held: dict[str, pd.DataFrame]
    folder: RunFolder
    finished: Sequence[tuple[str, int]]
    columns: Mapping[str, Sequence[str]]
    ids: pd.Index
    schema: Schema

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self.held and name in KINDS:
            self.held[name] = with_ids(self._read(name, None, None), self.ids, self.schema)
        return self.held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*KINDS, *self.held)))

    def __len__(self) -> int:
        return len(dict.fromkeys((*KINDS, *self.held)))

    def hold(self) -> None:
        """Read all tables now."""
        for name in KINDS:
            self[name]

    def part(self, name: str, columns: Sequence[str] | None, series: int | None) -> pd.DataFrame:
        """Some columns or one series of a table; only these are read, and they are not kept.

        Args:
            name: of the table.
            columns: None = all.
            series: position of one series; None = all.

        Returns:
            Rows and columns of the table.
        """
        if name in self.held:
            table = self.held[name]
            table = table if series is None else table[table["series"] == series]
        else:
            own = {self.schema.id_col, *self.schema.id_cols}
            table = self._read(
                name, None if columns is None else [*filter(lambda one: one not in own, columns)], series
            )
            if columns is None or own & {*columns}:
                table = with_ids(table, self.ids, self.schema)
        return table if columns is None else table[list(columns)]

    def _read(self, name: str, columns: Sequence[str] | None, series: int | None) -> pd.DataFrame:
        needed = None if columns is None else list(dict.fromkeys(("series", *columns)))
        try:
            parts = [self.folder.read_table(name, *window, needed, series) for window in self.finished]
        except FileNotFoundError as error:
            raise JobError(
                f"the {name} of this backtest are read from its folder {self.folder.folder}, where a window is gone "
                f"({error}); call backtest again with this folder"
            ) from error
        return joined(parts, self.columns[name])


def joined(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Tables of windows one after another.

    Args:
        parts: of one kind; none gives an empty table.
        columns: of that empty table.

    Returns:
        Their rows under one index.

    Example:
        >>> joined([], ["model"]).shape
        (0, 1)
    """
    if len(parts) == 1 and isinstance(parts[0].index, pd.RangeIndex):
        return parts[0]  # not copied
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


def with_ids(table: pd.DataFrame, ids: pd.Index, schema: Schema) -> pd.DataFrame:
    """A table whose ids, one text on disk, are the caller's, in the caller's columns.

    Args:
        table: with a column "series"; changed in place where ids have one column.
        ids: of all series.
        schema: of the panel.

    Returns:
        The table with the columns of ids in the place of their text, or behind the others where it has none.

    Example:
        >>> stored = pd.DataFrame({"series": [1], "shop": ["7"]})
        >>> with_ids(stored, pd.Index([5, 7]), Schema(id_col="shop"))["shop"].tolist()
        [7]
    """
    found = ids.take(table["series"].to_numpy(dtype=np.int64))
    if len(schema.id_cols) < 2:  # in place: such tables are large
        table[schema.id_col] = found
        return table
    names = [*table.columns]
    at = names.index(schema.id_col) if schema.id_col in names else len(names)
    own = pd.DataFrame(id_columns(found, schema), index=table.index)
    return pd.concat([table.iloc[:, :at], own, table.iloc[:, at + 1 :]], axis=1)
