"""Published tables measured again: files, cells, resuming, refusals, and the tables that come with the package."""

import fnmatch
import json
import textwrap
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import tsformers.reproduction.published_tables as published_tables
from tsformers.errors import JobError
from tsformers.reproduction.long_horizon import split_frame
from tsformers.reproduction.published_tables import find_reproduction, read_reproduction

ROOT = Path(__file__).resolve().parents[2]
TABLES = [
    path
    for path in sorted((ROOT / "pipelines" / "reproduce").glob("*.toml"))
    if "kind" not in tomllib.loads(path.read_text(encoding="utf-8"))
]
MINE = """
    title = "Mine"
    source = "nobody"
    seeds = 2
    n_samples = 4
    none = ["scaler"]

    [model]
    class = "Linear"
    likelihood = "squared_error"
    max_steps = 5

    [datasets.walk]
    context_length = 8
    horizons = [2, 4]
    settings = { batch_size = 16 }
    published.4 = { mse = 1.5, mae = 1.25, mse_sd = 0.5 }
"""


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Writes a table about a toy data set and returns its path."""
    rows = pd.DataFrame({"unique_id": "a", "ds": range(120), "y": [float(t % 7) for t in range(120)]})
    rows["split"] = ["train"] * 60 + ["validation"] * 20 + ["test"] * 40
    monkeypatch.setattr(published_tables, "split_dataset", lambda name: split_frame(rows, name, freq=1))

    def write(text: str = MINE) -> Path:
        (tmp_path / "mine.toml").write_text(textwrap.dedent(text))
        return tmp_path / "mine.toml"

    return write


def test_measured_numbers_stand_beside_published_ones(table, tmp_path):
    lines: list[str] = []
    found = read_reproduction(table(), out=tmp_path / "run").run(lines.append)
    assert found["horizon"].tolist() == [2, 4] and found["seeds"].tolist() == [2, 2]
    assert found["windows"].tolist() == [39, 37] and found["windows_32"].tolist() == [32, 32]
    assert (
        pd.isna(found["published_mse"][0]) and found["published_mse"][1] == 1.5 and found["published_mse_sd"][1] == 0.5
    )
    assert found["steps"].tolist() == [5, 5] and (found["mse_sd"] > 0).all()
    assert json.loads(found["settings"][0]) == {"batch_size": 16}
    assert len(lines) == 4 and lines[0].startswith("walk, horizon 2, seed 1: mse ")
    kept = [json.loads(path.read_text())["found"] for path in sorted((tmp_path / "run").glob("walk-4-*.json"))]
    assert found["mse"][1] == pytest.approx(sum(each["mse"] for each in kept) / 2)


def test_the_protocol_fixes_horizon_context_seed_and_validation(table):
    asked = read_reproduction(table(), horizon=4)
    model = asked.model(asked.cells[0], 3, published_tables.split_dataset("walk"))
    chosen = model.get_params()
    wanted = {"horizon": 4, "context_length": 8, "seed": 3, "validation_windows": 17, "validation_stride": 1}
    assert wanted | {"scaler": None, "batch_size": 16, "max_steps": 5} == {
        key: chosen[key] for key in (*wanted, "scaler", "batch_size", "max_steps")
    }


def test_an_interrupted_table_resumes_and_finished_cells_are_not_measured_again(table, tmp_path, monkeypatch):
    asked = read_reproduction(table(), out=tmp_path / "run")
    whole = asked.run()
    score, calls = published_tables.score_windows, []

    def counted(*args, **keywords):
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return score(*args, **keywords)

    monkeypatch.setattr(published_tables, "score_windows", counted)
    (tmp_path / "run" / "walk-2-seed2.json").unlink()
    (tmp_path / "run" / "walk-4-seed1.json").unlink()
    with pytest.raises(KeyboardInterrupt):
        asked.run()
    left = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert left == ["walk-2-seed1.json", "walk-2-seed2.json", "walk-4-seed2.json"]
    monkeypatch.setattr(published_tables, "score_windows", score)
    again = asked.run()
    pd.testing.assert_frame_equal(again.drop(columns="seconds"), whole.drop(columns="seconds"))


def test_other_settings_in_the_same_folder_are_refused_before_anything_runs(table, tmp_path, monkeypatch):
    read_reproduction(table(), out=tmp_path / "run").run()
    monkeypatch.setattr(published_tables, "score_windows", None)
    (tmp_path / "run" / "walk-2-seed1.json").unlink()
    other = read_reproduction(table(MINE.replace("max_steps = 5", "max_steps = 6")), out=tmp_path / "run")
    with pytest.raises(JobError, match=r"walk-2-seed2\.json was measured with max_steps = 5, now it is 6"):
        other.run()


def test_a_result_that_cannot_be_read_is_named(table, tmp_path):
    asked = read_reproduction(table(), out=tmp_path / "run", horizon=2, seeds=1)
    asked.run()
    (tmp_path / "run" / "walk-2-seed1.json").write_text("{")
    with pytest.raises(JobError, match=r"walk-2-seed1\.json cannot be read"):
        asked.run()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("max_steps", "max_step"), "Linear has no setting 'max_step'"),
        (("max_steps = 5", "seed = 5"), "seed is fixed by the protocol"),
        (("horizons", "horizon"), "horizon"),
        (("published.4", "published.5"), r"published\.5 is no horizon"),
        (("mse = 1.5", "rmse = 1.5"), "rmse"),
        (('class = "Linear"', ""), r"model\.class is missing"),
        (('"Linear"', '"Linea"'), "no forecaster is called 'Linea'; did you mean 'Linear'"),
    ],
)
def test_a_file_with_a_mistake_is_refused(table, tmp_path, change, message):
    with pytest.raises(JobError, match=message):
        read_reproduction(table(MINE.replace(*change)), out=tmp_path / "run").run()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dataset": "wak"}, "did you mean 'walk'"),
        ({"horizon": 3}, "no horizon '3'; there are 2, 4"),
        ({"seeds": 0}, "1 or"),
    ],
)
def test_a_cell_that_is_not_in_the_table_is_refused(table, asked, message):
    with pytest.raises(JobError, match=message):
        read_reproduction(table(), **asked)
    with pytest.raises(JobError, match="did you mean 'autoformer'"):
        find_reproduction("autoforme")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_tables_of_the_package_can_be_read(path):
    asked = read_reproduction(path.stem)
    assert asked.path == path and asked.table.source and asked.cells
    assert all(cell.published for cell in asked.cells)


def test_the_package_carries_every_job_and_table():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = tools["package-data"]["tsformers._pipelines"]
    assert TABLES
    for path in (ROOT / "pipelines").rglob("*.toml"):
        relative = path.relative_to(ROOT / "pipelines")
        assert any(
            fnmatch.fnmatch(relative.name, Path(pattern).name) and relative.parent == Path(pattern).parent
            for pattern in patterns
        ), f"{relative} would be missing in the wheel"
