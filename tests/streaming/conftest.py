"""A detector with rows to watch."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsformers.cli.app import main

FIT = ["--model", "SeasonalNaive", "--horizon", "4", "--control", "LORD", "--decay", "0.9", "--alpha", "0.2"]
FIT += ["--detector", "p_value=predictive", "--detector", "refresh=4", "--detector", "n_samples=20"]
FIT += ["--detector", "context_length=30"]
STEPS = 1500


def series(rows: int, start: str, seed: int, n: int = 3) -> pd.DataFrame:
    """Hourly rows of n series in order of time, some of them strange, some missing."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(rows, n)) + 3 * np.sin(np.arange(rows) * 2 * np.pi / 24)[:, None]
    y[rng.random((rows, n)) < 0.01] += 30
    y[rng.random((rows, n)) < 0.01] = np.nan
    ids = np.tile([chr(97 + i // 26) + chr(97 + i % 26) for i in range(n)], rows)
    return pd.DataFrame(
        {"unique_id": ids, "ds": np.repeat(pd.date_range(start, periods=rows, freq="h"), n), "y": y.ravel()}
    )


def lines(frame: pd.DataFrame) -> list[str]:
    """The rows as JSON lines."""
    rows = frame.assign(ds=frame["ds"].map(pd.Timestamp.isoformat)).to_dict("records")
    return [json.dumps({**row, "y": None if row["y"] != row["y"] else row["y"]}) + "\n" for row in rows]


def decisions(path: Path) -> dict[object, dict]:
    """Decisions in a file by the name of their row; the latest where there are several."""
    return {found["row"]: found for found in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


def fill(folder: Path) -> Path:
    """Puts a history, a detector made of it by the command, and rows to watch into a folder."""
    series(120, "2024-01-01", 0).to_csv(folder / "history.csv", index=False)
    assert main(["detect", "--fit", str(folder / "history.csv"), *FIT, "--save", str(folder / "d")]) == 0
    later = series(STEPS, "2024-01-06", 1)
    later.to_csv(folder / "rows.csv", index=False)
    later.to_parquet(folder / "rows.parquet", index=False)
    odd = ['{"unique_id": "aa", "ds": "2024-01-01T00:00:00", "y": 1}\n', "no json\n", "\n", "[1]\n", '{"y": 1}\n']
    rows = lines(later)
    rows[100:100] = [*odd, rows[99]]
    (folder / "rows.jsonl").write_text("".join(rows), encoding="utf-8")
    (folder / "few.jsonl").write_text("".join(rows[:40]), encoding="utf-8")
    words = ["detect", "--model", str(folder / "d"), str(folder / "rows.jsonl"), "-o", str(folder / "whole.jsonl")]
    assert main(words) == 0
    return folder


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Path:
    """A folder with a history, a detector made of it, and rows to watch."""
    return fill(tmp_path_factory.mktemp("watch"))


@pytest.fixture
def run(place, capsys):
    """Runs the command with the detector; returns exit code, standard output, and lines on standard error."""

    def call(*words, model="d"):
        code = main(["detect", *(["--model", str(place / model)] if model else []), *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call
