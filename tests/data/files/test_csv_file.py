"""Text tables in all dialects: separators, decimal marks, encodings, line ends, titles, notes, widths, lines."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsformers.data.files.content import Content
from tsformers.data.files.csv_file import read_csv, record_lines
from tsformers.data.files.table_file import FileOptions
from tsformers.errors import DataError
from tsformers.messages import Option

DAYS = [f"2024-01-{day:02}" for day in range(1, 29)]


def read(text, written="utf-8", text_columns=(), **options):
    raw = text if isinstance(text, bytes) else text.encode(written)
    return read_csv(Content("a.csv", raw, (), lambda: raw), FileOptions(**options), text_columns)


def table(values, sep=",", head="unique_id,ds,y"):
    return (
        head.replace(",", sep)
        + "\n"
        + "".join(f"a{sep}{day}{sep}{value}\n" for day, value in zip(DAYS, values, strict=False))
    )


def refused(text, **options):
    with pytest.raises(DataError) as caught:
        read(text, **options)
    return caught.value.message.text("shell")


@pytest.mark.parametrize(("sep", "shown"), [(",", "','"), (";", "';'"), ("\t", "tab"), ("|", "'|'")])
def test_separators_are_found(sep, shown):
    found = read(table(range(28), sep))
    assert found.facts == (f"separator {shown}",)
    assert found.frame["y"].tolist() == [*range(28)]
    assert read(f"sep={sep}\n" + table(range(28), sep)).places.at(0) == "line 3"


@pytest.mark.parametrize(
    ("cell", "sep", "value"),
    [
        ("1,5", ";", 1.5),
        ("1,5", "\t", 1.5),
        ('"1,5"', ",", 1.5),
        ("1.234,5", ";", 1234.5),
        ("1 234,5", ";", 1234.5),
        ("1\u202f234,5", ";", 1234.5),
        ("1\u00a0234", ";", 1234),
        ("1'234.5", ";", 1234.5),
        ('"1,234.5"', ",", 1234.5),
        ('"1,234,567"', ",", 1234567),
        ('"12,34,567"', ",", 1234567),
        ("1.234.567", ";", 1234567),
        ("1.010", ",", 1.01),
        ("1,010", ";", 1.01),
        ('"0,125"', ",", 0.125),
        ("+5", ",", 5),
        ("\u22125", ",", -5),
        ("1e3", ",", 1000),
        ("1,5E-3", ";", 0.0015),
        ("inf", ",", np.inf),
        (" 7 ", ",", 7),
    ],
)
def test_numbers_are_read_in_the_only_way_they_can_be(cell, sep, value):
    found = read(table([cell, "2", cell], sep))
    assert found.frame["y"].tolist() == [value, 2, value]


def test_a_comma_before_three_digits_has_two_readings():
    text = table(['"1,010"'] * 28)
    assert "'y'" in refused(text) and "--decimal , or --decimal ." in refused(text)
    assert read(text, decimal=",").frame["y"][0] == 1.01
    assert read(text, decimal=".").frame["y"][0] == 1010


def test_two_readings_are_refused_when_the_column_is_used_as_numbers():
    text = "ds,y,x\n" + "".join(f'{day},"1,010",5\n' for day in DAYS)
    found = read(text)
    assert found.numbers("x").tolist() == [5] * 28 and found.frame["y"][0] == "1,010"
    with pytest.raises(DataError, match="two readings"):
        found.numbers("y")
    assert Option("decimal", ",") in found.unclear["y"].parts[1].parts


def test_other_columns_show_which_decimal_mark_a_file_has():
    rows = "".join(f"{day};1,010;2.5\n" for day in DAYS)
    assert read("ds;y;x\n" + rows).frame["y"][0] == 1010
    rows = "".join(f"{day};1.010;2,5\n" for day in DAYS)
    assert [*read("ds;y;x\n" + rows).unclear] == ["y"]


def test_evidence_far_below_the_first_lines_counts():
    values = ["1.5"] * 20_000
    text = "ds;y\n" + "".join(f"{k};{value}\n" for k, value in enumerate(values)) + "20001;1.010,5\n"
    found = read(text)
    assert found.frame["y"].dtype != float, "1.5 and 1.010,5 do not fit together"
    with pytest.raises(DataError, match=r"column 'y' holds '1.010,5' at line 20002"):
        found.numbers("y")


def test_missing_markers_count_among_numbers_only():
    found = read("unique_id,y,z\nNA,1,a\nX,?,-\nb,#N/A,NA\nc,n.d.,-999\n", missing=("n.d.",))
    assert found.frame["unique_id"].tolist() == ["NA", "X", "b", "c"]
    assert found.frame["y"].isna().tolist() == [False, True, True, True]
    assert found.frame["z"].tolist() == ["a", "-", "NA", "-999"]
    assert read("ds,y\n1,5\n2,-999\n", missing=("-999",)).frame["y"].isna().tolist() == [False, True]


def test_ids_and_times_stay_text_and_numbers_can_be_had_as_text():
    found = read("unique_id,date,site,year\n007,20240101,01,1949.10\n1e2,20240102,02,1949.20\n")
    assert found.frame["unique_id"].tolist() == ["007", "1e2"] and found.frame["date"][0] == "20240101"
    assert found.frame["site"].tolist() == [1, 2] and found.as_text("site").tolist() == ["01", "02"]
    assert found.as_text("year").tolist() == ["1949.10", "1949.20"]
    assert read("id,y\n01,1\n02,2\n", text_columns=["id"]).frame["id"].tolist() == ["01", "02"]


def test_encodings():
    assert "UTF-8 with BOM" in read(table([1]), "utf-8-sig").facts
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        found = read(table([1.5] * 9, "\t").replace("a\t", "\u00c5\t"), encoding)
        assert found.frame["unique_id"][0] == "\u00c5" and found.frame["y"][0] == 1.5
    text = table([1]).replace("a,", "K\u00f6ln,").encode("latin-1")
    assert "--encoding latin-1" in refused(text) and "line 2" in refused(text)
    assert read(text, encoding="latin-1").frame["unique_id"][0] == "K\u00f6ln"
    assert "--encoding cp1252" in refused(table([1]).replace("a,", "\u20acx,").encode("cp1252"))
    assert "choose another" in refused(text, encoding="ascii")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    found = read(table([1, 2]).rstrip().replace("\n", end))
    assert found.frame["y"].tolist() == [1, 2] and found.places.at(1) == "line 3"


def test_titles_comments_and_units_are_passed_over_and_lines_still_count():
    text = "Flow of rivers, by day\nSource: us\n\n# note\nds;y\nd;m3/s\n" + "".join(f"{day};1,5\n" for day in DAYS)
    found = read(text.replace("2024-01-02", "# in between\n\n2024-01-02"))
    assert found.facts == (
        "separator ';'",
        "decimal comma",
        "2 title lines skipped",
        "a line of units skipped (line 6)",
    )
    assert found.frame["y"].tolist() == [1.5] * 28
    assert [found.line_of(row) for row in (0, 1)] == [7, 10]


def test_titles_that_hold_the_separator_of_another_dialect():
    text = "Place: Ulm, station 5\nUnit: m, s\nZeit;Wert\n" + "".join(f"0{k}.02.2024 00:00;1,5\n" for k in range(1, 9))
    assert [*read(text).frame] == ["Zeit", "Wert"]
    padded = "Sales,,\n" + table(range(9))
    assert "1 title line skipped" in read(padded).facts


def test_a_header_in_a_comment():
    assert [*read("# about\n#ds,y\n2024-01-01,5\n2024-01-02,6\n").frame] == ["ds", "y"]


@pytest.mark.parametrize("note", ["Source: us", "Source: us, them, and, others", "\nA note; made of text, here"])
def test_notes_below_the_rows_are_left_out_and_said(note):
    found = read(table(range(28)) + note + "\n")
    assert len(found.frame) == 28
    assert f"notes below the rows left out (line {30 + note.startswith(chr(10))})" in found.facts


def test_a_trailing_separator_moves_no_column():
    rows = "unique_id,ds,y\n" + "".join(f"a,{day},{k},\n" for k, day in enumerate(DAYS))
    everywhere = "unique_id,ds,y,,,\n" + "".join(f"a,{day},{k},,,\n" for k, day in enumerate(DAYS))
    for text in (rows, everywhere):
        found = read(text)
        assert [*found.frame] == ["unique_id", "ds", "y"] and found.frame["y"].tolist() == [*range(28)]


def test_names_of_columns():
    assert [*read(" ds , y \n2024-01-01,5\n").frame] == ["ds", "y"]
    assert [*read(",,ds,y\n1,x,2024-01-01,5\n2,z,2024-01-02,6\n").frame] == ["Unnamed: 0", "Unnamed: 1", "ds", "y"]
    assert [*read('"ds","y"\n"1","2024-01-01",5\n"2","2024-01-02",6\n').frame] == ["Unnamed: 0", "ds", "y"]
    assert "two columns called 'y' (columns 2, 4)" in refused("ds,y,x,y\n2024-01-01,1,2,3\n")
    assert [*read("store,1990,1991,1992\nnorth,1,2,3\nsouth,4,5,6\n").frame] == ["store", "1990", "1991", "1992"]


@pytest.mark.parametrize(
    "text", ["a,2024-01-01,5\na,2024-01-02,6\n", "1,5\n2,6\n3,7\n", "2024-01-01;1,5\n2024-01-02;2,5\n"]
)
def test_a_file_without_a_header_is_refused(text):
    assert "has no header: line 1" in refused(text)


def test_rows_of_other_widths():
    short = read("date,north,south\n2024-01-01,5\n2024-01-02,6,7\n2024-01-03,6,7\n")
    assert short.frame["south"].isna().tolist() == [True, False, False]
    assert "line 4 has 4 cells, and the header has 3" in refused(
        'date,x,y\n2024-01-01,"5\n",6\n2024-01-02,6,7,8\n2024-01-03,6,7\n2024-01-04,6,7\n'
    )
    assert "line 3 has 1 cell" in refused("date,x,y\n2024-01-01,5,6\nbroken\n2024-01-03,6,7\n2024-01-04,6,7\n")
    assert "2 names of columns, and line 2 has 3 cells" in refused("date,y\n2024-01-01,10,5\n2024-01-02,11,5\n")


def test_rows_of_separators_alone_are_none():
    found = read("ds,y\n2024-01-01,1\n,\n2024-01-02,2\n,\n,\n")
    assert found.frame["y"].tolist() == [1, 2] and found.places.at(1) == "line 4"


def test_one_column_is_a_table():
    assert read("value\n1,5\n2,5\n").frame["value"].tolist() == [1.5, 2.5]


def test_options_where_the_content_does_not_tell():
    found = read("region;north;-\nunit;calls;day\n" + table(["1"] * 28, ";"), skip_rows=2)
    assert [*found.frame] == ["unique_id", "ds", "y"] and found.line_of(0) == 4
    assert read(table(["1,5"], "~"), sep="~", decimal=",").frame["y"].tolist() == [1.5]
    assert read("ds   y\n2024-01-01  5\n2024-01-02 6\n", sep=" ").frame["y"].tolist() == [5, 6]


def test_true_and_false_are_no_text_and_ranks_are():
    assert read("ds,y\n1,true\n2,false\n").frame["y"].tolist() == [True, False]
    assert read("ds,y\n1,5th\n2,6th\n").frame["y"].tolist() == ["5th", "6th"]


def test_very_long_lines_and_many_columns():
    names = [f"series {k}" for k in range(2_000)]
    text = ",".join(["ds", *names]) + "\n" + "".join(",".join([day, *["1.5"] * 2_000]) + "\n" for day in DAYS)
    frame = read(text).frame
    assert frame.shape == (28, 2_001) and frame["series 1999"].tolist() == [1.5] * 28
    long = "x" * 3_000_000
    assert read(f'ds,y,note\n2024-01-01,1,"{long}"\n2024-01-02,2,b\n').frame["y"].tolist() == [1, 2]


@given(
    st.lists(st.tuples(st.text(alphabet='ab ,;"\n', max_size=8), st.floats(-1e6, 1e6)), min_size=2, max_size=20),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_pandas_writes_is_read_and_each_line_is_where_it_stands(rows, sep):
    frame = pd.DataFrame({"text": [f"x{text}x" for text, _ in rows], "y": [y for _, y in rows]})
    text = frame.to_csv(index=False, sep=sep, lineterminator="\n")
    found = read(text)
    assert found.frame["text"].tolist() == frame["text"].tolist()
    assert found.frame["y"].tolist() == frame["y"].tolist()
    line = 2
    for row, (cell, _) in enumerate(rows):
        assert found.line_of(row) == line
        line += 1 + cell.count("\n")


def test_stray_quotes_do_not_shift_lines():
    assert record_lines(b'a,5" pipe\nb,1\nc,2', 2).tolist() == [2, 3, 4]


LINES = [f"{day},{n}" for n, day in enumerate(DAYS[:12])]


def test_a_header_that_stands_again_is_no_row_and_lines_are_counted_past_it():
    text = "\n".join(["day,sales", *LINES[:6], "day,sales", *LINES[6:9], "day,sales ", *LINES[9:]])
    found = read(text)
    assert found.frame["sales"].tolist() == list(range(12)) and found.frame["sales"].dtype.kind == "i"
    assert "the header stands again, left out (line 8 and 1 more)" in found.facts
    assert [found.places.line_of(row) for row in (5, 6, 9)] == [7, 9, 13]
    assert found.as_text("sales").tolist() == [str(n) for n in range(12)]


@pytest.mark.parametrize("total", ["Total,66", "Grand Total,66", "Summe,66"])
def test_totals_above_and_below_the_rows_are_left_out(total):
    below = read("\n".join(["day,sales", *LINES, total]))
    assert below.frame["sales"].tolist() == list(range(12))
    assert "notes below the rows left out (line 14)" in below.facts
    above = read("\n".join(["day,sales", total, *LINES]))
    assert above.frame["sales"].tolist() == list(range(12)) and above.places.line_of(0) == 3
    assert "a line of totals skipped (line 2)" in above.facts


def test_a_word_for_totals_beside_an_empty_time_is_left_out():
    rows = [f"{day},n,{n}" for n, day in enumerate(DAYS[:12])]
    found = read("\n".join(["day,shop,sales", *rows, ",Gesamt:,66"]))
    assert len(found.frame) == 12 and "notes below the rows left out (line 14)" in found.facts
    assert len(read("\n".join(["day,shop,sales", *rows, ",south,66"])).frame) == 13


@pytest.mark.parametrize("last", ["2024-13-13,5", "NA,5", ",5", "20240113,5", "yesterday,5", "tbd,5"])
def test_a_last_row_with_a_wrong_or_missing_time_is_no_total(last):
    assert len(read("\n".join(["day,sales", *LINES, last])).frame) == 13


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (["Price,Close,Open", "Ticker,A,A", "Date,,"], ["Date", "Close", "Open"]),
        (["Price,Close,Close", "Ticker,A,B", "Date,,"], ["Date", "Close A", "Close B"]),
        ([",sales,sales", ",a,b"], ["Unnamed: 0", "sales a", "sales b"]),
        (["Date,North,", ",units,price"], ["Date", "North units", "North price"]),
        (["Date,rain,wind", "UTC,mm,m/s"], ["Date", "rain", "wind"]),
    ],
)
def test_the_header_of_several_lines_names_the_columns(header, names):
    found = read("\n".join([*header, *[f"{line},7" for line in LINES]]))
    assert found.frame.columns.tolist() == names
    assert found.frame[names[1]].tolist() == list(range(12)) and found.places.line_of(0) == len(header) + 1


@pytest.mark.parametrize(
    ("cell", "unit", "value"),
    [
        ("{}5,50 €", "€", 5.5), ("-${}5.50", "$", -5.5), ("$-{}5.50", "$", -5.5), ("€ {}5", "€", 5),
        ("({}5.50)", "", -5.5), ("{}5,50-", "", -5.5), ("($1,005.50)", "$", -1005.5),
        ("R$ 1.005,25", "R$", 1005.25), ("{}5 kWh/m²", "kWh/m²", 5), ("{}5 req/s", "req/s", 5),
    ],
)  # fmt: skip
def test_a_unit_beside_each_number_is_taken_off_and_reported(cell, unit, value):
    lines = [f"{day};{cell.format('' if n < 9 else '0')}" for n, day in enumerate(DAYS)]
    found = read("\n".join(["day;v", *lines, "2024-02-01;NA"]))
    assert found.frame["v"].iloc[0] == value and found.frame["v"].isna().tolist() == [False] * len(DAYS) + [True]
    assert any("taken off" in fact for fact in found.facts) == bool(unit)
    assert not unit or f"unit {unit!r} of 'v' taken off" in found.facts
    assert found.as_text("day").iloc[0] == DAYS[0]


@pytest.mark.parametrize("cells", ["5 pm", "5 UTC", "5th", "5 %", "5%", "5 Elm", "5 kWh;5 MWh", "5 kWh;5", "€5 EUR"])
def test_other_text_beside_numbers_stays_text(cells):
    first, *more = cells.split(";")
    text = ["day;v", *[f"{day};{(more or [first])[0] if n else first}" for n, day in enumerate(DAYS)]]
    assert read("\n".join(text)).frame["v"].iloc[0] == first
