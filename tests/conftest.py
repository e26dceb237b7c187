"""Fixtures of all tests."""

import importlib.util
import os
import re
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden vectors and real data beside the checkout; tests that need it skip where it is missing."""
    data = os.environ.get("TSFORMERS_DATA")
    folder = Path(data.split(os.pathsep)[0]).parent if data else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip("the golden vectors and data of ../shared are missing")
    return folder


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
