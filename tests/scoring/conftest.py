"""What the tests of score() share: daily series, and a forecast of their last days."""

import numpy as np
import pandas as pd
import pytest

from tsformers.data.forecast import Forecast
from tsformers.scoring.table import METRICS

N, S, H, PAST = 3, 25, 4, 30
IDS = pd.Index(["a", "b", "c"])
STAMPS = pd.date_range("2024-02-20", periods=PAST + H, freq="D")
EVERY = [*METRICS, "coverage_80", "interval_80", "quantile_0.9"]


@pytest.fixture
def values(rng):
    """(N, past and future) values with a gap in each."""
    made = rng.lognormal(1, 0.5, (N, PAST + H))
    made[1, 4] = made[2, PAST + 1] = np.nan
    return made


@pytest.fixture
def forecast(rng):
    times = np.tile(STAMPS[PAST:].to_numpy(), (N, 1))
    return Forecast(IDS, times, rng.lognormal(1, 0.5, (N, S, H)), freq="D", joint=True)


def long(values, columns=slice(None), ids=IDS, stamps=STAMPS):
    part = values[:, columns]
    times = np.tile(stamps[columns], len(ids))
    return pd.DataFrame({"unique_id": ids.repeat(part.shape[1]), "ds": times, "y": part.ravel()})
