"""How long do classical forecasters take for one series, beside statsforecast and statsmodels, and how much memory?

statsforecast is looked for in this Python, else in the one that the variable STATSFORECAST_PYTHON names.
"""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

from benchmarks.size import memory
from benchmarks.timing import Row, compare, take_turns, without_peer

ROWS, SEASON, HORIZON, REPEATS = 100, 12, 12, 5
WORKER = Path(__file__).with_name("statsforecast_worker.py")
PYTHON = "STATSFORECAST_PYTHON"
CASES: dict[str, tuple[str, dict[str, Any], int, str, str]] = {  # class, settings, series of a turn, goal, peer
    "AutoETS": ("AutoETS", {}, 12, ">= 12 series/s (83 ms)", "AutoETS"),
    "AutoARIMA": ("AutoARIMA", {}, 4, ">= 2 series/s (500 ms)", "AutoARIMA"),
    "Theta, standard": ("Theta", {}, 100, ">= 1x", "Theta"),
    "Theta, dynamic": ("Theta", {"method": "dynamic"}, 100, ">= 300 series/s (3.3 ms)", "DynamicOptimizedTheta"),
    "HoltWinters": ("HoltWinters", {}, 20, ">= 1x", "HoltWinters"),
    "SeasonalNaive": ("SeasonalNaive", {}, 1000, ">= 1x", "SeasonalNaive"),
}
FEW, MANY = 1_000, 10_000  # series
STATSMODELS = {"ETSModel (A,Ad,A)": 4, "ETSModel (M,Ad,M)": 4, "SARIMAX (0,1,1)(0,1,1)": 2}
BESIDE = {"ETSModel (A,Ad,A)": "AutoETS", "ETSModel (M,Ad,M)": "AutoETS", "SARIMAX (0,1,1)(0,1,1)": "AutoARIMA"}


def run() -> Iterator[Row]:
    """Fit and predict of each forecaster with its defaults, one thread; then the grid of theta, and memory."""
    y = simulated(max(case[2] for case in CASES.values()))
    ours = {name: ours_of(name, y) for name in CASES}
    turns: dict[str, np.ndarray] = {}
    with TemporaryDirectory() as folder:
        np.save(Path(folder) / "y.npy", y)
        with Peer(Path(folder) / "y.npy") as peer:
            for name, (_, _, count, goal, theirs) in CASES.items():
                what = f"{name}: fit and predict a monthly series of {ROWS} rows"
                if not peer.found:
                    turns[name] = take_turns(ours[name], repeats=REPEATS)[0] / count
                    yield without_peer(what, turns[name], "statsforecast", "statsforecast, or set " + PYTHON, goal)
                    continue
                mine, other = take_turns(ours[name], peer.call(theirs, count), repeats=REPEATS)
                turns[name] = mine / count
                yield compare(what, mine / count, f"statsforecast {theirs}", other / count, goal)
    for name, count in STATSMODELS.items():
        other = take_turns(statsmodels_of(name, y[:count]), repeats=3)[0] / count
        own = BESIDE[name]
        yield compare(f"{own}, all forms, beside the fit of one", turns[own], f"statsmodels {name}", other, ">= 1x")
    yield grid_of_theta(y)
    yield from memory_rows()


def simulated(n_series: int) -> np.ndarray:
    """(N, ROWS) positive monthly series: growth, a multiplicative season, autocorrelated noise."""
    rng, month = np.random.default_rng(0), np.arange(ROWS)
    size, growth = np.exp(rng.normal(5, 1, (n_series, 1))), rng.normal(0.004, 0.004, (n_series, 1))
    season = rng.normal(0, 0.15, (n_series, SEASON))[:, month % SEASON]
    noise = np.zeros((n_series, ROWS))
    shocks = rng.normal(0, 0.05, (n_series, ROWS))
    for t in range(ROWS):
        noise[:, t] = 0.6 * noise[:, t - 1] + shocks[:, t]
    return np.asarray(size * np.exp(growth * month + season + noise))


def frame_of(y: np.ndarray) -> pd.DataFrame:
    """A long frame of series (N, T)."""
    months = pd.date_range("2010-01-01", periods=y.shape[1], freq="MS")
    ids = np.repeat([f"s{i:05d}" for i in range(len(y))], y.shape[1])
    return pd.DataFrame({"unique_id": ids, "ds": np.tile(months, len(y)), "y": y.ravel()})


