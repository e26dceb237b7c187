"""Isolated absurd values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tsformers as tsf
from tsformers.errors import DataWarning
from tsformers.forecasters.local.absurd import absurd_cells


def walk(n=120, seed=0):
    return 4200 + np.random.default_rng(seed).normal(0, 30, n).cumsum()


@pytest.mark.parametrize("row", [0, 1, 60, 118, 119])
@pytest.mark.parametrize("factor", [10, 1000, -10, 1e9])
def test_a_typo_is_found_wherever_it_stands(row, factor):
    y = walk()
    y[row] *= factor
    assert np.flatnonzero(absurd_cells(y)).tolist() == [row]


def test_a_lost_signal_and_a_typo_are_both_found_among_missing_values():
    y = walk()
    y[[3, 50]] = np.nan
    y[[20, 90]] = -9e9, 1e7
    assert np.flatnonzero(absurd_cells(y)).tolist() == [20, 90]


@pytest.mark.parametrize(
    "y",
    [
        np.r_[walk(60), 1e6 + walk(60)],  # a change of level
        np.r_[walk(118), [1e6, 1.1e6]],  # one that begins: two values in a row
        np.exp(np.arange(40.0)),  # growth
        np.where(np.arange(60) % 7 == 0, 300.0, 0.0) + np.eye(60)[30] * 9000,  # counts of two values
        np.full(40, 5.0),
        np.r_[walk(10), 1e9],  # too short to tell
        np.r_[walk(46), walk()[45] + 200],  # a jump that the next row may confirm
        np.where(np.arange(48) % 12 == 11, 9000.0, walk(48)),  # a month of each year
        np.exp(2 * np.random.default_rng(3).normal(size=90)),  # heavy tails
        np.r_[np.zeros(45), np.arange(15.0), 5e3, np.arange(15.0)],  # mostly the same value
        np.random.default_rng(0).standard_t(2, 500),
    ],
)
def test_what_may_be_true_stays(y):
    assert not absurd_cells(y).any()


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(1e-9, 1e9), shift=st.floats(-5, 5), row=st.integers(0, 119))
def test_units_and_origins_do_not_matter(scale, shift, row):
    y = walk()
    y[row] *= 50
    np.testing.assert_array_equal(absurd_cells((y + 1e4 * shift) * scale), absurd_cells(y))


@pytest.mark.parametrize("row", [0, 1, 7, 12, 13])
@pytest.mark.parametrize("value", [0.0, -9999.0, 43_000.0])
def test_a_lost_signal_in_few_rows_is_found(row, value):
    y = walk(14)
    y[row] = value
    assert np.flatnonzero(absurd_cells(y)).tolist() == [row]


def test_a_lost_signal_inside_the_range_of_a_trend_is_found():
    y = 100 + 9.0 * np.arange(100) + np.random.default_rng(0).normal(0, 5, 100)
    y[70] = 0.0
    assert np.flatnonzero(absurd_cells(y)).tolist() == [70]


def test_whole_numbers_of_few_values_have_typos_too():
    y = np.random.default_rng(1).integers(3, 8, 60).astype(float)
    y[59] = 500
    assert np.flatnonzero(absurd_cells(y)).tolist() == [59]


@pytest.mark.parametrize("rows", [[117, 119], [116, 118], [2, 119], [40, 41], [0, 1]])
def test_two_lost_rows_are_found_in_daily_data(rows):
    y = walk()
    y[rows] = 0.0
    assert np.flatnonzero(absurd_cells(y, (7, 365))).tolist() == rows


def test_two_lost_rows_inside_are_found_and_two_at_the_end_are_a_change_of_level():
    y = walk()
    y[[50, 51]] = 0.0
    assert np.flatnonzero(absurd_cells(y)).tolist() == [50, 51]
    y = walk()
    y[[20, 118, 119]] = 0.0
    assert np.flatnonzero(absurd_cells(y)).tolist() == [20]


def test_events_of_each_year_stay_where_the_season_is_a_year():
    y = walk(800)
    y[[30, 396, 760]] = 9e3
    assert absurd_cells(y).sum() == 3
    assert not absurd_cells(y, (7, 365)).any()


@pytest.mark.parametrize("row", [13, 118, 119])
@pytest.mark.parametrize("kind", [tsf.HoltWinters, tsf.Theta])
def test_a_model_takes_an_absurd_cell_for_missing_and_names_it(kind, row):
    y = walk()
    data = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024-01-01", periods=120), "y": y})
    missing = data.assign(y=np.where(np.arange(120) == row, np.nan, y))
    absurd = data.assign(y=np.where(np.arange(120) == row, 0.0, y))
    model = kind(horizon=9, seed=0, n_jobs=1)
    with pytest.warns(DataWarning, match=f"1 isolated value .*0 of series 'a' at {data.ds[row]:%Y-%m-%d}"):
        came = model.fit(absurd).predict()
    np.testing.assert_array_equal(came.samples, model.fit(missing).predict().samples)
    with pytest.warns(DataWarning, match="isolated"):
        model.fit(data).predict(absurd)


@pytest.mark.parametrize("row", [0, 1, 17, 34, 35])
@pytest.mark.parametrize("value", [0.0, -99.0])
def test_a_lost_signal_within_the_swings_of_a_season_is_found(row, value):
    y = 200 + 30 * np.sin(np.arange(36) * np.pi / 6) + np.random.default_rng(0).normal(0, 4, 36)
    y[row] = value
    assert np.flatnonzero(absurd_cells(y, (12,))).tolist() == [row]


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1.0, 5.0])
@pytest.mark.parametrize("rows", [36, 37, 47, 59])
def test_seasons_with_trends_have_no_absurd_cell(rows, noise):
    t = np.arange(rows)
    pattern = np.array([5.0, 1, 2, 4, 3, 9, 6, 2, 7, 8, 3, 90])[t % 12]
    e = np.random.default_rng(rows).normal(0, noise, rows)
    for y in (
        3 * t + pattern + e,
        (50 + t) * pattern + e,
        30 ** (t / 40) * pattern * np.exp(e / 20),
        pattern - 8 * t + e,
    ):
        assert not absurd_cells(y, (12,)).any()
