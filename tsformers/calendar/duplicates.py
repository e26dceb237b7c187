"""Two rows of one series at one time: refused, with the zone whose clock repeats that hour, or with the aggregation."""

from collections.abc import Callable, Sequence

import numpy as np

from tsformers.calendar.bins import suggest
from tsformers.calendar.frequency import within
from tsformers.calendar.grid import parse
from tsformers.calendar.regularity import Origin, show
from tsformers.calendar.times.zones import zones_that_repeat
from tsformers.errors import DataError
from tsformers.messages import Option, Part, joined


def refuse_duplicates(
    stamp: np.ndarray,
    unique: np.ndarray,
    offsets: np.ndarray,
    origin: Origin,
    tz: str | None,
    integer: bool,
    ids: Callable[[], Sequence[Part]] = tuple,
) -> None:
    """Refuse two rows of one series at one time.

    Args:
        stamp: (R,) index into ``unique``, sorted within each series.
        unique: sorted int64 stamps.
        offsets: (N + 1,).
        origin: where the rows came from.
        tz: zone of the stamps.
        integer: True for plain counts.
        ids: called for the columns of ids, with the given ones, that tell the rows apart.

    Raises:
        DataError: there are such rows; the message names both places.

    Example:
        >>> import pandas as pd
        >>> origin, stamps = Origin(pd.Index(["a"]), np.arange(2), "ds"), np.array([3, 4])
        >>> refuse_duplicates(np.arange(2), stamps, np.array([0, 2]), origin, None, integer=True)
    """
    again = within(offsets) & (stamp[1:] == stamp[:-1])
    if not again.any():
        return
    rows = np.flatnonzero(again)
    at = int(rows[0])
    when = show(unique[stamp[at]], parse(1 if integer else "s", None if integer else tz))
    rule: str | int = 1 if integer else suggest(unique[stamp], offsets, tz)
    todo: list[Part] = ["; pass "]
    zones = [] if integer or tz is not None else zones_that_repeat(np.unique(unique[stamp[rows]]))
    if zones:
        todo += [joined([Option("tz", zone) for zone in zones]), " if a clock change repeats that hour, or "]
    if more := list(ids()):
        todo += [joined(more), " if they are rows of several series, or "]
    todo += [Option("resample", rule), " with ", joined([Option("aggregate", "sum"), Option("aggregate", "mean")])]
    todo += [" to make one row of them"]
    raise DataError(
        f"column {origin.column!r} of series {origin.name(at, offsets)}: {when} stands at {origin.at(at)} and again at "
        f"{origin.at(at + 1)} ({len(rows)} in all)",
        *todo,
    )
