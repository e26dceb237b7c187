"""Rows of streams are read by the rules of files."""

import pytest

from tsformers.data.files.row_parser import LineSplitter, RowParser, plain_number
from tsformers.data.files.table_file import FileOptions
from tsformers.errors import DataError


def number(text):
    try:
        return float(text)
    except ValueError:
        return text


def rows(text, encoding="utf-8", size=7, **options):
    """The rows of a text that comes in small pieces."""
    raw, splitter = text.encode(encoding), LineSplitter()
    parser = RowParser({"unique_id": str, "y": number}, None, FileOptions(**options))
    lines = []
    for at in range(0, len(raw), size):
        lines += splitter.feed(raw[at : at + size])
    lines += splitter.feed(b"", last=True)
    assert b"".join(lines) + splitter.rest == raw
    found = [row for line in [*lines, splitter.rest] for row, _ in parser.feed(splitter.text(line), None)]
    return found + [row for row, _ in parser.finish()]


def values(text, **options):
    return [row.get("y") for row in rows(text, **options)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_line_ends_and_encodings(end, encoding):
    if end == "\r" and encoding.startswith("utf-16"):
        pytest.skip("no such files are known")
    text = end.join(["unique_id;ds;y", "\u00e5;1;1,5", "b;2;?", ""])
    assert rows(text, encoding) == [
        {"unique_id": "\u00e5", "ds": "1", "y": 1.5},
        {"unique_id": "b", "ds": "2", "y": None},
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a;1,5", 1.5), ("a;1.010,5", 1010.5), ("a;1 234,5", 1234.5), ("a;1.5", 1.5), ("a;NA", None), ("a; 2 ", 2.0),
        ("a;1,010", 1.01), ("a;x", "x"), ("a;\u22122", -2.0),
    ],
)  # fmt: skip
def test_cells_of_numbers(line, value):
    assert values(f"unique_id;y;n\n{line};7\n") == [value]


def test_a_comma_with_two_readings_stays_text_unless_the_option_says():
    text = 'unique_id,y\na,"1,010"\n'
    assert values(text) == ["1,010"]
    assert values(text, decimal=",") == [1.01] and values(text, decimal=".") == [1010.0]


def test_titles_comments_units_and_a_sep_line_are_passed_over():
    assert values("Sales of all\n\n# x\nunique_id|y\nname|m3/s\na|1\n# y\nb|2\n") == [1.0, 2.0]
    assert values("sep=~\nunique_id~y\na~1\n") == [1.0]
    assert values("a;b;c\nunique_id;y\na;1\n", skip_rows=1) == [1.0]


def test_quoted_line_breaks_belong_to_their_cell_and_a_broken_quote_costs_one_row():
    assert rows('unique_id,y,note\na,1,"two\n\nlines"\nb,2,x\n')[0] == {
        "unique_id": "a",
        "y": 1.0,
        "note": "two\n\nlines",
    }
    assert rows('unique_id,y\na,"1\nb,2\n') == [{}, {"unique_id": "b", "y": 2.0}]
    assert rows('unique_id,y\na,"1"2\nb,2\n') == [{}, {"unique_id": "b", "y": 2.0}]
    assert rows('unique_id,y\na,"1\n') == [{}]
    assert values('unique_id,y,note\na,1,5" pipe\n') == [1.0]


def test_widths():
    assert values("unique_id,y\na,1,\nb,2,x\n") == [1.0, None]
    assert rows("unique_id,y,z\na,1\nb\n") == [{"unique_id": "a", "y": 1.0, "z": None}, {}]


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(DataError, match="two columns called 'y'"):
        rows("unique_id,y,y\na,1,2\n")


def test_names_that_nobody_asked_for_are_a_header_all_the_same():
    assert rows("host,load\na,1\n") == [{"host": "a", "load": "1"}]
    assert rows("a title\nhost;load\na;1\n") == [{"host": "a", "load": "1"}]


def test_an_array_of_json_does_not_come_line_by_line():
    with pytest.raises(DataError, match="array of JSON"):
        rows('[{"y": 1}]\n')


def test_a_header_that_stands_again_is_no_row():
    parser = RowParser({"unique_id": str, "y": float})
    lines = ("unique_id,y", "a,1", "unique_id,y", "a,2")
    rows = [row for line in lines for row, _ in parser.feed(line, None)]
    assert [row["y"] for row in rows] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("5,50 €", "5.50"),
        ("5EUR", "5"),
        ("(5.50)", "-5.50"),
        ("5-", "-5"),
        ("-$5.50", "-5.50"),
        ("5 kWh", "5"),
        ("5 %", "5 %"),
    ],
)
def test_a_unit_beside_a_number_is_taken_off(cell, value):
    assert plain_number(cell, ";") == value


@pytest.mark.parametrize("marker", ["..", "...", "-"])
def test_markers_of_files_are_missing_in_a_stream_too(marker):
    assert values(f"unique_id,y\na,1\na,{marker}\n") == values("unique_id,y\na,1\na,\n")
