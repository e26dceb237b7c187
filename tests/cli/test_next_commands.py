"""Commands to paste."""

import shlex
import tomllib

import pandas as pd

from tsformers.cli.inspection.next_commands import commands_for, horizon_of, job_command, option_words, readings_for
from tsformers.cli.options import TableInput
from tsformers.data.panel import Panel
from tsformers.jobs.job_file import JobTable
from tsformers.messages import Either, Message, Option
from tsformers.toml_tables import parse_table

TABLE = TableInput(sep=";", decimal=",", id_col=["shop", "dept"], missing=["-9"], wide=True, time_format="%d.%m.%Y")


def test_options_come_back_as_they_were_typed():
    words = option_words(TABLE)
    assert words[:4] == ["--sep", ";", "--decimal", ","]
    assert words[-3:] == ["--wide", "--time-format", "%d.%m.%Y"]
    assert option_words(TableInput()) == []


def test_a_job_of_the_same_table_is_valid():
    words = shlex.split(job_command("my sales.csv", TABLE, 7, "my sales.toml"))
    text = "\n".join(words[2 : words.index(">")])
    table = parse_table(JobTable, tomllib.loads(text), "job:")
    data = table.data
    assert (data.file, data.sep, data.id_col, data.wide) == ("my sales.csv", ";", ["shop", "dept"], True)
    assert data.missing == "-9" and data.time_format == "%d.%m.%Y" and set(table.models) == {"naive", "ets"}


def test_a_horizon_leaves_windows_of_a_backtest():
    def horizon(rows: int) -> int:
        frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=rows), "y": 1.0})
        return horizon_of(Panel.from_frame(frame))

    assert [horizon(rows) for rows in (4, 28, 70)] == [1, 4, 7]


def test_rows_from_standard_input_have_no_job_file():
    panel = Panel.from_frame(pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=28), "y": 1.0}))
    assert [command.split()[1] for command in commands_for("-", TableInput(), panel)] == ["forecast", "detect"]


def test_each_reading_is_a_command_and_other_options_are_none():
    message = Message("pass ", Option("id_col", "my shop"), Message(" or ", Either("tsf.from_wide(df)", "--wide")))
    message = Message(message, Option("known"), Option("quantiles", 3))
    assert readings_for("a.csv", TableInput(sep=";"), message) == [
        "tsformers inspect a.csv --sep ';' --id-col 'my shop'",
        "tsformers inspect a.csv --sep ';' --wide",
    ]
