import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.calendar.grid import parse
from tsformers.calendar.jitter import snap
from tsformers.data.panel import Panel

SECOND = 10**9


def snapped(stamps, tz=None, freq=None):
    index = pd.DatetimeIndex(stamps)
    code, unique = pd.factorize(index.as_unit("ns").asi8, sort=True)
    grid = None if freq is None else parse(freq, tz)
    code, unique, note = snap(code, np.asarray(unique), np.array([0, len(index)]), tz, grid)
    return unique[code], note


def off(freq, seconds, periods=60, **zone):
    late = pd.to_timedelta([seconds.get(k, 0) for k in range(periods)], unit="s")
    return pd.date_range("2024-05-01 12:00", periods=periods, freq=freq, **zone) + late


def test_a_few_late_stamps_are_moved_and_counted():
    moved, note = snapped(off("min", {5: 0.3, 17: 0.2, 30: -0.25, 41: 0.1}))
    np.testing.assert_array_equal(moved, off("min", {}).as_unit("ns").asi8)
    assert note == "4 stamps lay up to 0.3 s beside the grid and were moved onto it"


@pytest.mark.parametrize(("freq", "most"), [("min", 0.6), ("h", 36), ("D", 864), ("30s", 0.3), ("15min", 9)])
def test_the_limit_is_a_hundredth_of_the_step(freq, most):
    regular = off(freq, {}).as_unit("ns").asi8
    np.testing.assert_array_equal(snapped(off(freq, {7: most * 0.99}))[0], regular)
    left, _ = snapped(off(freq, {7: most * 1.01, 9: most / 2}))
    assert left[7] != regular[7] and left[9] == regular[9]


def test_stamps_that_are_all_late_by_a_little_lie_on_the_full_minute(rng):
    late = {k: float(late) for k, late in enumerate(rng.uniform(-0.2, 0.2, 60))}
    np.testing.assert_array_equal(snapped(off("min", late))[0], off("min", {}).as_unit("ns").asi8)


def test_a_phase_of_its_own_stays():
    stamps = off("h", {9: 1}) + pd.Timedelta("7min")
    np.testing.assert_array_equal(snapped(stamps)[0], (off("h", {}) + pd.Timedelta("7min")).as_unit("ns").asi8)


def test_days_are_snapped_on_the_clock_of_their_zone():
    days = pd.date_range("2024-03-02 12:00", periods=60, freq="D", tz="Europe/Berlin")
    stamps = days + pd.to_timedelta([{3: 2, 40: -5}.get(k, 0) for k in range(60)], unit="s")
    np.testing.assert_array_equal(snapped(stamps, "Europe/Berlin", "D")[0], days.as_unit("ns").asi8)
    np.testing.assert_array_equal(snapped(stamps, "Europe/Berlin")[0], days.as_unit("ns").asi8)


@given(st.lists(st.integers(1, 10**12), min_size=2, max_size=20))
def test_nothing_moves_further_than_a_hundredth_of_the_longest_step_and_no_stamps_meet(steps):
    stamps = np.cumsum(np.array(steps, dtype=np.int64))
    moved, note = snapped(stamps.view("M8[ns]"))
    assert (np.diff(moved) > 0).all() and np.abs(moved - stamps).max() <= max(steps)
    assert (note == "") == bool((moved == stamps).all())


def test_of_a_panel_with_jitter_the_stamp_that_is_too_far_off_is_refused():
    stamps = off("min", {5: 0.3, 20: 2})
    with pytest.raises(DataError, match=r"12:20:02 at row 20 is off the grid.*resample='min'"):
        Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": stamps, "y": 1.0}))


def test_a_panel_takes_stamps_with_jitter_and_its_times_lie_on_the_grid():
    stamps = off("min", {5: 0.3, 17: 0.2})
    panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": stamps.delete(9), "y": 1.0}))
    assert panel.freq == "min" and len(panel.y) == 60
    np.testing.assert_array_equal(panel.times, off("min", {}).to_numpy(dtype="M8[ns]"))
