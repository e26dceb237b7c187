"""A table as it was read from a file: its frame, what was understood, and where each row stands in the file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from tsformers.errors import DataError
from tsformers.messages import Message, Option
from tsformers.places import Places

MISSING = (
    "", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "null", "NULL", "None", "<NA>", ".", "..", "...", "-", "--",
    "#N/A", "#N/V", "#NV", "?", "X",
)  # fmt: skip
SURE_TIME_NAMES = frozenset((  # of times and nothing else: such columns of a CSV file stay text
    "ds", "date", "datetime", "date_time", "date time", "time", "timestamp", "time_stamp", "time stamp", "datum",
    "zeit", "zeitpunkt", "zeitstempel", "tijd", "tijdstip", "fecha", "fecha_hora", "hora", "heure", "horodatage",
    "data_ora", "dato", "tid", "tidpunkt", "pvm", "datetime_utc", "date_utc", "utc",
))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """How a file is read where its content does not tell, or tells it wrong; None = by the content.

    Args:
        sep: separator of the cells of a text file, one character; "tab" is one too, and a blank is any run of blanks.
        decimal: the decimal mark, "." or ",".
        encoding: of a text file, such as "latin-1".
        skip_rows: lines above the header, as an editor counts them.
        sheet: of a workbook.
        missing: values that mean "missing" in columns of numbers, beside ``MISSING``.
        format: "csv", "jsonl" or "parquet" where the content must be read as that.

    Example:
        >>> FileOptions(sep=";", decimal=",").decimal
        ','
    """

    sep: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip_rows: int | None = None
    sheet: str | None = None
    missing: tuple[str, ...] = ()
    format: str | None = None

    @property
    def separator(self) -> str | None:
        r"""The separator as it stands between cells.

        Returns:
            One character; None = by the content.

        Raises:
            DataError: it is more than one.

        Example:
            >>> FileOptions(sep="tab").separator
            '\t'
        """
        sep = "\t" if self.sep in ("tab", r"\t") else self.sep
        if sep is not None and (len(sep) != 1 or not sep.isascii() or sep in '"\n\r\0'):
            raise DataError(f"{self.sep!r} is no separator; pass one character, such as ", Option("sep", ";"))
        return sep


@dataclass(frozen=True, eq=False)
class TableFile:
    """A table that was read from a file, and how.

    Args:
        frame: columns of numbers are numbers; text stays text, empty cells of it are missing.
        name: of the file, for messages.
        kind: such as "CSV", "JSON lines", "Parquet".
        facts: what the content showed: separator, encoding, lines that are left out.
        line_of: the line on which a row begins, from 1 as an editor counts; None = not a text file.
        text: the file is text: numbers may be times in any of their forms.
        unclear: columns with two readings as numbers, which stay text, and what chooses one.
        reread: the cells of one column as they stand in the file; None = the frame holds them.

    Example:
        >>> TableFile(pd.DataFrame({"y": [1.5]}), "a.csv", "CSV").numbers("y").tolist()
        [1.5]
    """

    frame: pd.DataFrame
    name: str
    kind: str
    facts: tuple[str, ...] = ()
    line_of: Callable[[int], int] | None = None
    text: bool = False
    unclear: Mapping[str, Message] = field(default_factory=dict)
    reread: Callable[[str], pd.Series] | None = None

    @property
    def places(self) -> Places:
        """Where the rows stand, for messages.

        Returns:
            The name of the file and the lines of the rows.

        Example:
            >>> TableFile(pd.DataFrame({"y": [1.5]}), "a.csv", "CSV", line_of=lambda row: row + 2).places.at(0)
            'line 2'
        """
        return Places(self.name, line_of=self.line_of)

    def as_text(self, column: str) -> pd.Series:
        """The cells of a column as they stand in the file, such as "007" or "1.10".

        Args:
            column: its name.

        Returns:
            Text, an empty cell is missing; the values themselves where the file has types.

        Example:
            >>> TableFile(pd.DataFrame({"id": ["007"]}), "a.csv", "CSV").as_text("id").tolist()
            ['007']
        """
        found = self.frame[column]
        return found if self.reread is None or not is_number(found) else self.reread(column)

    def numbers(self, column: str) -> pd.Series:
        """A column that must hold numbers.

        Args:
            column: its name.

        Returns:
            Numbers, missing cells are NaN.

        Raises:
            DataError: a cell has two readings, or is no number; the message names the column, the value and the line.

        Example:
            >>> TableFile(pd.DataFrame({"y": [1, 2]}), "a.csv", "CSV").numbers("y").tolist()
            [1, 2]
        """
        found = self.frame[column]
        if column in self.unclear:
            raise DataError(self.unclear[column])
        if is_number(found):
            return found
        for row, cell in enumerate(found):
            if not pd.isna(cell) and not _fits(cell):
                raise DataError(
                    f"{self.name}: column {column!r} holds {cell!r} at {self.places.at(row)}, which is no number"
                )
        return found.where(~found.isin(MISSING)).astype(float)


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers.

    Args:
        column: of a frame.

    Returns:
        True for whole numbers, floats and booleans.

    Example:
        >>> is_number(pd.Series([1.5])), is_number(pd.Series(["a"]))
        (True, False)
    """
    return bool(pd.api.types.is_numeric_dtype(column))


def _fits(cell: object) -> bool:
    if str(cell).strip() in MISSING:
        return True
    try:
        float(str(cell))
    except ValueError:
        return False
    return True
