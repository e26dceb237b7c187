"""Groups of options: a command's signature is built from them, and they arrive as objects."""

import dataclasses
import inspect
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer

from tsformers.cli.app import app
from tsformers.cli.options import TableInput, TableOutput, flattened, option_parameters
from tsformers.cli.terminal import UsageError
from tsformers.progress import is_quiet


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
    fields = [option.name for option in dataclasses.fields(TableInput)]
    assert [*inspect.signature(plain).parameters] == ["first", "names", "all_", "count", *fields, "quiet"]
    assert (plain.__name__, plain.__doc__) == ("command", "What the command does.")


def test_two_commands_do_not_share_a_default_list():
    first, second = (option_parameters(Choice)[0].default for _ in range(2))
    assert first == second == [] and first is not second


@pytest.mark.parametrize(("words", "quiet"), [(["a.csv"], False), (["a.csv", "--quiet"], True)])
def test_quiet_holds_inside_every_command(words, quiet):
    heard = []

    def command(file: Annotated[str, typer.Argument()]) -> None:
        """What the command does."""
        heard.append(is_quiet())

    single = typer.Typer()
    single.command()(flattened(command))
    typer.main.get_command(single).main(words, standalone_mode=False)
    assert heard == [quiet] and not is_quiet()


@pytest.mark.parametrize("command", ["forecast", "inspect", "score", "detect", "decompose", "cluster", "segment"])
def test_every_reading_command_has_the_options_of_a_table(command):
    parameters = typer.main.get_command(app).commands[command].params
    flags = {flag for parameter in parameters for flag in parameter.opts}
    names = [option.name for option in dataclasses.fields(TableInput)]
    assert {*(f"--{name.replace('_', '-')}" for name in names), "--quiet"} <= flags


def test_every_command_can_be_quiet_and_help_groups_the_options_of_tables(run):
    for command in ("backtest", "reproduce"):
        assert "--quiet" in run(command, "--help")[1]
    for group in ("datasets", "models"):
        assert "--quiet" in run(group, "list", "--help")[1]
    text = run("forecast", "--help")[1]
    for panel in ("How the file is read", "What its columns are", "What its times are"):
        assert panel in text
