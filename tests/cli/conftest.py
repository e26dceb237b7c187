"""Commands run in a folder of their own, and what they answered."""

import io
import re
import sys

import numpy as np
import pandas as pd
import pytest

from tsformers.cli.app import main

NAIVE = ["--model", "SeasonalNaive", "--horizon", "3"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every command runs in a folder of its own, far from data and cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TSFORMERS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def sales(here):
    """Two daily series, as a CSV file."""
    days = pd.date_range("2024-01-01", periods=28).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"unique_id": ["NA"] * 28 + ["b"] * 28, "ds": [*days] * 2})
    frame["y"] = np.tile(np.arange(7.0), 8) + np.linspace(0, 1, 56) ** 2
    frame.to_csv(here / "sales.csv", index=False)
    return frame


@pytest.fixture
def run(capsys):
    """Runs a command; returns exit code, what it printed, and its lines on standard error."""

    def call(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call


@pytest.fixture
def piped(monkeypatch):
    """Puts bytes on standard input."""

    def put(content: bytes):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return put


READING = re.compile(r"read |[\d,]+ series[ ,(]|left out: |times are ")  # lines about what was read
PROGRESS = re.compile(r"[\w .-]+: ([\d,]+ of [\d,]+ \w+ done|\d+ s)")  # of long work


def after_reading(err):
    """The lines on standard error without those that say what was read or how long it takes."""
    return [line for line in err if not READING.match(line) and not PROGRESS.fullmatch(line)]


def mistake(answer, *parts):
    """The answer is exit code 2, nothing on standard output, and one line that holds all parts, after the reading."""
    code, out, err = answer
    assert (code, out) == (2, ""), (code, out, err)
    assert len(after_reading(err)) == 1 and not READING.match(err[-1]), err
    for part in parts:
        assert part in err[-1], err[-1]
    return True


def refusal(answer, *parts):
    """A mistake that stands alone: nothing was read, or it could not be understood."""
    assert mistake(answer, *parts) and not any(map(READING.match, answer[2])), answer[2]
    return True


@pytest.fixture
def table(here):
    """Walks and white noise with a week in it; names that are not the usual ones."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(6, 56)) + 3 * np.sin(2 * np.pi * np.arange(56) / 7)
    y[::2] = y[::2].cumsum(axis=1)
    days = pd.date_range("2024-01-01", periods=56)
    frame = {"unique_id": np.repeat([f"s{i}" for i in range(6)], 56), "ds": np.tile(days, 6), "y": y.ravel()}
    frame = pd.DataFrame(frame)
    frame.to_csv(here / "a.csv", index=False)
    return frame
