"""Files, pipes and Redis streams by their names: which source gives the rows, which sink takes the decisions."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from tsformers.data.files.table_file import FileOptions
from tsformers.data.files.write import format_of
from tsformers.errors import JobError
from tsformers.streaming.line_source import open_source
from tsformers.streaming.redis import Address, RedisSink, RedisSource
from tsformers.streaming.sinks import Sink, open_sink
from tsformers.streaming.source import Source

REDIS = ("redis://", "rediss://")


def source_of(
    name: str, detector: Any, format: str | None, *, follow: bool, idle: float | None,
    options: FileOptions | None = None,
) -> Source:  # fmt: skip
    """The source of rows that a name refers to.

    Args:
        name: file, "-" for standard input, or the address of a Redis stream.
        detector: fitted; cells of text become ids and numbers as its columns ask for.
        format: of a file; None: by suffix, else by the first byte.
        follow: at the end of a file wait for more.
        idle: seconds without a row after which to end; None: never.
        options: separator, decimal mark and encoding of a file; None = by the content.

    Returns:
        A source of rows.

    Raises:
        JobError: the address names no stream, no server answers, or the file cannot be followed.
        DataError: there is no such file.
    """
    panel = detector.panel
    schema = panel.schema
    typed = {schema.id_col: id_parser(panel.ids)} | dict.fromkeys((schema.target_col, *schema.past), as_number)
    if name.startswith(REDIS):
        return RedisSource(Address.read(name), idle=idle, typed=typed)
    return open_source(name, format, follow=follow, idle=idle, typed=typed, options=options)  # type: ignore[arg-type]


def sink_of(name: str, detector: Any, format: str, resumed: int | None, *, cut: bool) -> Sink:
    """The sink of decisions that a name refers to.

    Args:
        name: file, "-" for standard output, or the address of a Redis stream.
        detector: fitted; decisions bear the names of its columns.
        format: of a file.
        resumed: as for ``LineSink``.
        cut: as for ``LineSink``.

    Returns:
        A sink of decisions.

    Raises:
        JobError: the address names no stream, no server answers, or the file cannot be written.
    """
    columns = columns_of(detector)
    if name.startswith(REDIS):
        return RedisSink(Address.read(name), columns)
    return open_sink(name, format, columns, resumed, cut=cut, ids=detector.panel.ids)  # type: ignore[arg-type]


def columns_of(detector: Any) -> tuple[str, str, str]:
    """The names of the columns of id, time and value.

    Args:
        detector: fitted.

    Returns:
        Three names.

    Example:
        >>> import pandas as pd
        >>> from tsformers import AnomalyDetector, SeasonalNaive
        >>> history = pd.DataFrame({"host": "a", "t": range(60), "load": [0.0, 1.0] * 30})
        >>> detector = AnomalyDetector(SeasonalNaive(horizon=1, season_length=2), p_value="predictive")
        >>> columns_of(detector.fit(history, id_col="host", time_col="t", target_col="load"))
        ('host', 't', 'load')
    """
    schema = detector.panel.schema
    return schema.id_col, schema.time_col, schema.target_col


def decision_format(sink: str, source: str, format: str | None, input_format: str | None, *, resumable: bool) -> str:
    """The format of decisions: by the suffix of their file, else as asked, else as that of the rows, else JSON lines.

    Args:
        sink: as for ``sink_of``.
        source: as for ``source_of``.
        format: asked for; None: nothing.
        input_format: of the rows; None: by suffix.
        resumable: a state is kept.

    Returns:
        "jsonl", "csv" or "parquet".

    Raises:
        JobError: decisions in Parquet, which cannot be resumed or piped.

    Example:
        >>> decision_format("-", "rows.csv", None, None, resumable=True)
        'csv'
        >>> decision_format("out.jsonl", "rows.csv", None, None, resumable=True)
        'jsonl'
    """
    rows = input_format or format_of(source)
    chosen = format or ("csv" if rows == "csv" else "jsonl")
    if sink != "-":
        chosen = format_of(sink) or chosen
    if chosen == "parquet" and (resumable or sink == "-"):
        raise JobError("a Parquet file cannot be resumed, or piped; write decisions to a .jsonl or .csv file")
    return str(chosen)


def id_parser(ids: pd.Index) -> Callable[[str], Any]:
    """What makes an id of text: a number where the ids of ``fit`` are numbers and the text is one, else the text.

    Args:
        ids: of the series of ``fit``.

    Returns:
        A function of the text.

    Example:
        >>> parse = id_parser(pd.Index([7, 10]))
        >>> parse("7"), parse("a")
        (7, 'a')
    """
    convert: Callable[[str], Any] = {"i": int, "u": int, "f": float}.get(getattr(ids.dtype, "kind", "O"), str)

    def parse(text: str) -> Any:
        try:
            return convert(text)
        except ValueError:
            return text

    return parse


def as_number(text: str) -> float | str:
    """A cell of CSV, or a field of Redis, as a number; the text itself where it is none.

    Args:
        text: of the cell or field.

    Returns:
        A number, or the text.

    Example:
        >>> as_number("1.5"), as_number("high")
        (1.5, 'high')
    """
    try:
        return text if "_" in text or not text else float(text)
    except ValueError:
        return text
