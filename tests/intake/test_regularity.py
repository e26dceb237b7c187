import numpy as np
import pandas as pd
import pytest

from tsformers import DataError
from tsformers.panel import Panel


def panel_of(*stamps, **keywords):
    frames = [pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": 1.0}) for i, ds in enumerate(stamps)]
    return Panel.from_frame(pd.concat(frames, ignore_index=True), **keywords)


def dates(freq, periods=20, start="2024-01-01"):
    return pd.date_range(start, periods=periods, freq=freq)


@pytest.mark.parametrize(
    ("stamps", "given", "seen"),
    [
        ("D", "h", "D"),
        ("h", "D", "h"),
        ("MS", "ME", "MS"),
        ("ME", "Q", "ME"),
        ("W-MON", "W", "W-MON"),
        ("W-MON", "D", "W-MON"),
        ("h", "15min", "h"),
        ("15min", "h", "15min"),
        ("B", "W", "B"),
        ("QS-JAN", "MS", "QS-JAN"),
        ("D", "B", "D"),
    ],
)
def test_a_declared_frequency_that_does_not_fit_is_refused_and_the_fitting_one_told(stamps, given, seen):
    with pytest.raises(
        DataError, match=rf"column 'ds' of series 's0'.*row \d+.*freq='.*pass freq='{seen}'.*leave freq= out"
    ):
        panel_of(dates(stamps), freq=given)


def test_a_finer_grid_with_single_steps_somewhere_is_a_grid_with_gaps():
    days = dates("D", 30).delete([3, 4, 9])
    panel = panel_of(days, freq="D")
    assert len(panel.y) == 30 and np.flatnonzero(np.isnan(panel.y)).tolist() == [3, 4, 9]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("D", "h"),
        ("h", "15min"),
        ("D", "W-SUN"),
        ("MS", "QS-JAN"),
        ("MS", "ME"),
        ("W-MON", "MS"),
        ("YE-DEC", "QE-DEC"),
        ("s", "min"),
    ],
)
@pytest.mark.parametrize("rows", [(5, 40), (20, 20), (40, 6)])
def test_two_frequencies_in_one_panel_are_refused_by_series_and_row(one, other, rows):
    with pytest.raises(DataError, match=r"column 'ds' of series 's[01]' steps by .* row \d+.*one"):
        panel_of(dates(one, rows[0]), dates(other, rows[1]))


def test_a_panel_may_hold_days_and_business_days():
    panel = panel_of(dates("D"), dates("B"))
    assert panel.freq == "D" and np.isnan(panel.y[20:]).sum() == 6


def test_a_sparse_series_is_no_other_frequency_where_rows_lack_everywhere(rng):
    days = dates("D", 400)
    kept = [days[np.sort(rng.choice(400, 120, replace=False))] for _ in range(6)]
    panel = panel_of(*kept, days[[0, 2, 4, 8]])
    assert panel.freq == "D" and panel.lengths[-1] == 9


def test_integer_series_of_another_step_are_refused():
    with pytest.raises(DataError, match=r"series 's1' steps by 10 from row 9 on, not by 1"):
        panel_of(np.arange(9), np.arange(0, 90, 10))


def test_jitter_is_refused_with_the_step_to_round_to(rng):
    stamps = dates("h", 60) + pd.to_timedelta(rng.integers(-40, 40, 60), unit="s")
    with pytest.raises(DataError, match=r"series 's0'.*at row \d+ is off the grid.*df\['ds'\]\.dt\.round\('h'\)"):
        panel_of(stamps)
    assert panel_of(stamps.round("h")).freq == "h"


def test_one_stamp_off_the_grid_is_named_by_its_row_in_the_callers_frame():
    stamps = dates("h", 30).to_series().reset_index(drop=True)
    stamps[7] += pd.Timedelta("61s")
    with pytest.raises(DataError, match=r"2024-01-01 07:01:01 at row 22 is off the grid"):
        panel_of(stamps[::-1])


def test_months_counted_from_another_day_are_refused_with_the_way_to_month_starts():
    with pytest.raises(DataError, match=r"off the grid.*to_period\('M'\)\.dt\.to_timestamp\(\)"):
        panel_of(dates("MS") + pd.Timedelta(days=14))


def test_an_integer_off_the_step_is_refused():
    with pytest.raises(
        DataError, match=r"series 's0': 17 at row 4 is off the grid of the most common step, 5; correct it"
    ):
        panel_of([0, 5, 10, 15, 17, 20, 25])


@pytest.mark.parametrize("tz", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("freq", ["h", "D", "15min"])
def test_clock_changes_make_neither_gaps_nor_jitter(tz, freq):
    periods = {"h": 9000, "D": 800, "15min": 36000}[freq]
    panel = panel_of(pd.date_range("2023-03-01", periods=periods, freq=freq, tz=tz))
    assert panel.freq == freq and len(panel.y) == periods


def test_a_daily_hour_that_a_clock_change_skips_is_no_jitter():
    stamps = pd.date_range("2024-03-20 02:30", periods=30, freq="D").tz_localize(
        "Europe/Berlin", nonexistent="shift_forward"
    )
    panel = panel_of(stamps.delete(5))
    assert panel.freq == "D" and len(panel.y) == 30 and np.isnan(panel.y).sum() == 1


def test_the_second_pass_of_a_repeated_hour_is_a_second_row_of_that_day():
    first = pd.date_range("2024-10-20 02:30", periods=14, freq="D").tz_localize(
        "Europe/Berlin", ambiguous=np.ones(14, bool)
    )
    with pytest.raises(DataError, match=r"series 's0'.*at row 7 and .*at row 8 fall on one step of 'D'; keep one"):
        panel_of(first.insert(8, first[7] + pd.Timedelta("1h")), freq="D")


def test_hours_of_a_clock_without_zone_are_duplicates_in_autumn_and_the_remedy_is_told():
    stamps = pd.date_range("2024-10-26", periods=72, freq="h", tz="Europe/Berlin").tz_localize(None)
    with pytest.raises(DataError, match=r"2024-10-27 02:00:00 stands at row 26 and again at row 27.*time zone"):
        panel_of(stamps)
