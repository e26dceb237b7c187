"""Rows of a Parquet file: marks to resume from, and files that are not the same."""

import pandas as pd
import pytest

from tsformers.errors import DataError
from tsformers.streaming import parquet_source
from tsformers.streaming.parquet_source import ParquetSource


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A file of eight rows, read three at a time."""
    monkeypatch.setattr(parquet_source, "MOST_ROWS", 3)
    pd.DataFrame({"unique_id": "a", "y": range(8)}).to_parquet(tmp_path / "a.parquet", index=False)
    return tmp_path / "a.parquet"


def read(path, mark=None, done=0):
    """Names and marks of all batches."""
    source = ParquetSource(str(path))
    found = [(list(batch.names), list(batch.marks)) for batch in source.batches(mark, done)]
    source.close()
    return [name for names, _ in found for name in names], [mark for _, marks in found for mark in marks]


def test_a_source_opened_at_a_mark_gives_the_rows_after_it(path):
    names, marks = read(path)
    assert names == [*range(1, 9)]
    for k, mark in enumerate(marks):
        assert read(path, mark, k + 1) == (names[k + 1 :], marks[k + 1 :])
        assert read(path, k + 1, k + 1)[0] == names[k + 1 :], "a mark of an earlier version"


def test_another_or_a_shorter_file_is_refused(path):
    marks = read(path)[1]
    frame = pd.read_parquet(path)
    for other in (frame[::-1], frame[:4]):
        other.to_parquet(path, index=False)
        with pytest.raises(DataError, match=r"a\.parquet is not the file that the state has read up to row 6"):
            read(path, marks[5], 6)
    path.write_text("no parquet")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        ParquetSource(str(path))
