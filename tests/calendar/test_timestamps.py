import re

import numpy as np
import pandas as pd
import pytest

from tsformers import DataError
from tsformers.calendar.timestamps import TimeForm, looks_like_times, read_times
from tsformers.places import Places

FILE = Places("sales.csv", line_of=lambda row: row + 2)
ZONED = pd.date_range("2024-03-30", periods=72, freq="h", tz="Europe/Berlin")


def stamps(start, periods, freq="D", form="%Y-%m-%d"):
    return pd.Series([*pd.date_range(start, periods=periods, freq=freq).strftime(form)], dtype=object)


def read(values, places=FILE, text_file=True, **keywords):
    return read_times(pd.Series(values), "ds", places, text_file=text_file, **keywords)


def moments(times):
    index = pd.DatetimeIndex(times.counts.view("M8[ns]"))
    return index if times.tz is None else index.tz_localize("UTC").tz_convert(times.tz)


def refused(values, *facts, tongue="shell", **keywords):
    with pytest.raises(DataError) as caught:
        read(values, **keywords)
    text = caught.value.message.text(tongue)
    for fact in facts:
        assert fact in text, text
    assert "df[" not in text and "pd." not in text and "\n" not in text
    return text


QUARTERS = [(year, q) for year in (1986, 1987, 1988) for q in (1, 2, 3, 4)]


@pytest.mark.parametrize("spelling", ["{0}Q{1}", "{0}-Q{1}", "Q{1} {0}", "{0} Q{1}", "{0}q{1}", "{1}Q{0}", "T{1}-{0}"])
def test_quarters_in_every_spelling(spelling):
    in_quarters(spelling)


def in_quarters(spelling, **keywords):
    written = [spelling.format(year, q, year % 100) for year, q in QUARTERS]
    times = read(written, **keywords)
    assert list(moments(times)) == list(pd.date_range("1986-01-01", periods=12, freq="QS"))
    assert times.form.write(times.counts, None).tolist() == written
    assert "quarters such as" in times.form.describe()


