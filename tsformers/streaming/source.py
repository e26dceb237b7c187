"""What a source of rows gives: batches, rows, and a place to resume from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from tsformers.messages import Message, Option

Row = Mapping[str, Any]
OTHER_INPUT = Message(
    "give that input from its first row, or take this one as new rows with ", Option("fresh_input", True)
)


class Batch(NamedTuple):
    """Rows that came together: the name of each, the row, and the mark to resume from after it.

    Args:
        names: row numbers, or the ids of entries.
        rows: values by column.
        marks: one a row; a source that is opened at it gives the rows after it.

    Example:
        >>> Batch([1], [{"y": 2.0}], ["12:12:0"]).names
        [1]
    """

    names: Sequence[int | str]
    rows: Sequence[Row]
    marks: Sequence[int | str]


class Source(Protocol):
    """Where rows come from. Guaranteed: opened again at a mark, it gives the rows after it, or refuses before any.

    ``kind`` tells one kind of input from another, and one stream of a server from another.
    """

    kind: str

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Rows after ``mark`` (None: all), of which ``done`` came before; an empty batch now and then while waiting."""
        ...

    def acknowledge(self, mark: int | str) -> None:
        """Everything up to the mark is kept, and need not be given again."""
        ...

    def close(self) -> None:
        """No more rows are wanted."""
        ...
