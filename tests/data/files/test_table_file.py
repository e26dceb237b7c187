"""Markers of missing values mean the same in every kind of file and in a stream."""

import json

import pytest

from tsformers.data.files.read import read_table
from tsformers.data.files.table_file import MISSING

WORLD_BANK = ["..", "..."]


@pytest.mark.parametrize("marker", WORLD_BANK)
def test_dots_are_missing_in_text_and_json(marker, tmp_path):
    (tmp_path / "a.csv").write_text(f"year,y\n2001,1.5\n2002,{marker}\n2003,2\n")
    rows = [{"year": "2001", "y": 1.5}, {"year": "2002", "y": marker}, {"year": "2003", "y": 2}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("a.csv", "a.jsonl"):
        assert read_table(tmp_path / name).numbers("y").isna().tolist() == [False, True, False]
    assert marker in MISSING
