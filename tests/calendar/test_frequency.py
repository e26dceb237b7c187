import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsformers import DataError
from tsformers.calendar.grid import parse
from tsformers.data.panel import Panel

FREQS = [
    "s",
    "min",
    "5min",
    "10min",
    "15min",
    "30min",
    "h",
    "6h",
    "D",
    "2D",
    "B",
    "W-SUN",
    "W-TUE",
    "2W-FRI",
    "MS",
    "ME",
    "BME",
    "BMS",
]
FREQS += ["2MS", "QS-JAN", "QE-DEC", "QS-FEB", "BQE-DEC", "YS-JAN", "YE-DEC", "YS-APR", "YE-JUN"]


def panel_of(*stamps, **keywords):
    frames = [pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": 1.0}) for i, ds in enumerate(stamps)]
    return Panel.from_frame(pd.concat(frames, ignore_index=True), **keywords)


@pytest.mark.parametrize("freq", FREQS)
@pytest.mark.parametrize("tz", [None, "Europe/Berlin", "America/New_York"])
def test_the_frequency_of_regular_stamps_is_inferred(freq, tz):
    if tz is not None and freq == "6h":
        tz = "UTC"  # across a clock change six hours of the wall clock are not six hours
    assert panel_of(pd.date_range("2024-01-03", periods=40, freq=freq, tz=tz)).freq == freq


@given(st.sampled_from(["15min", "h", "D", "B", "W-TUE", "MS", "ME", "QS-JAN", "YE-DEC"]), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_half_of_the_rows_missing_does_not_hide_the_frequency(freq, seed):
    kept = np.random.default_rng(seed).random((2, 120)) < 0.5
    kept[:, [0, 1, 2, 3, 4, 5, 6, 7, 8, -1]] = True
    grid = pd.date_range("2001-01-01", periods=120, freq=freq)
    panel = panel_of(grid[kept[0]], grid[kept[1]])
    assert panel.freq == parse(freq).freq and len(panel.y) == 240 and np.isnan(panel.y).sum() == (~kept).sum()


@pytest.mark.parametrize("steps", [1, 5, 7])
def test_integer_time_steps_by_its_most_common_step(steps):
    assert panel_of(np.delete(np.arange(-30, 30), [4, 9, 10]) * steps).freq == steps


def test_weekdays_alone_are_business_days_only_where_a_weekend_was_passed():
    assert panel_of(pd.date_range("2024-01-01", "2024-01-05")).freq == "D"
    assert panel_of(pd.date_range("2024-01-01", "2024-01-09", freq="B")).freq == "B"


def test_series_with_other_anchors_share_the_plain_step():
    assert (
        panel_of(pd.date_range("2024", periods=9, freq="W-MON"), pd.date_range("2024", periods=9, freq="W-THU")).freq
        == "7D"
    )
    assert (
        panel_of(pd.date_range("2024", periods=9, freq="QS-JAN"), pd.date_range("2024", periods=9, freq="QS-FEB")).freq
        == "3MS"
    )


def test_every_24_hours_is_no_day_where_the_clock_changes():
    stamps = pd.date_range("2024-03-01", periods=60, freq="24h", tz="UTC").tz_convert("Europe/Berlin")
    panel = panel_of(stamps)
    assert panel.freq == "24h" and len(panel.y) == 60


def test_a_series_of_one_row_takes_the_frequency_of_the_others():
    panel = panel_of(pd.date_range("2024", periods=5, freq="ME"), pd.DatetimeIndex(["2020-02-29"]))
    assert panel.freq == "ME" and panel.lengths.tolist() == [5, 1]


@pytest.mark.parametrize(("stamp", "example"), [(pd.Timestamp("2024-01-01"), "freq='D'"), (3, "freq=1")])
def test_single_rows_alone_need_a_frequency(stamp, example):
    with pytest.raises(DataError, match=f"no series has two rows.*{example}"):
        panel_of([stamp])
    assert panel_of([stamp], freq=1 if stamp == 3 else "D").n_series == 1


@pytest.mark.parametrize(("form", "freq"), [("%Y%m%d", "D"), ("%Y%m%d", "W-MON"), ("%Y%m", "MS"), ("%Y%m", "QS")])
@pytest.mark.parametrize("kind", [int, float, object])
def test_dates_written_as_integers_are_dates_unless_the_step_is_one_of_counts(form, freq, kind):
    stamps = pd.date_range("2023-10-01", periods=30, freq=freq)
    frame = pd.DataFrame({"unique_id": "a", "ds": stamps.strftime(form).astype(int).astype(kind), "y": 1.0})
    panel = Panel.from_frame(frame)
    assert panel.times[0] == stamps[0] and panel.freq == Panel.from_frame(frame.assign(ds=stamps)).freq
    assert panel.to_frame()["ds"].tolist() == frame["ds"].tolist()
    if freq == "D":
        assert Panel.from_frame(frame, freq=1).freq == 1


@pytest.mark.parametrize(
    "counts",
    [
        np.arange(1990, 2020),
        np.arange(202401, 202430),
        np.arange(202401, 202407),
        np.arange(20240101, 20240140),
        np.arange(0, 10**9, 10**7),
    ],
)
def test_integers_that_are_no_dates_count(counts):
    frame = pd.DataFrame({"unique_id": "a", "ds": counts, "y": 1.0})
    assert Panel.from_frame(frame).freq == counts[-1] - counts[-2]
