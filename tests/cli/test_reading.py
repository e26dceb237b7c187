"""Tables of series as the options of a command ask for them."""

import warnings

import pandas as pd
import pytest

from tsformers.calendar.timestamps import TimeForm
from tsformers.cli.options import TableInput
from tsformers.cli.reading import bound_roles, held_warnings, ids_in, read_file, read_panel, roles_of
from tsformers.data.dataframes import Schema
from tsformers.errors import DataError, JobError


def test_a_table_is_read_by_its_options(here):
    (here / "a.log").write_text("title\nshop;dept;day;sold\n007;x;01.02.2024;1,5\n007;x;02.02.2024;-9\n")
    table = TableInput(
        sep=";", decimal=",", skip_rows=1, id_col=["shop", "dept"], time_format="%d.%m.%Y", missing=["-9"]
    )
    panel = read_panel("a.log", table)
    assert panel.ids.tolist() == ["007/x"] and panel.schema.target_col == "sold"
    assert panel.y[0] == 1.5 and panel.y[1] != panel.y[1]


def test_a_file_beside_the_main_one_has_a_dialect_of_its_own(here):
    (here / "plan.csv").write_text("shop,price\na,1.5\n")
    assert read_file("plan.csv", TableInput(sep=";", decimal=","), beside=True).frame["price"].tolist() == [1.5]


def test_roles_are_those_that_were_given():
    assert roles_of(TableInput()) == {}
    assert [roles_of(TableInput(), freq)["freq"] for freq in ("24", "15min")] == [24, "15min"]
    assert roles_of(TableInput(time_col=["Date", "Time"], tz="UTC")) == {"time_col": ["Date", "Time"], "tz": "UTC"}


def test_what_was_read_is_said_after_it_was_understood_and_warnings_follow(here, capsys):
    rows = "".join(f"2024-01-{day:02d},{-9999 if day == 9 else day},x\n" for day in range(1, 29))
    (here / "a.csv").write_text("day,sales,remark\n" + rows)
    with pytest.warns(UserWarning, match="-9999"):
        read_panel("a.csv", TableInput())
    file, series, left = capsys.readouterr().err.splitlines()
    assert file == "read a.csv: separator ','"
    assert series.startswith("1 series, target 'sales', every day ('day') from 2024-01-01 to 2024-01-28")
    assert left == "left out: 'remark' (text)"


def test_a_refusal_stands_alone(here, capsys):
    (here / "a.csv").write_text("day,sales\n2024-01-01,1\n2024-01-01,2\n")
    with warnings.catch_warnings(record=True) as caught, pytest.raises(DataError):
        warnings.simplefilter("always")
        with held_warnings():
            warnings.warn("of no use now", UserWarning, stacklevel=1)
            read_panel("a.csv", TableInput())
    assert caught == [] and capsys.readouterr().err == ""


def test_wide_tables_are_turned_and_keep_their_lines(here):
    (here / "c.csv").write_text("day,east,west\n2024-01-01,1,2\n2024-01-02,3,4\n")
    assert read_panel("c.csv", TableInput(wide=True)).ids.tolist() == ["east", "west"]
    (here / "r.csv").write_text("land,code,2020,2021\nNorland,N,1,2\nSudland,S,3,4\n")
    assert read_panel("r.csv", TableInput(wide_rows=True, id_col=["code"])).ids.tolist() == ["N", "S"]
    (here / "d.csv").write_text("Date,Time,east,west\n2024-01-01,10:00,1,2\n2024-01-01,11:00,3,4\n")
    assert read_panel("d.csv", TableInput(wide=True, time_col=["Date", "Time"])).freq == "h"
    (here / "off.csv").write_text("day,east\n2024-01-01,1\n2024-01-02,3\n2024-01-02 05:07,3\n2024-01-03,3\n")
    with pytest.raises(DataError, match="line 3"):
        read_panel("off.csv", TableInput(wide=True))
    with pytest.raises(JobError, match="give one of them"):
        read_panel("c.csv", TableInput(wide=True, wide_rows=True))
    with pytest.raises(DataError, match="target_col='east' has no effect"):
        read_panel("c.csv", TableInput(wide=True, target_col="east"))


def test_ids_are_those_of_the_table_as_text():
    assert ids_in(pd.Index([7, 8]), []) is None
    assert ids_in(pd.Index([7, 8]), ["8", "7"]) == [8, 7]
    with pytest.raises(JobError, match="--ids 9: there is no such series; there are '7', '8'"):
        ids_in(pd.Index([7, 8]), ["9"])


def test_the_format_of_epochs_agrees_with_that_of_fit():
    schema = Schema(form=TimeForm("epoch", "ms", True))
    assert "epoch-ms" in bound_roles(schema, "time_format") and "epoch-s" not in bound_roles(schema, "time_format")
