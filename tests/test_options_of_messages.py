"""What a message names to be typed can be typed: a flag of a command, or a keyword of Python alone."""

import ast
from pathlib import Path

import typer

from tsformers.cli.app import app

PACKAGE = Path(__file__).resolve().parents[1] / "tsformers"
PYTHON_ONLY = {  # keywords of functions that no command calls, or whose value no command lets choose
    "axis", "data", "dependent", "estimator", "groups", "means", "n", "output_domain", "series", "units", "w0",
}  # fmt: skip


def commands(command=None):
    command = typer.main.get_command(app) if command is None else command
    yield command
    for part in getattr(command, "commands", {}).values():
        yield from commands(part)


def flags():
    options = [each for command in commands() for each in command.params if each.param_type_name == "option"]
    return {flag.removeprefix("--") for option in options for flag in (*option.opts, *option.secondary_opts)}


def named(kind):
    """Constant names, the flags they stand for, and where messages name them."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "messages.py" or path.parent.name == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == kind and node.args:
                name = getattr(node.args[0], "value", None)
                flag = next((each.value.value for each in node.keywords if each.arg == "flag"), None)
                if isinstance(name, str):
                    yield name, flag, f"{path.relative_to(PACKAGE)}:{node.lineno}"


def test_options_that_messages_name_are_flags_or_keywords_of_python_alone():
    have = flags()
    wrong = {
        name: place
        for name, flag, place in named("Option")
        if (flag or name.replace("_", "-")) not in have and name not in PYTHON_ONLY
    }
    assert {"id-col", "known", "fresh-input"} <= have and wrong == {}


def test_python_only_options_are_keywords_of_python_and_no_flags():
    used = {name for name, _, _ in named("Option")}
    assert used >= PYTHON_ONLY and not PYTHON_ONLY & flags()


def test_settings_have_a_flag():
    assert {flag or "set" for _, flag, _ in named("Setting")} <= flags()
