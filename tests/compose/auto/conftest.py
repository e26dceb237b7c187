"""Cheap members with known forecasts, and a clock that only they move."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from tsformers.catalog import find_class
from tsformers.compose.auto import budget, candidates
from tsformers.data.forecast import Forecast
from tsformers.data.panel import Panel
from tsformers.nn.heads.quantile import LEVELS


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock(monkeypatch):
    """Time stands still but for what fake members take."""
    fake = Clock()
    monkeypatch.setattr(budget, "CLOCK", fake)
    monkeypatch.setattr(Fake, "clock", fake)
    monkeypatch.setattr(Fake, "calls", 0)
    return fake


@dataclass(kw_only=True, repr=False, eq=False)
class Fake(BaseEstimator):
    """The last value plus ``bias`` steps of noise, with spread ``width``; a fit takes ``seconds`` of the fake clock."""

    horizon: int
    bias: float = 0.0
    width: float = 1.0
    seconds: float = 0.0
    fails: str = ""  # "fit", "later" (on all data), "nan", "interrupt", "interrupt later"
    seed: int | None = None

    clock = None
    calls = 0

    def fit(self, data, y=None, **roles):
        panel = Panel.from_frame(data, **{key: value for key, value in roles.items() if key != "short"})
        rows = len(panel.y)
        Fake.calls += 1
        later = rows == getattr(Fake, "rows", None)
        if Fake.clock is not None:
            Fake.clock.seconds += self.seconds
        if self.fails == "fit" or (self.fails == "later" and later):
            raise RuntimeError("out of luck")
        if self.fails == "interrupt" or (self.fails == "interrupt later" and later):
            raise KeyboardInterrupt
        self.panel_ = panel
        return self

    def predict(self, data=None, *, n_samples=100, seed=None, **more):
        panel = self.panel_ if data is None else self.panel_.like(data)
        last = panel.y[panel.ends - 1]
        noise = np.random.default_rng(self.seed).normal(size=(1, 1, self.horizon)) * 0.01
        offsets = self.width * (np.array(LEVELS) - 0.5)[None, :, None]
        values = last[:, None, None] + self.bias + offsets + noise
        if self.fails == "nan":
            values = values * np.nan
        return Forecast(panel.ids, panel.future_times(self.horizon), values, levels=LEVELS, grid=panel.grid)


@pytest.fixture
def fakes(monkeypatch, clock):
    """``Fake`` is a name that candidates may have."""
    monkeypatch.setattr(candidates, "find_class", lambda name: Fake if name == "Fake" else find_class(name))
    return Fake


def walk(n_series=2, rows=80, seed=0):
    """Random walks: the last value is the best forecast, the seasonal naive one is poor."""
    rng = np.random.default_rng(seed)
    frames = [
        pd.DataFrame({"unique_id": f"w{i}", "ds": range(rows), "y": 50 + rng.normal(size=rows).cumsum()})
        for i in range(n_series)
    ]
    Fake.rows = n_series * rows
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def frame():
    """Two random walks of 80 rows."""
    return walk()