@pytest.mark.parametrize(
    ("form", "freq", "start"),
    [
        *[
            (form, "MS", "1990-01-01")
            for form in ("%YM%m", "%b-%y", "%B %Y", "%Y-%m", "%b %Y", "%m/%Y", "%Y%m", "%Y %b")
        ],
        *[(form, "D", "2024-02-05") for form in ("%d.%m.%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y-%j", "%Y%m%d", "%d %B %Y")],
        *[(form, "D", "2024-02-05") for form in ("%b %d, %Y", "%d-%b-%Y", "%Y/%m/%d", "%a, %d %b %Y", "%Y%j")],
        *[(form, "h", "2024-02-12") for form in ("%Y%m%d%H", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%Y%m%d %H:%M:%S")],
        *[("%a %b %d %H:%M:%S %Y", "h", "2024-02-05"), ("%Y", "YS", "1990-01-01"), ("%G-W%V", "W-MON", "2019-11-04")],
        *[("%GW%V", "W-MON", "2019-11-04"), ("%G-W%V-%u", "D", "2019-12-20"), ("%Y%m%d%H%M", "15min", "2024-02-05")],
    ],
)
def test_patterns_are_known_by_all_values_and_written_back(form, freq, start):
    written = stamps(start, 40, freq, form)
    times = read(written)
    assert list(moments(times)) == list(pd.date_range(start, periods=40, freq=freq))
    assert times.form.write(times.counts, None).tolist() == written.tolist()


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%dT%H%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%f"]
)
@pytest.mark.parametrize("ending", ["", "Z", "+01:00", "+0100", "-05"])
def test_iso_8601_in_all_its_shapes(form, ending):
    if form == "%Y-%m-%d" and ending:
        return
    times = read([text + ending for text in stamps("2024-02-28", 60, "h", form)])
    right = pd.date_range("2024-02-28", periods=60, freq="h")
    right = right.floor("D") if form == "%Y-%m-%d" else right
    offset = {"": 0, "Z": 0, "+01:00": 1, "+0100": 1, "-05": -5}[ending]
    np.testing.assert_array_equal(times.counts, (right - pd.Timedelta(hours=offset)).as_unit("ns").asi8)
    assert times.tz == {"": None, "Z": "UTC", "-05": "UTC-05:00"}.get(ending, "UTC+01:00")


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("kind", [str, int])
def test_epochs_by_their_digits(unit, scale, kind):
    written = [kind((1704067200 + 3600 * k) * scale) for k in range(72)]
    times = read(written)
    assert list(moments(times)) == list(pd.date_range("2024-01-01", periods=72, freq="h"))
    assert times.form.write(times.counts, None).tolist() == written and not times.integer
    assert "epoch" in times.form.describe()
    assert list(moments(read(written, text_file=False))) == list(moments(times))


def test_epochs_with_a_fraction():
    for written in ([f"{1704067200 + 3600 * k}.25" for k in range(9)], [1704067200.25 + 3600 * k for k in range(9)]):
        times = read(written, text_file=False)
        assert moments(times)[1] == pd.Timestamp("2024-01-01 01:00:00.25")
        assert times.form.write(times.counts, None).tolist() == written


def test_decimal_years_are_months():
    written = [f"{1949 + k / 12:.3f}" for k in range(36)]
    times = read(written)
    assert list(moments(times)) == list(pd.date_range("1949-01-01", periods=36, freq="MS"))
    assert times.form.write(times.counts, None).tolist() == written
    assert list(moments(read([1949 + k / 12 for k in range(36)], text_file=False))) == list(moments(times))


def test_year_and_week_in_one_number_need_a_format():
    weeks = [str(n) for n in (*range(201845, 201853), *range(201901, 201905))]
    refused(weeks, "--time-format %G%V", "--time-format count")
    assert list(moments(read(weeks, time_format="%G%V"))) == list(pd.date_range("2018-11-05", periods=12, freq="W-MON"))
    assert read(weeks, time_format="count").counts.tolist() == [int(week) for week in weeks]
    refused([int(week) for week in weeks], "time_format='%G%V'", tongue="python", text_file=False)


def test_day_and_month_are_decided_by_the_whole_column_or_both_are_offered():
    twelve = [f"{k:02d}/01/2024" for k in range(1, 13)]
    refused(twelve, "--time-format %d/%m/%Y", "--time-format %m/%d/%Y", "ds", "sales.csv")
    assert moments(read(twelve, time_format="%d/%m/%Y"))[-1] == pd.Timestamp("2024-01-12")
    assert moments(read(twelve, time_format="%m/%d/%Y"))[-1] == pd.Timestamp("2024-12-01")
    assert moments(read([*twelve, "13/01/2024"]))[0] == pd.Timestamp("2024-01-01")
    assert read([*twelve, "01/13/2024"]).form.format == "%m/%d/%Y"
    refused([*twelve, "13/01/2024", "01/13/2024"], "does not fit", "line ")


def test_two_digit_years_follow_posix_and_are_said():
    times = read(["13.02.69", "14.02.68"])
    assert [stamp.year for stamp in moments(times)] == [1969, 2068]
    assert "1969 to 2068" in times.form.describe()
    refused(["01/03/02"], "--time-format %d/%m/%y", "--time-format %m/%d/%y", "--time-format %y/%m/%d")
    assert read(["01/13/02"]).form.format == "%m/%d/%y"


@pytest.mark.parametrize("form", ["%d/%m/%y", "%d.%m.%y", "%d-%m-%y", "%d/%m/%y %H:%M"])
def test_a_day_that_could_be_a_year_is_a_day_where_years_would_step_unevenly(form):
    texts = stamps("2024-01-13", 19, form=form)
    assert moments(read(texts)).tolist() == [*pd.date_range("2024-01-13", periods=19)]
    refused([f"{year}/02/01" for year in range(10, 28)], "--time-format %y/%m/%d", "--time-format %d/%m/%y")


def test_numbers_of_typed_columns_are_dates_only_where_their_steps_fit_the_calendar():
    typed = {"text_file": False}
    assert read([1990, 1991, 1992], **typed).integer and not read([1990, 1991, 1992]).integer
    assert read(range(201901, 201913), **typed).integer
    assert read([201811, 201812, 201901, 201902], **typed).form.format == "%Y%m"
    days = [int(day) for day in stamps("2024-01-20", 30, "B", "%Y%m%d")]
    assert read(days, **typed).form == TimeForm("format", "%Y%m%d")
    assert read(days, **typed).form.write(read(days, **typed).counts, None).tolist() == days
    assert read([20240131, 20240132], **typed).integer
    assert read(np.arange(5.0), **typed).integer and read([0, 5, 10]).integer


def test_a_format_that_is_given_beats_the_evidence():
    assert read(["202101", "202102"], time_format="count").counts.tolist() == [202101, 202102]
    times = read([3_600_000 * k for k in range(9)], time_format="epoch-ms")
    assert moments(times)[1] == pd.Timestamp("1970-01-01 01:00")
    assert read(["1949.5"], time_format="decimal-year").form.kind == "decimal-year"
    assert read(["2024Q1"], time_format="quarter").form.write(np.array([0]), None).tolist() == ["1970Q1"]
    assert read(["2020W15"], time_format="iso-week").form.format == "%GW%V"


def test_a_format_that_is_unknown_or_does_not_fit_is_refused():
    refused(["1"], "epoch-s, epoch-ms, epoch-us, epoch-ns, decimal-year, quarter, iso-week, count", time_format="week!")
    refused(["01.02.2024", "02.02.2024", "2024-02-03"], "'2024-02-03'", "line 4", "%d.%m.%Y", time_format="%d.%m.%Y")
    refused(pd.to_datetime(["2024-01-01"]), "leave it out", "--time-format", time_format="%Y")
    refused(["1", "2"], "leave --tz out", tz="UTC")
    refused(["2024-01-01"], "--tz Europe/Berlin", tz="Europe/Bonn")


def test_one_value_that_does_not_fit_is_named_by_line():
    for values in (["2024-01-01", "2024-02-30"], ["2024-01-01", "yesterday"], ["2021Q1", "2021Q5"], ["1", "2", "x"]):
        refused(values, repr(values[-1]), f"line {len(values) + 1}", "--time-format")
    refused(["2024-01-01", "1690-10-14"], "'1690-10-14'", "1700 to 2200")
    refused(["2024-01-01", None], "line 3", "no time")
    with pytest.raises(DataError, match="series 'b': 'x' at row 'second'"):
        read_times(pd.Series(["2024-01-01", "x"]), "ds", Places(labels=["first", "second"]), series=["a", "b"])


def test_what_fit_understood_binds_later_columns():
    form = read(["13.02.2024"]).form
    assert moments(read(["01.02.2024"], fitted=form))[0] == pd.Timestamp("2024-02-01")
    refused(["2024-02-01"], "%d.%m.%Y", "form of fit", fitted=form)
    assert read(["202101"], fitted=TimeForm("count")).integer
    typed = read(pd.to_datetime(["2024-02-01"]), fitted=form)
    assert typed.form == form and moments(typed)[0] == pd.Timestamp("2024-02-01")
    refused(pd.to_datetime(["2024-02-01"]), "whole numbers", fitted=TimeForm("count"))


def test_a_repeated_hour_is_split_by_order_within_a_series():
    stamps = pd.date_range("2023-10-27", periods=97, freq="h", tz="Europe/Berlin")
    local = pd.Series(np.tile(stamps.strftime("%Y-%m-%d %H:%M"), 2), dtype=object)
    times = read(local, tz="Europe/Berlin", series=["a"] * 97 + ["b"] * 97)
    np.testing.assert_array_equal(times.counts, np.tile(stamps.as_unit("ns").asi8, 2))
    typed = read(stamps.tz_localize(None), tz="Europe/Berlin")
    np.testing.assert_array_equal(typed.counts, stamps.as_unit("ns").asi8)
    assert typed.form.write(typed.counts, typed.tz)[0].isoformat() == "2023-10-27T00:00:00+02:00"


def test_an_hour_that_never_was_is_refused_and_a_day_without_midnight_is_not():
    refused(
        ["2024-03-31 01:00", "2024-03-31 02:30"], "'2024-03-31 02:30'", "line 3", "Europe/Berlin", tz="Europe/Berlin"
    )
    times = read(["2018-11-03", "2018-11-04", "2018-11-05"], tz="America/Sao_Paulo")
    assert [str(stamp.date()) for stamp in moments(times)] == ["2018-11-03", "2018-11-04", "2018-11-05"]


def test_changing_offsets_ask_for_a_zone_that_fits_and_are_brought_into_it():
    written = [stamp.isoformat() for stamp in ZONED]
    text = refused(written, "--tz Europe/Berlin", "line 2", "line 28")
    zones = re.findall(r"--tz (\S+?)(?:,| |$)", text)
    assert len(zones) == 3
    for zone in zones:
        assert [stamp.tz_convert(zone).isoformat() for stamp in ZONED] == written
    times = read(written, tz="Europe/Berlin")
    assert list(moments(times)) == list(ZONED)
    assert list(times.form.write(times.counts, times.tz)) == list(ZONED)


def test_a_constant_offset_is_a_zone_of_its_own():
    times = read(["2024-01-01T00:00+01:00", "2024-01-01T01:00+01:00"])
    assert times.tz == "UTC+01:00" and moments(times)[0].isoformat() == "2024-01-01T00:00:00+01:00"


@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_stamps_with_and_without_offset_are_refused_with_both_places(tz):
    plain, aware = "2024-01-01T00:00:00", "2024-01-01T01:00:00+02:00"
    refused([plain, aware], "'ds'", "offset", "line 2", "line 3", tz=tz)
    refused([aware, plain], "'ds'", "offset", "line 2", "line 3", tz=tz)
    refused(pd.Series([pd.Timestamp(plain), pd.Timestamp(aware)], dtype=object), "offset", tz=tz)


def test_text_with_a_time_of_day_comes_back_with_its_offset_where_a_zone_was_given():
    local = ZONED.strftime("%d.%m.%Y %H:%M")
    times = read(local, tz="Europe/Berlin")
    written = times.form.write(times.counts, times.tz)
    assert written[0] == "30.03.2024 00:00+01:00"
    counts, bad = times.form.parse(pd.Series(written), times.tz)
    assert not bad.any()
    np.testing.assert_array_equal(counts, times.counts)
    days = read(["30.03.2024", "31.03.2024"], tz="Europe/Berlin")
    assert days.form.write(days.counts, days.tz).tolist() == ["30.03.2024", "31.03.2024"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_datetimes_keep_their_resolution(unit):
    times = read(pd.date_range("2024-01-01", periods=3).as_unit(unit))
    assert times.unit == unit and times.form == TimeForm()
    assert list(moments(times)) == list(pd.date_range("2024-01-01", periods=3))


def test_dates_periods_and_arrow_columns_are_times():
    days = pd.date_range("2024-01-01", periods=3)
    for values in (
        pd.Series(days.date),
        pd.Series(days.date).astype("date32[pyarrow]"),
        pd.Series(days).astype("timestamp[us][pyarrow]"),
        pd.Series(days.strftime("%Y-%m-%d")).astype("string"),
        pd.Series(days.strftime("%Y-%m-%d")).astype("category"),
        pd.Series(days.to_period("D")),
    ):
        assert list(moments(read(values))) == list(days), values.dtype
    assert read(pd.Series(days.date)).form.kind == "date" and read(pd.Series(days.date)).unit == "D"
    assert read(pd.period_range("2024Q1", periods=2, freq="Q")).freq == "QS-JAN"
    with pytest.raises(DataError, match="2262"):
        read(pd.Series(np.array(["3000-01-01"], dtype="M8[s]")))


def test_the_order_of_rows_does_not_matter(rng):
    for written in (stamps("2024-01-01", 50, "D", "%d/%m/%Y"), stamps("2024-01-01", 50, "h", "%Y%m%d%H")):
        order = rng.permutation(50)
        np.testing.assert_array_equal(read(written).counts[order], read(written[order].reset_index(drop=True)).counts)


@pytest.mark.parametrize(
    ("values", "text_file", "times"),
    [
        (["2024-01-31"], True, True),
        (["31.01.2024", None], True, True),
        (["01/02/2024"], True, True),
        (["201845", "201901"], True, True),
        (["2024", "2025"], True, True),
        ([2024, 2025], False, False),
        (["a", "b"], True, False),
        (["Jan", "Feb"], True, False),
        (["1", "2"], True, False),
        ([0.5, 1.5], True, False),
        ([True, False], True, False),
        ([None, None], True, False),
        (pd.to_datetime(["2024-01-01"]), False, True),
        (["2024-01-01T00:00+01:00", "2024-07-01T00:00+02:00"], True, True),
    ],
)
def test_a_column_that_looks_like_times(values, text_file, times):
    assert looks_like_times(pd.Series(values), text_file) is times


@pytest.mark.parametrize(
    ("texts", "remedy"),
    [
        (["2240-01-01", "2240-01-02"], "--time-format %Y-%m-%d"),
        (["2199-12-31", "2240-01-01"], "--time-format %Y-%m-%d"),
        (["13.01.1690", "14.01.1690"], "--time-format %d.%m.%Y"),
        (["1600-01-01", "1600-01-02"], "--time-format count"),
        (["1600Q1", "1600Q2"], "--time-format count"),
    ],
)
def test_dates_outside_the_span_are_told_the_span_and_a_format(texts, remedy):
    text = refused(texts, "lies outside the years 1700 to 2200", remedy)
    if "count" not in text:
        assert len(read(texts, time_format=remedy.removeprefix("--time-format ")).counts) == 2


def test_a_comma_before_the_time_of_day():
    times = read(["Jan 5, 2023, 6:01:15 AM", "Jan 6, 2023, 6:01:15 PM"])
    assert [*map(str, moments(times))] == ["2023-01-05 06:01:15", "2023-01-06 18:01:15"]
    assert times.form.write(times.counts, None)[0] == "Jan 5, 2023, 6:01:15 AM"


@pytest.mark.parametrize(
    "spelling",
    [
        *(
            "{0} {1}. Quartal",
            "{1}. Quartal {0}",
            "{0} Quarter {1}",
            "Quarter {1} {0}",
            "Quarter {1}, {0}",
            "Qtr {1} {0}",
        ),
        *(
            "{1}Q{2}",
            "Q{1}-{2}",
            "Q{1} {2}",
            "Q{1}'{2}",
            "{2}Q{1}",
            "{2}-Q{1}",
            "{1}. trimestre {0}",
            "{0}, {1}. Quartal",
        ),
    ],
)
def test_quarters_in_words_and_with_short_years(spelling):
    in_quarters(spelling)


@pytest.mark.parametrize("spelling", ["FY{0}Q{1}", "FY{2}-Q{1}", "Q{1} FY{0}", "Q{1}FY{2}", "FY {0} Q{1}", "{1}QFY{2}"])
def test_quarters_of_fiscal_years_are_read_when_asked_for(spelling):
    text = refused([spelling.format(year, q, year % 100) for year, q in QUARTERS], "fiscal", "--time-format quarter")
    assert text.count("--time-format") == 1
    in_quarters(spelling, time_format="quarter")
    assert looks_like_times(pd.Series([spelling.format(1986, 1, 86)]), True)


@pytest.mark.parametrize("name", ["UTC", "(UTC)", "(GMT)", "GMT"])
@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M ", "%Y-%m-%d %H:%M "])
def test_the_name_utc_behind_a_time(name, form):
    times = read([one + name for one in stamps("2024-02-05", 400, "h", form)])
    assert times.tz == "UTC"
    assert moments(times)[3] == pd.Timestamp("2024-02-05 03:00", tz="UTC")


@pytest.mark.parametrize("name", ["CET", "(CET)", "EST"])
def test_other_names_of_zones_are_refused_with_what_to_write(name):
    refused(
        [one + name for one in stamps("2024-02-05", 400, "h", "%d.%m.%Y %H:%M ")],
        "ends in the name of a zone",
        "such as +01:00",
        "--tz",
    )
