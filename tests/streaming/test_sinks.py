"""Decisions as lines and as Parquet: cells, cutting back after a crash, and files that do not belong to a state."""

import json

import pandas as pd
import pytest

from tsformers.anomaly.decisions import Decision
from tsformers.errors import JobError
from tsformers.streaming.sinks import LineSink, ParquetSink, truncate_to_complete_lines

COLUMNS = ("host", "time", "value")
DECISIONS = [Decision("a", 1, 1.5, p_value=0.25, status="tested"), Decision(None, "soon", float("nan"), why="no time")]


def test_lines_hold_every_field_and_nothing_for_nan(tmp_path):
    for format in ("csv", "jsonl"):
        sink = LineSink(str(tmp_path / format), format, COLUMNS, None)
        sink.write([1, 2], DECISIONS)
        assert sink.position() == (tmp_path / format).stat().st_size
        sink.close()
    table = pd.read_csv(tmp_path / "csv")
    assert list(table)[:4] == ["row", *COLUMNS] and table["p_value"].isna().tolist() == [False, True]
    first, second = map(json.loads, (tmp_path / "jsonl").read_text().splitlines())
    assert list(first) == list(table) and first["p_value"] == 0.25
    assert (second["host"], second["value"], second["why"]) == (None, None, "no time")


def test_a_resumed_file_is_cut_back_to_its_size_at_the_state(tmp_path):
    path = tmp_path / "out.csv"
    sink = LineSink(str(path), "csv", COLUMNS, None)
    sink.write([1], DECISIONS[:1])
    size = sink.position()
    sink.write([2], DECISIONS[1:])
    sink.close()
    whole = path.read_text()
    path.write_text(whole + "3,a")
    again = LineSink(str(path), "csv", COLUMNS, size)
    again.write([2], DECISIONS[1:])
    again.close()
    assert path.read_text() == whole
    path.write_text(whole + "3,a")
    LineSink(str(path), "csv", COLUMNS, size, cut=False).close()
    assert path.read_text() == whole, "a fresh input keeps the lines after the state, and loses the incomplete one"
    with pytest.raises(JobError, match="is shorter than when the state was kept"):
        LineSink(str(path), "csv", COLUMNS, 10_000)


def test_parquet_leaves_cells_of_another_type_empty(tmp_path):
    sink = ParquetSink(str(tmp_path / "a.parquet"), COLUMNS, pd.Index([7]))
    sink.write([1, 2], [Decision(7, 1, 1.5), Decision("x", 2, 1.5)])
    sink.write([], [])
    sink.close()
    found = pd.read_parquet(tmp_path / "a.parquet")
    assert found["host"].tolist()[0] == 7 and found["host"].isna().tolist() == [False, True]


def test_an_incomplete_line_that_a_crash_left_in_the_output_is_cut_off(tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_bytes(b'{"row": 1}\n{"ro')
    with out.open("ab") as file:
        truncate_to_complete_lines(file.fileno())
        file.write(b'{"row": 2}\n')
    assert out.read_bytes() == b'{"row": 1}\n{"row": 2}\n'
