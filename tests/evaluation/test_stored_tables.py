"""Tables of a run folder: read when asked for where they are large, in parts too, and the same as those in memory."""

import shutil

import numpy as np
import pandas as pd
import pytest

import tsformers.evaluation.gather as gather
import tsformers.forecasters.local.base as local_base
from tsformers import SeasonalNaive
from tsformers.errors import JobError
from tsformers.evaluation.report import render
from tsformers.evaluation.rolling import backtest
from tsformers.evaluation.run_folder import RunFolder

from .conftest import FRAMES, Walk, frame, same

MODELS = {"walk": Walk(), "naive": SeasonalNaive(horizon=4)}


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Any table counts as large."""
    monkeypatch.setattr(gather, "ROWS_HELD", 0)


def test_large_tables_are_read_when_asked_for_and_are_those_in_memory(tmp_path):
    whole = backtest(MODELS, frame(), windows=2)
    stored = backtest(MODELS, frame(), windows=2, out=tmp_path / "run")
    assert not {"forecasts", "scores"} & stored.tables.held.keys()
    numbers = ["model", "crps", "mase", "coverage_80", "skill", "windows", "failures"]
    pd.testing.assert_frame_equal(whole.summary()[numbers], stored.summary()[numbers], check_exact=True)
    render(stored)
    assert not {"forecasts", "scores"} & stored.tables.held.keys()  # neither summary nor report keeps them
    same(whole, stored)
    assert stored.tables["scores"] is stored.tables["scores"]
    assert set(stored.tables) == {*FRAMES, "failures", "left_out", "seconds"} and len(stored.tables) == 5


@pytest.mark.parametrize("read", [False, True])
def test_a_part_holds_the_columns_and_the_series_asked_for(tmp_path, read):
    stored = backtest(MODELS, frame(), windows=2, out=tmp_path / "run")
    table = backtest(MODELS, frame(), windows=2).tables["forecasts"]
    if read:
        stored.tables.hold()
    columns = ["crps", "unique_id"]
    pd.testing.assert_frame_equal(stored.part("forecasts", columns), table[columns])
    one = stored.part("forecasts", series=1).reset_index(drop=True)
    pd.testing.assert_frame_equal(one, table[table["series"] == 1].reset_index(drop=True))


def test_tables_of_a_folder_that_is_gone_are_missed_by_name(tmp_path):
    stored = backtest(MODELS, frame(), windows=2, out=tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "forecasts")
    with pytest.raises(JobError, match=r"the forecasts of this backtest are read from its folder .*run, where .* gone"):
        _ = stored.forecasts


def test_a_window_is_written_block_by_block_and_read_in_the_order_of_series(monkeypatch, tmp_path):
    whole = backtest(SeasonalNaive(horizon=4), frame(), windows=2)
    monkeypatch.setattr(local_base, "NUMBERS_AT_ONCE", 1)  # one series a block
    same(whole, backtest(SeasonalNaive(horizon=4), frame(), windows=2, out=tmp_path / "run"))
    blocks = [(forecasts, forecasts[["series"]]) for _, forecasts in whole.tables["forecasts"].groupby("series")]
    folder = RunFolder(tmp_path / "other")
    folder.write_window("m", 0, reversed(blocks), lambda: {"fit": 1.0})
    assert folder.read_table("forecasts", "m", 0, ["series"])["series"].is_monotonic_increasing
    assert folder.read_seconds("m", 0) == {"fit": 1.0}
    np.testing.assert_array_equal(folder.read_table("forecasts", "m", 0, series=2)["series"].unique(), [2])


def test_a_window_that_fails_midway_leaves_no_file(monkeypatch, tmp_path):
    class Ends(SeasonalNaive):
        def predict_blocks(self, data=None, **options):
            yield next(super().predict_blocks(data, **options))

    monkeypatch.setattr(local_base, "NUMBERS_AT_ONCE", 1)
    result = backtest({"m": Ends(horizon=4)}, frame(), windows=1, out=tmp_path / "run")
    assert "lacks series 's1'" in result.failures["error"][0]
    assert [path.name for path in (tmp_path / "run").rglob("*") if path.is_file()] != []
    assert not [path for path in (tmp_path / "run").rglob("*") if "parquet" in path.name]


def test_windows_written_as_one_table_with_the_seconds_in_its_schema_are_read(tmp_path):
    """As former versions wrote them."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = backtest(MODELS, frame(), windows=2, out=tmp_path / "run")
    for kind in FRAMES:
        for place in (tmp_path / "run" / kind).rglob("*.parquet"):
            table = pa.Table.from_pandas(pq.read_table(place).to_pandas(), preserve_index=False)
            seconds = json.dumps({"fit": 1.0, "predict": 2.0}).encode()
            pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"tsformers": seconds}), place)
    Walk.calls = []
    again = backtest(MODELS, frame(), windows=2, out=tmp_path / "run")
    assert Walk.calls == [] and again.tables["seconds"]["fit"].tolist() == [1.0] * 4
    same(whole, again)
