"""A small leaderboard on a data set that statsmodels brings."""

import textwrap

import pytest

BOARD = """
kind = "leaderboard"
groups = ["small", "other"]
n_samples = 50
seeds = 2
history_rows = 40
[settings]
n_jobs = 1
[models.SeasonalNaive]
class = "SeasonalNaive"
seeds = 1
[models.Theta]
class = "Theta"
seeds = 1
panels = ["rivers"]
[models.Later]
class = "NotYetWritten"
[models.drift]
class = "mine"
[averages.Equal]
models = ["SeasonalNaive", "drift"]
"""
SMALL = """
kind = "panels"
title = "Small panels"
reference = "naive"
goal = "peer"
[panels.rivers]
dataset = "nile"
horizon = 3
season = 1
windows = 2
[panels.macrodata]
horizon = 4
season = 4
[published.naive]
rivers = { wql = 0.2, scaled_crps = 1.0 }
[published.peer]
rivers = { wql = 0.1 }
"""
OTHER = """
kind = "panels"
title = "Others"
[panels.sunspots]
horizon = 2
season = 1
"""
MINE = '''
import numpy as np
from tsformers import Forecast, Panel


class Mine:
    """The last value and noise."""

    fits = 0

    def __init__(self, horizon, seed=None):
        self.horizon, self.seed = horizon, seed

    def get_params(self, deep=True):
        return {"horizon": self.horizon, "seed": self.seed}

    def set_params(self, **params):
        vars(self).update(params)
        return self

    def fit(self, data, **roles):
        type(self).fits += 1
        self.panel_ = Panel.from_frame(data)
        return self

    def predict(self, data=None, *, future=None, static=None, n_samples=100, seed=None):
        panel = self.panel_ if data is None else Panel.from_frame(data)
        noise = np.random.default_rng(seed).normal(size=(panel.n_series, n_samples, self.horizon))
        last = np.nan_to_num(panel.padded(1)[:, 0])
        values = last[:, None, None] * (1 + 0.1 * noise)
        return Forecast(panel.ids, panel.future_times(self.horizon), values, freq=panel.freq, schema=panel.schema)


FORECASTERS = {"mine": Mine}
'''


@pytest.fixture
def folder(tmp_path):
    """A folder with board.toml, two groups and a plug-in."""
    place = tmp_path / "boards" / "tiny"
    place.mkdir(parents=True)
    for name, text in {"board.toml": BOARD, "small.toml": SMALL, "other.toml": OTHER, "mine.py": MINE}.items():
        (place / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return place
