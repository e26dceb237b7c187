"""Fixtures of all tests."""

import importlib.util
import os
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsformers.errors import DataWarning, TsformersError
from tsformers.messages import Message

# Folders and files whose messages are yet to be written in parts; must be empty in the end
PACKAGE = str(Path(__file__).resolve().parents[1] / "tsformers") + os.sep


def wrong_tongue(message: Message, origin: str) -> str | None:
    """What is wrong with a message: Python in its text for a shell, or a flag in its text for Python.

    ``origin`` is the file that made it, in the package; messages of ``cli/`` are read in a shell alone.
    """
    shell, python = message.text("shell"), message.text("python")
    if alien := re.search(r"\b(df|frame)\[|\b(df|pd|np|tsf)\.[a-z]", shell):
        return f"{origin}: {alien[0]!r} in a shell: {shell}"
    if not origin.startswith("cli/") and (alien := re.search(r"(?<![\w-])--[a-z]", python)):
        return f"{origin}: {alien[0]!r} in Python: {python}"
    return None


def maker_of_message() -> str:
    """The file of the package that is making a message now, "cli/" where a command asked for it; "" for a test."""
    frame = sys._getframe(2)
    above = frame
    while above is not None:
        if above.f_code.co_filename.startswith(PACKAGE + "cli"):
            return "cli/"
        above = above.f_back
    while frame is not None and frame.f_code.co_filename.endswith(("conftest.py", f"{os.sep}errors.py")):
        frame = frame.f_back
    name = "" if frame is None else frame.f_code.co_filename
    return Path(name.removeprefix(PACKAGE)).as_posix() if name.startswith(PACKAGE) else ""


@pytest.fixture(scope="session")
def messages_made():
    """Every message of an error or a data warning, and the file that made it, as long as the tests run."""
    made: list[tuple[str, Message]] = []
    patch = pytest.MonkeyPatch()
    for kind in (TsformersError, DataWarning):

        def init(self, *parts, original=kind.__init__):
            original(self, *parts)
            made.append((maker_of_message(), self.message))

        patch.setattr(kind, "__init__", init)
    yield made
    patch.undo()


@pytest.fixture(autouse=True)
def raised_messages(messages_made):
    """Messages that a test has raised; they must be right for both readers."""
    messages_made.clear()
    yield messages_made
    wrong = [wrong_tongue(message, maker) for maker, message in messages_made if maker]
    found = [text for text in wrong if text]
    assert not found, found


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden vectors and real data beside the checkout; tests that need it skip where it is missing."""
    data = os.environ.get("TSFORMERS_DATA")
    folder = Path(data.split(os.pathsep)[0]).parent if data else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip("the golden vectors and data of ../shared are missing")
    return folder


@pytest.fixture(scope="session")
def classics(shared) -> dict[str, np.ndarray]:
    """R's classic series by name."""
    folder = shared / "data" / "classics"
    tables = [pd.read_parquet(folder / f"classics_{kind}.parquet") for kind in ("dated", "indexed")]
    return {name: rows.y.to_numpy() for table in tables for name, rows in table.groupby("unique_id")}


@pytest.fixture
def needs_gluonts() -> None:
    """Skips a test where the extra is not installed."""
    if importlib.util.find_spec("gluonts") is None:
        pytest.skip("gluonts is not installed: pip install 'tsformers[gluonts]'")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with the same seed in each test."""
    return np.random.default_rng(0)


@pytest.fixture
def prints_what_it_says(capsys):
    """Runs the first Python block of a page and compares its output with the text block below it."""

    def check(page: str) -> None:
        code, output = re.search(r"```python\n(.*?)```\s*```text\n(.*?)```", page, re.DOTALL).groups()
        exec(compile(code, "page.md", "exec"), {})
        printed, promised = capsys.readouterr().out.split(), output.split()
        assert len(printed) == len(promised)
        for ours, theirs in zip(printed, promised, strict=True):
            if re.fullmatch(r"-?\d+\.\d+", theirs):  # processors round differently
                last_digit = 10.0 ** -len(theirs.partition(".")[2])
                assert float(ours) == pytest.approx(float(theirs), rel=0.01, abs=1.01 * last_digit)
            else:
                assert ours == theirs

    return check
