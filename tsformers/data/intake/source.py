"""A table as it was handed in: a frame with its time index as a column, and where its rows stand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tsformers.data.dataframes import Frame, to_pandas
from tsformers.data.files.table_file import TableFile
from tsformers.data.intake.kinds import all_numbers, is_time_name
from tsformers.data.intake.numbers import without
from tsformers.places import Places

Names = Sequence[str]


class Source(NamedTuple):
    """A pandas frame and where it came from.

    Args:
        frame: the caller's, with its time index as a column; never written to.
        backend: to answer in, see ``to_pandas``.
        places: names the table and its rows in messages.
        table: the file's reader; None = a frame.
        series: whether a pandas Series was handed in, whose name is the id.
        rows: positions of the frame's rows in the file; None = all of them.

    Example:
        >>> source_of(pd.DataFrame({"y": [1.0]}, index=pd.to_datetime(["2024-01-01"]))).frame.columns.tolist()
        ['ds', 'y']
    """

    frame: pd.DataFrame
    backend: str = "pandas"
    places: Places = Places()
    table: TableFile | None = None
    series: bool = False
    rows: np.ndarray | None = None

    @property
    def text(self) -> bool:
        """Whether the table is a text file: its ids are text, and four digits may be a year."""
        return self.table is not None and self.table.text

    @property
    def facts(self) -> tuple[str, ...]:
        """What is known of the file."""
        return () if self.table is None else tuple(self.table.facts)

    def unclear(self, column: str) -> bool:
        """Whether the numbers of a file's column have two readings.

        Args:
            column: its name.

        Returns:
            True where ``numeric`` refuses it.
        """
        return self.table is not None and column in self.table.unclear

    def cells(self, column: str) -> pd.Series:
        """A column as it stands in the file: "007" in a text file, the values of a frame.

        Args:
            column: its name.

        Returns:
            R values.
        """
        if self.table is None or not self.table.text:
            return self.frame[column]
        cells = self.table.as_text(column)
        return cells if self.rows is None else cells.iloc[self.rows]

    def taken(self, rows: np.ndarray) -> "Source":
        """Some of the rows.

        Args:
            rows: positions.

        Returns:
            The source; messages name its rows as before.
        """
        places, line_of = self.places, self.places.line_of
        labels = rows if places.labels is None else places.labels[rows]
        lines = None if line_of is None else (lambda row: line_of(int(rows[row])))
        kept = rows if self.rows is None else self.rows[rows]
        return self._replace(frame=self.frame.iloc[rows], places=Places(places.what, labels, lines), rows=kept)

    def renamed(self, what: str) -> "Source":
        """The table under another name in messages.

        Args:
            what: such as "the future frame".

        Returns:
            The source.
        """
        return self._replace(places=replace(self.places, what=what))

    def numeric(self, column: str) -> pd.Series:
        """A column as a covariate: numbers that a text file keeps as text, since they may be times, are numbers.

        Args:
            column: its name.

        Returns:
            R values.
        """
        if self.table is not None and self.unclear(column):
            return self.table.numbers(column)  # refused: two readings
        cells = self.frame[column]
        if self.text and is_time_name(column) and all_numbers(cells):
            return pd.to_numeric(cells)
        return cells

    def without(self, missing: Sequence[Any], spared: Names) -> "Source":
        """The table with the marks of missing values taken out of its columns of text.

        Args:
            missing: values and texts.
            spared: columns of ids and times.

        Returns:
            The source; itself without marks.
        """
        if not len(missing):
            return self
        changed = {}
        for name in self.frame.columns.drop_duplicates():
            column = self.frame[name]
            if name in spared or not isinstance(column, pd.Series) or column.dtype.kind not in "OU":
                continue
            cells = without(column, missing)
            changed[name] = cells.infer_objects() if cells.dtype == object else cells
        return self._replace(frame=self.frame.assign(**changed)) if changed else self

    def joined(self, columns: Names, sep: str = " ") -> pd.Series:
        """Columns joined to one of text.

        Args:
            columns: their names.
            sep: between them.

        Returns:
            R texts; missing where one of the parts is.
        """
        table = pd.DataFrame({k: self.cells(name).array for k, name in enumerate(columns)})
        code = table.groupby([*table.columns], sort=False, dropna=False, observed=True).ngroup().to_numpy()
        parts = table[~pd.Series(code).duplicated().to_numpy()]
        texts = parts[0].map(text_of, na_action="ignore")
        for k in range(1, len(columns)):
            texts = texts + sep + parts[k].map(text_of, na_action="ignore")
        return pd.Series(texts.to_numpy(dtype=object)[code])


def text_of(value: object) -> str:
    """A value as the text that stands for it: 1, 1.0 and "1" are the same.

    Args:
        value: of an id or a level.

    Returns:
        Its text; whole numbers without a point, dates without a time.

    Example:
        >>> text_of(1.0), text_of("1.0"), text_of(True), text_of(pd.Timestamp("2024-01-31"))
        ('1', '1.0', 'True', '2024-01-31')
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, pd.Timestamp) and value == value.normalize() and value.tz is None:
        return str(value.date())
    if not isinstance(value, bool) and hasattr(value, "is_integer") and value.is_integer():
        return str(int(value))  # type: ignore[call-overload]
    return str(value)


def source_of(data: Frame, wanted: Names = (), columns: tuple[str, str, str] = ("unique_id", "ds", "y")) -> Source:
    """What ``to_pandas`` takes, with a time index as a column.

    Args:
        data: a frame, a Series, a table file.
        wanted: columns that are asked for; they may stand in the index.
        columns: names for the ids, times and values of a Series, and for a time index without a name.

    Returns:
        The source.

    Raises:
        DataError: ``data`` is no table.

    Example:
        >>> source_of(pd.Series([1.0], name="a")).frame["unique_id"].tolist()
        ['a']
    """
    if isinstance(data, Source):
        return data
    frame, backend = to_pandas(data, *columns)
    if isinstance(data, pd.Series):
        return Source(frame, backend, Places(labels=data.index if data.index.is_unique else None), series=True)
    if isinstance(data, TableFile):
        return Source(frame, backend, data.places, data)
    labels = frame.index if not _counts(frame.index) and frame.index.is_unique else None
    return Source(_lifted(frame, (*wanted, *columns), columns[1]), backend, Places(labels=labels))


def _counts(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and index.name is None and index.start == 0 and index.step == 1


def _lifted(frame: pd.DataFrame, wanted: Names, time_col: str) -> pd.DataFrame:
    """The frame with those levels of its index as columns that may have a role."""
    index = frame.index
    if isinstance(frame.columns, pd.MultiIndex) or (isinstance(index, pd.RangeIndex) and index.name is None):
        return frame
    found: dict[Any, Any] = {}
    for level in range(index.nlevels):
        values = index.get_level_values(level)
        timely = isinstance(values, pd.DatetimeIndex | pd.PeriodIndex)
        name = values.name if values.name is not None else time_col if timely else None
        if name is None or name in frame.columns or name in found:
            continue
        if timely or name in wanted or not pd.api.types.is_numeric_dtype(values.dtype) or is_time_name(name):
            found[name] = values.array
    if not found:
        return frame
    columns = pd.DataFrame(found, index=frame.index)
    return pd.concat([columns, frame], axis=1).reset_index(drop=True)
