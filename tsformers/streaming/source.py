"""What a source of rows gives: batches, rows, and a place to resume from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

Row = Mapping[str, Any]
OTHER_INPUT = "give that input from its beginning, or take this one as new rows with --fresh-input"


class Batch(NamedTuple):
    """Rows that came together: what each is called, each row, and where to go on after each (None: the row's name)."""

    names: Sequence[int | str]
    rows: Sequence[Row]
    marks: Sequence[int | str]


class Source(Protocol):
    """Where rows come from. Law: begun again at a mark, it gives the rows after it, or refuses before it gives any.

    ``kind`` is what tells one kind of input from another, and one stream of a server from another.
    """

    kind: str

    def batches(self, mark: int | str | None, done: int) -> Iterator[Batch]:
        """Rows after ``mark`` (None: all), of which ``done`` came before; an empty batch now and then while waiting."""
        ...

    def settle(self, mark: int | str) -> None:
        """All up to here is kept, and need not be given again."""
        ...

    def close(self) -> None:
        """No more rows are wanted."""
        ...
