"""Tables of series from files: wide ones are turned, and rows keep their lines."""

import numpy as np
import pytest

from tsformers.data.files.long_table import file_line, read_source, turned, with_rows
from tsformers.data.files.read import read_table
from tsformers.data.files.table_file import FileOptions
from tsformers.data.panel import Panel
from tsformers.errors import DataError


@pytest.fixture
def written(tmp_path):
    """Writes a table and reads it."""

    def put(text: str):
        (tmp_path / "a.csv").write_text(text)
        return read_table(tmp_path / "a.csv")

    return put


def test_some_rows_keep_their_lines_and_their_text(written):
    source = written("title\nunique_id,ds,y\n007,1,5\n8,1,6\n1e2,1,7\n")
    part = with_rows(source, np.array([True, False, True]))
    assert part.as_text("unique_id").tolist() == ["007", "1e2"]
    assert [part.places.at(row) for row in (0, 1)] == ["line 3", "line 5"]


def test_columns_are_series_under_times_in_any_form(written):
    source, roles = turned(written("Quartal;Ost;West\n2021Q1;1;2\n2021Q2;3;4\n2021Q3;5;\n"), {"freq": None}, "columns")
    panel = Panel.from_frame(source, **roles)
    assert panel.ids.tolist() == ["Ost", "West"] and panel.freq == "QS-JAN"
    assert panel.reading.n_missing == 1 and source.places.at(4) == "line 3"


def test_rows_are_series_named_by_the_column_that_is_asked_for(written):
    source = written("land,code,2020,2021,2022\nNorland,N,1,2,3\nSudland,S,4,5,6\n")
    table, roles = turned(source, {"id_col": "code", "known": ()}, "rows")
    assert roles == {"known": (), "id_col": "code"}
    assert table.frame["code"].tolist() == ["N"] * 3 + ["S"] * 3
    assert table.frame["ds"].tolist() == ["2020", "2021", "2022"] * 2
    assert table.places.at(4) == "line 3"


@pytest.mark.parametrize(
    ("wide", "role", "column"),
    [("columns", "id_col", "east"), ("columns", "target_col", "east"), ("rows", "time_col", "d")],
)
def test_roles_that_a_wide_table_does_not_have_are_refused(written, wide, role, column):
    with pytest.raises(DataError, match=f"{role}='{column}' has no effect where each {wide[:-1]} is a series"):
        turned(written("d,east,west\n2024-01-01,1,2\n2024-01-02,1,2\n"), {role: column}, wide)


def test_a_column_that_is_not_there_is_named(written):
    with pytest.raises(DataError, match="no column 'tag'"):
        turned(written("day,east,west\n2024-01-01,1,2\n2024-01-02,1,2\n"), {"time_col": "tag"}, "columns")


def test_the_line_about_a_file_shows_what_was_found(tmp_path):
    (tmp_path / "a.csv").write_text("unique_id;ds;y\na;1;1,5\n")
    source, _ = read_source(tmp_path / "a.csv", FileOptions(), {})
    assert file_line(source) == f"read {tmp_path / 'a.csv'}: separator ';', decimal comma"
    (tmp_path / "a.json").write_text('[{"ds": 1, "y": 2}]')
    assert "JSON" in file_line(read_source(tmp_path / "a.json", FileOptions(), {})[0])
