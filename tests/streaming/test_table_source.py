"""Files that are read whole as streams of rows."""

import gzip
import json

import pandas as pd
import pytest

from tsformers.data.files.table_file import FileOptions
from tsformers.errors import DataError, JobError
from tsformers.streaming import table_source
from tsformers.streaming.line_source import LineSource, open_source
from tsformers.streaming.table_source import TableSource, is_complete_table

ROWS = [{"unique_id": f"0{k % 2}", "ds": k, "y": None if k == 3 else k / 2} for k in range(7)]


def source(path, **more):
    return open_source(str(path), None, follow=False, idle=None, typed={"unique_id": str, "y": float}, **more)


@pytest.fixture
def files(tmp_path):
    frame = pd.DataFrame(ROWS)
    (tmp_path / "array.json").write_text(json.dumps(ROWS))
    (tmp_path / "columns.json").write_text(json.dumps({name: frame[name].tolist() for name in ("unique_id", "ds")}))
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, ROWS)).encode()))
    frame.to_feather(tmp_path / "rows.feather")
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, ROWS)) + "\n")
    (tmp_path / "rows.csv").write_text(frame.to_csv(index=False))
    return tmp_path


def test_the_content_tells_what_is_read_whole(files):
    whole = sorted(path.name for path in files.iterdir() if is_complete_table(str(path)))
    assert whole == ["array.json", "columns.json", "rows.csv.gz", "rows.feather", "rows.jsonl.gz"]
    for name in ("lines.jsonl", "rows.csv"):
        lines = source(files / name)
        assert isinstance(lines, LineSource)
        lines.close()


@pytest.mark.parametrize("name", ["array.json", "rows.csv.gz", "rows.jsonl.gz", "rows.feather"])
def test_rows_come_as_they_are_and_go_on_at_any_mark(files, name, monkeypatch):
    monkeypatch.setattr(table_source, "MOST_ROWS", 3)
    batches = list(source(files / name).batches(None, 0))
    rows = [row for batch in batches for row in batch.rows]
    assert [(row["unique_id"], row["y"]) for row in rows] == [(row["unique_id"], row["y"]) for row in ROWS]
    marks = [mark for batch in batches for mark in batch.marks]
    for at in range(1, 8):
        rest = list(source(files / name).batches(marks[at - 1], at))
        assert [row for batch in rest for row in batch.rows] == rows[at:]
        assert [name for batch in rest for name in batch.names] == list(range(at + 1, 8))


def test_another_file_is_refused_at_its_mark(files):
    mark = next(source(files / "array.json").batches(None, 0)).marks[4]
    (files / "array.json").write_text(json.dumps([{**row, "y": 9.0} for row in ROWS]))
    with pytest.raises(DataError, match="is not the file that the state has read up to row 5"):
        list(source(files / "array.json").batches(mark, 5))
    (files / "array.json").write_text(json.dumps(ROWS[:3]))
    with pytest.raises(DataError, match="up to row 5"):
        list(source(files / "array.json").batches(mark, 5))


def test_a_file_that_is_read_whole_cannot_be_followed(files):
    with pytest.raises(JobError, match="does not grow"):
        open_source(str(files / "rows.csv.gz"), None, follow=True, idle=None, typed={"unique_id": str})
    assert TableSource(str(files / "rows.csv.gz"), FileOptions(), "unique_id").frame["unique_id"].tolist()[1] == "01"
