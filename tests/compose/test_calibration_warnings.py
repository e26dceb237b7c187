"""What is said of few windows and of forecasts that cannot be widened, in every tongue."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import tsformers as tsf
from tsformers.compose.calibration_warnings import warn_of_calibration
from tsformers.compose.held_out import HeldOut
from tsformers.compose.level_maps import LEVEL, calibrate, coverage_table
from tsformers.compose.window_plan import WindowPlan


def said(n_windows, n_series, room, width=1.0, asked=20):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(n_windows, n_series, 2))
    values = np.tile((width * norm.ppf(LEVEL))[None, None, :, None], (n_windows, n_series, 1, 2))
    held = HeldOut(values, truth, pd.RangeIndex(n_series))
    codes = np.full(n_series, -1)
    plan = WindowPlan(n_windows, 2, np.arange(n_series), room)
    maps = calibrate(held, codes, 0, 2)
    table = coverage_table(held, maps.pit, codes, 0, 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_calibration("Mine", held, maps, plan, table, asked, stacklevel=2)
    return [one.message for one in caught]


def test_enough_windows_are_not_spoken_of():
    assert said(20, 100, 20) == []


def test_a_number_that_the_series_have_room_for_is_offered():
    (message,) = said(20, 4, 1000)
    assert isinstance(message, tsf.DataWarning)
    number = int(str(message).rpartition("windows=")[2])
    assert 80 < number < 200
    assert f"--set windows={number}" in message.message.text("shell")


def test_without_room_other_ways_are_named():
    (message,) = said(8, 1, 9)
    assert "8 held-out windows of 1 series, 2 rows apart (20 were asked for, the series are too short)" in str(message)
    assert "worth 8 independent ones" in str(message) and "the series are long enough for 9: pool" in str(message)


@pytest.mark.parametrize("width", [0.0, 1e-6])
def test_what_no_level_widens_is_named(width):
    texts = [str(message) for message in said(20, 100, 20, width)]
    assert any(("no width" if width == 0 else "lie beyond all quantiles") in text for text in texts)
