"""Groups of options: a command's signature is built from them, and they arrive as objects."""

import inspect
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer

from tsformers.cli.options import TableInput, TableOutput, flattened, option_parameters
from tsformers.cli.terminal import UsageError


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Options with a list, a flag and a range."""

    names: Annotated[list[str], typer.Option("--name", help="Repeatable.")] = field(default_factory=list)
    all_: Annotated[bool, typer.Option("--all", help="A flag.")] = False
    count: Annotated[int | None, typer.Option(min=1, help="One or more.")] = None


@pytest.fixture
def called():
    """An application with one command, and what the command was called with."""
    calls = []

    def command(file: Annotated[str, typer.Argument()], choice: Choice, target: TableOutput) -> None:
        """What the command does."""
        calls.append((file, choice, target))

    app = typer.Typer()
    app.command()(flattened(command))

    def run(*words):
        typer.main.get_command(app).main(list(words), standalone_mode=False)
        return calls[-1]

    return run


def test_options_arrive_in_the_objects_that_declare_them(called):
    file, choice, target = called("a.csv", "--name", "x", "--name", "y", "--all", "-o", "b.csv")
    assert file == "a.csv" and target == TableOutput(output="b.csv")
    assert choice == Choice(names=["x", "y"], all_=True)


def test_options_that_are_not_given_have_their_defaults(called):
    assert called("a.csv") == ("a.csv", Choice(), TableOutput())


def test_ranges_and_unknown_options_are_checked(called):
    for words in (["a.csv", "--count", "0"], ["a.csv", "--nmae", "x"], []):
        with pytest.raises(UsageError):
            called(*words)


def test_the_signature_keeps_order_name_and_docstring():
    def command(first: str, choice: Choice, last: TableInput) -> None:
        """What the command does."""

    plain = flattened(command)
    names = ["first", "names", "all_", "count", "input_format", "id_col", "time_col", "target_col"]
    assert [*inspect.signature(plain).parameters] == names
    assert (plain.__name__, plain.__doc__) == ("command", "What the command does.")


def test_two_commands_do_not_share_a_default_list():
    first, second = (option_parameters(Choice)[0].default for _ in range(2))
    assert first == second == [] and first is not second
