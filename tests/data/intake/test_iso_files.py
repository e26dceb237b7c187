"""ISO 8601 text of files comes back as it came in, that of frames as datetimes; epochs are shown as dates."""

import numpy as np
import pandas as pd
import pytest

import tsformers as tsf
from tsformers.data.files.read import read_table

HOURS = pd.date_range("2024-03-30", periods=72, freq="h")


def written(tmp_path, times):
    pd.DataFrame({"ds": times, "y": np.arange(len(times)) % 24.0}).to_csv(tmp_path / "a.csv", index=False)
    return read_table(tmp_path / "a.csv")


def forecast(data, **roles):
    panel = tsf.Panel.from_frame(data, **roles)
    answer = tsf.SeasonalNaive(horizon=2, season_length=24, seed=0).fit(panel).predict()
    return panel, answer.to_frame()["ds"].tolist()


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y%m%dT%H%M"])
def test_a_file_gets_its_own_spelling_and_a_frame_datetimes(tmp_path, form):
    later = pd.date_range("2024-04-02", periods=2, freq="h")
    table = written(tmp_path, HOURS.strftime(form))
    panel, times = forecast(table)
    assert times == later.strftime(form).tolist()
    assert panel.reading.first == HOURS[0].strftime(form)
    _, typed = forecast(pd.DataFrame({"ds": HOURS.strftime(form), "y": np.arange(72) % 24.0}))
    assert pd.DatetimeIndex(typed).tz_localize(None).tolist() == later.tolist()


def test_naive_times_of_a_file_with_a_zone_come_back_with_offsets_and_days_as_days(tmp_path):
    zoned = pd.date_range("2024-03-29", periods=72, freq="h", tz="Europe/Berlin").tz_localize(None)
    panel, times = forecast(written(tmp_path, zoned.strftime("%Y-%m-%d %H:%M")), tz="Europe/Berlin")
    assert times == ["2024-04-01 01:00+02:00", "2024-04-01 02:00+02:00"]
    assert "in Europe/Berlin" in str(panel.reading)
    days = pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d")
    assert forecast(written(tmp_path, days), tz="Europe/Berlin")[1] == ["2024-03-01", "2024-03-02"]


def test_a_frame_that_follows_a_file_gets_datetimes_and_a_file_its_own_text(tmp_path):
    table = written(tmp_path, HOURS.strftime("%Y-%m-%dT%H:%MZ"))
    model = tsf.SeasonalNaive(horizon=1, season_length=24, seed=0).fit(tsf.Panel.from_frame(table))
    frame = pd.DataFrame({"ds": HOURS.tz_localize("UTC"), "y": np.arange(72) % 24.0})
    assert model.predict(frame).to_frame()["ds"].tolist() == [pd.Timestamp("2024-04-02", tz="UTC")]
    assert model.predict(table).to_frame()["ds"].tolist() == ["2024-04-02T00:00Z"]


@pytest.mark.parametrize(("tz", "first"), [(None, "2024-03-30 00:00:00+00:00"), ("Asia/Tokyo", "2024-03-30 09:00")])
def test_epochs_are_shown_as_dates_and_answered_as_epochs(tmp_path, tz, first):
    seconds = HOURS.as_unit("s").asi8
    panel, times = forecast(written(tmp_path, seconds), tz=tz)
    assert times == [str(seconds[-1] + 3600), str(seconds[-1] + 7200)]
    assert panel.reading.first.startswith(first.removesuffix(" 00:00:00+00:00"))
    assert panel.reading.last.startswith("2024-04-01 23:00:00+00:00" if tz is None else "2024-04-02 08:00:00+09:00")
