"""A warning where rows lack the columns that the detector was fitted with."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tsformers.errors import DataWarning
from tsformers.messages import Option, joined

CHECKED_ROWS = 1000  # without a column that is needed, after which the warning comes
MOST_NAMES = 20  # of columns, in that warning


@dataclass
class ColumnCheck:
    """Columns that rows should have, and that none had so far.

    Args:
        wanted: names of the columns of id, time and value.

    Example:
        >>> check = ColumnCheck(("unique_id", "ds", "y"))
        >>> check.look_at([{"unique_id": "a", "ds": 1}])
        >>> check.missing
        ['y']
    """

    wanted: tuple[str, ...]
    missing: list[str] = field(init=False)
    found: dict[str, None] = field(default_factory=dict)
    rows: int = 0

    def __post_init__(self) -> None:
        """No row was looked at yet."""
        self.missing = [*self.wanted]

    def look_at(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Look at rows until each column was found, or ``CHECKED_ROWS`` rows lacked one.

        Args:
            rows: as they came.
        """
        for row in rows if self.missing else ():
            self.rows += 1
            self.found |= dict.fromkeys(map(str, row)) if len(self.found) < MOST_NAMES else {}
            self.missing = [name for name in self.missing if name not in row]
            if not self.missing:
                return
            if self.rows == CHECKED_ROWS:
                self.warn()

    def warn(self) -> None:
        """Warn, once, of the columns that no row had."""
        if self.missing and self.rows:
            missing, found, wanted = (", ".join(map(repr, part)) for part in (self.missing, self.found, self.wanted))
            warnings.warn(
                DataWarning(
                    f"none of {self.rows:,} rows had a column {missing}: they have "
                    f"{found or 'nothing that could be read'}, and the detector was fitted with {wanted}; rename their "
                    "columns, or fit a new one with ",
                    joined([Option("id_col"), Option("time_col"), Option("target_col")], last=" and "),
                ),
                stacklevel=2,
            )
        self.missing = []
