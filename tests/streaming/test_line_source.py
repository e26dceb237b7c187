"""Lines of text as rows: formats, cells, lines that cannot be read, and marks to resume from."""

import io
import sys
from contextlib import closing

import pytest

from tsformers.errors import DataError
from tsformers.streaming.line_source import LineSource

TYPED = {"unique_id": str, "y": float}


def read(source, mark=None, done=0):
    """Names, rows and marks of all batches."""
    found = [[], [], []]
    with closing(source):
        for batch in source.batches(mark, done):
            for kept, part in zip(found, batch, strict=True):
                kept.extend(part)
    return found


def lines(path, format=None):
    """A source that ends with its file."""
    return LineSource(str(path), format, follow=False, idle=None, typed=TYPED)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "log"])
def test_csv_and_json_lines_give_the_same_rows(tmp_path, suffix):
    csv, jsonl = "unique_id,y\nNA,1.5\nb,\n", '{"unique_id": "NA", "y": 1.5}\n{"unique_id": "b", "y": null}\n'
    for text in [csv, jsonl] if suffix == "log" else [csv if suffix == "csv" else jsonl]:
        (tmp_path / f"rows.{suffix}").write_text(text)
        names, rows, _ = read(lines(tmp_path / f"rows.{suffix}"))
        assert names == [1, 2] and rows == [{"unique_id": "NA", "y": 1.5}, {"unique_id": "b", "y": None}]


def test_a_line_that_cannot_be_read_is_an_empty_row_and_a_blank_one_is_none(tmp_path):
    (tmp_path / "a.csv").write_text('unique_id,y\n\nb,1,2\nc,"1\nd,4')
    assert read(lines(tmp_path / "a.csv"))[1] == [{}, {}, {"unique_id": "d", "y": 4.0}]
    (tmp_path / "a.jsonl").write_text('{"y": 1}\n[1]\nno json\n  \n{"y"')
    assert read(lines(tmp_path / "a.jsonl"))[1] == [{"y": 1}, {}, {}, {}]


def test_a_source_opened_at_a_mark_gives_the_rows_after_it(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("unique_id,y\n" + "".join(f"a,{k}\n" for k in range(20)))
    names, rows, marks = read(lines(path))
    for k, mark in enumerate(marks):
        assert read(lines(path), mark, k + 1) == [names[k + 1 :], rows[k + 1 :], marks[k + 1 :]]
        assert read(lines(path), int(mark.split(":")[0]), k + 1)[0] == names[k + 1 :], "a mark of an earlier version"
    path.write_text(path.read_text().replace("a,3", "b,3"))
    assert read(lines(path), marks[2], 3)[0] == names[3:], "what changed comes after the mark"
    with pytest.raises(DataError, match=r"a.csv is not the input that the state has read up to byte"):
        read(lines(path), marks[3], 4)


def test_marks_of_cells_with_line_breaks_resume_after_their_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'unique_id;y;note\r\na;1,5;"two\r\nlines"\r\nb;?;x\r\nc;2;"open\r\nd;3;y\r\n')
    names, rows, marks = read(lines(path))
    assert [row.get("y") for row in rows] == [1.5, None, None, 3.0] and rows[2] == {}
    for k, mark in enumerate(marks):
        assert read(lines(path), mark, k + 1) == [names[k + 1 :], rows[k + 1 :], marks[k + 1 :]]


def test_two_columns_of_one_name_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("unique_id,y,y\na,1,2\n")
    with pytest.raises(DataError, match=r"a\.csv has two columns called 'y'"):
        read(lines(tmp_path / "a.csv"))


def test_standard_input_is_read_as_a_file_is(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"y": 1}\n')))
    assert read(lines("-"))[1] == [{"y": 1}]


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv cannot be read"):
        lines(tmp_path / "gone.csv")
