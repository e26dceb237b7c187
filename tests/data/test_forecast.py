"""Forecast: one distribution behind every number, in the caller's terms."""

import warnings
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import config

from tsformers import DataError
from tsformers.calendar.arithmetic import future_times
from tsformers.calendar.grid import parse
from tsformers.data.dataframes import Schema
from tsformers.data.forecast import Forecast
from tsformers.distributions.quantile_columns import quantile_columns

FINITE = st.floats(-1e12, 1e12, allow_subnormal=False)
LEVELS = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=6, unique=True).map(lambda x: tuple(sorted(x)))
ASKED = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


@pytest.fixture
def unchecked_shapes():
    """As users run it: without the shape checks of the tests, which would speak first."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


def steps(n, horizon, start=10):
    return np.tile(np.arange(start, start + horizon), (n, 1))


def forecast_of(values, ids=None, **kwargs):
    values = np.asarray(values, dtype=np.float64)
    ids = [f"s{i}" for i in range(len(values))] if ids is None else ids
    return Forecast(pd.Index(ids), steps(len(values), values.shape[2]), values, **({"freq": 1} | kwargs))


# Strategies give (values, levels): Forecasts are built in the test, since checked shapes draw random names.


@st.composite
def sampled(draw):
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 3)))
    return draw(arrays(np.float64, shape, elements=FINITE)), None


@st.composite
def quantiled(draw):
    levels = draw(LEVELS)
    shape = (draw(st.integers(1, 3)), len(levels), draw(st.integers(1, 3)))
    return draw(arrays(np.float64, shape, elements=st.floats(-1e6, 1e6))), levels


# --- quantiles -----------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.one_of(sampled(), quantiled()), ASKED)
def test_quantiles_never_cross_and_come_in_the_order_asked(drawn, asked):
    forecast = forecast_of(drawn[0], levels=drawn[1])
    found = forecast.quantile(asked)
    assert found.shape == (forecast.n_series, len(asked), forecast.horizon)
    order = np.argsort(asked, kind="stable")
    rising = found[:, order]
    assert (rising[:, 1:] >= rising[:, :-1]).all()
    for q, level in enumerate(asked):  # the answer for a level does not depend on its company (rounding aside)
        np.testing.assert_allclose(found[:, q], forecast.quantile(level)[:, 0], rtol=1e-12, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(sampled(), ASKED)
def test_quantiles_of_samples_are_numpys_linear_ones(drawn, asked):
    forecast = forecast_of(drawn[0], levels=drawn[1])
    expected = np.moveaxis(np.quantile(forecast.values, asked, axis=1), 0, 1)
    rounding = 1e-9 + 1e-15 * np.abs(forecast.values).max()  # near 0 a weighted sum keeps the error of its terms
    np.testing.assert_allclose(forecast.quantile(asked), expected, rtol=1e-12, atol=rounding)


@settings(max_examples=50, deadline=None)
@given(quantiled())
def test_held_quantiles_are_given_back_as_they_are(drawn):
    forecast = forecast_of(drawn[0], levels=drawn[1])
    np.testing.assert_array_equal(forecast.quantile(forecast.levels), forecast.values)


def test_quantiles_that_cross_are_sorted_on_the_way_in():
    forecast = forecast_of([[[3.0], [1.0], [2.0]]], levels=(0.1, 0.5, 0.9))
    assert forecast.values.ravel().tolist() == [1.0, 2.0, 3.0]


def test_beyond_the_held_levels_the_tails_are_exponential():
    levels = (0.1, 0.2, 0.8, 0.9)
    held = np.log(
        np.array([0.1, 0.2, 5.0, 10.0])
    )  # of a Laplace distribution up to its scale: exactly exponential tails
    forecast = forecast_of(held.reshape(1, 4, 1), levels=levels)
    np.testing.assert_allclose(forecast.quantile([0.01, 0.99]).ravel(), np.log([0.01, 100.0]), rtol=1e-12)
    assert forecast.quantile([0.0, 1.0]).ravel().tolist() == [-np.inf, np.inf]


def test_a_single_held_level_is_a_point_forecast():
    forecast = forecast_of([[[5.0, 6.0]]], levels=(0.3,))
    np.testing.assert_array_equal(forecast.quantile([0.0, 0.3, 1.0])[0], [[5.0, 6.0]] * 3)
    np.testing.assert_array_equal(forecast.mean, [[5.0, 6.0]])
    np.testing.assert_array_equal(forecast.cdf(np.array([[4.0, 6.0]])), [[0.0, 0.5]])


@settings(max_examples=30, deadline=None)
@given(quantiled())
def test_the_mean_of_held_quantiles_is_the_integral_of_the_quantile_function(drawn):
    forecast = forecast_of(drawn[0], levels=drawn[1])
    grid = (np.arange(20_000) + 0.5) / 20_000
    numeric = forecast.quantile(grid).mean(axis=1)
    spread = np.ptp(forecast.values, axis=1)
    tails = max((1 / np.log(b / a) for a, b in zip(forecast.levels, forecast.levels[1:], strict=False)), default=0)
    steep = 1 + sum(1 / np.log((1 - a) / (1 - b)) for a, b in zip(forecast.levels, forecast.levels[1:], strict=False))
    assert (np.abs(forecast.mean - numeric) <= 1e-6 + 1e-3 * spread * (1 + tails + steep)).all()


@pytest.mark.parametrize("levels", [-0.1, 1.1, np.nan, [], [0.5, 2.0], np.ones((1, 2))])
def test_levels_outside_the_unit_interval_are_refused(levels):
    with pytest.raises(ValueError, match=r"levels must be numbers in \[0, 1\]"):
        forecast_of(np.ones((1, 2, 1))).quantile(levels)


def test_an_interval_is_central_and_the_median_in_its_middle(rng):
    forecast = forecast_of(rng.normal(size=(2, 101, 3)))
    lower, upper = forecast.interval(0.8)[:, 0], forecast.interval(0.8)[:, 1]
    np.testing.assert_allclose(lower, np.sort(forecast.values, axis=1)[:, 10], rtol=1e-12)
    np.testing.assert_allclose(upper, np.sort(forecast.values, axis=1)[:, 90], rtol=1e-12)
    np.testing.assert_array_equal(forecast.median, np.median(forecast.values, axis=1))
    np.testing.assert_array_equal(forecast.mean, forecast.values.mean(axis=1))
    with pytest.raises(ValueError, match="coverage"):
        forecast.interval(90.0)


# --- PIT -----------------------------------------------------------------------------------------------------------


def test_pit_of_samples_counts_ties_half_and_leaves_missing_values_missing():
    forecast = forecast_of([[[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 2.0, 2.0], [5.0, 5.0, 5.0, 5.0]]])
    np.testing.assert_array_equal(forecast.cdf(np.array([[2.0, 3.0, np.nan, 9.0]])), [[0.5, 0.75, np.nan, 1.0]])


def test_pit_needs_one_value_a_series_and_step(unchecked_shapes):
    with pytest.raises(ValueError, match=r"\(1, 2\); got shape \(2,\)"):
        forecast_of(np.ones((1, 3, 2))).cdf(np.ones(2))


@settings(max_examples=50, deadline=None)
@given(quantiled(), st.floats(0.0005, 0.9995))
def test_pit_undoes_the_quantile_function_where_that_is_not_flat(drawn, level):
    forecast = forecast_of(drawn[0], levels=drawn[1])
    y = forecast.quantile(level)[:, 0]
    around = forecast.quantile([level - 1e-4, level, level + 1e-4])
    rising = (np.diff(around, axis=1) > 1e-6 * (1 + np.abs(y[:, None]))).all(axis=1)
    np.testing.assert_allclose(forecast.cdf(y)[rising], level, atol=2e-4)


@settings(max_examples=50, deadline=None)
@given(st.one_of(sampled(), quantiled()), st.lists(st.floats(-2e6, 2e6), min_size=2, max_size=2))
def test_pit_rises_with_y_from_zero_to_one(drawn, pair):
    forecast = forecast_of(drawn[0], levels=drawn[1])
    low, high = (forecast.cdf(np.full(forecast.times.shape, y)) for y in sorted(pair))
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low <= high + 1e-12).all()


def test_pit_of_a_flat_stretch_is_its_middle():
    forecast = forecast_of([[[0.0], [1.0], [1.0], [2.0]]], levels=(0.1, 0.4, 0.6, 0.9))
    assert forecast.cdf(np.array([[1.0]])).item() == pytest.approx(0.5)
    heap = forecast_of([[[0.0], [0.0], [3.0]]], levels=(0.1, 0.4, 0.9))  # four tenths of all mass lie at zero
    assert heap.cdf(np.array([[0.0]])).item() == pytest.approx(0.2)
    assert heap.cdf(np.array([[-1.0]])).item() == 0.0


def test_pit_of_a_calibrated_forecast_is_uniform(rng):
    forecast = forecast_of(rng.normal(size=(200, 400, 10)))
    pit = forecast.cdf(rng.normal(size=(200, 10)))
    assert np.abs(np.quantile(pit, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.03


# --- sums ----------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(sampled())
def test_the_sum_of_groups_of_one_changes_nothing(drawn):
    forecast = forecast_of(drawn[0], levels=drawn[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = forecast.sum({name: name for name in forecast.ids})
    pd.testing.assert_index_equal(alone.ids, forecast.ids)
    np.testing.assert_array_equal(alone.values, forecast.values)
    np.testing.assert_array_equal(alone.times, forecast.times)


def test_sums_add_draw_by_draw_within_each_group(rng):
    values = rng.normal(size=(4, 5, 2))
    forecast = forecast_of(values, ids=["a", "b", "c", "d"], joint=True)
    pairs = forecast.sum(pd.Series({"d": "west", "a": "east", "c": "east", "b": "west", "zzz": "north"}))
    assert list(pairs.ids) == ["east", "west"]
    np.testing.assert_allclose(pairs.values, np.stack([values[0] + values[2], values[1] + values[3]]), rtol=1e-12)
    total = forecast.sum()
    assert list(total.ids) == ["total"]
    np.testing.assert_allclose(total.values[0], values.sum(axis=0), rtol=1e-12)
    assert total.joint


def test_groups_may_be_numbers_tuples_or_categories(rng):
    forecast = forecast_of(rng.normal(size=(2, 3, 1)), joint=True)
    assert forecast.sum({"s0": 7, "s1": 7}).ids.tolist() == [7]
    assert forecast.sum(pd.Series(["x", "x"], index=["s0", "s1"], dtype="category")).ids.tolist() == ["x"]
    assert forecast.sum({"s0": ("a", 1), "s1": ("a", 1)}).ids.tolist() == [("a", 1)]


def test_a_sum_over_series_that_are_not_joint_warns():
    with pytest.warns(UserWarning, match="treats the series as independent"):
        forecast_of(np.ones((2, 3, 1))).sum()


def test_what_cannot_be_added_is_refused():
    with pytest.raises(ValueError, match="quantiles of different series cannot be added"):
        forecast_of(np.ones((2, 1, 1)), levels=(0.5,)).sum()
    with pytest.raises(ValueError, match="series 's1' has no group"):
        forecast_of(np.ones((2, 3, 1))).sum({"s0": "x"})
    apart = Forecast(pd.Index(["a", "b"]), np.array([[1], [2]]), np.ones((2, 3, 1)))
    with pytest.raises(ValueError, match="'b' and 'a' are forecast for different stamps"):
        apart.sum()


# --- construction --------------------------------------------------------------------------------------------------


def test_nan_and_infinity_are_refused_by_name():
    values = np.ones((3, 4, 2))
    values[1, 2, 1] = np.inf
    with pytest.raises(ValueError, match="series 's1' is inf at step 2"):
        forecast_of(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": pd.Index(["a", "a"])}, "'a' is there twice"),
        ({"times": np.array([[2, 1], [1, 2]])}, "stamps of series 'a' do not increase"),
        ({"times": steps(2, 3)}, "times has shape"),
        ({"levels": (0.1, 0.1, 0.5)}, "strictly increasing"),
        ({"levels": (0.0, 0.5, 0.9)}, "inside"),
        ({"levels": (0.5,)}, "3 numbers"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change, message, unchecked_shapes):
    parts = {"ids": pd.Index(["a", "b"]), "times": steps(2, 2), "values": np.ones((2, 3, 2))} | change
    with pytest.raises(ValueError, match=message):
        Forecast(**parts)


def test_a_forecast_cannot_be_changed_and_does_not_lock_the_callers_array():
    values = np.ones((1, 3, 2))
    forecast = forecast_of(values)
    assert np.shares_memory(forecast.values, values)
    with pytest.raises(ValueError, match="read-only"):
        forecast.values[0, 0, 0] = 2.0
    with pytest.raises(FrozenInstanceError):
        forecast.freq = "D"
    values[0, 0, 0] = 1.0  # the caller's own array stays writable


def test_select_keeps_the_order_asked(rng):
    forecast = forecast_of(rng.normal(size=(4, 3, 2)))
    part = forecast.select(np.array([3, 1]))
    assert list(part.ids) == ["s3", "s1"]
    np.testing.assert_array_equal(part.values, forecast.values[[3, 1]])
    assert forecast.select(np.array([True, False, False, True])).n_series == 2
    assert forecast.select([]).n_series == 0
    assert len(part) == 2
    assert forecast.samples is not None
    assert repr(part) == "Forecast(2 series, 2 steps of 1, 3 draws)"


# --- frames --------------------------------------------------------------------------------------------------------


def test_the_frame_has_the_callers_column_names_and_one_row_a_step():
    schema = Schema(id_col="shop", time_col="week", target_col="sales")
    frame = forecast_of(np.arange(12.0).reshape(2, 3, 2), schema=schema).to_frame(quantiles=(0.5, 0.025))
    assert list(frame.columns) == ["shop", "week", "mean", "q0.5", "q0.025"]
    assert frame["shop"].tolist() == ["s0", "s0", "s1", "s1"]
    assert frame["week"].tolist() == [10, 11, 10, 11]
    assert frame["mean"].tolist() == [2.0, 3.0, 8.0, 9.0]


@settings(max_examples=20, deadline=None)
@given(sampled(), ASKED)
def test_the_frame_holds_what_the_methods_return(drawn, asked):
    forecast = forecast_of(drawn[0], levels=drawn[1])
    frame = forecast.to_frame(quantiles=asked)
    np.testing.assert_array_equal(frame["mean"], forecast.mean.ravel())
    assert len(frame) == forecast.n_series * forecast.horizon
    last = dict(zip(quantile_columns(asked), asked, strict=True))
    assert list(frame.columns) == ["unique_id", "ds", "mean", *last]
    for name, level in last.items():
        np.testing.assert_allclose(frame[name], forecast.quantile(level).ravel(), rtol=1e-12, atol=1e-9)


def test_the_frame_comes_in_the_callers_own_type():
    values = np.ones((1, 2, 2))
    assert isinstance(forecast_of(values, schema=Schema(backend="polars")).to_frame(), pl.DataFrame)
    assert isinstance(forecast_of(values, schema=Schema(backend="pyarrow")).to_frame(), pa.Table)


def test_the_future_of_a_day_with_a_clock_change_is_right():
    last = np.array(["2024-03-30T23:00"], dtype="datetime64[ns]")  # midnight in Berlin, the day clocks go forward
    schema = Schema(tz="Europe/Berlin")
    hourly = future_times(last, 3, parse("h", "Europe/Berlin"))
    frame = Forecast(pd.Index(["a"]), hourly, np.ones((1, 2, 3)), freq="h", schema=schema).to_frame()
    assert [str(stamp) for stamp in frame["ds"]] == [
        "2024-03-31 01:00:00+01:00",
        "2024-03-31 03:00:00+02:00",
        "2024-03-31 04:00:00+02:00",
    ]
    daily = future_times(last, 2, parse("D", "Europe/Berlin"))
    frame = Forecast(pd.Index(["a"]), daily, np.ones((1, 2, 2)), freq="D", schema=schema).to_frame()
    assert [str(stamp) for stamp in frame["ds"]] == ["2024-04-01 00:00:00+02:00", "2024-04-02 00:00:00+02:00"]


@pytest.mark.parametrize("name", ["mean", "q0.5"])
@pytest.mark.parametrize("role", ["id_col", "time_col"])
def test_a_column_of_the_caller_is_never_overwritten_by_one_of_the_answer(name, role):
    forecast = forecast_of(np.ones((2, 3, 1)), schema=Schema(**{role: name}))
    with pytest.raises(
        DataError, match=rf"column '{name}' of the data has the name of a column of the forecast; rename"
    ):
        forecast.to_frame()
    if name == "q0.5":
        assert forecast.to_frame(quantiles=(0.1,)).columns.tolist().count(name) == 1


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["x"], "groups has 1 names for 2 series; pass one for each"),
        ("x", "groups='x' does not say which series belong together; pass a dict"),
        (7, "groups=7 does not say"),
        ([None, "x"], "series 's0' has no group"),
    ],
)
def test_groups_that_do_not_fit_the_series_are_refused(groups, message, unchecked_shapes):
    with pytest.raises(ValueError, match=message):
        forecast_of(np.ones((2, 3, 1))).sum(groups)


def test_the_frequency_may_be_named_or_come_as_the_grid_of_a_panel():
    times = np.array([["2024-01-31", "2024-02-29"]], dtype="M8[ns]")
    parts = {"ids": pd.Index(["a"]), "times": times, "values": np.ones((1, 2, 2)), "schema": Schema(tz="Europe/Berlin")}
    named, given = Forecast(freq="M", **parts), Forecast(grid=parse("ME"), **parts)
    assert named.grid == given.grid == parse("ME", "Europe/Berlin") and named.freq == "ME"
    assert replace(given, values=np.zeros((1, 2, 2))).grid == given.grid
    assert Forecast(**parts).freq is None
    with pytest.raises(DataError, match="freq='x' is no frequency"):
        Forecast(freq="x", **parts)
