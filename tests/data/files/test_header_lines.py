"""Lines beside the rows: several lines that may name the columns, and units."""

import pandas as pd
import pytest

from tsformers.data.files.content import Content
from tsformers.data.files.csv_file import read_csv
from tsformers.data.files.table_file import FileOptions
from tsformers.errors import DataError


def read(text, **options):
    raw = text.encode()
    return read_csv(Content("a.csv", raw, (), lambda: raw), FileOptions(**options))


def test_several_full_lines_of_names_are_refused_and_one_of_units_is_skipped():
    rows = "".join(f"{day},{k}\n" for k, day in enumerate(pd.date_range("2024-01-01", periods=20).astype(str)))
    several = "Sales,of\nby,day\nday,sales\n" + rows
    with pytest.raises(DataError, match=r"lines 1 to 3 .*skip_rows=2 if they are those of line 3, skip_rows=0 if"):
        read(several)
    assert list(read(several, skip_rows=2).frame) == ["day", "sales"]
    assert list(read(several, skip_rows=0).frame) == ["Sales", "of"]
    assert list(read("day,sales\ndate,euro\n" + rows).frame) == ["day", "sales"]
