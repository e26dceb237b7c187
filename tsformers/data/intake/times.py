"""The time of each row: one column, or several joined with a blank."""

import numpy as np
import pandas as pd

from tsformers.calendar.timestamps import TimeForm, Times, read_times
from tsformers.data.intake.columns import RowNames
from tsformers.data.intake.source import Source


def times_of(
    source: Source,
    columns: tuple[str, ...],
    lookup: RowNames,
    time_format: str | None = None,
    tz: str | None = None,
    fitted: TimeForm | None = None,
) -> Times:
    """The time of each row.

    Args:
        source: the table.
        columns: of times.
        lookup: the series of each row.
        time_format: of the times; None = by evidence.
        tz: their zone.
        fitted: the form of ``fit``, in place of ``time_format``.

    Returns:
        Counts and the form.

    Raises:
        DataError: null or unreadable times, or several readings.

    Example:
        >>> frame = pd.DataFrame({"Date": ["14/03/2024", "14/03/2024"], "Time": ["10:00", "11:00"]})
        >>> np.diff(times_of(Source(frame), ("Date", "Time"), RowNames(pd.Index(["a"]), np.zeros(2, int))).counts)
        array([3600000000000])
    """
    values = source.cells(columns[0]) if len(columns) == 1 else source.joined(columns)
    times = read_times(
        values,
        " ".join(map(str, columns)),
        source.places,
        series=lookup,
        time_format=time_format,
        tz=tz,
        text_file=source.text,
        fitted=fitted,
    )
    return times._replace(unit="D") if _are_dates(values) else times


def _are_dates(values: pd.Series) -> bool:
    """Whether the column holds dates without a time of day, so that answers do too."""
    dtype = values.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return str(dtype).startswith("date")
    return (
        dtype.kind == "O" and isinstance(dtype, np.dtype) and pd.api.types.infer_dtype(values, skipna=False) == "date"
    )
