"""A forecaster in a plug-in file."""

import pytest

PLUGIN = """
import numpy as np
from dataclasses import dataclass
from tsformers.forecasters.local.base import LocalForecaster

@dataclass(kw_only=True, repr=False, eq=False)
class Level(LocalForecaster):
    '''Forecasts one level for ever.'''
    level: float = 0.0

    def fit_one(self, y, season):
        return {}

    def simulate(self, params, y, start, horizon, n_samples, rng):
        return np.full((n_samples, horizon), self.level)

FORECASTERS = {"level": Level}
"""


@pytest.fixture
def plugin(tmp_path):
    """The path of a file that offers the forecaster "level"."""
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path
