"""Tables that come after ``fit``: their ids and times are read as those of ``fit`` were, and never guessed anew."""

import numpy as np
import pandas as pd

from tsformers.calendar.times.form import unique_values
from tsformers.calendar.times.iso import iso_pattern
from tsformers.calendar.times.offsets import has_offset
from tsformers.calendar.timestamps import TimeForm, Times, read_times
from tsformers.data.dataframes import Frame, Schema
from tsformers.data.intake.columns import RowNames
from tsformers.data.intake.ids import Ids, ids_of, matched
from tsformers.data.intake.kinds import format_of_parts, kind_of
from tsformers.data.intake.source import Source, source_of
from tsformers.errors import DataError
from tsformers.messages import Option, Part

COUNT = TimeForm("count")


def bound_source(data: Frame, schema: Schema, what: str | None = None) -> Source:
    """A later table.

    Args:
        data: anything that ``to_pandas`` takes.
        schema: of ``fit``.
        what: the table in messages; None = "the frame", or the name of its file.

    Returns:
        The source, marks of missing values taken out of its columns of text.

    Raises:
        DataError: ``data`` is no table.

    Example:
        >>> bound_source(pd.DataFrame({"y": [1]}), Schema(), "the future frame").places.what
        'the future frame'
    """
    usual = (schema.id_col, schema.time_col, schema.target_col)
    source = source_of(data, schema.columns, usual)
    if what is not None and source.table is None:
        source = source.renamed(what)
    keys = (*(schema.id_cols or (schema.id_col,)), *(schema.time_cols or (schema.time_col,)))
    return source.without(schema.missing, keys)


def key_columns(source: Source, schema: Schema) -> dict[str, str]:
    """The columns of ids and times that a later table needs, by keyword.

    Args:
        source: the table.
        schema: of ``fit``.

    Returns:
        As ``check_columns`` takes them; without ids where ``fit`` had none.

    Example:
        >>> key_columns(Source(pd.DataFrame()), Schema(id_cols=("shop", "item"), time_col="day"))
        {'id_col': 'shop', 'id_col[1]': 'item', 'time_col': 'day'}
    """
    ids = schema.id_cols or (schema.id_col,)
    if schema.single and schema.id_col not in source.frame.columns:
        ids = ()
    times = schema.time_cols or (schema.time_col,)
    keys = {"id_col" if k == 0 else f"id_col[{k}]": name for k, name in enumerate(ids)}
    return keys | {"time_col" if k == 0 else f"time_col[{k}]": name for k, name in enumerate(times)}


def bound_ids(source: Source, schema: Schema, fitted: pd.Index) -> Ids:
    """The series of each row of a later table, named as in ``fit``.

    Args:
        source: the table.
        schema: of ``fit``.
        fitted: ids of ``fit``.

    Returns:
        Codes and names; ids of another type are matched as text, with a warning.

    Raises:
        DataError: a row has no id.

    Example:
        >>> bound_ids(Source(pd.DataFrame({"ds": [1]})), Schema(single=True), pd.Index(["sales"])).names.tolist()
        ['sales']
    """
    columns = schema.id_cols or (schema.id_col,)
    if schema.single and schema.id_col not in source.frame.columns:
        return ids_of(source, (), str(fitted[0]) if len(fitted) == 1 else schema.target_col)
    ids = ids_of(source, columns, sep=schema.id_sep if schema.id_cols else None)
    return matched(ids, fitted, source.places.what, stacklevel=5)


def bound_times(source: Source, schema: Schema, lookup: RowNames, integer: bool) -> Times:
    """The time of each row of a later table, in the form and zone of ``fit``.

    Args:
        source: the table.
        schema: of ``fit``.
        lookup: the series of each row.
        integer: whether ``fit`` counted time in whole numbers.

    Returns:
        Counts.

    Raises:
        DataError: times of another kind, or with a zone where ``fit`` had none, or the other way round.

    Example:
        >>> lookup = RowNames(pd.Index(["a"]), [0])
        >>> bound_times(Source(pd.DataFrame({"ds": [3]})), Schema(), lookup, True).counts
        array([3])
    """
    columns = schema.time_cols or (schema.time_col,)
    tz = schema.tz if schema.zone_given or _has_offsets(source, columns) else None
    form = COUNT if integer and not schema.form.integer else schema.form
    numbers = len(columns) == 1 and kind_of(source.frame[columns[0]]) == "number"
    if len(columns) == 1 and integer and kind_of(source.frame[columns[0]]) == "time":
        form = TimeForm()
    elif numbers and form.kind in ("datetime", "date"):
        form = COUNT
    times = times_of(source, columns, lookup, None, tz, form)
    if times.integer != integer or (times.tz is None) != (schema.tz is None):
        have, want = _kind(times.integer, times.tz), _kind(integer, schema.tz)
        remedy: list[Part] = [] if schema.tz is None else [", or fit with ", Option("tz", schema.tz)]
        raise DataError(
            f"column {schema.time_col!r} of {source.places.what} holds {have}, the data of fit held {want}; make them "
            "alike", *remedy,
        )  # fmt: skip
    return times


def _has_offsets(source: Source, columns: tuple[str, ...]) -> bool:
    """Whether the first time is text with an offset from UTC: offsets that change are brought into the zone of fit."""
    first = source.frame[columns[-1]].iloc[:1]
    return not len(first) or (
        isinstance(first.iloc[0], str) and bool(has_offset(np.array([first.iloc[0]], dtype=object))[0])
    )


def _kind(integer: bool, tz: str | None) -> str:
    return "whole numbers" if integer else f"times {'without a time zone' if tz is None else f'in time zone {tz}'}"


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
    if len(columns) > 1 and time_format is None and fitted is None:
        time_format = format_of_parts(columns, [source.cells(name) for name in columns])
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
    if times.form.kind == "datetime":  # ISO text of a file comes back as such, that of a frame as datetimes
        texts = unique_values(values)[1] if source.table is not None and kind_of(values) == "text" else None
        iso = None if texts is None else iso_pattern(texts)
        times = times._replace(form=TimeForm() if iso is None else TimeForm("datetime", iso[0], True, iso[1]))
    return times._replace(unit="D") if _are_dates(values) else times


def _are_dates(values: pd.Series) -> bool:
    """Whether the column holds dates without a time of day, so that answers do too."""
    dtype = values.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return str(dtype).startswith("date")
    return (
        dtype.kind == "O" and isinstance(dtype, np.dtype) and pd.api.types.infer_dtype(values, skipna=False) == "date"
    )
