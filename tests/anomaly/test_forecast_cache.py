"""ForecastCache: which rows the latest forecast serves; the marginals of one step of a forecast."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers.anomaly.forecast_cache import marginals_of
from tsformers.data.forecast import Forecast


def forecast_of(values, levels=None):
    times = np.tile(np.arange(values.shape[2]), (len(values), 1))
    return Forecast(pd.RangeIndex(len(values)), times, values, levels=levels, freq=1)


@pytest.mark.parametrize("levels", [None, (0.1, 0.4, 0.6, 0.95)])
@given(seed=st.integers(0, 2**31), coverage=st.floats(0, 0.99))
@settings(max_examples=30, deadline=None)
def test_intervals_and_medians_are_those_of_the_forecast(levels, seed, coverage):
    values = np.sort(np.random.default_rng(seed).normal(size=(3, 4, 2)).round(1), axis=1)
    forecast = forecast_of(values, levels)
    marginals = marginals_of(forecast, step=1)
    lower, upper = marginals.interval(coverage)
    assert np.allclose(np.stack([lower, upper], axis=1), forecast.interval(coverage)[:, :, 1], rtol=0, atol=1e-12)
    assert np.allclose(marginals.quantile(0.5), forecast.median[:, 1], rtol=0, atol=1e-12)
