import pandas as pd
import pytest

from tsformers import DataError
from tsformers.calendar.timestamps import looks_like_times, read_times
from tsformers.places import Places

HOURS = pd.date_range("2023-01-01", periods=24 * 40, freq="h")


def read(texts, **keywords):
    return read_times(pd.Series(texts, dtype=object), "ds", Places(), text_file=True, **keywords)


def ranges(stamps, form, gap=" - ", end=None, length="1h"):
    return [f"{a:{form}}{gap}{a + pd.Timedelta(length):{end or form}}" for a in stamps]


@pytest.mark.parametrize(
    ("form", "gap", "end"),
    [
        *[(form, gap, None) for form in ("%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S") for gap in (" - ", " \u2013 ", " to ")],
        *[("%d.%m.%Y %H:%M", " - ", "%H:%M"), ("%d/%m/%Y %H:%M:%S", " - ", None), ("%Y-%m-%dT%H:%MZ", "/", None)],
    ],
)
def test_the_beginning_of_a_range_is_the_time(form, gap, end):
    texts = ranges(HOURS, form, gap, end)
    times = read(texts)
    assert (times.counts.view("M8[ns]") == HOURS.as_unit("ns").to_numpy()).all()
    assert times.form.write(times.counts, times.tz).tolist() == texts
    assert "the beginning of each range" in times.form.describe()
    assert times.form.parse(pd.Series(texts), times.tz)[0].tolist() == times.counts.tolist()
    assert looks_like_times(pd.Series(texts), True)


def test_a_day_is_the_beginning_of_a_week():
    days = pd.date_range("2023-01-02", periods=30, freq="7D")
    texts = ranges(days, "%Y-%m-%d", length="6D")
    assert read(texts).form.write(read(texts).counts, None).tolist() == texts


def test_a_zone_tells_a_repeated_hour_apart():
    hours = pd.date_range("2023-10-28", "2023-11-05", freq="h", tz="Europe/Berlin")
    times = read(ranges(hours, "%d.%m.%Y %H:%M"), tz="Europe/Berlin")
    assert (times.counts == hours.as_unit("ns").asi8).all()
    written = times.form.write(times.counts, times.tz)
    assert written[26] == "29.10.2023 02:00+02:00 - 29.10.2023 02:00+01:00"
    assert (read(written, tz="Europe/Berlin").counts == times.counts).all()


def test_two_readings_of_a_range_are_offered_with_codes_that_work():
    texts = ranges(HOURS[:100], "%d.%m.%Y %H:%M")
    with pytest.raises(DataError, match="can be read in 2 ways") as caught:
        read(texts)
    assert "--time-format '%d.%m.%Y %H:%M'" in caught.value.message.text("shell")
    times = read(texts, time_format="%d.%m.%Y %H:%M")
    assert times.form.write(times.counts, None).tolist() == texts


def test_ranges_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="differ in length; leave the beginning alone in the column"):
        read(["01.01.2023 - 31.01.2023", "01.02.2023 - 28.02.2023", "01.03.2023 - 31.03.2023"])


def test_what_is_no_range_is_refused_by_row():
    texts = ranges(HOURS, "%d.%m.%Y %H:%M")
    texts[30] = texts[30][:16]
    with pytest.raises(DataError, match="does not fit"):
        read(texts)
