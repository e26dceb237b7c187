"""Reader: rows as columns, whatever is in them."""

import math

import numpy as np
import pandas as pd
import pytest

from tsformers.anomaly.decisions import INVALID, OFF_GRID, TESTED
from tsformers.anomaly.row_reader import Reader
from tsformers.calendar.grid import parse
from tsformers.data.dataframes import Schema
from tsformers.errors import DataError

ROWS = [
    {"unique_id": "a", "ds": "2024-01-01", "y": 1.5},
    {"unique_id": "b", "ds": "2024-01-01T12:00", "y": None},
    {"unique_id": "a", "ds": "soon", "y": 1},
    {"unique_id": None, "ds": "2024-01-02", "y": 1},
    {"unique_id": "a", "ds": "2024-01-03", "y": 1e200},
]


@pytest.mark.parametrize("of_frame", [False, True])
def test_rows_and_frames_are_read_alike(of_frame):
    reader = Reader(Schema(), parse("D"), 1)
    columns = reader.frame(pd.DataFrame(ROWS, dtype=object)) if of_frame else reader.rows(ROWS)
    # noon is a phase of its own, which only the series can reject
    assert columns.status.tolist() == [TESTED, TESTED, INVALID, INVALID, INVALID]
    assert columns.position[1] == columns.position[0] and columns.phase[1] != columns.phase[0]
    assert [bool(reason) for reason in columns.why] == [False, False, True, True, True]
    assert columns.values[0, 0] == 1.5 and math.isnan(columns.values[1, 0]) and math.isnan(columns.values[4, 0])


def test_a_day_that_no_month_starts_at_is_off_the_grid():
    columns = Reader(Schema(), parse("MS"), 1).rows([{"unique_id": "a", "ds": "2024-02-17", "y": 1.0}])
    assert columns.status.tolist() == [OFF_GRID]


def test_times_are_read_or_are_not_a_time():
    assert np.isnat(Reader(Schema(), parse("D"), 1).times(["2024-01-01", "soon"])).tolist() == [False, True]


def test_a_frame_without_a_column_is_refused():
    with pytest.raises(DataError, match="the rows have no column 'load'"):
        Reader(Schema(past=("load",)), parse("D"), 1).frame(pd.DataFrame(ROWS))
