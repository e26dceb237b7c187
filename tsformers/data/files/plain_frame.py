"""Frames of files with ISO 8601 times, for readers that name their columns."""

import warnings
from pathlib import Path

import pandas as pd

from tsformers.data.files.read import read_table
from tsformers.data.files.table_file import FileOptions, is_number


def read_frame(
    source: str | Path, format: str | None = None, *, id_col: str = "unique_id", time_col: str = "ds"
) -> pd.DataFrame:
    r"""The frame of a file, ids as text and times as timestamps.

    Args:
        source: path, or "-" for standard input.
        format: as for ``FileOptions``.
        id_col: name of the column of ids, if there is one.
        time_col: name of the column of times, if there is one.

    Returns:
        The table.

    Raises:
        DataError: as for ``read_table``.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.csv"
        ...     _ = path.write_text("unique_id,ds,y\nNA,2020-01-31,1.5\n")
        ...     read_frame(path)
          unique_id         ds    y
        0        NA 2020-01-31  1.5
    """
    table = read_table(source, FileOptions(format=format), text_columns=[id_col])
    frame = table.frame
    if time_col in frame.columns:
        frame[time_col] = parse_times(frame[time_col])
    return frame


def parse_times(times: pd.Series) -> pd.Series:
    """Text as timestamps where every entry is an ISO 8601 date or time, as numbers where it is one.

    Args:
        times: the column as read.

    Returns:
        datetime64 without zone, datetime64 in UTC where the text has offsets, int64, or ``times`` itself.

    Example:
        >>> parse_times(pd.Series(["2020-01-01", "2020-02-01"])).dt.month.tolist()
        [1, 2]
    """
    if is_number(times) or times.dtype.kind == "M" or isinstance(times.dtype, pd.DatetimeTZDtype):
        return times
    if times.notna().all() and times.str.fullmatch(r"-?\d{1,18}").fillna(False).all():
        return times.astype("int64")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)  # several offsets in one column: pandas asks for utc=True
        try:
            parsed = pd.to_datetime(times, format="ISO8601")
        except (FutureWarning, ValueError, TypeError):
            return _in_utc(times)
    return parsed if parsed.dt.tz is None else parsed.dt.tz_convert("UTC")


def _in_utc(times: pd.Series) -> pd.Series:
    try:
        stamps = pd.to_datetime(times, format="ISO8601", utc=True)
    except (ValueError, TypeError):
        return times
    naive = ~times.dropna().str.contains(r"(?:Z|[+-]\d\d:?\d\d)\s*$", regex=True)
    return times if naive.any() else stamps
