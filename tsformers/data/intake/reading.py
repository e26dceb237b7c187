"""What was read from a frame, in two or three lines."""

from dataclasses import dataclass
from typing import Any


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
        2 series (column 'shop'), target 'sales', every day ('day') from 2024-01-01 to 2024-01-05; 1 of 10 rows is missing; season 7
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
    notes: tuple[str, ...] = ()

    def lines(self, file: str = "") -> list[str]:
        """The lines of a command.

        Args:
            file: the line about the file, put first; empty = none.

        Returns:
            One to five lines.
        """
        column = "" if self.id_col is None else f" (column {self.id_col!r})"
        missing = "no row" if not self.n_missing else f"{self.n_missing:,} of {self.n_rows:,} rows"
        verb = "is" if self.n_missing < 2 else "are"
        told = [
            f"{self.n_series:,} series{column}, target {self.target_col!r}, {self.step} ({self.time_col!r}) from "
            f"{self.first} to {self.last}; {missing} {verb} missing; season {self.season}"
        ]
        if self.left_out:
            told.append("left out: " + ", ".join(f"{name!r} ({why})" for name, why in self.left_out))
        return [*([file] if file else []), *told, *self.notes]

    def __str__(self) -> str:
        return "\n".join(self.lines())