def ours_of(name: str, y: np.ndarray) -> Callable[[], object]:
    """Fit and predict of the first series."""
    import tsformers as tsf

    kind, settings, count, _, _ = CASES[name]
    panel = tsf.Panel.from_frame(frame_of(y[:count]))

    def call() -> None:
        model = getattr(tsf, kind)(horizon=HORIZON, n_jobs=1, seed=0, verbose=False, **settings)
        model.fit(panel).predict()

    return call


def statsmodels_of(name: str, y: np.ndarray) -> Callable[[], object]:
    """Fit of one form, and intervals, by the classes of statsmodels with their defaults."""

    def call() -> None:
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel
        from statsmodels.tsa.statespace.sarimax import SARIMAX

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for series in y:
                if name.startswith("SARIMAX"):
                    fitted = SARIMAX(series, order=(0, 1, 1), seasonal_order=(0, 1, 1, SEASON)).fit(disp=0)
                    fitted.get_forecast(HORIZON).conf_int(0.2)
                else:
                    kind = "add" if "A,Ad" in name else "mul"
                    form = {"error": kind, "trend": "add", "damped_trend": True, "seasonal": kind}
                    fitted = ETSModel(series, **form, seasonal_periods=SEASON).fit(disp=0)
                    fitted.simulate(HORIZON, anchor="end", repetitions=100)

    return call


def grid_of_theta(y: np.ndarray) -> Row:
    """The dynamic theta model on a fixed grid of alpha and theta, all series in one call."""
    from tsformers.forecasters.local.theta_kernels import dynamic_grid

    offsets = ROWS * np.arange(len(y) + 1)
    seconds = take_turns(lambda: dynamic_grid(y.ravel(), offsets, HORIZON), repeats=REPEATS)[0] / len(y)
    return compare("Theta, dynamic, on a grid: a series", seconds, "allowed", 1e-4, ">= 10,000 series/s (0.1 ms)")


def memory_rows() -> Iterator[Row]:
    """Peak memory beyond the panel, a series, of few and of many series."""
    for model in ("SeasonalNaive", "Theta", "HoltWinters"):
        each = []
        for count in (FEW, MANY):
            words = [sys.executable, "-P", "-m", "benchmarks.local", model, str(count)]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            each.append(json.loads(done.stdout.splitlines()[-1]))
        what = f"{model}: memory beyond the panel, fit and quantiles of {MANY:,} series"
        yield compare(what, each[1], f"{FEW:,} series", each[0], "flat", "MiB")


def measure(model: str, n_series: int) -> float:
    """Peak MiB beyond what the process held with the panel in memory and the kernels compiled."""
    import tsformers as tsf

    settings = {"horizon": HORIZON, "seed": 0, "verbose": False, "n_jobs": 1}
    levels = (0.1, 0.5, 0.9)
    getattr(tsf, model)(**settings).fit(frame_of(simulated(2))).predict(quantiles=levels)
    panel = tsf.Panel.from_frame(frame_of(simulated(n_series)))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again from what is held now
    before = memory("VmRSS")
    getattr(tsf, model)(**settings).fit(panel).predict(quantiles=levels, n_samples=1000)
    return memory("VmHWM") - before


class Peer:
    """statsforecast in a process of its own, which times nothing: it answers when a call is done."""

    def __init__(self, data: Path) -> None:
        python = sys.executable if find_spec("statsforecast") else os.environ.get(PYTHON)
        self.found = python is not None
        words = [str(python), "-P", str(WORKER), "times", str(data), str(SEASON), str(HORIZON)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) if self.found else None

    def call(self, model: str, count: int) -> Callable[[], object]:
        """Fit and forecast of the first series by one of its classes."""

        def ask() -> None:
            assert self.process and self.process.stdin and self.process.stdout
            self.process.stdin.write(f"{model} {count}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
            if answer != "done":
                raise RuntimeError(f"statsforecast {model}: {answer or 'its process ended'}")

        return ask

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process and self.process.stdin:
            self.process.stdin.close()
            self.process.wait(timeout=10)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
