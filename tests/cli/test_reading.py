"""Tables of series as the options of a command ask for them."""

import pandas as pd
import pytest

from tsformers.cli.options import TableInput
from tsformers.cli.reading import ids_in, read_series, roles_of
from tsformers.errors import JobError


def test_a_table_is_read_by_its_format_and_columns(here):
    (here / "a.log").write_text("shop,day,y\nNA,2024-01-01,1\n")
    table = TableInput(input_format="csv", id_col="shop", time_col="day")
    frame = read_series("a.log", table)
    assert frame["shop"].tolist() == ["NA"] and frame["day"].dtype.kind == "M"
    frame.to_parquet(here / "b.parquet")
    assert read_series("b.parquet", table, format=False)["shop"].tolist() == ["NA"]


def test_roles_name_the_columns_and_a_frequency_that_was_given():
    assert roles_of(TableInput()) == {"id_col": "unique_id", "time_col": "ds", "target_col": "y"}
    assert [roles_of(TableInput(), freq)["freq"] for freq in ("24", "15min")] == [24, "15min"]


def test_ids_are_those_of_the_table():
    frame = pd.DataFrame({"unique_id": [7, 7, 8]})
    assert ids_in(frame, "unique_id", []) is None
    assert ids_in(frame, "unique_id", ["8", "7"]) == [8, 7]
    with pytest.raises(JobError, match="--ids 9: there is no such series; there are 7, 8"):
        ids_in(frame, "unique_id", ["9"])
