"""The page of the first hour: its commands are run in order, and print what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "first_hour.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(console|toml)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"-?\d+\.\d+")
PROGRESS = re.compile(r"[\w ]+: ([\d,]+ of [\d,]+ \w+ done|\d+ s)")  # appears where the work takes long


def commands_of(block: str) -> list[tuple[str, str]]:
    """Each command of a block, and what it prints."""
    found = re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    return [(command, printed) for command, printed in found]


STEPS = [(kind, *step) for kind, text in BLOCKS for step in (commands_of(text) if kind == "console" else [(text, "")])]
COMMANDS = [(command, printed) for kind, command, printed in STEPS if kind == "console"]


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> list[str]:
    """What each command printed, in order; job files are written where they stand."""
    pytest.importorskip("matplotlib")
    folder, programs = tmp_path_factory.mktemp("hour"), tmp_path_factory.mktemp("programs")
    (folder / "examples").symlink_to(ROOT / "examples")
    for name, words in (("python", ""), ("tsformers", "-P -m tsformers")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (programs / name).chmod(0o755)
    paths = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    printed: list[str] = []
    for kind, text, _ in STEPS:
        if kind == "toml":
            (folder / text.splitlines()[0].removeprefix("# ")).write_text(text)
            continue
        done = subprocess.run(
            ["bash", "-c", text], cwd=folder, env=os.environ | paths, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding="utf-8-sig",
        )  # fmt: skip
        printed.append(done.stdout)
    return printed


def test_the_page_has_commands_and_job_files():
    assert len(COMMANDS) >= 15 and {kind for kind, *_ in STEPS} == {"console", "toml"}


@pytest.mark.parametrize("place", range(len(COMMANDS)), ids=lambda place: f"{place}-{COMMANDS[place][0][:40]}")
def test_a_command_prints_what_the_page_says(answers, place):
    promised = COMMANDS[place][1]
    lines = [line for line in answers[place].splitlines() if not PROGRESS.fullmatch(line)]
    assert_alike("\n".join(lines), promised.rstrip("\n"))


def assert_alike(printed: str, promised: str) -> None:
    """The same text, with numbers near those that are promised, which are shorter."""
    assert NUMBER.sub("#", printed) == NUMBER.sub("#", promised)
    for ours, theirs in zip(NUMBER.findall(printed), NUMBER.findall(promised), strict=True):
        last_digit = 10.0 ** -len(theirs.partition(".")[2])
        assert float(ours) == pytest.approx(float(theirs), rel=0.02, abs=1.01 * last_digit), (ours, theirs)
