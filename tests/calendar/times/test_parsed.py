import numpy as np
import pandas as pd
import pytest

from tsformers import DataError
from tsformers.calendar.timestamps import read_times
from tsformers.places import Places

ENDS = pd.date_range("2023-01-01 01:00", periods=900, freq="h")  # a meter that names the end of each hour


def ending(stamps, date, clock=" {:02d}:00", zone=""):
    day = stamps - pd.Timedelta("1h")
    return [one.strftime(date) + clock.format(one.hour + 1) + zone for one in day]


def read(texts, **keywords):
    return read_times(pd.Series(texts), "ds", Places(), text_file=True, **keywords)


@pytest.mark.parametrize("date", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%b %d, %Y", "%Y%m%d"])
@pytest.mark.parametrize("clock", [" {:02d}:00", " {:02d}:00:00"])
def test_24_00_is_midnight_of_the_next_day(date, clock):
    times = read(ending(ENDS, date, clock))
    assert (times.counts.view("M8[ns]") == ENDS.as_unit("ns").to_numpy()).all()


def test_an_offset_stands_behind_24_00():
    times = read(ending(ENDS, "%Y-%m-%dT"[:8], "T{:02d}:00:00", "+01:00"))
    assert times.tz == "UTC+01:00"
    assert (times.counts.view("M8[ns]") == (ENDS - pd.Timedelta("1h")).as_unit("ns").to_numpy()).all()


def test_days_at_24_00_only_and_a_named_form():
    texts = ["31.01.2023 24:00", "01.02.2023 24:00"]
    right = np.array(["2023-02-01", "2023-02-02"], dtype="M8[ns]")
    assert (read(texts).counts.view("M8[ns]") == right).all()
    assert (read(texts, time_format="%d.%m.%Y %H:%M").counts.view("M8[ns]") == right).all()


def test_24_30_and_25_00_are_refused():
    for odd in ("2023-01-01 24:30", "2023-01-01 25:00"):
        with pytest.raises(DataError, match="does not fit ISO 8601"):
            read(["2023-01-01 22:00", "2023-01-01 23:00", odd])
