"""What was read from a frame, in two or three lines."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tsformers.calendar.grid import DAY, Grid
from tsformers.calendar.seasons import season_length
from tsformers.calendar.timestamps import TimeForm
from tsformers.data.dataframes import Schema, stamps
from tsformers.messages import Message, Option, Tongue

SPARSE = 0.5  # share of missing rows of a daily grid from which on bins are offered
UNITS = {
    "D": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond", "us": "microsecond",
    "ns": "nanosecond", "B": "business day", "MS": "month", "ME": "month", "QS": "quarter", "QE": "quarter",
    "YS": "year", "YE": "year", "BMS": "month", "BME": "month", "BQS": "quarter", "BQE": "quarter", "BYS": "year",
    "BYE": "year", "W": "week",
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What became of a frame or a file: roles of its columns, series, times, missing rows, and what was left out.

    Args:
        facts: about the file, such as "separator ';'"; empty for a frame.
        id_col: the column of ids; None = there is none, the one series is called after the target.
        time_col: the column of times.
        target_col: the column of values.
        n_series: N.
        freq: of the panel's grid.
        step: the frequency in words, such as "every day".
        first: the first time, in the caller's form.
        last: the last time, in the caller's form.
        n_rows: rows of all histories on the complete grid.
        n_missing: how many of them have no value.
        season: rows in the usual season of the frequency.
        left_out: columns without a role, each with the reason.
        notes: what else a reader should know.

    Example:
        >>> print(Reading((), "shop", "day", "sales", 2, "D", "every day", "2024-01-01", "2024-01-05", 10, 1, 7))
        2 series (column 'shop'), target 'sales', every day ('day') from 2024-01-01 to 2024-01-05; 1 of 10 rows is
        missing; season 7
    """

    facts: tuple[str, ...]
    id_col: str | None
    time_col: str
    target_col: str
    n_series: int
    freq: str | int
    step: str
    first: str
    last: str
    n_rows: int
    n_missing: int
    season: int
    left_out: tuple[tuple[Any, str], ...] = ()
    notes: tuple[str | Message, ...] = ()

    def lines(self, file: str = "", tongue: Tongue = "python", wide: str | None = None) -> list[str]:
        """The lines of a command.

        Args:
            file: the line about the file, put first; empty = none.
            tongue: where the reader stands.
            wide: what a series was in a wide table, "columns" or "rows"; None = a long table.

        Returns:
            One to five lines.
        """
        column = "" if self.id_col is None else f" (column {self.id_col!r})"
        named = f"{column}, target {self.target_col!r}, {self.step} ({self.time_col!r})"
        if wide is not None:  # a turned table has names of its own
            named = f" (one a {wide.removesuffix('s')}), {self.step}"
        missing = "no row" if not self.n_missing else f"{self.n_missing:,} of {self.n_rows:,} rows"
        verb = "is" if self.n_missing < 2 else "are"
        reported = [
            f"{self.n_series:,} series{named} from {self.first} to {self.last}; {missing} {verb} missing; "
            f"season {self.season}"
        ]
        if self.left_out:
            reported.append("left out: " + ", ".join(f"{name!r} ({why})" for name, why in self.left_out))
        notes = [note if isinstance(note, str) else note.text(tongue) for note in self.notes]
        return [*([file] if file else []), *reported, *notes]

    def __str__(self) -> str:
        return "\n".join(self.lines())


def reading_of(
    schema: Schema,
    grid: Grid,
    times: np.ndarray,
    y: np.ndarray,
    n_series: int,
    facts: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Reading:
    """What was read, from the fields of a panel.

    Args:
        schema: of the panel.
        grid: of the panel.
        times: (R,) of the histories.
        y: (R,) values of the histories.
        n_series: N.
        facts: about the file.
        notes: of how the frame was read.

    Returns:
        The record.

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> reading_of(Schema(), parse(1), np.array([1, 2]), np.array([1.0, np.nan]), 1).n_missing
        1
    """
    missing = int(np.isnan(y).sum())
    ends = np.array([times.min(), times.max()]) if len(times) else None
    first, last = ("nothing", "nothing") if ends is None else shown_times(ends, schema)
    said: list[str | Message] = [*notes]
    plain = schema.form.kind in ("datetime", "date") or schema.form == TimeForm("count", text=schema.form.text)
    if not plain or schema.zone_given:
        how = schema.form.describe().removeprefix("times, ")
        said.append(f"times are {how}" + (f", in {schema.tz}" if schema.tz else ""))
    if schema.resample is not None:
        said.append(f"rows are brought to bins of {schema.resample!r} by their {schema.aggregate or 'mean'}")
    if len(y) and missing / len(y) >= SPARSE and grid.freq == "D" and schema.resample is None:
        said.append(
            Message(f"{missing / len(y):.0%} of the days are missing; weeks or months come with ",
                    Option("resample", "W-MON"), " or ", Option("resample", "MS"))
        )  # fmt: skip
    return Reading(
        facts,
        None if schema.single else " and ".join(map(str, schema.id_cols)) or schema.id_col,
        schema.time_col,
        schema.target_col,
        n_series,
        grid.freq,
        step_of(grid),
        first,
        last,
        len(y),
        missing,
        season_length(grid),
        schema.left_out,
        tuple(said),
    )


def step_of(grid: Grid) -> str:
    """A frequency in words.

    Args:
        grid: of the frequency.

    Returns:
        Such as "every day".

    Example:
        >>> from tsformers.calendar.grid import parse
        >>> [step_of(parse(freq)) for freq in ("D", "15min", "W-MON", 5)]
        ['every day', 'every 15 minutes', 'every week (W-MON)', 'every step of 5']
    """
    if grid.unit == "int":
        return f"every step of {grid.freq}"
    name = str(grid.freq)
    code = name.lstrip("0123456789")
    count = name[: len(name) - len(code)]
    unit = UNITS.get(code.partition("-")[0])
    if unit is None:
        return f"every {name}"
    words = f"every {unit}" if count in ("", "1") else f"every {count} {unit}s"
    return words if code in ("D", "h", "min", "s", "B", "ms", "us", "ns") else f"{words} ({code})"


def shown_times(times: np.ndarray, schema: Schema) -> list[str]:
    """Stored times as the caller writes them.

    Args:
        times: of ``Panel.times``.
        schema: of the panel.

    Returns:
        Texts; days without a time of day where all are days; epochs as dates in their zone, else in UTC.

    Example:
        >>> shown_times(np.array(["2024-01-31", "2024-02-01"], "M8[ns]"), Schema())
        ['2024-01-31', '2024-02-01']
    """
    if schema.form.kind == "epoch":  # numbers that nobody reads as dates
        schema = replace(schema, form=TimeForm(), tz=schema.tz or "UTC")
    written = [*stamps(times, schema)]
    days = all(isinstance(one, pd.Timestamp) and one.tz_localize(None).value % DAY == 0 for one in written)
    return [str(one.date()) if days else str(one) for one in written]
