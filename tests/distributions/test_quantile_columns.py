"""Names of quantile columns: one a level, and the level is read back from them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsformers import Forecast, SeasonalNaive, backtest
from tsformers.distributions.quantile_columns import level_of_column, quantile_columns
from tsformers.scoring.forecast_file import read_forecast

LEVELS = (0.00001, 0.1234567, 0.1234568, 1 / 3, 0.5, 0.9999998, 0.9999999, 1 - 1e-14)


@given(st.sets(st.floats(1e-9, 1, exclude_max=True), max_size=8))
def test_different_levels_have_different_names_that_are_read_as_the_level(levels):
    ordered = sorted(levels)
    names = quantile_columns(ordered)
    assert len({*names}) == len(ordered)
    found = [level_of_column(name) for name in names]
    np.testing.assert_allclose(found, ordered, rtol=1e-15)
    assert found == sorted(found)


def test_neighbouring_numbers_have_names_of_their_own():
    levels = (0.3, float(np.nextafter(0.3, 1)), 0.7)
    assert [level_of_column(name) for name in quantile_columns(levels)] == [*levels]


@pytest.mark.parametrize(
    ("level", "name"),
    [(0, "q0"), (1, "q1"), (0.1 + 0.2, "q0.3"), (0.1 * 7, "q0.7"), (np.float32(0.1), "q0.1"), (1 / 3, f"q{1 / 3}"),
     (1e-5, "q0.00001"), (0.9999999, "q0.9999999"), (1 - 2**-53, "q0.9999999999999999")],
)  # fmt: skip
def test_a_name_has_the_digits_that_its_level_needs(level, name):
    assert quantile_columns([level]) == [name]


@pytest.mark.parametrize("name", ["q", "q1", "q0", "q0.0", "q2.5e-1x", "quantity", "Q0.5", "q.", "q3e-0"])
def test_other_columns_are_no_quantiles(name):
    assert level_of_column(name) is None


def test_a_table_of_a_forecast_is_read_back_with_its_levels():
    draws = np.random.default_rng(0).normal(size=(2, 500, 3))
    forecast = Forecast(pd.Index(["a", "b"]), np.arange(6).reshape(2, 3), draws, freq=1)
    back = read_forecast(forecast.to_frame(LEVELS))
    assert back.levels == LEVELS
    np.testing.assert_array_equal(back.values, forecast.quantile(LEVELS))


def test_a_table_with_names_of_former_versions_is_read():
    table = pd.DataFrame({"unique_id": "a", "ds": [1, 2], "q1e-05": [0.0, 1.0], "q.5": [2.0, 3.0]})
    assert read_forecast(table).levels == (1e-5, 0.5)


def test_a_backtest_keeps_a_column_for_each_level():
    data = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": np.arange(40.0) % 7})
    result = backtest(SeasonalNaive(horizon=2), data, windows=1, quantiles=LEVELS)
    columns = [name for name in result.forecasts if level_of_column(name) is not None]
    assert [level_of_column(name) for name in columns] == [*LEVELS]
    assert (result.forecasts[columns].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
