import pandas as pd
import pytest

from tsformers import DataError
from tsformers.calendar.times.month_names import LANGUAGES, spellings
from tsformers.calendar.timestamps import looks_like_times, read_times
from tsformers.places import Places

MONTHS = pd.date_range("2018-01-01", periods=24, freq="MS")
DAYS = pd.date_range("2024-02-25", periods=400)


def read(texts, **keywords):
    return read_times(pd.Series(texts, dtype=object), "ds", Places(), text_file=True, **keywords)


def back(texts, stamps, **keywords):
    times = read(texts, **keywords)
    assert (times.counts.view("M8[ns]") == stamps.as_unit("ns").to_numpy()).all()
    assert times.form.write(times.counts, None).tolist() == texts
    return times


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", [str, str.upper, str.lower, str.capitalize])
def test_names_of_months_of_all_spellings_come_back(language, case):
    for names in spellings(language):
        texts = [f"{case(names[stamp.month - 1])} {stamp.year}" for stamp in MONTHS]
        back(texts, MONTHS)
    assert looks_like_times(pd.Series(texts), True)


@pytest.mark.parametrize(
    "form", ["{d}. {m} {Y}", "{d:02d}. {m} {Y}", "{d}-{m}-{Y}", "{d:02d}.{m}.{Y}", "{d} de {m} de {Y}"]
)
@pytest.mark.parametrize(("language", "spelling"), [("German", 0), ("Spanish", 0), ("French", 1), ("Portuguese", 1)])
def test_days_with_names(form, language, spelling):
    names = spellings(language)[spelling]
    back([form.format(d=one.day, m=names[one.month - 1], Y=one.year) for one in DAYS], DAYS)


def test_the_time_of_day_stands_behind_a_name_and_the_zone_is_given():
    stamps = pd.date_range("2024-03-29 20:00", periods=24, freq="h")
    texts = [f"{one.day}. März 2024 {one:%H:%M}" for one in stamps]
    back(texts, stamps)
    times = read(texts, tz="Europe/Berlin")
    assert times.form.write(times.counts, times.tz)[0] == "29. März 2024 20:00+01:00"
    assert times.form.parse(pd.Series(times.form.write(times.counts, times.tz)), times.tz)[0].tolist() == [
        *times.counts
    ]


def test_short_years_and_a_form_that_was_named():
    names = ["Jan.", "Feb.", "Mär.", "Apr.", "Mai", "Jun.", "Jul.", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."]
    texts = [f"{names[one.month - 1]} {one.year % 100}" for one in MONTHS]
    assert back(texts, MONTHS).form.describe() == "months, %B %y, years 1969 to 2068 in German"
    named = [f"{one.day}. März {one.year}" for one in DAYS[5:9]]
    back(named, DAYS[5:9], time_format="%d. %B %Y")


def test_languages_are_not_mixed():
    with pytest.raises(DataError, match="does not fit") as caught:
        read(["enero 2020", "februar 2020", "marzo 2020"])
    assert "'februar 2020'" in str(caught.value)
