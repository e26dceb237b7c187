"""Messages in the reader's tongue."""

import pickle

import pytest

from tsformers.errors import DataError, DataWarning
from tsformers.messages import Either, Message, Option, Setting, joined, message_of


@pytest.mark.parametrize(
    ("part", "python", "shell", "job"),
    [
        (Option("id_col", "shop"), "id_col='shop'", "--id-col shop", 'id_col = "shop"'),
        (Option("id_col", ["a b", "c"]), "id_col=['a b', 'c']", "--id-col 'a b' --id-col c", 'id_col = ["a b", "c"]'),
        (Option("time_format", "%d/%m/%Y"), "time_format='%d/%m/%Y'", "--time-format %d/%m/%Y", None),
        (Option("short", "drop", flag="short"), "short='drop'", "--short drop", 'short = "drop"'),
        (Option("wide", True), "wide=True", "--wide", "wide = true"),
        (Option("known"), "known=", "--known", "known"),
        (Setting("max_steps", 200), "max_steps=200", "--set max_steps=200", "max_steps = 200"),
        (Setting("scaler", "robust"), "scaler='robust'", "--set scaler=robust", 'scaler = "robust"'),
        (Either("df.dropna()", "--missing X"), "df.dropna()", "--missing X", "--missing X"),
    ],
)
def test_a_remedy_is_what_can_be_typed_where_the_reader_stands(part, python, shell, job):
    assert part.text("python") == python
    assert part.text("shell") == shell
    assert job is None or part.text("job") == job


def test_an_error_renders_its_remedies_and_survives_a_process_boundary():
    error = DataError("two readings; pass ", joined([Option("decimal", ","), Option("decimal", ".")]))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # as joblib does
    for one in (error, again):
        assert str(one) == "two readings; pass decimal=',' or decimal='.'"
        assert message_of(one, "shell") == "two readings; pass --decimal , or --decimal ."
    assert str(pickle.loads(pickle.dumps(DataError("pass ", Option("known"))))) == "pass known="  # noqa: S301
    assert message_of(DataWarning("see ", Option("missing", -9)), "shell") == "see --missing -9"
    assert message_of(KeyError("a"), "shell") == "'a'"


def test_messages_hold_messages():
    assert Message("a ", Message("b ", Option("freq", 1))).text("shell") == "a b --freq 1"
