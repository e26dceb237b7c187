"""Outputs are checked before work, and appear when they are complete."""

import gzip
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tsformers.data.files.outputs import check_outputs
from tsformers.data.files.read import read_table
from tsformers.data.files.write import write_table
from tsformers.errors import DataError

FRAME = pd.DataFrame({"unique_id": ["a", "b"], "ds": [1, 2], "y": [0.5, np.nan]})


def test_outputs_that_cannot_be_are_refused_by_option(tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("x")
    (tmp_path / "soft.csv").symlink_to(source)
    os.link(source, tmp_path / "hard.csv")
    (tmp_path / "new.csv").symlink_to(tmp_path / "later.csv")
    for outputs, part in [
        ({"output": tmp_path / "none" / "a.csv"}, "there is no folder"),
        ({"output": source}, "is the input"),
        ({"output": tmp_path / "soft.csv"}, "is the input"),
        ({"plot": tmp_path / "hard.csv"}, "--plot"),
        ({"output": tmp_path / "later.csv", "save": tmp_path / "new.csv"}, "are one file"),
        ({"output": tmp_path}, "is a folder"),
    ]:
        with pytest.raises(DataError) as caught:
            check_outputs(outputs, [source, "-", None])
        assert part in caught.value.message.text("shell")
    check_outputs({"output": "-", "plot": None, "save": tmp_path}, [source], folders=["save"])
    check_outputs({"output": "/dev/null", "plot": "/dev/null"}, ["-"])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".csv.gz", ".csv.bz2", ".jsonl.xz", ".csv.zst"])
def test_blocks_of_rows_are_one_table(tmp_path, suffix):
    write_table((FRAME.iloc[[k]] for k in range(2)), tmp_path / f"blocks{suffix}")
    write_table(FRAME, tmp_path / f"whole{suffix}")
    one, two = (read_table(tmp_path / f"{name}{suffix}").frame for name in ("blocks", "whole"))
    pd.testing.assert_frame_equal(one, two)
    if suffix == ".parquet":
        assert pq.ParquetFile(tmp_path / "blocks.parquet").num_row_groups == 2


def test_compression_gives_the_same_bytes_at_any_time(tmp_path):
    write_table(FRAME, tmp_path / "a.csv.gz")
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode() == FRAME.to_csv(index=False)
    assert (tmp_path / "a.csv.gz").read_bytes()[4:8] == bytes(4)


def test_a_file_that_fails_leaves_the_former_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("former")

    def blocks():
        yield FRAME
        raise RuntimeError("in between")

    with pytest.raises(RuntimeError):
        write_table(blocks(), path)
    assert path.read_text() == "former" and os.listdir(tmp_path) == ["a.csv"]


def test_a_link_is_followed_and_a_device_written(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_table(FRAME, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text().startswith("unique_id")
    write_table(FRAME, "/dev/null", "csv")


def test_categories_of_blocks_keep_the_type_of_the_first(tmp_path):
    frame = FRAME.assign(unique_id=FRAME["unique_id"].astype("category"))
    write_table((frame.iloc[[k]] for k in range(2)), tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").column("unique_id").cast(pa.string()).to_pylist() == ["a", "b"]


@pytest.mark.parametrize("name", ["f.xyz", "f", "f.csv"])
def test_a_picture_of_no_kind_is_refused_before_the_work(tmp_path, name):
    with pytest.raises(DataError, match=r"names no kind of picture; end it in \.png"):
        check_outputs({"plot": tmp_path / name})
    check_outputs({"plot": tmp_path / "f.PNG", "output": tmp_path / name})


def test_ids_are_a_dictionary_in_a_parquet_file_and_each_text_stands_there_once_a_block(tmp_path):
    frame = pd.DataFrame({"unique_id": np.repeat(["a long name of a series", "another"], 500), "y": np.zeros(1000)})
    write_table((frame.iloc[i : i + 500] for i in (0, 500)), tmp_path / "a.parquet")
    found = pq.ParquetFile(tmp_path / "a.parquet").metadata
    for block in range(found.num_row_groups):
        column = found.row_group(block).column(0)
        assert column.has_dictionary_page and column.total_uncompressed_size < 200
