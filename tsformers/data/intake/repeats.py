"""Times that stand more than once without ids: of several series, or of an hour that a clock change repeats."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tsformers.calendar.times.zones import zones_that_repeat
from tsformers.data.intake.asked import Names
from tsformers.data.intake.bound import times_of
from tsformers.data.intake.columns import RowNames
from tsformers.data.intake.source import Source
from tsformers.errors import DataError


class Repeats(NamedTuple):
    """Whether the times of a table without ids stand more than once, and why they may.

    Args:
        row: the first that repeats a time; None = each time stands once.
        zones: whose clock change repeats all the times that stand twice.

    Example:
        >>> Repeats(None).zones
        ()
    """

    row: int | None
    zones: Names = ()


ONCE = Repeats(None)


def repeats_of(source: Source, times: Names, time_format: str | None = None, tz: str | None = None) -> Repeats:
    """The times that stand more than once.

    Args:
        source: the table.
        times: columns of times.
        time_format: of the times.
        tz: their zone, which tells repeated hours apart.

    Returns:
        The first row that repeats a time, and the zones that explain all of them.

    Example:
        >>> hours = pd.date_range("2023-10-28", periods=48, freq="h", tz="Europe/Berlin").tz_localize(None)
        >>> frame = pd.DataFrame({"time": hours})
        >>> repeats_of(Source(frame), ("time",)).zones[0], repeats_of(Source(frame), ("time",), tz="Europe/Berlin").row
        ('Europe/Berlin', None)
    """
    cells = source.cells(times[0]) if len(times) == 1 else source.joined(times)
    again = cells.duplicated().to_numpy()
    if not again.any():
        return ONCE
    row = int(again.argmax())
    lookup = RowNames(pd.Index(["y"]), np.zeros(len(cells), dtype=np.int64))
    try:
        read = times_of(source, times, lookup, time_format, tz)
    except DataError:  # is raised again where the roles are settled
        return Repeats(row)
    if tz is not None:
        again = pd.Series(read.counts).duplicated().to_numpy()
        return Repeats(int(again.argmax()) if again.any() else None)
    if read.integer or read.tz is not None or read.form.kind == "epoch":
        return Repeats(row)
    distinct, n = np.unique(read.counts, return_counts=True)
    return Repeats(row, tuple(zones_that_repeat(distinct[n > 1])) if n.max() == 2 else ())
