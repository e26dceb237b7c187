"""Models and series for backtests."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from tsformers.data.forecast import Forecast

FRAMES = ("scores", "forecasts")


class Walk(BaseEstimator):
    """Draws around the last value; ``calls`` keeps the arguments of every copy."""

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
    """Each test starts without calls."""
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
    """Two backtests agree to the last bit."""
    for name in frames:
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)


def of(kind):
    """Calls of ``Walk`` that fit, or that predict, since the test began."""
    return [call for call in Walk.calls if call[0] == kind]
