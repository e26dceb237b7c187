"""Where the rows of a table stand, for messages: index labels of a frame, or lines of a file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Places:
    """The name of a table and of its rows.

    Args:
        what: the table in messages, such as "the frame", "the future frame" or "sales.csv".
        labels: index of the caller's frame, one label a row; None = rows count from 0.
        line_of: the line of a file on which a row begins, from 1 as an editor counts; None = not a text file.

    Example:
        >>> Places().at(3), Places(labels=["a", "b"]).at(1), Places("sales.csv", line_of=lambda row: row + 2).at(3)
        ('row 3', "row 'b'", 'line 5')
    """

    what: str = "the frame"
    labels: Any = None
    line_of: Callable[[int], int] | None = None

    def at(self, row: int) -> str:
        """A row by its position.

        Args:
            row: from 0.

        Returns:
            "line 5" of a file, else "row" and the label.

        Example:
            >>> Places().at(0)
            'row 0'
        """
        if self.line_of is not None:
            return f"line {self.line_of(int(row))}"
        if self.labels is None:
            return f"row {int(row)}"
        label = self.labels[int(row)]
        return f"row {label.item() if hasattr(label, 'item') else label!r}"
