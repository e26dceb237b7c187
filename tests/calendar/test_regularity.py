import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.data.panel import Panel


def panel_of(*stamps, **keywords):
    frames = [pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": 1.0}) for i, ds in enumerate(stamps)]
    return Panel.from_frame(pd.concat(frames, ignore_index=True), **keywords)


def dates(freq, periods=20, start="2024-01-01"):
    return pd.date_range(start, periods=periods, freq=freq)


@pytest.mark.parametrize(
    ("stamps", "given", "own"),
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
def test_a_declared_frequency_that_does_not_fit_is_refused_and_the_fitting_one_named(stamps, given, own):
    with pytest.raises(
        DataError, match=rf"column 'ds' of series 's0'.*row \d+.*freq='.*pass freq='{own}'.*leave freq= out"
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


def test_more_than_jitter_is_refused_with_the_step_to_resample_to(rng):
    stamps = dates("h", 60) + pd.to_timedelta(rng.integers(-40, 41, 60), unit="s")
    with pytest.raises(DataError, match=r"series 's0'.*at row \d+ is off the grid.*pass resample='h' to make one row"):
        panel_of(stamps)
    assert panel_of(stamps.round("h")).freq == "h"


def test_one_stamp_off_the_grid_is_named_by_its_row_in_the_callers_frame():
    stamps = dates("h", 30).to_series().reset_index(drop=True)
    stamps[7] += pd.Timedelta("61s")
    with pytest.raises(DataError, match=r"2024-01-01 07:01:01 at row 22 is off the grid"):
        panel_of(stamps[::-1])


def test_months_counted_from_another_day_are_refused_with_the_way_to_month_starts():
    with pytest.raises(
        DataError, match=r"off the grid.*pass resample='MS' to make one row.*total with aggregate='sum'"
    ):
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
    with pytest.raises(DataError, match=r"'s0'.*at row 7 and .*at row 8 fall on one step of 'D'; pass resample='D'"):
        panel_of(first.insert(8, first[7] + pd.Timedelta("1h")), freq="D")


def test_hours_of_a_clock_without_zone_are_duplicates_in_autumn_and_the_remedy_is_named():
    stamps = pd.date_range("2024-10-26", periods=72, freq="h", tz="Europe/Berlin").tz_localize(None)
    with pytest.raises(DataError, match=r"2024-10-27 02:00:00 .* row 26 and again at row 27.*tz='Europe/Berlin'"):
        panel_of(stamps)


@pytest.mark.parametrize("coarse", ["MS", "ME", "BME", "BMS", "QS-JAN", "QE-DEC", "YS-JAN", "BQE-DEC"])
@pytest.mark.parametrize(("fine", "rows"), [("D", 400), ("h", 3000), ("15min", 9000), ("D", 20)])
@pytest.mark.parametrize("periods", [20, 9])
def test_a_monthly_series_among_finer_ones_is_refused_by_name_though_months_differ_in_length(
    coarse, fine, rows, periods
):
    stamps = dates(coarse, periods)
    with pytest.raises(DataError, match=rf"series 's1' steps by '{coarse}' from row {rows} on, not by '{fine}' as"):
        panel_of(dates(fine, rows), stamps)


@pytest.mark.parametrize("coarse", ["BMS", "BME", "BQE-DEC"])
def test_a_business_monthly_series_among_business_days_is_refused(coarse):
    with pytest.raises(DataError, match=rf"series 's1' steps by '{coarse}' from row 400 on, not by 'B' as"):
        panel_of(dates("B", 400), dates(coarse, 12))


@pytest.mark.parametrize("coarse", ["MS", "ME", "QS-JAN", "YE-DEC", "BME"])
@pytest.mark.parametrize("rows", [3, 5, 36])
@pytest.mark.parametrize("fine", ["D", "h"])
def test_a_monthly_panel_declared_finer_than_it_is_hears_its_own_frequency(coarse, rows, fine):
    message = rf"series 's0' steps by '{coarse}' .*not by freq='{fine}'; pass freq='{coarse}' or leave freq= out"
    with pytest.raises(DataError, match=message):
        panel_of(dates(coarse, rows), dates(coarse, rows), freq=fine)


def test_months_are_refused_under_the_daily_frequency_of_an_earlier_fit():
    panel = panel_of(dates("D", 100))
    months = pd.DataFrame({"unique_id": "s0", "ds": dates("MS"), "y": 1.0})
    with pytest.raises(DataError, match=r"series 's0' steps by 'MS' from row 0 on, not by fit's freq='D'; fit such"):
        panel.like(months)


def test_the_middle_of_each_month_is_a_coarser_calendar_too_and_lacking_months_do_not_hide_it():
    with pytest.raises(DataError, match=r"series 's1' steps by about 31 x 'D' from row 400 on"):
        panel_of(dates("D", 400), dates("MS", 12) + pd.Timedelta(days=14))
    with pytest.raises(DataError, match=r"series 's1' steps by .* from row 400 on"):
        panel_of(dates("D", 400), dates("MS", 20)[[0, 2, 5, 6, 9, 14]])


@pytest.mark.parametrize("coarse", ["SMS", "SME"])
def test_half_months_among_days_are_refused(coarse):
    with pytest.raises(DataError, match=r"series 's1' steps by about 1[456](\.5)? x 'D' from row 400 on"):
        panel_of(dates("D", 400), dates(coarse, 24))


def test_days_of_a_clock_that_changes_are_days_among_hours():
    hours, days = (
        pd.date_range("2024-03-25", periods=n, freq=f, tz="Europe/Berlin") for n, f in ((200, "h"), (9, "D"))
    )
    with pytest.raises(DataError, match="series 's1' steps by 'D' from row 200 on, not by 'h'"):
        panel_of(hours, days)


@given(st.integers(0, 100_000), st.floats(0.2, 1.0), st.integers(2, 12), st.booleans())
@settings(max_examples=50, deadline=None)
def test_days_of_which_up_to_four_in_five_lack_at_random_are_accepted(seed, kept, n_series, dense):
    rng = np.random.default_rng(seed)
    days = dates("D", 150)
    stamps = [days[np.append(0, np.flatnonzero(rng.random(150) < kept))].unique() for _ in range(n_series)]
    panel = panel_of(*stamps, *([days] if dense else []), freq="D")
    assert panel.n_series == n_series + dense and (~np.isnan(panel.y)).sum() == sum(map(len, stamps)) + 150 * dense


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.3])
def test_thousands_of_sparse_series_of_a_few_rows_are_accepted(rng, share):
    days = dates("D", 365)
    rows = [days[np.flatnonzero(rng.random(365) < share)] for _ in range(400)]
    panel = panel_of(*[row for row in rows if len(row)], freq="D")
    assert panel.n_series >= 390


@pytest.mark.parametrize("weekdays", [(0, 2, 4), (0, 3), (1, 3), (0, 1), (5, 6)])
def test_a_series_of_some_weekdays_may_stand_among_days(weekdays):
    days = dates("D", 300)
    panel = panel_of(days, days[days.day_of_week.isin(weekdays)])
    assert panel.freq == "D" and panel.n_series == 2
