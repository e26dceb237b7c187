"""panel.reading: what was read, for a reader in Python and in a shell."""

import numpy as np
import pandas as pd
import pytest

from tsformers.calendar.grid import parse
from tsformers.data.intake.reading import step_of
from tsformers.data.panel import Panel


def test_it_tells_roles_step_span_missing_rows_season_and_what_is_left_out():
    days = pd.date_range("2024-01-01", periods=28).delete([5, 6])
    data = pd.DataFrame({"shop": "a", "day": days, "sales": 1.0, "remark": "ok"})
    reading = Panel.from_frame(data, id_col="shop").reading
    assert str(reading).splitlines() == [
        "1 series (column 'shop'), target 'sales', every day ('day') from 2024-01-01 to 2024-01-28; 2 of 28 rows are "
        "missing; season 7",
        "left out: 'remark' (text)",
    ]
    assert reading.lines("read a.csv: separator ';'")[0] == "read a.csv: separator ';'"
    with pytest.raises(AttributeError):
        reading.n_rows = 1


def test_a_sparse_daily_grid_offers_bins_in_each_tongue():
    days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-20"])
    reading = Panel.from_frame(pd.DataFrame({"day": days, "sales": 1.0})).reading
    assert "85% of the days are missing" in str(reading) and "resample='W-MON'" in str(reading)
    assert "--resample W-MON" in reading.lines(tongue="shell")[-1]


def test_snapped_stamps_are_reported():
    stamps = pd.date_range("2024-01-01", periods=6, freq="min") + pd.to_timedelta([0, 0, 0.2, 0, 0, 0], unit="s")
    assert "beside the grid" in str(Panel.from_frame(pd.DataFrame({"time": stamps, "load": np.arange(6.0)})).reading)


def test_what_lies_after_the_histories_is_not_counted():
    data = pd.DataFrame({"unique_id": "a", "ds": range(4), "y": 1.0, "price": 1.0})
    panel = Panel.from_frame(data, known="price").until(np.array([3]), horizon=1)
    assert panel.reading.n_rows == 3 and panel.reading.last == "2"


@pytest.mark.parametrize(
    ("freq", "words"),
    [
        ("2h", "every 2 hours"),
        ("B", "every business day"),
        ("ME", "every month (ME)"),
        ("2W-SUN", "every 2 weeks (2W-SUN)"),
    ],
)
def test_steps_in_words(freq, words):
    assert step_of(parse(freq)).replace("(W-SUN)", "(2W-SUN)") == words
