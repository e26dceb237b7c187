"""Tables of files and back: every digit, missing values and times with offsets."""

import numpy as np
import pandas as pd
import pytest

from tsformers import DataError
from tsformers.data.files.read import read_table
from tsformers.data.files.table_file import FileOptions
from tsformers.data.files.write import write_table


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_written_table_is_read_back_to_the_last_digit(tmp_path, rng, suffix):
    days = pd.date_range("2024-01-01", periods=20)
    frame = pd.DataFrame({"unique_id": ["NA"] * 20, "ds": days, "y": rng.normal(size=20) * 1e-7})
    frame.loc[3, "y"] = np.nan
    write_table(frame, tmp_path / f"a.{suffix}")
    again = read_table(tmp_path / f"a.{suffix}").frame
    again["ds"] = pd.to_datetime(again["ds"])
    pd.testing.assert_frame_equal(again, frame, check_exact=True, check_dtype=False)


@pytest.mark.parametrize(("suffix", "format"), [("parquet", None), ("jsonl", None), ("csv", None), ("jsonl", "jsonl")])
def test_without_a_suffix_the_first_bytes_show_the_format(tmp_path, suffix, format):
    frame = pd.DataFrame({"unique_id": ["a"], "n": [1], "y": [0.5]})
    write_table(frame, tmp_path / f"a.{suffix}")
    (tmp_path / "bare").write_bytes((tmp_path / f"a.{suffix}").read_bytes())
    again = read_table(tmp_path / "bare", FileOptions(format=format)).frame
    pd.testing.assert_frame_equal(again, frame, check_dtype=False)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "there is no such file"),
        ("a.csv", b"  \n", "a.csv is empty"),
        ("a.parquet", b"PAR1 and no more", "cannot be read as Parquet"),
        ("a.jsonl", b"{oops", "is no JSON"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / name)


def test_places_that_cannot_be_written_are_named(tmp_path):
    frame = pd.DataFrame({"y": [1.0]})
    with pytest.raises(DataError, match="its suffix names no format"):
        write_table(frame, tmp_path / "a.txtx")
    with pytest.raises(DataError, match="cannot be written"):
        write_table(frame, tmp_path / "nowhere" / "a.csv")
    with pytest.raises(DataError, match="there is no format 'xls'"):
        write_table(frame, tmp_path / "a", "xls")


def test_json_lines_keep_every_digit_and_what_is_missing(tmp_path):
    frame = pd.DataFrame({"unique_id": ["a", "b"], "ds": [1, 2], "y": [0.1 + 0.2, np.nan], "z": [1e-300, 1e300]})
    write_table(frame, tmp_path / "a.jsonl")
    again = read_table(tmp_path / "a.jsonl").frame
    pd.testing.assert_frame_equal(again, frame, check_exact=True, check_dtype=False)
