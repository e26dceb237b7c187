"""JSON tables: lines, an array of records, columns, and answers of Prometheus."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from tsformers.calendar.timestamps import looks_like_times
from tsformers.data.files.content import Content
from tsformers.data.files.table_file import MISSING, TableFile
from tsformers.data.files.text_bytes import as_utf8
from tsformers.errors import DataError

FORMS = 'JSON lines, an array of records, columns such as {"ds": [...]}, or an answer of Prometheus'


def read_json(
    content: Content, *, lines: bool = False, encoding: str | None = None, missing: Sequence[str] = ()
) -> TableFile:
    r"""Read a JSON table in one of its forms.

    Args:
        content: the bytes of the file.
        lines: it must be JSON lines.
        encoding: of the text; None = UTF-8, or UTF-16 by its mark.
        missing: texts that mean "missing" among numbers, beside ``MISSING``.

    Returns:
        The table.

    Raises:
        DataError: it is no JSON, or of another form.

    Example:
        >>> content = Content("a.json", b'{"ds": [1, 2], "y": [0.5, 1.5]}', (), lambda: b"")
        >>> table = read_json(content)
        >>> table.kind, table.frame["y"].tolist()
        ('JSON by columns', [0.5, 1.5])
    """
    data, facts = as_utf8(content.data, content.name, encoding)
    data = data.strip()
    facts = (*facts, *content.facts)
    if lines or _is_lines(data):
        return _read_lines(data, as_utf8(content.data, content.name, encoding)[0], content.name, facts, missing)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{content.name} is no JSON ({error}); correct it there") from None
    kind, frame = _table(found, content.name)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"{content.name} has two columns called {twice!r}; give each a name of its own")
    return TableFile(_numbered(frame, missing), content.name, kind, facts)


def _is_lines(data: bytes) -> bool:
    first, _, rest = data.partition(b"\n")
    if not first.startswith(b"{"):
        return False
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return bool(rest.lstrip()[:1] == b"{")
    if record.get("status") == "error":
        return False
    return bool(rest.strip()) or not any(isinstance(value, list | dict) for value in record.values())


def _read_lines(data: bytes, whole: bytes, name: str, facts: tuple[str, ...], missing: Sequence[str]) -> TableFile:
    try:
        records = json.loads(b"[" + b",".join(line for line in data.split(b"\n") if line.strip()) + b"]")
    except (ValueError, RecursionError):
        records = [None]
    if not all(isinstance(record, dict) for record in records):
        records = _checked_lines(whole, name)
    frame = pd.DataFrame(records)
    frame.columns = [str(column) for column in frame.columns]
    return TableFile(_numbered(frame, missing), name, "JSON lines", facts, _line_of(whole))


def _numbered(frame: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """Columns of numbers and markers of missing values (JSON has no NaN) as numbers; other columns keep their types."""
    markers = (*MISSING, *missing)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if column.dtype != object:
            continue
        kinds = column.map(
            lambda cell: type(cell) in (int, float) or (isinstance(cell, str) and cell in markers) or cell is None
        )
        if kinds.all() and column.map(lambda cell: type(cell) in (int, float) and cell == cell).any():
            frame = frame.assign(**{str(frame.columns[place]): column.where(~column.isin(markers)).astype(float)})
    return frame


def _checked_lines(data: bytes, name: str) -> list[dict[str, Any]]:
    records = []
    for n, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name} cannot be read as JSON lines: line {n} is no JSON ({error})") from None
        if not isinstance(record, dict):
            raise DataError(f"{name} cannot be read as JSON lines: line {n} is no object")
        records.append(record)
    return records


def _line_of(data: bytes) -> Callable[[int], int]:
    places = None

    def line(row: int) -> int:
        nonlocal places
        places = places or [n for n, text in enumerate(data.split(b"\n"), start=1) if text.strip()]
        return places[row]

    return line


def _table(found: Any, name: str) -> tuple[str, pd.DataFrame]:
    status = found.get("status") if isinstance(found, dict) else None
    if status in ("success", "error") and isinstance(found.get("data"), dict) and "result" in found["data"]:
        return "Prometheus", _prometheus(found, name)
    if status == "error":
        raise DataError(f"{name} is an error of Prometheus: {found.get('error', 'no reason')}")
    if isinstance(found, list) and found and all(isinstance(record, dict) for record in found):
        return "JSON records", pd.DataFrame(found)
    if isinstance(found, dict) and {"columns", "data"} <= found.keys() and isinstance(found["columns"], list):
        return "JSON by columns", _with_index(pd.DataFrame(found["data"], found.get("index"), found["columns"]))
    if isinstance(found, dict) and {"schema", "data"} == found.keys() and isinstance(found["data"], list):
        return _table(found["data"], name)  # as pandas writes orient="table"
    if isinstance(found, dict) and found and all(isinstance(value, list) for value in found.values()):
        lengths = {key: len(value) for key, value in found.items()}
        if len(found) == 1 and all(isinstance(record, dict) for record in next(iter(found.values()))):
            return "JSON records", pd.DataFrame(next(iter(found.values())))
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{key!r} {length}" for key, length in [*lengths.items()][:5])
            raise DataError(f"{name} has columns of different lengths: {shown}; give each as many values")
        return "JSON by columns", pd.DataFrame(found)
    if isinstance(found, dict) and found and all(isinstance(value, dict) for value in found.values()):
        return "JSON by columns", _with_index(pd.DataFrame(found))
    raise DataError(f"{name} is JSON of an unknown form; give {FORMS}")


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """The labels of the rows as a column, called "ds" where they are times; none where they only count the rows."""
    labels = [str(label) for label in frame.index]
    if sorted(labels) == sorted(map(str, range(len(labels)))):
        return frame.reset_index(drop=True)
    column = pd.Series(labels, dtype=object)
    digits = all(label.isdecimal() for label in labels)
    name = "ds" if "ds" not in frame.columns and looks_like_times(column, True) else "index"
    frame = frame.reset_index(drop=True)
    if name not in frame.columns:
        frame.insert(0, name, column.astype("int64") if digits else column)
    return frame


def _prometheus(answer: dict[str, Any], name: str) -> pd.DataFrame:
    """One series a metric; its labels are its id."""
    if answer.get("status") == "error":
        raise DataError(f"{name} is an error of Prometheus: {answer.get('error', 'no reason')}")
    ids: list[str] = []
    times: list[float] = []
    values: list[str] = []
    for series in answer["data"]["result"]:
        pairs = series.get("values") or ([series["value"]] if "value" in series else [])
        ids += [_labels(series.get("metric", {}))] * len(pairs)
        times += [pair[0] for pair in pairs]
        values += [pair[1] for pair in pairs]
    frame = pd.DataFrame({"unique_id": ids, "ds": times, "y": [float(value) for value in values]})
    whole = (frame["ds"] == frame["ds"].round()).all()
    return frame.astype({"ds": "int64" if whole else "float64", "y": "float64"})


def _labels(metric: dict[str, str]) -> str:
    """As Prometheus writes it: name{label="value", ...}."""
    labels = ", ".join(f'{key}="{value}"' for key, value in sorted(metric.items()) if key != "__name__")
    return metric.get("__name__", "") + (f"{{{labels}}}" if labels else "") or "{}"
