"""Read and write frames as CSV, Parquet or JSON lines; "-" is standard input or output."""

import io
import json
import sys
import warnings
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from tsformers.errors import DataError

Format = Literal["csv", "parquet", "jsonl"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
EMPTY_CELLS = ["", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "null", "NULL", "None", "<NA>", "#N/A"]


def read_table(
    source: str | Path, format: str | None = None, *, id_col: str = "unique_id", time_col: str = "ds"
) -> pd.DataFrame:
    r"""Read a frame from a CSV, Parquet or JSON lines file, or from standard input.

    Text in the time column becomes timestamps when every entry is an ISO 8601 date or time (with an offset: UTC);
    whole numbers stay integer time; other text is returned as it is, and Panel refuses it by row. An id "NA" is text.

    Args:
        source: path, or "-" for standard input.
        format: "csv", "parquet" or "jsonl"; None = by the suffix, else by the first bytes.
        id_col: name of the column of ids, if there is one.
        time_col: name of the column of times, if there is one.

    Returns:
        The table.

    Raises:
        DataError: no such file, an unknown format, or content of another format.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.csv"
        ...     _ = path.write_text("unique_id,ds,y\nNA,2020-01-31,1.5\n")
        ...     read_table(path)
          unique_id         ds    y
        0        NA 2020-01-31  1.5
    """
    name = "standard input" if str(source) == "-" else str(source)
    raw = _bytes(source)
    chosen = _format(format) or SUFFIXES.get(Path(str(source)).suffix.lower()) or _sniff(raw)
    if not raw.strip():
        raise DataError(f"{name} is empty; give a table with columns {id_col}, {time_col} and a target")
    try:
        frame = _parse(raw, chosen, id_col)
    except (ValueError, OSError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{name} cannot be read as {chosen} ({reason}); correct the file or pass --format") from None
    if time_col in frame.columns:
        frame[time_col] = parse_times(frame[time_col])
    return frame


def parse_times(times: pd.Series) -> pd.Series:
    """Text as timestamps where every entry is an ISO 8601 date or time; anything else is returned unchanged.

    Args:
        times: the column as read.

    Returns:
        datetime64 without zone, datetime64 in UTC where the text has offsets, or ``times`` itself.

    Example:
        >>> parse_times(pd.Series(["2020-01-01", "2020-02-01"])).dt.month.tolist()
        [1, 2]
    """
    if times.dtype != object and not isinstance(times.dtype, pd.StringDtype):
        return times
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)  # several offsets in one column: pandas asks for utc=True
        try:
            parsed = pd.to_datetime(times, format="ISO8601")
        except FutureWarning:
            return _in_utc(times)
        except (ValueError, TypeError) as error:
            return _in_utc(times) if "utc=True" in str(error) else times
    return parsed if parsed.dt.tz is None else parsed.dt.tz_convert("UTC")


def write_table(frame: pd.DataFrame, target: str | Path, format: str | None = None) -> None:
    """Write a frame so that ``read_table`` restores it: floats keep all their digits, times are ISO 8601.

    Args:
        frame: the table; its index is not written.
        target: path, or "-" for standard output.
        format: "csv", "parquet" or "jsonl"; None = by the suffix, CSV for standard output.

    Raises:
        DataError: the suffix is of no format, or the folder does not exist.

    Example:
        >>> write_table(pd.DataFrame({"unique_id": ["a"], "ds": [3], "y": [0.1]}), "-", "jsonl")
        {"unique_id": "a", "ds": 3, "y": 0.1}
    """
    chosen = format_of_target(target, format)
    if chosen == "parquet":
        content: str | bytes = frame.to_parquet(index=False)
    else:
        content = json_lines(frame) if chosen == "jsonl" else frame.to_csv(index=False)
    if str(target) != "-":
        try:
            Path(target).write_bytes(content.encode() if isinstance(content, str) else content)
        except OSError as error:
            raise DataError(f"{target} cannot be written ({error.strerror}); choose another place") from None
    elif isinstance(content, str):
        sys.stdout.write(content)
    else:
        sys.stdout.buffer.write(content)


def format_of_target(target: str | Path, format: str | None = None) -> Format:
    """The format that a table is written in.

    Args:
        target: path, or "-" for standard output.
        format: asked for; None = by the suffix, CSV for standard output.

    Returns:
        "csv", "parquet" or "jsonl".

    Raises:
        DataError: the suffix is of no format.

    Example:
        >>> format_of_target("answer.pq")
        'parquet'
    """
    chosen = _format(format) or SUFFIXES.get(Path(str(target)).suffix.lower())
    if chosen is None and str(target) != "-":
        raise DataError(f"{target}: its suffix names no format; end it in .csv, .parquet or .jsonl, or pass --format")
    return chosen or "csv"


def _bytes(source: str | Path) -> bytes:
    if str(source) == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except FileNotFoundError:
        raise DataError(f"{source}: there is no such file; correct the path, or use - for standard input") from None
    except OSError as error:
        raise DataError(f"{source} cannot be read ({error.strerror}); give a file, or - for standard input") from None


def _format(name: str | None) -> Format | None:
    if name is not None and name not in get_args(Format):
        raise DataError(f"there is no format {name!r}; choose csv, parquet or jsonl")
    return name  # type: ignore[return-value]


def _sniff(raw: bytes) -> Format:
    if raw.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if raw.lstrip()[:1] == b"{" else "csv"


def _parse(raw: bytes, format: Format, id_col: str) -> pd.DataFrame:
    if format == "parquet":
        return pd.read_parquet(io.BytesIO(raw))
    if format == "jsonl":
        return pd.read_json(io.BytesIO(raw), lines=True, convert_dates=False, dtype=False, precise_float=True)
    header = pd.read_csv(io.BytesIO(raw), nrows=0).columns
    empty = {name: [""] if name == id_col else EMPTY_CELLS for name in header}
    return pd.read_csv(io.BytesIO(raw), keep_default_na=False, na_values=empty, float_precision="round_trip")


def _in_utc(times: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(times, format="ISO8601", utc=True)
    except (ValueError, TypeError):
        return times


def json_lines(frame: pd.DataFrame) -> str:
    r"""A record a line; times are ISO 8601, missing values null.

    Example:
        >>> json_lines(pd.DataFrame({"y": [0.5]}))
        '{"y": 0.5}\n'
    """
    plain = frame.copy(deep=False)
    for name in plain.select_dtypes(["datetime", "datetimetz"]).columns:
        plain[name] = plain[name].map(lambda time: None if pd.isna(time) else time.isoformat())
    plain = plain.astype(object).where(plain.notna(), None)
    return "".join(json.dumps(record, default=str) + "\n" for record in plain.to_dict("records"))
