"""Forecasts and what happened, from files of any dialect and form of time."""

import pandas as pd
import pytest

from tsformers.data.files.read import read_table
from tsformers.errors import DataError
from tsformers.scoring.forecast_file import read_actual, read_forecast
from tsformers.scoring.table import score


@pytest.fixture
def file(tmp_path):
    """Writes a table and reads it."""

    def put(name: str, text: str):
        (tmp_path / name).write_text(text)
        return read_table(tmp_path / name)

    return put


def mae(forecast, actual) -> float:
    return float(score(forecast, read_actual(actual, forecast), metrics=["mae"])["value"].iloc[0])


def test_ids_stay_text_and_times_in_other_forms_meet(file):
    answer = read_forecast(file("f.csv", "unique_id,ds,mean,q0.5\n007,2024-01-29,9,1\n7,2024-01-29,9,2\n"))
    assert answer.ids.tolist() == ["007", "7"]
    actual = file("y.csv", "Title\nshop;day;sold\n7;29.01.2024;4,0\n007;29.01.2024;2,0\n")
    values = read_actual(actual, answer, id_col="shop")
    assert score(answer, values, metrics=["mae"])["value"].tolist() == [1.5]


def test_a_table_without_ids_is_that_of_the_one_series(file):
    answer = read_forecast(file("f.csv", "unique_id,date,q0.5\ncalls,2024-01-29,1\ncalls,2024-01-30,2\n"))
    assert mae(answer, file("y.csv", "date,calls\n2024-01-29,2\n2024-01-30,4\n")) == 1.5


def test_offsets_are_compared_as_moments(file):
    answer = read_forecast(file("f.csv", "unique_id,ds,q0.5\na,2024-01-29T00:00:00+01:00,1\n"))
    assert mae(answer, file("y.csv", "unique_id,ds,y\na,2024-01-28T23:00:00Z,4\n")) == 3


def test_numbers_as_ids_meet_their_texts(file):
    answer = read_forecast(file("f.csv", "unique_id,ds,q0.5\n1,2024-01-29,1\n2,2024-01-29,1\n"))
    typed = pd.DataFrame({"unique_id": [1, 2], "ds": pd.to_datetime(["2024-01-29"] * 2), "y": [3.0, 5.0]})
    assert mae(answer, typed) == 3


def test_a_line_of_the_file_is_named(file):
    answer = read_forecast(file("f.csv", "unique_id,ds,q0.5\na,1,1\na,2,1\n"))
    with pytest.raises(DataError, match="line 3"):
        mae(answer, file("y.csv", "unique_id,ds,y\na,1,3\na,1,4\n"))
    with pytest.raises(DataError, match="line 3"):
        mae(answer, file("z.csv", "unique_id,ds,y\na,1,3\na,2,oops\n"))
