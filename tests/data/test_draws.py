import numpy as np
import pandas as pd
import pytest

from tsformers.data.draws import drawn
from tsformers.data.forecast import Forecast

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture
def forecast(rng):
    values = np.sort(rng.normal(size=(2, 3, 4)), axis=1)
    return Forecast(pd.Index(["a", "b"]), np.arange(8).reshape(2, 4), values, levels=LEVELS, freq=1)


def test_draws_have_the_quantiles_of_the_forecast(forecast):
    draws = drawn(forecast, 1001, salt=0)
    assert draws.levels is None and draws.values.shape == (2, 1001, 4) and draws.grid == forecast.grid
    np.testing.assert_allclose(draws.quantile(LEVELS), forecast.values, atol=0.02)


def test_the_order_of_draws_depends_on_the_id_and_the_salt_alone(forecast):
    draws = drawn(forecast, 50, salt=0).values
    np.testing.assert_array_equal(drawn(forecast.select([1, 0]), 50, salt=0).values, draws[[1, 0]])
    assert not np.array_equal(drawn(forecast, 50, salt=1).values, draws)


def test_draws_come_back_unchanged(forecast):
    draws = drawn(forecast, 50, salt=0)
    assert drawn(draws, 7, salt=3) is draws
