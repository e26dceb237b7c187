"""Tables written frame by frame: the bytes of the whole, and a file is whole or not there."""

import os
import threading

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tsformers.data.files.write import write_table
from tsformers.errors import DataError

FRAME = pd.DataFrame({"unique_id": list("aabb"), "ds": pd.date_range("2024-01-01", periods=4), "y": [0.1, 2, 3, 4]})


def parts():
    return (FRAME.iloc[i : i + 2] for i in (0, 2))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_frames_are_the_whole_table(tmp_path, suffix):
    write_table(parts(), tmp_path / f"parts.{suffix}")
    write_table(FRAME, tmp_path / f"whole.{suffix}")
    if suffix == "parquet":
        found = pd.read_parquet(tmp_path / "parts.parquet")
        pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "whole.parquet"))
    else:
        assert (tmp_path / f"parts.{suffix}").read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"parts.{suffix}", f"whole.{suffix}"])


def test_ids_of_parquet_are_stored_once_a_row_group(tmp_path):
    write_table(parts(), tmp_path / "a.parquet")
    found = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert found.num_row_groups == 2
    assert all("RLE_DICTIONARY" in found.row_group(k).column(0).encodings for k in range(2))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_failure_leaves_what_was_there(tmp_path, suffix):
    target = tmp_path / f"a.{suffix}"
    target.write_text("before")

    def frames():
        yield FRAME
        raise ValueError("the model failed")

    with pytest.raises(ValueError, match="the model failed"):
        write_table(frames(), target)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_link_and_its_rights_stay(tmp_path):
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "real.csv").chmod(0o640)
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_table(parts(), tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert len(pd.read_csv(tmp_path / "real.csv")) == 4
    assert (tmp_path / "real.csv").stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "a.csv").read_text()))
    reader.start()
    write_table(parts(), tmp_path / "a.csv")
    reader.join(10)
    assert found[0].count("\n") == 5


def test_frames_that_differ_and_folders_that_are_not_there_are_refused(tmp_path):
    frames = [FRAME, FRAME.assign(y="text")]
    with pytest.raises(DataError, match="one Parquet schema"):
        write_table(iter(frames), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="cannot be written"):
        write_table(iter(frames), tmp_path / "none" / "a.csv")
