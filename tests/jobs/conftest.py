"""What tests of this folder share: detectors with rows to watch, and models and series for backtests."""

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from tsformers.cli.app import main
from tsformers.data.forecast import Forecast

FIT = ["--model", "SeasonalNaive", "--horizon", "4", "--control", "LORD", "--decay", "0.9", "--alpha", "0.2"]
FIT += ["--detector", "p_value=predictive", "--detector", "refresh=4", "--detector", "n_samples=20"]
FIT += ["--detector", "context_length=30"]
STEPS = 1500
FRAMES = ("scores", "forecasts")


# the command detect


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


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Path:
    """A folder with a history, a detector made of it by the command, and rows to watch."""
    folder = tmp_path_factory.mktemp("watch")
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
    assert (
        main(["detect", "--model", str(folder / "d"), str(folder / "rows.jsonl"), "-o", str(folder / "whole.jsonl")])
        == 0
    )
    return folder


@pytest.fixture
def run(place, capsys):
    """Runs the command with the detector; returns exit code, standard output, and lines on standard error."""

    def call(*words, model="d"):
        code = main(["detect", *(["--model", str(place / model)] if model else []), *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call


# backtests


class Walk(BaseEstimator):
    """Draws around the last value; ``calls`` keeps what every copy was given."""

    calls: ClassVar = []

    def __init__(self, horizon=4, spread=1.0, seed=None):
        self.horizon, self.spread, self.seed = horizon, spread, seed

    def fit(self, data, **roles):
        type(self).calls.append(("fit", data, roles))
        self.level_ = np.nanmean(data.y[: data.ends[-1]])
        return self

    def predict(self, data=None, *, future=None, static=None, n_samples=100, seed=None):
        type(self).calls.append(("predict", data, seed))
        rng = np.random.default_rng(seed)
        last = data.padded(1)[:, 0]
        noise = rng.normal(0, self.spread, (data.n_series, n_samples, self.horizon))
        values = np.nan_to_num(last)[:, None, None] + 0.01 * self.level_ + noise
        return Forecast(data.ids, data.future_times(self.horizon), values, freq=data.freq, schema=data.schema)


class Moody(Walk):
    """Fails while ``bad`` lists the number of rows it is given."""

    bad = ()

    def predict(self, data=None, **options):
        if int(data.lengths[0]) in type(self).bad:
            raise RuntimeError("not today")
        return super().predict(data, **options)


@pytest.fixture(autouse=True)
def forget_calls():
    """Each test begins with nothing called."""
    Walk.calls = []


def frame(lengths=(40, 37, 33), seed=0, **columns):
    """Random walks s0, s1, ... of these lengths, over whole-number times."""
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": np.arange(n), "y": np.cumsum(rng.normal(size=n)) + 10 * i})
        for i, n in enumerate(lengths)
    ]
    return pd.concat(parts, ignore_index=True).assign(**columns)


def same(a, b, frames=FRAMES):
    """Two backtests tell the same, to the last bit."""
    for name in frames:
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)


def of(kind):
    """Calls of ``Walk`` that fit, or that predict, since the test began."""
    return [call for call in Walk.calls if call[0] == kind]
